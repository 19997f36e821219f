//! The explicit form: a handler that sees its rounds, and says itself what it asks and what it wants to find again.

use std::fmt;

use ferromcp_core::{Error, RawJson};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::able;
use super::asking::missing;
use super::error::{AskError, Kind};
use super::hand::Hand;
use super::question::Question;
use super::replay::Replay;
use crate::ctx::Ctx;
use crate::function::{FromCtx, Invocation, Needs, Refusal};
use crate::tool_error::ToolError;

/// One round of a call, for handlers that drive their rounds by hand: which answers came, what was kept, what is
/// asked next. Each round runs the handler from its top. Handshake revisions are asked live in between.
///
/// `ctx.elicit(..)` needs none of this; it is for those who want to see each round, or to keep their own state small.
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

    /// Which round this is; the first is 1.
    pub fn number(&self) -> u32 {
        self.ctx.rounds().map_or(1, Replay::round)
    }

    /// The answer under `key` to a question of the last round, read as that question's.
    ///
    /// # Errors
    /// When it does not fit the question, or the user declined a form that wants an answer.
    pub fn answer<T>(&self, key: &str, question: &Question<T>) -> Result<Option<T>, AskError> {
        self.raw_answer(key).map(|answer| question.read(&answer)).transpose()
    }

    /// The answer under `key` as it came: the result of the question's method.
    pub fn raw_answer(&self, key: &str) -> Option<RawJson> {
        self.ctx.rounds()?.latest(key)
    }

    /// What an earlier round kept.
    ///
    /// # Errors
    /// When it is no `S`.
    pub fn state<S: DeserializeOwned>(&self) -> Result<Option<S>, Error> {
        let kept = self.ctx.rounds().and_then(Replay::own);
        kept.map(|kept| kept.decode()).transpose().map_err(|error| {
            Error::internal(format!("what the last round kept is no `{}`: {error}", std::any::type_name::<S>()))
        })
    }

    /// Begins the next round. Return it as the error of the handler.
    pub fn next(&self) -> NextRound {
        NextRound::new(self.ctx.clone())
    }
}

impl FromCtx for Round {
    fn from_ctx(invocation: &Invocation<'_>) -> Result<Self, Refusal> {
        Ok(Self::new(invocation.ctx()))
    }

    fn needs(needs: &mut Needs<'_>) {
        needs.rounds();
    }
}

/// What is asked next, and what is to be found again then. It becomes the error that the handler returns.
#[must_use = "return it as the error of the handler"]
pub struct NextRound {
    ctx: Ctx,
    hand: Hand,
    failed: Option<ToolError>,
}

impl NextRound {
    pub(crate) fn new(ctx: Ctx) -> Self {
        Self { ctx, hand: Hand::default(), failed: None }
    }

    /// Asks something, whose answer comes under `key`.
    pub fn ask<T>(mut self, key: impl Into<String>, question: Question<T>) -> Self {
        if let Some(flaw) = question.flaw() {
            self.failed = Some(AskError::mistake(flaw).into());
        } else if let Some(missing) = missing(&question.request, &self.ctx) {
            self.failed = Some(AskError::from(Kind::Unsupported(Box::new(missing))).into());
        } else {
            let mut request = question.request;
            able::polite(&mut request, self.ctx.peer());
            self.hand.questions.push((key.into(), request));
        }
        self
    }

    /// Keeps something for the next round, which finds it by [`Round::state`]. It is sealed on its way through the
    /// client. Without any question the client comes back at once: a way to shed load.
    pub fn keep<S: Serialize>(mut self, state: &S) -> Self {
        match RawJson::new(state) {
            Ok(state) => self.hand.state = Some(state),
            Err(error) => self.failed = Some(ToolError::new(format!("what is kept cannot be JSON: {error}"))),
        }
        self
    }
}

impl From<NextRound> for ToolError {
    fn from(next: NextRound) -> Self {
        if let Some(failed) = next.failed {
            return failed;
        }
        if let Err(misplaced) = next.ctx.may_drive() {
            return misplaced.into();
        }
        if next.hand.questions.is_empty() && next.hand.state.is_none() {
            return AskError::mistake("a round that asks nothing and keeps nothing; ask, or keep something").into();
        }
        match next.ctx.rounds_or_first() {
            Some(replay) => {
                replay.ask_by_hand(next.hand);
                Self::asks()
            }
            None => AskError::mistake("nothing can be asked by hand here; take a `Round`").into(),
        }
    }
}

impl fmt::Debug for NextRound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NextRound").field("hand", &self.hand).finish_non_exhaustive()
    }
}
