//! [`Ctx`]: progress, logging, client requests, resources and cancellation inside a handler.
//!
//! A [`Ctx`] is created only for handlers that take one. It ends with the call; after that it sends nothing.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::Context;
use std::time::Duration;

use ferromcp_core::model::{LogLevel, LogMessageParams, ProgressParams};
use ferromcp_core::{ClientRequest, Error, ProgressToken, RawJson, RequestMeta, Revision, ServerNotification};
use serde::Serialize;

use crate::call::{Call, CallRounds, Extensions, OuterServer, Peer, Reply};
use crate::dispatch; // lint: allow(cycle): a handler can call the server that calls it
use crate::era::features::has_multi_round_trip;
use crate::inner::Inner; // lint: allow(cycle): the server contains the handlers that receive a context of it
use crate::latch::Latch;
use crate::limits::{MAX_CALL_DEPTH, ServerLimits};
use crate::principal::Principal;
use crate::question_error::{Kind, QuestionError};
use crate::registry::Registry; // lint: allow(cycle): a handler can change the registry that contains it
use crate::request_sink::{QueueFull, RequestSink};
use crate::request_state::CallIdentity;
use crate::request_state::StateOptions;
use crate::rounds::replay::{AfterPoll, Replay};
use crate::state::States;
use crate::subscription;

/// The context of a call, taken by handlers as a parameter.
///
/// Cloning is cheap. A clone in a spawned task sends nothing after the call has ended.
///
/// ```
/// use ferromcp_server::Ctx;
///
/// async fn import(rows: Vec<String>, ctx: Ctx) -> String {
///     for (index, _row) in rows.iter().enumerate() {
///         ctx.progress(index as f64, rows.len() as f64).await;
///     }
///     ctx.info("import finished").await;
///     format!("{} rows imported", rows.len())
/// }
/// ```
#[derive(Clone)]
pub struct Ctx(Arc<Parts>);

struct Parts {
    server: Arc<Inner>,
    states: Arc<States>,
    peer: Peer,
    sink: RequestSink,
    extensions: Extensions,
    meta: RequestMeta,
    /// Identifies the call, if it may send requests to the client.
    call_identity: Option<CallIdentity>,
    rounds: OnceLock<Arc<Replay>>,
    /// Whether the call was made by a handler. The driver of that handler then drives the rounds.
    is_inner: bool,
    /// The number of calls of handlers that led to this call.
    depth: usize,
    /// The server that the handling server is mounted in.
    outer: Option<Arc<OuterServer>>,
    /// Number of running `once` effects. No question may be asked inside one.
    in_step: AtomicUsize,
    /// Whether the handler is a synchronous function, which cannot await an answer.
    is_plain: AtomicBool,
    /// The progress last reported. The lock is held while a notification is sent.
    progress: Mutex<f64>,
    ended: Latch,
}

/// The parts of a call that a handler's context is created from.
#[derive(Clone, Copy)]
pub(crate) struct CallContext<'a> {
    pub(crate) server: &'a Arc<Inner>,
    pub(crate) peer: &'a Peer,
    pub(crate) sink: &'a RequestSink,
    pub(crate) extensions: &'a Extensions,
    pub(crate) meta: Option<&'a RequestMeta>,
    pub(crate) request: &'a ClientRequest,
    pub(crate) rounds: Option<&'a CallRounds>,
    pub(crate) depth: usize,
    pub(crate) outer: Option<&'a Arc<OuterServer>>,
}

impl<'a> CallContext<'a> {
    /// Returns the context of a call.
    pub(crate) fn of(server: &'a Arc<Inner>, call: &'a Call) -> Self {
        Self {
            server,
            peer: &call.peer,
            sink: &call.sink,
            extensions: &call.extensions,
            meta: call.request.meta(),
            request: &call.request,
            rounds: call.rounds.as_ref(),
            depth: call.depth,
            outer: call.outer.as_ref(),
        }
    }

    /// Returns the registry of the server.
    pub(crate) fn registry(&self) -> &Registry {
        &self.server.registry
    }
}

impl Ctx {
    pub(crate) fn new(context: CallContext<'_>) -> Self {
        Self(Arc::new(Parts {
            states: context.server.states(),
            server: Arc::clone(context.server),
            peer: context.peer.clone(),
            sink: context.sink.clone(),
            extensions: context.extensions.clone(),
            meta: context.meta.cloned().unwrap_or_default(),
            call_identity: CallIdentity::of(context.request),
            rounds: context.rounds.map_or_else(OnceLock::new, |rounds| OnceLock::from(Arc::clone(rounds.replay()))),
            is_inner: context.rounds.is_some_and(CallRounds::is_inner),
            depth: context.depth,
            outer: context.outer.cloned(),
            in_step: AtomicUsize::new(0),
            is_plain: AtomicBool::new(false),
            progress: Mutex::new(f64::NEG_INFINITY),
            ended: Latch::default(),
        }))
    }

    /// Reports progress, if the client requested progress notifications.
    ///
    /// The spec requires strictly increasing values; a value that does not increase is dropped. Waits while the
    /// outbound buffer is full.
    pub async fn progress(&self, progress: f64, total: impl Into<Option<f64>>) {
        self.report(progress, total.into(), None).await;
    }

    /// Reports progress with a human-readable message.
    pub async fn progress_with(&self, progress: f64, total: impl Into<Option<f64>>, message: impl Into<String>) {
        self.report(progress, total.into(), Some(message.into())).await;
    }

    async fn report(&self, progress: f64, total: Option<f64>, message: Option<String>) {
        let Some(token) = self.progress_token() else { return };
        if !progress.is_finite() {
            return;
        }
        let mut params = ProgressParams::new(token.clone(), progress);
        params.total = total.filter(|total| total.is_finite());
        params.message = message;
        self.send(ServerNotification::Progress(params), Some(progress)).await;
    }

    /// Sends a log message at level `debug`.
    pub async fn debug(&self, message: impl Into<String>) {
        self.log(LogLevel::Debug, &message.into()).await;
    }

    /// Sends a log message at level `info`.
    pub async fn info(&self, message: impl Into<String>) {
        self.log(LogLevel::Info, &message.into()).await;
    }

    /// Sends a log message at level `warning`.
    pub async fn warning(&self, message: impl Into<String>) {
        self.log(LogLevel::Warning, &message.into()).await;
    }

    /// Sends a log message at level `error`.
    pub async fn error(&self, message: impl Into<String>) {
        self.log(LogLevel::Error, &message.into()).await;
    }

    /// Sends a log message with any serializable data to the client.
    ///
    /// Messages below the client's log level are dropped. The level is set per session on handshake revisions and per
    /// request on 2026-07-28, where a client that sets no level receives no messages. Data that cannot be serialized is
    /// dropped.
    ///
    /// Do not log secrets or personal data.
    pub async fn log<T: Serialize + ?Sized>(&self, level: LogLevel, data: &T) {
        self.log_as(None, level, data).await;
    }

    /// Sends a log message with a logger name. See [`log`](Self::log).
    pub async fn log_as<T: Serialize + ?Sized>(&self, logger: Option<&str>, level: LogLevel, data: &T) {
        if self.0.peer.log_level().is_none_or(|least| level < least) || !self.0.server.logging {
            return;
        }
        let Ok(data) = RawJson::new(data) else { return };
        let mut params = LogMessageParams::new(level, data);
        params.logger = logger.map(str::to_owned);
        self.send(ServerNotification::Message(params), None).await;
    }

    /// Sends a notification while the call runs and `progress` increases. Waits while the outbound queue is full.
    async fn send(&self, mut notification: ServerNotification, progress: Option<f64>) {
        loop {
            match self.try_send(notification, progress) {
                Ok(()) => return,
                Err(QueueFull(back)) => notification = *back,
            }
            tokio::select! {
                () = self.0.sink.ready() => {}
                () = self.cancelled() => return,
            }
        }
    }

    /// Sends under the lock that also guards the end of the call, so that nothing is sent after the end and progress
    /// never decreases, even if several tasks report.
    fn try_send(&self, notification: ServerNotification, progress: Option<f64>) -> Result<(), QueueFull> {
        let mut last = self.0.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if self.has_ended() || progress.is_some_and(|progress| progress <= *last) {
            return Ok(()); // dropped
        }
        self.0.sink.try_send(notification, self.0.peer.revision())?;
        if let Some(progress) = progress {
            *last = progress;
        }
        Ok(())
    }

    /// Closes the client's connection while this call continues, for long-running calls.
    ///
    /// The client reconnects after `retry` and receives the messages sent in the meantime, including the response.
    ///
    /// Works for 2025-11-25 clients over HTTP with a session only; otherwise it does nothing. Spec:
    /// <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#sending-messages-to-the-server>.
    pub fn disconnect(&self, retry: Duration) {
        if !self.has_ended() {
            self.0.sink.disconnect(retry);
        }
    }

    /// Handles a request to the own server as a part of this call.
    pub(crate) async fn call_own_server(&self, request: ClientRequest) -> Reply {
        if self.0.depth >= MAX_CALL_DEPTH {
            return Reply::Failed(Error::internal(format!(
                "nested calls exceed the limit of {MAX_CALL_DEPTH} levels; check for infinite recursion"
            )));
        }
        let mut call = Call::new(request, self.0.peer.clone()).sink(self.0.sink.clone());
        call.extensions = self.0.extensions.clone();
        call.rounds = self.replay().map(CallRounds::inner);
        call.depth = self.0.depth + 1;
        call.outer = self.0.outer.clone();
        dispatch::run(&self.0.server, call).await
    }

    /// Returns a handle that sends change notifications to all subscribed clients.
    ///
    /// Unlike the context, the handle stays valid after the call.
    pub fn notify(&self) -> subscription::ChangeNotifier {
        subscription::ChangeNotifier::new(Arc::clone(&self.0.server.broadcaster))
    }

    /// Returns the state of type `T`, set by [`Server::state`](crate::Server::state) or a lifespan.
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.0.states.get()
    }

    /// Resolves when the call is cancelled or complete.
    ///
    /// Use it in tasks and threads that the handler spawned. The handler's own future is dropped on cancellation.
    pub fn cancelled(&self) -> impl Future<Output = ()> + Send + 'static {
        let parts = Arc::clone(&self.0);
        async move { parts.ended.wait().await }
    }

    /// Returns whether the call is cancelled or complete. Use it in loops of blocking code.
    pub fn has_ended(&self) -> bool {
        self.0.ended.is_set()
    }

    /// Returns the client that made the call.
    pub fn peer(&self) -> &Peer {
        &self.0.peer
    }

    /// Returns the authenticated principal with its scopes and claims, if the endpoint has an authorization that provides
    /// it.
    pub fn principal(&self) -> Option<&Principal> {
        self.0.peer.principal()
    }

    /// Returns the identity of the authenticated principal, if any.
    pub fn identity(&self) -> Option<&str> {
        self.0.peer.identity()
    }

    /// Returns the protocol revision of this call.
    pub fn revision(&self) -> Revision {
        self.0.peer.revision()
    }

    /// Returns the request's `_meta`, including the trace context and unknown keys.
    pub fn meta(&self) -> &RequestMeta {
        &self.0.meta
    }

    /// Returns the progress token, if the client requested progress notifications.
    pub fn progress_token(&self) -> Option<&ProgressToken> {
        self.0.meta.progress_token.as_ref()
    }

    /// Returns the values that middleware added to the call.
    pub fn extensions(&self) -> &Extensions {
        &self.0.extensions
    }

    /// Returns the replay of this call, starting one if needed. `None` if requests are sent to the client during the
    /// call.
    pub(crate) fn replay(&self) -> Option<&Arc<Replay>> {
        (self.0.call_identity.is_some() && has_multi_round_trip(self.revision())).then(|| self.first_round())
    }

    /// Returns the replay of this call, if one was started.
    pub(crate) fn rounds(&self) -> Option<&Replay> {
        self.0.rounds.get().map(|rounds| &**rounds)
    }

    /// Returns the replay of this call, which may be in its first round. `None` if replay is not available.
    pub(crate) fn rounds_or_first(&self) -> Option<&Replay> {
        match self.rounds() {
            Some(rounds) => Some(rounds),
            None => self.replay().map(|rounds| &**rounds),
        }
    }

    fn first_round(&self) -> &Arc<Replay> {
        self.0.rounds.get_or_init(|| Arc::new(Replay::first()))
    }

    /// Decides how to continue when the handler returns `Poll::Pending`.
    pub(crate) fn after_poll(&self, cx: &Context<'_>) -> AfterPoll {
        if self.0.is_inner {
            return AfterPoll::Wait;
        }
        self.replay().map_or(AfterPoll::Wait, |rounds| rounds.after_poll(cx))
    }

    /// Checks that the handler may ask the client a question at this point.
    pub(crate) fn may_ask(&self) -> Result<(), QuestionError> {
        if self.0.is_plain.load(Ordering::Relaxed) {
            return Err(misplaced(
                "a synchronous function cannot await an answer; make it `async`, or declare the question with `#[ask(..)]`",
            ));
        }
        if self.0.in_step.load(Ordering::Relaxed) > 0 {
            return Err(misplaced("cannot ask inside `once`; ask before it and pass the answer in"));
        }
        self.may_drive()
    }

    /// Checks that the call may return questions.
    pub(crate) fn may_drive(&self) -> Result<(), QuestionError> {
        match self.0.call_identity {
            None => Err(misplaced("only tools, prompts and resources can ask")),
            Some(_) => Ok(()),
        }
    }

    /// Checks that the handler may start the next round itself.
    pub(crate) fn may_start_round(&self) -> Result<(), QuestionError> {
        self.may_drive()?;
        if self.0.is_inner {
            return Err(misplaced(
                "a handler that another handler calls (`Ctx::read_resource`, `Ctx::call_tool`) cannot start a round; use `ctx.elicit(..)`",
            ));
        }
        Ok(())
    }

    /// Marks the handler as a synchronous function, which cannot await an answer.
    pub(crate) fn is_plain(&self) {
        self.0.is_plain.store(true, Ordering::Relaxed);
    }

    /// Marks the handler as inside a `once` effect until the guard is dropped.
    pub(crate) fn inside_step(&self) -> InStep<'_> {
        self.0.in_step.fetch_add(1, Ordering::Relaxed);
        InStep(&self.0.in_step)
    }

    /// Returns the sink for this call's messages.
    pub(crate) fn sink(&self) -> &RequestSink {
        &self.0.sink
    }

    /// Returns the identity of the call, if it may send requests to the client.
    pub(crate) fn call_identity(&self) -> Option<&CallIdentity> {
        self.0.call_identity.as_ref()
    }

    /// Returns the server's limits.
    pub(crate) fn limits(&self) -> &ServerLimits {
        &self.0.server.limits
    }

    /// Returns the request state options and the audience.
    pub(crate) fn states(&self) -> (&StateOptions, &str) {
        self.0.server.sealing(self.0.outer.as_deref())
    }

    /// Returns a guard that ends this context when dropped.
    pub(crate) fn guard(&self) -> CtxGuard {
        CtxGuard(self.clone())
    }
}

impl fmt::Debug for Ctx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ctx").field("peer", &self.0.peer).field("ended", &self.has_ended()).finish_non_exhaustive()
    }
}

fn misplaced(why: &'static str) -> QuestionError {
    Kind::NotAllowedHere(why).into()
}

/// Guard of a running `once` effect.
pub(crate) struct InStep<'c>(&'c AtomicUsize);

impl Drop for InStep<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Ends a [`Ctx`] when its call is complete or dropped.
pub(crate) struct CtxGuard(Ctx);

impl Drop for CtxGuard {
    fn drop(&mut self) {
        let _no_more = self.0.0.progress.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.0.ended.set();
    }
}
