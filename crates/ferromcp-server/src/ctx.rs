//! What a handler can do besides returning: report progress, log, ask the client, read resources, notice cancellation.
//!
//! A [`Ctx`] is made only for handlers that take one. It ends with the call: afterwards it says nothing more.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::Context;
use std::time::Duration;

use ferromcp_core::model::{LogLevel, LogMessageParams, ProgressParams, ReadResourceParams, ReadResourceResult};
use ferromcp_core::{
    ClientRequest, Error, ProgressToken, RawJson, RequestMeta, Revision, ServerNotification, ServerResult,
};
use serde::Serialize;

use crate::client_requests::QuestionError;
use crate::client_requests::error::Kind;
use crate::request_state::CallIdentity;
use crate::client_requests::mrtr::replay::{AfterPoll, Replay};
use crate::request_state::StateOptions;
use crate::call::{CallRounds, Call, Extensions, Peer, Reply};
use crate::engine::{Engine, Scene};
use crate::latch::Latch;
use crate::limits::Limits;
use crate::outlet::{Full, Outlet};
use crate::state::States;
use crate::subscription;

/// The handler's view of its call. Cloning is cheap; a clone in a spawned task falls silent when the call ends.
#[derive(Clone)]
pub struct Ctx(Arc<Parts>);

struct Parts {
    engine: Arc<dyn Engine>,
    states: Arc<States>,
    peer: Peer,
    outlet: Outlet,
    extensions: Extensions,
    meta: RequestMeta,
    /// What is asked for, if the client may be asked while it is answered.
    call_identity: Option<CallIdentity>,
    rounds: OnceLock<Arc<Replay>>,
    /// A call made from inside of a handler: whoever drives that handler drives its rounds.
    is_inner: bool,
    /// Effects under way that run once, in which nothing can be asked.
    in_step: AtomicUsize,
    /// The handler is a plain function, which cannot wait for an answer.
    is_plain: AtomicBool,
    /// What was last reported; held while anything is sent.
    progress: Mutex<f64>,
    ended: Latch,
}

impl Ctx {
    pub(crate) fn new(engine: &Arc<dyn Engine>, scene: Scene<'_>) -> Self {
        Self(Arc::new(Parts {
            states: engine.states(),
            engine: Arc::clone(engine),
            peer: scene.peer.clone(),
            outlet: scene.outlet.clone(),
            extensions: scene.extensions.clone(),
            meta: scene.meta.cloned().unwrap_or_default(),
            call_identity: CallIdentity::of(scene.request),
            rounds: scene.rounds.map_or_else(OnceLock::new, |rounds| OnceLock::from(Arc::clone(rounds.replay()))),
            is_inner: scene.rounds.is_some_and(CallRounds::is_inner),
            in_step: AtomicUsize::new(0),
            is_plain: AtomicBool::new(false),
            progress: Mutex::new(f64::NEG_INFINITY),
            ended: Latch::default(),
        }))
    }

    /// Reports that `progress` of `total` is done, if the client wants to hear of it.
    ///
    /// Values must rise; one that does not is left out, as the spec wants them strictly increasing.
    pub async fn progress(&self, progress: f64, total: impl Into<Option<f64>>) {
        self.report(progress, total.into(), None).await;
    }

    /// Reports progress with a word for people.
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

    /// Logs details for finding faults.
    pub async fn debug(&self, message: impl Into<String>) {
        self.log(LogLevel::Debug, &message.into()).await;
    }

    /// Logs what happens normally.
    pub async fn info(&self, message: impl Into<String>) {
        self.log(LogLevel::Info, &message.into()).await;
    }

    /// Logs that something may be wrong.
    pub async fn warning(&self, message: impl Into<String>) {
        self.log(LogLevel::Warning, &message.into()).await;
    }

    /// Logs that something failed.
    pub async fn error(&self, message: impl Into<String>) {
        self.log(LogLevel::Error, &message.into()).await;
    }

    /// Logs any data at any level to the client. It hears what is at least as severe as the level it
    /// set for its session, or for this request; modern clients that set none hear nothing.
    ///
    /// Keep secrets and personal data out.
    pub async fn log<T: Serialize + ?Sized>(&self, level: LogLevel, data: &T) {
        self.log_as(None, level, data).await;
    }

    /// Logs under a logger's name.
    pub async fn log_as<T: Serialize + ?Sized>(&self, logger: Option<&str>, level: LogLevel, data: &T) {
        if self.0.peer.log_level().is_none_or(|least| level < least) || !self.0.engine.logs() {
            return;
        }
        let Ok(data) = RawJson::new(data) else { return };
        let mut params = LogMessageParams::new(level, data);
        params.logger = logger.map(str::to_owned);
        self.send(ServerNotification::Message(params), None).await;
    }

    /// Sends while the call runs and `progress` rises, waiting for room while the peer reads slowly.
    async fn send(&self, mut notification: ServerNotification, progress: Option<f64>) {
        loop {
            match self.try_send(notification, progress) {
                Ok(()) => return,
                Err(Full(back)) => notification = *back,
            }
            tokio::select! {
                () = self.0.outlet.ready() => {}
                () = self.cancelled() => return,
            }
        }
    }

    /// Under one lock with the end of the call, so that nothing is said after it and progress never
    /// falls, however many tasks report.
    fn try_send(&self, notification: ServerNotification, progress: Option<f64>) -> Result<(), Full> {
        let mut last = self.0.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if self.has_ended() || progress.is_some_and(|progress| progress <= *last) {
            return Ok(()); // nobody is to hear it
        }
        self.0.outlet.try_send(notification, self.0.peer.revision())?;
        if let Some(progress) = progress {
            *last = progress;
        }
        Ok(())
    }

    /// Lets the client's connection go while this call runs on: for calls that take so long that holding a connection
    /// open is a waste. The client comes back after `retry` and gets what was said meanwhile, the answer included.
    ///
    /// Only clients of 2025-11-25 over HTTP with a session do that; for all others nothing happens. Spec:
    /// <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#sending-messages-to-the-server>.
    pub fn disconnect(&self, retry: Duration) {
        if !self.has_ended() {
            self.0.outlet.disconnect(retry);
        }
    }

    /// Reads a resource of this server, as the client would.
    ///
    /// # Errors
    /// The error the client would get.
    pub async fn read_resource(&self, uri: &str) -> Result<ReadResourceResult, Error> {
        let mut call = Call::new(ClientRequest::ReadResource(ReadResourceParams::new(uri)), self.0.peer.clone())
            .outlet(self.0.outlet.clone());
        call.extensions = self.0.extensions.clone();
        call.rounds = self.replay().map(CallRounds::inner);
        match Arc::clone(&self.0.engine).call(call).await {
            Reply::Done(ServerResult::ReadResource(result)) => Ok(result),
            Reply::Failed(error) => Err(error),
            _ => Err(Error::internal(format!("reading `{uri}` gave no contents"))),
        }
    }

    /// What tells clients that something changed: all that asked to know, not only the one of this call.
    /// Unlike the context it goes on after the call.
    pub fn notify(&self) -> subscription::Notify {
        subscription::Notify::new(Arc::clone(self.0.engine.hub()))
    }

    /// The state of type `T`, given by `.state(..)` or a lifespan.
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.0.states.get()
    }

    /// Resolves when the call is cancelled or over: for tasks and threads that a handler leaves behind.
    /// The handler itself need not watch; it is dropped.
    pub fn cancelled(&self) -> impl Future<Output = ()> + Send + 'static {
        let parts = Arc::clone(&self.0);
        async move { parts.ended.wait().await }
    }

    /// Whether the call is cancelled or over: for loops in blocking code.
    pub fn has_ended(&self) -> bool {
        self.0.ended.is_set()
    }

    /// Who asks.
    pub fn peer(&self) -> &Peer {
        &self.0.peer
    }

    /// The authenticated principal, where there is one.
    pub fn identity(&self) -> Option<&str> {
        self.0.peer.identity()
    }

    /// The revision of this call.
    pub fn revision(&self) -> Revision {
        self.0.peer.revision()
    }

    /// The request's `_meta`, trace context and foreign keys included.
    pub fn meta(&self) -> &RequestMeta {
        &self.0.meta
    }

    /// The token under which the client hears of progress, if it wants to.
    pub fn progress_token(&self) -> Option<&ProgressToken> {
        self.0.meta.progress_token.as_ref()
    }

    /// What middleware left.
    pub fn extensions(&self) -> &Extensions {
        &self.0.extensions
    }

    /// The rounds of this call, where it was asked in, or is asked by replay from now on; `None` where it is asked live.
    pub(crate) fn replay(&self) -> Option<&Arc<Replay>> {
        (self.0.call_identity.is_some() && self.revision().is_modern()).then(|| self.first_round())
    }

    /// The rounds of this call, if there are any.
    pub(crate) fn rounds(&self) -> Option<&Replay> {
        self.0.rounds.get().map(|rounds| &**rounds)
    }

    /// The rounds of this call, of which this may be the first; `None` where nothing can be asked.
    pub(crate) fn rounds_or_first(&self) -> Option<&Replay> {
        match self.rounds() {
            Some(rounds) => Some(rounds),
            None => self.replay().map(|rounds| &**rounds),
        }
    }

    fn first_round(&self) -> &Arc<Replay> {
        self.0.rounds.get_or_init(|| Arc::new(Replay::first()))
    }

    /// What follows when the handler waits.
    pub(crate) fn after_poll(&self, cx: &Context<'_>) -> AfterPoll {
        if self.0.is_inner {
            return AfterPoll::Wait;
        }
        self.replay().map_or(AfterPoll::Wait, |rounds| rounds.after_poll(cx))
    }

    /// Whether something can be asked here at all.
    pub(crate) fn may_ask(&self) -> Result<(), QuestionError> {
        if self.0.is_plain.load(Ordering::Relaxed) {
            return Err(misplaced(
                "a plain function cannot wait; make it `async`, or declare the question with `#[ask(..)]`",
            ));
        }
        if self.0.in_step.load(Ordering::Relaxed) > 0 {
            return Err(misplaced("what runs once cannot ask; ask before it, and give it the answer"));
        }
        self.may_drive()
    }

    /// Whether the call may be answered with questions.
    pub(crate) fn may_drive(&self) -> Result<(), QuestionError> {
        match self.0.call_identity {
            None => Err(misplaced("only tools, prompts and resources can ask")),
            Some(_) => Ok(()),
        }
    }

    /// The handler is a plain function, which cannot wait for an answer.
    pub(crate) fn is_plain(&self) {
        self.0.is_plain.store(true, Ordering::Relaxed);
    }

    /// Within an effect that runs once, until this is dropped.
    pub(crate) fn inside_step(&self) -> InStep<'_> {
        self.0.in_step.fetch_add(1, Ordering::Relaxed);
        InStep(&self.0.in_step)
    }

    /// Where this call's messages go.
    pub(crate) fn outlet(&self) -> &Outlet {
        &self.0.outlet
    }

    /// What is asked for, where the client may be asked meanwhile.
    pub(crate) fn call_identity(&self) -> Option<&CallIdentity> {
        self.0.call_identity.as_ref()
    }

    /// The bounds of the server.
    pub(crate) fn limits(&self) -> &Limits {
        self.0.engine.limits()
    }

    /// How the states of calls are kept, and for whom they are.
    pub(crate) fn states(&self) -> (&StateOptions, &str) {
        self.0.engine.states_of_calls()
    }

    /// What ends this context when dropped.
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

/// Within an effect that runs once.
pub(crate) struct InStep<'c>(&'c AtomicUsize);

impl Drop for InStep<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Ends a [`Ctx`] when the call it belongs to is answered or dropped.
pub(crate) struct CtxGuard(Ctx);

impl Drop for CtxGuard {
    fn drop(&mut self) {
        let _no_more = self.0.0.progress.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.0.ended.set();
    }
}
