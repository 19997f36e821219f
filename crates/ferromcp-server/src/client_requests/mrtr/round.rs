//! Manual rounds: a handler that chooses the questions and the state of each round.

use std::fmt;

use ferromcp_core::{Error, RawJson};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::journal::ManualRound;
use super::replay::Replay;
use crate::client_requests::capabilities;
use crate::client_requests::error::{Kind, QuestionError};
use crate::client_requests::pending_question::missing_capabilities;
use crate::client_requests::question::Question;
use crate::ctx::Ctx;
use crate::function::{FromCtx, Invocation, Rejection, Requirements};
use crate::tool_error::ToolError;

/// One round of a call, for handlers that manage their rounds manually: the answers of the last round, the user state
/// and the next questions.
///
/// Each round runs the handler from the top. On handshake revisions, the server sends the questions as requests between
/// the rounds. Prefer `ctx.elicit(..)`, unless the handler needs control over each round or a small state.
///
/// ```
/// use ferromcp_server::{Question, Round, ToolError};
///
/// async fn greet(round: Round) -> Result<String, ToolError> {
///     let question = || Question::<String>::form("What is your name?");
///     match round.answer("name", &question())? {
///         Some(name) => Ok(format!("Hello, {name}!")),
///         None => Err(round.next().ask("name", question()).into()),
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

    /// Starts the next round. Return it as the error of the handler.
    pub fn next(&self) -> NextRound {
        NextRound::new(self.ctx.clone())
    }
}

impl FromCtx for Round {
    fn from_ctx(invocation: &Invocation<'_>) -> Result<Self, Rejection> {
        Ok(Self::new(invocation.ctx()))
    }

    fn requirements(requirements: &mut Requirements<'_>) {
        requirements.rounds();
    }
}

/// The questions and the state of the next round. Converted to the error that the handler returns.
#[must_use = "return it as the error of the handler"]
pub struct NextRound {
    ctx: Ctx,
    manual: ManualRound,
    failed: Option<ToolError>,
}

impl NextRound {
    pub(crate) fn new(ctx: Ctx) -> Self {
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
}

impl From<NextRound> for ToolError {
    fn from(next: NextRound) -> Self {
        if let Some(failed) = next.failed {
            return failed;
        }
        if let Err(error) = next.ctx.may_drive() {
            return error.into();
        }
        if next.manual.questions.is_empty() && next.manual.state.is_none() {
            return QuestionError::usage("NextRound has neither a question nor state; call `ask` or `with_state`")
                .into();
        }
        match next.ctx.rounds_or_first() {
            Some(replay) => {
                replay.set_manual_round(next.manual);
                Self::input_required()
            }
            None => {
                QuestionError::usage("cannot return a NextRound here; add a `Round` parameter to the handler").into()
            }
        }
    }
}

impl fmt::Debug for NextRound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NextRound").field("manual", &self.manual).finish_non_exhaustive()
    }
}
