//! A question on its way.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ferromcp_core::model::{ClientCapabilities, EmptyParams, InputRequest};
use ferromcp_core::{RawJson, ServerRequest};

use super::error::{AskError, Kind};
use super::known::known;
use super::live::Unanswered;
use super::question::{Question, excerpt};
use super::step::Arrival;
use super::visit::Visit;
use super::{able, pause};
use crate::ctx::Ctx;
use crate::started::BoxFuture;

/// A question that is asked when it is awaited: `ctx.elicit::<bool>("Sure?").key("sure").await`.
#[must_use = "a question is asked when it is awaited"]
pub struct Asking<T> {
    ctx: Ctx,
    state: State<T>,
}

enum State<T> {
    Unasked(Option<Box<Question<T>>>),
    Asked(BoxFuture<Result<T, AskError>>),
}

impl<T> Asking<T> {
    pub(crate) fn new(ctx: Ctx, question: Question<T>) -> Self {
        Self { ctx, state: State::Unasked(Some(Box::new(question))) }
    }

    fn change(mut self, change: impl FnOnce(Question<T>) -> Question<T>) -> Self {
        if let State::Unasked(question) = &mut self.state {
            *question = question.take().map(|question| Box::new(change(*question)));
        }
        self
    }

    /// As [`Question::key`].
    pub fn key(self, key: impl Into<String>) -> Self {
        self.change(|question| question.key(key))
    }

    /// As [`Question::or`].
    pub fn or(self, fallback: T) -> Self {
        self.change(|question| question.or(fallback))
    }

    /// As [`Question::timeout`].
    pub fn timeout(self, timeout: Duration) -> Self {
        self.change(|question| question.timeout(timeout))
    }
}

impl Asking<Visit> {
    /// As [`Question::id`].
    pub fn id(self, id: impl Into<String>) -> Self {
        self.change(|question| question.id(id))
    }
}

impl<T: Send + 'static> Future for Asking<T> {
    type Output = Result<T, AskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let State::Unasked(question) = &mut self.state {
            let Some(question) = question.take() else { return Poll::Pending };
            self.state = State::Asked(Box::pin(put(self.ctx.clone(), *question)));
        }
        match &mut self.state {
            State::Asked(future) => future.as_mut().poll(cx),
            State::Unasked(_) => Poll::Pending,
        }
    }
}

impl<T> Unpin for Asking<T> {}

impl<T> fmt::Debug for Asking<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            State::Unasked(question) => f.debug_tuple("Asking").field(question).finish(),
            State::Asked(_) => f.write_str("Asking(..)"),
        }
    }
}

/// Asks a question, and reads the answer.
async fn put<T>(ctx: Ctx, mut question: Question<T>) -> Result<T, AskError> {
    if let Some(flaw) = question.flaw() {
        return Err(AskError::mistake(flaw));
    }
    ctx.may_ask()?;
    if let Some(missing) = missing(&question.request, &ctx) {
        return question.take_fallback().ok_or_else(|| Kind::Unsupported(Box::new(missing)).into());
    }
    able::polite(&mut question.request, ctx.peer());
    let answer = match ctx.replay() {
        Some(replay) => {
            let place = replay.ask(&question.request, question.key.as_deref());
            let arrival = Arrival { replay, place };
            tokio::select! {
                biased;
                answer = arrival.wait() => answer?,
                () = ctx.cancelled() => return Err(Kind::Gone.into()), // a task that outlives its call
            }
        }
        None => live(&ctx, &mut question.request, question.timeout).await?,
    };
    question.read(&answer)
}

/// What the client would have to declare before this could be asked. One that cannot be reached in the middle of its
/// call cannot be asked either, whatever it declared.
pub(crate) fn missing(request: &InputRequest, ctx: &Ctx) -> Option<ClientCapabilities> {
    let reachable = ctx.revision().is_modern() || ctx.outlet().can_ask();
    able::missing(request, ctx.peer()).or_else(|| (!reachable).then(|| able::needed(request)))
}

/// Asks the client at once, and waits for what it says.
pub(crate) async fn live(
    ctx: &Ctx,
    request: &mut InputRequest,
    timeout: Option<Duration>,
) -> Result<RawJson, AskError> {
    known(request, ctx)?;
    let timeout = timeout.unwrap_or(ctx.limits().answer_time);
    let words = excerpt(request);
    let asked = ctx.outlet().ask(as_request(request), ctx.peer());
    let _pause = pause::begin(ctx.extensions());
    tokio::select! {
        answer = asked => answer.map_err(|unanswered| match unanswered {
            Unanswered::Refused(error) => Kind::Refused(error).into(),
            Unanswered::TooMany(most) => AskError::mistake(format!(
                "the client has {most} questions to answer already; `Limits::questions` sets how many"
            )),
            Unanswered::Gone | Unanswered::Nobody => Kind::Gone.into(),
        }),
        () = tokio::time::sleep(timeout) => Err(Kind::TimedOut(words, timeout).into()),
        () = ctx.cancelled() => Err(Kind::Gone.into()),
    }
}

/// The question as a request of its own.
fn as_request(request: &InputRequest) -> ServerRequest {
    match request {
        InputRequest::Elicit(params) => ServerRequest::Elicit(Box::new(params.clone())),
        InputRequest::CreateMessage(params) => ServerRequest::CreateMessage(params.clone()),
        _ => ServerRequest::ListRoots(EmptyParams::default()),
    }
}
