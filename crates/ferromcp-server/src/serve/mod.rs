//! Serving: checks, opens lifespans, runs a pipe, closes again.

mod batch;
mod hint;
mod on;
mod pipe;
pub(crate) mod signal;
mod sink;

use std::fmt;
use std::io;
use std::sync::Arc;

use ferromcp_core::Identity;
use ferromcp_transport::{FrameRx, FrameTx, Transport};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::inner::Inner;
use crate::lifespan::Lifespans;
use crate::tool_error::ToolError;

pub use on::{OnHttp, OnPipe, ServeOn, Served};

/// Why a server does not serve, or stopped.
///
/// Its `Debug` form is the sentence too, since that is what a `main` that returns it prints.
pub struct ServeError(Kind);

enum Kind {
    Mistakes(Vec<String>),
    Lifespan { state: &'static str, error: ToolError },
    Transport { name: &'static str, error: io::Error },
}

impl ServeError {
    /// The server is built wrongly, in these ways.
    pub(crate) fn mistakes(mistakes: Vec<String>) -> Self {
        Self(Kind::Mistakes(mistakes))
    }

    /// What moves the bytes broke.
    pub(crate) fn transport(name: &'static str, error: io::Error) -> Self {
        Self(Kind::Transport { name, error })
    }

    /// Whether the server itself is built wrongly.
    pub fn is_mistake(&self) -> bool {
        matches!(self.0, Kind::Mistakes(_))
    }

    /// Whether the transport broke, or could not be opened.
    pub fn is_transport(&self) -> bool {
        matches!(self.0, Kind::Transport { .. })
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Mistakes(mistakes) => write!(f, "the server cannot start: {}", mistakes.join("; ")),
            Kind::Lifespan { state, error } => write!(f, "opening the lifespan that yields `{state}` failed: {error}"),
            Kind::Transport { name, error } => write!(f, "the {name} transport broke: {error}"),
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
            Kind::Mistakes(_) | Kind::Lifespan { .. } => None,
        }
    }
}

/// Names every mistake in building.
pub(crate) fn check(inner: &Inner) -> Result<(), ServeError> {
    let mut mistakes = inner.problems.clone();
    for (who, need) in inner.registry.snapshot().state_needs() {
        let given =
            inner.states.contains(need.id) || inner.lifespans.iter().any(|lifespan| lifespan.state.id == need.id);
        if !given {
            mistakes
                .push(format!("{who} needs state of type `{}`; give it with `.state(..)` or a lifespan", need.name));
        }
    }
    if mistakes.is_empty() { Ok(()) } else { Err(ServeError::mistakes(mistakes)) }
}

/// Checks the server and opens its lifespans.
pub(crate) async fn open(inner: &Inner) -> Result<(), ServeError> {
    check(inner)?;
    enter(inner).await
}

async fn enter(inner: &Inner) -> Result<(), ServeError> {
    let entered = inner.running.enter(&inner.lifespans, &inner.states).await;
    entered.map_err(|(state, error)| ServeError(Kind::Lifespan { state, error }))
}

/// Serves one peer on the halves of a pipe, as `identity` where it is known who that is.
pub(crate) async fn pipe<R: FrameRx, W: FrameTx>(
    inner: Arc<Inner>,
    rx: R,
    tx: W,
    identity: Option<Identity>,
) -> io::Result<()> {
    let (_signals, stop) = signal::unheard();
    pipe::run(inner, rx, tx, stop, identity).await
}

/// Serves one peer.
pub(crate) async fn serve(inner: &Arc<Inner>, transport: impl Transport) -> Result<(), ServeError> {
    check(inner)?;
    let name = transport.name();
    let broken = |error| ServeError::transport(name, error);
    if transport.is_terminal() {
        hint::print(inner);
    }
    let (_signals, stop) = if transport.handles_signals() { signal::listen() } else { signal::unheard() };
    let (rx, tx) = transport.split().map_err(broken)?;
    enter(inner).await?;
    // A task of its own, so that the worker which polls the descriptors also handles what they bring.
    let task = tokio::spawn(pipe::run(Arc::clone(inner), rx, tx, stop, None));
    Serving { task: Some(task), lifespans: Arc::clone(&inner.running) }.join().await.map_err(broken)
}

/// A pipe being served. When the future that waits for it is dropped, it ends and its lifespans close.
struct Serving {
    task: Option<JoinHandle<io::Result<()>>>,
    lifespans: Arc<Lifespans>,
}

impl Serving {
    async fn join(mut self) -> io::Result<()> {
        let Some(task) = &mut self.task else { return Ok(()) };
        let outcome = task.await;
        self.task = None;
        self.lifespans.leave().await;
        outcome.unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let Some(task) = self.task.take() else { return };
        task.abort();
        let lifespans = Arc::clone(&self.lifespans);
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                let _ = task.await; // not before the last call is dropped
                lifespans.leave().await;
            });
        }
    }
}
