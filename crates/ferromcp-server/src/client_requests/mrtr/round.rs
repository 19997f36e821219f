//! Manual rounds: a handler that chooses the questions and the state of each round.

use std::fmt;

use ferromcp_core::{Error, RawJson};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::call::Reply;
use crate::client_requests::capabilities;
use crate::client_requests::pending_question::missing_capabilities;
use crate::client_requests::question::Question;
use crate::ctx::Ctx;
use crate::question_error::{Kind, QuestionError};
use crate::rounds::journal::ManualRound;
use crate::rounds::replay::Replay;
use crate::tool_error::ToolError;

/// One round of a call, for handlers that manage their rounds manually: the answers of the last round, the user state
/// and the next questions.
///
/// Each round runs the handler from the top. On handshake revisions, the server sends the questions as requests between
/// the rounds. Prefer `ctx.elicit(..)`, unless the handler needs control over each round or a small state.
///
/// ```
/// use ferromcp_server::{Question, Round, RoundOutcome, ToolError};
///
/// async fn greet(round: Round) -> Result<RoundOutcome<String>, ToolError> {
///     let question = || Question::<String>::form("What is your name?");
///     match round.answer("name", &question())? {
///         Some(name) => Ok(RoundOutcome::Complete(format!("Hello, {name}!"))),
///         None => Ok(round.next().ask("name", question()).into()),
///     }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Round {
    ctx: Ctx,
}

impl Round {
    pub(crate) fn new(ctx: Ctx) -> Self {
        Self { ctx }
    }

    /// Returns the number of this round. The first round is 1.
    pub fn number(&self) -> u32 {
        self.ctx.rounds().map_or(1, Replay::round)
    }

    /// Returns the answer of the last round with this `key`, parsed as the answer to `question`.
    ///
    /// # Errors
    /// Fails if the answer is invalid, or if the user declined or cancelled a question that requires an answer.
    pub fn answer<T>(&self, key: &str, question: &Question<T>) -> Result<Option<T>, QuestionError> {
        self.raw_answer(key).map(|answer| question.parse(&answer)).transpose()
    }

    /// Returns the raw answer with this `key`: the JSON result of the question's method.
    pub fn raw_answer(&self, key: &str) -> Option<RawJson> {
        self.ctx.rounds()?.round_answer(key)
    }

    /// Returns the state that the last round set with [`NextRound::with_state`].
    ///
    /// # Errors
    /// Fails if the state cannot be deserialized as `S`.
    pub fn state<S: DeserializeOwned>(&self) -> Result<Option<S>, Error> {
        let state = self.ctx.rounds().and_then(Replay::user_state);
        state.map(|state| state.decode()).transpose().map_err(|error| {
            Error::internal(format!(
                "cannot deserialize the state of the last round as `{}`: {error}",
                std::any::type_name::<S>()
            ))
        })
    }

    /// Starts the next round. Return it from the handler as [`RoundOutcome::InputRequired`].
    pub fn next(&self) -> NextRound {
        NextRound::new(self.ctx.clone())
    }
}

/// The outcome of one round: the result of the call, or the next round. The return type of handlers that take a [`Round`].
///
/// Tools, prompts and resources can return it, also within a `Result`. The output schema of a tool is that of `T`.
#[derive(Debug)]
#[must_use = "return it from the handler"]
pub enum RoundOutcome<T> {
    /// The result of the call.
    Complete(T),
    /// The call requires input from the client, or another round.
    InputRequired(NextRound),
}

impl<T> RoundOutcome<T> {
    /// Converts the outcome of a handler to a reply or a valid next round.
    pub(crate) fn finish(
        outcome: Result<Self, ToolError>,
        complete: impl FnOnce(T) -> Reply,
        failed: impl FnOnce(ToolError) -> Reply,
    ) -> RoundOutcome<Reply> {
        let next = match outcome {
            Ok(RoundOutcome::Complete(result)) => return RoundOutcome::Complete(complete(result)),
            Ok(RoundOutcome::InputRequired(next)) => next.validate(),
            Err(error) => Err(error),
        };
        next.map_or_else(|error| RoundOutcome::Complete(failed(error)), RoundOutcome::InputRequired)
    }

    /// Returns the result, for conversions that cannot start a round.
    ///
    /// # Errors
    /// Fails if the outcome is the next round.
    pub(crate) fn try_complete(self) -> Result<T, ToolError> {
        match self {
            Self::Complete(result) => Ok(result),
            Self::InputRequired(_) => Err(QuestionError::usage(
                "cannot convert `RoundOutcome::InputRequired` to a result; return the `RoundOutcome` from the handler",
            )
            .into()),
        }
    }
}

impl<T> From<NextRound> for RoundOutcome<T> {
    fn from(next: NextRound) -> Self {
        Self::InputRequired(next)
    }
}

/// The questions and the state of the next round, created by [`Round::next`]. Converts to a [`RoundOutcome`].
#[must_use = "return it from the handler"]
pub struct NextRound {
    ctx: Ctx,
    manual: ManualRound,
    failed: Option<ToolError>,
}

impl NextRound {
    fn new(ctx: Ctx) -> Self {
        Self { ctx, manual: ManualRound::default(), failed: None }
    }

    /// Adds a question. The next round gets its answer with `key`.
    pub fn ask<T>(mut self, key: impl Into<String>, question: Question<T>) -> Self {
        if let Some(reason) = question.invalid_reason() {
            self.failed = Some(QuestionError::usage(reason).into());
        } else if let Some(missing) = missing_capabilities(&question.request, &self.ctx) {
            self.failed = Some(QuestionError::from(Kind::Unsupported(Box::new(missing))).into());
        } else {
            let mut request = question.request;
            capabilities::strip_undeclared(&mut request, self.ctx.peer());
            self.manual.questions.push((key.into(), request));
        }
        self
    }

    /// Sets the state of the next round, which reads it with [`Round::state`]. The state is encrypted in the request
    /// state.
    ///
    /// A round with state and without questions makes the client retry immediately, which can be used to shed load.
    pub fn with_state<S: Serialize>(mut self, state: &S) -> Self {
        match RawJson::new(state) {
            Ok(state) => self.manual.state = Some(state),
            Err(error) => {
                self.failed = Some(ToolError::new(format!("cannot serialize the state of the round: {error}")));
            }
        }
        self
    }

    /// Checks that the round can start.
    ///
    /// # Errors
    /// Fails if a question or the state is invalid, the client lacks a capability, the round is empty, or the call cannot
    /// have rounds.
    fn validate(mut self) -> Result<Self, ToolError> {
        if let Some(failed) = self.failed.take() {
            return Err(failed);
        }
        self.ctx.may_start_round()?;
        if self.manual.questions.is_empty() && self.manual.state.is_none() {
            let empty = "NextRound has neither a question nor state; call `ask` or `with_state`";
            return Err(QuestionError::usage(empty).into());
        }
        if self.ctx.rounds_or_first().is_none() {
            let undeclared = "cannot return a NextRound here; add a `Round` parameter to the handler";
            return Err(QuestionError::usage(undeclared).into());
        }
        Ok(self)
    }

    /// Returns the questions and the state.
    pub(super) fn into_manual(self) -> ManualRound {
        self.manual
    }
}

impl fmt::Debug for NextRound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NextRound").field("manual", &self.manual).finish_non_exhaustive()
    }
}
