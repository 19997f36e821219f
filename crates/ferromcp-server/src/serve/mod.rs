//! Serving: validates the server, opens lifespans, serves the transport, closes lifespans.

pub(crate) mod hint;
mod pipe;
pub(crate) mod signal;
mod sink;
mod source;
mod target;

use std::fmt;
use std::io;
use std::sync::Arc;

use ferromcp_core::text::excerpt;
use ferromcp_transport::{FrameTx, Transport};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::inner::Inner;
use crate::lifespan::Lifespans;
use crate::peer::Caller;
use crate::state::duplicate_state;
use crate::tool_error::ToolError;

pub(crate) use source::MessageSource;
use source::OneSender;
pub use target::{ServeTarget, SharedServer};

/// The error of [`Server::serve`](crate::Server::serve): invalid configuration, a failed lifespan, or a transport error.
///
/// `Debug` prints the same text as `Display`, because a `main` that returns the error prints its `Debug` form.
pub struct ServeError(Kind);

enum Kind {
    Configuration(Vec<String>),
    Lifespan { state: &'static str, error: ToolError },
    Transport { name: &'static str, error: io::Error },
}

impl ServeError {
    /// Creates an error that lists configuration errors.
    pub(crate) fn configuration(errors: Vec<String>) -> Self {
        Self(Kind::Configuration(errors))
    }

    /// Creates a transport error.
    pub(crate) fn transport(name: &'static str, error: io::Error) -> Self {
        Self(Kind::Transport { name, error })
    }

    /// Returns whether the server's configuration is invalid.
    pub fn is_configuration(&self) -> bool {
        matches!(self.0, Kind::Configuration(_))
    }

    /// Returns whether the transport failed or could not be opened.
    pub fn is_transport(&self) -> bool {
        matches!(self.0, Kind::Transport { .. })
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Configuration(errors) => write!(f, "cannot start the server: {}", errors.join("; ")),
            Kind::Lifespan { state, error } => write!(f, "cannot open the lifespan of `{state}`: {error}"),
            Kind::Transport { name, error } => write!(f, "the {name} transport failed: {error}"),
        }
    }
}

impl fmt::Debug for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ServeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Kind::Transport { error, .. } => Some(error),
            Kind::Configuration(_) | Kind::Lifespan { .. } => None,
        }
    }
}

/// Validates the configuration; the error lists every problem.
pub(crate) fn check(inner: &Inner) -> Result<(), ServeError> {
    let mut errors = inner.build_errors.clone();
    for (function, required) in inner.registry.snapshot().state_needs() {
        let is_available = inner.states.contains(required.id)
            || inner.lifespans.iter().filter_map(|lifespan| lifespan.state).any(|state| state.id == required.id);
        if !is_available {
            errors.push(format!(
                "{function} requires state of type `{}`; add it with `.state(..)` or a lifespan",
                required.name
            ));
        }
    }
    for state in inner.lifespans.iter().filter_map(|lifespan| lifespan.state) {
        if inner.states.contains(state.id) {
            errors.push(duplicate_state(state.name));
        }
    }
    errors.extend(inner.registry.snapshot().completion_problems());
    for mounted in &inner.mounted {
        if let Err(ServeError(Kind::Configuration(problems))) = check(mounted) {
            let name = excerpt(&mounted.info.name);
            errors.extend(problems.into_iter().map(|problem| format!("mounted server `{name}`: {problem}")));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(ServeError::configuration(errors)) }
}

/// Validates the server and opens its lifespans.
pub(crate) async fn open(inner: &Inner) -> Result<(), ServeError> {
    check(inner)?;
    enter(inner).await
}

async fn enter(inner: &Inner) -> Result<(), ServeError> {
    inner.registry.log_host_warnings(&inner.info.name);
    let entered = inner.running.enter(&inner.lifespans, &inner.states).await;
    entered.map_err(|(state, error)| ServeError(Kind::Lifespan { state, error }))
}

/// Serves one peer on the two halves of a transport.
pub(crate) async fn pipe(inner: Arc<Inner>, rx: impl MessageSource, tx: impl FrameTx) -> io::Result<()> {
    let (_signals, shutdown) = signal::never();
    pipe::run(inner, rx, tx, shutdown).await
}

/// Serves one peer.
pub(crate) async fn serve(inner: &Arc<Inner>, transport: impl Transport) -> Result<(), ServeError> {
    check(inner)?;
    let name = transport.name();
    let transport_error = |error| ServeError::transport(name, error);
    if transport.is_terminal() {
        hint::print(inner);
    }
    let (_signals, shutdown) = if transport.handles_signals() { signal::listen() } else { signal::never() };
    let (rx, tx) = transport.split().map_err(transport_error)?;
    enter(inner).await?;
    // In a separate task, the worker that polls the file descriptors also handles their messages.
    let rx = OneSender { rx, caller: Caller::local(None) };
    let task = tokio::spawn(pipe::run(Arc::clone(inner), rx, tx, shutdown));
    Serving { task: Some(task), lifespans: Arc::clone(&inner.running) }.join().await.map_err(transport_error)
}

/// A transport being served. Dropping it stops serving and closes the lifespans.
struct Serving {
    task: Option<JoinHandle<io::Result<()>>>,
    lifespans: Arc<Lifespans>,
}

impl Serving {
    async fn join(mut self) -> io::Result<()> {
        let Some(task) = &mut self.task else { return Ok(()) };
        let result = task.await;
        self.task = None;
        self.lifespans.leave().await;
        result.unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let Some(task) = self.task.take() else { return };
        task.abort();
        let lifespans = Arc::clone(&self.lifespans);
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                let _ = task.await; // the last call must be dropped first
                lifespans.leave().await;
            });
        }
    }
}
