//! The future of a question to the client.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ferromcp_core::model::{ClientCapabilities, ElicitParams, EmptyParams, InputRequest, UrlParams};
use ferromcp_core::{RawJson, ServerRequest};

use super::capabilities;
use super::elicited::UrlConsent;
use super::mrtr::once::SlotFuture;
use super::question::Question;
use crate::box_future::BoxFuture;
use crate::ctx::Ctx;
use crate::deadline;
use crate::era::features::has_multi_round_trip;
use crate::peer::Peer;
use crate::pending_requests::RequestError;
use crate::question_error::{Kind, QuestionError};
use crate::random;
use crate::rounds::question_kind::excerpt;

/// A future that sends its question on the first poll: `ctx.elicit::<bool>("Sure?").key("sure").await`.
#[must_use = "a question is sent when it is awaited"]
pub struct PendingQuestion<T> {
    ctx: Ctx,
    state: State<T>,
}

enum State<T> {
    Unsent(Option<Box<Question<T>>>),
    InFlight(BoxFuture<Result<T, QuestionError>>),
}

impl<T> PendingQuestion<T> {
    pub(crate) fn new(ctx: Ctx, question: Question<T>) -> Self {
        Self { ctx, state: State::Unsent(Some(Box::new(question))) }
    }

    fn update(mut self, update: impl FnOnce(Question<T>) -> Question<T>) -> Self {
        if let State::Unsent(question) = &mut self.state {
            *question = question.take().map(|question| Box::new(update(*question)));
        }
        self
    }

    /// Sets the key. See [`Question::key`].
    pub fn key(self, key: impl Into<String>) -> Self {
        self.update(|question| question.key(key))
    }

    /// Sets the fallback. See [`Question::or`].
    pub fn or(self, fallback: T) -> Self {
        self.update(|question| question.or(fallback))
    }

    /// Sets the timeout. See [`Question::timeout`].
    pub fn timeout(self, timeout: Duration) -> Self {
        self.update(|question| question.timeout(timeout))
    }
}

impl PendingQuestion<UrlConsent> {
    /// Sets the elicitation id. See [`Question::id`].
    pub fn id(self, id: impl Into<String>) -> Self {
        self.update(|question| question.id(id))
    }
}

impl<T: Send + 'static> Future for PendingQuestion<T> {
    type Output = Result<T, QuestionError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let State::Unsent(question) = &mut self.state {
            let Some(question) = question.take() else { return Poll::Pending };
            self.state = State::InFlight(Box::pin(send_question(self.ctx.clone(), *question)));
        }
        match &mut self.state {
            State::InFlight(future) => future.as_mut().poll(cx),
            State::Unsent(_) => Poll::Pending,
        }
    }
}

impl<T> Unpin for PendingQuestion<T> {}

impl<T> fmt::Debug for PendingQuestion<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            State::Unsent(question) => f.debug_tuple("PendingQuestion").field(question).finish(),
            State::InFlight(_) => f.write_str("PendingQuestion(..)"),
        }
    }
}

/// Sends a question, and parses the response.
async fn send_question<T>(ctx: Ctx, mut question: Question<T>) -> Result<T, QuestionError> {
    if let Some(reason) = question.invalid_reason() {
        return Err(QuestionError::usage(reason));
    }
    ctx.may_ask()?;
    if let Some(missing) = missing_capabilities(&question.request, &ctx) {
        return question.take_fallback().ok_or_else(|| Kind::Unsupported(Box::new(missing)).into());
    }
    capabilities::strip_undeclared(&mut question.request, ctx.peer());
    let answer = match ctx.replay() {
        Some(replay) => {
            let slot = replay.ask(&question.request, question.key.as_deref());
            replayed_answer(&ctx, &SlotFuture { replay, slot }).await?
        }
        None => send_request(&ctx, &mut question.request, question.timeout).await?,
    };
    question.parse(&answer)
}

/// Waits for the replayed answer to a question.
///
/// # Errors
/// Fails if the question changes on each run, or if the call has ended, because a spawned task can outlive its call.
pub(crate) async fn replayed_answer(ctx: &Ctx, slot: &SlotFuture<'_>) -> Result<RawJson, QuestionError> {
    tokio::select! {
        biased;
        answer = slot.wait() => answer,
        () = ctx.cancelled() => Err(Kind::Disconnected.into()),
    }
}

/// Returns the client capabilities that this request requires and that are missing, if any. A transport that cannot
/// send server requests during a call counts as a client without the capability.
pub(crate) fn missing_capabilities(request: &InputRequest, ctx: &Ctx) -> Option<ClientCapabilities> {
    let reachable = has_multi_round_trip(ctx.revision()) || ctx.sink().can_ask();
    capabilities::missing_capabilities(request, ctx.peer())
        .or_else(|| (!reachable).then(|| capabilities::required(request)))
}

/// Sends a JSON-RPC request to the client, and waits for the response.
///
/// # Errors
/// Fails on timeout, cancellation or disconnect, or if the client responds with an error.
pub(crate) async fn send_request(
    ctx: &Ctx,
    request: &mut InputRequest,
    timeout: Option<Duration>,
) -> Result<RawJson, QuestionError> {
    register_url(request, ctx.peer())?;
    let timeout = timeout.unwrap_or(ctx.limits().answer_timeout);
    let excerpt = excerpt(request);
    let response = ctx.sink().ask(server_request(request), ctx.peer());
    let _pause = deadline::pause(ctx.extensions());
    tokio::select! {
        answer = response => answer.map_err(question_error),
        () = tokio::time::sleep(timeout) => Err(Kind::TimedOut(excerpt, timeout).into()),
        () = ctx.cancelled() => Err(Kind::Disconnected.into()),
    }
}

/// Converts the error of a request to the client.
pub(crate) fn question_error(error: RequestError) -> QuestionError {
    match error {
        RequestError::ErrorResponse(error) => Kind::ErrorResponse(error).into(),
        RequestError::TooMany(max) => QuestionError::usage(format!(
            "{max} requests to the client are already pending; raise `ServerLimits::questions`"
        )),
        RequestError::ServerBusy(max) => QuestionError::usage(format!(
            "{max} requests to the clients of the server are already pending; raise `HttpServerLimits::in_flight`"
        )),
        RequestError::Disconnected | RequestError::Unsupported => Kind::Disconnected.into(),
    }
}

/// Converts an input request to a server-to-client request.
pub(crate) fn server_request(request: &InputRequest) -> ServerRequest {
    match request {
        InputRequest::Elicit(params) => ServerRequest::Elicit(Box::new(params.clone())),
        InputRequest::CreateMessage(params) => ServerRequest::CreateMessage(params.clone()),
        _ => ServerRequest::ListRoots(EmptyParams::default()),
    }
}

/// Sets the id of a URL elicitation (required on 2025-11-25), and registers the session for its completion
/// notification.
///
/// Spec: <https://modelcontextprotocol.io/specification/2025-11-25/client/elicitation#url-mode-elicitation-requests>.
///
/// # Errors
/// Fails if the system's random number generator fails.
pub(crate) fn register_url(request: &mut InputRequest, peer: &Peer) -> Result<(), QuestionError> {
    let InputRequest::Elicit(ElicitParams::Url(url)) = request else { return Ok(()) };
    ensure_id(url)?;
    if let (Some(mailbox), Some(id)) = (peer.mailbox(), &url.elicitation_id) {
        mailbox.expect_elicitation(id);
    }
    Ok(())
}

fn ensure_id(url: &mut UrlParams) -> Result<(), QuestionError> {
    if url.elicitation_id.is_none() {
        url.elicitation_id = Some(random::id().map_err(|error| QuestionError::usage(error.to_string()))?);
    }
    Ok(())
}
