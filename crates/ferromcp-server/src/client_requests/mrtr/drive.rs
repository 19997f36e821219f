//! Polls a handler until it returns, or until it needs input from the client.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use ferromcp_core::Error;
use ferromcp_core::model::{InputRequest, InputRequired};

use super::round::RoundOutcome;
use crate::call::Reply;
use crate::ctx::Ctx;
use crate::era::features::has_multi_round_trip;
use crate::request_state::{self, CallIdentity, SealError};
use crate::rounds::journal::{Journal, ManualRound};
use crate::rounds::replay::AfterPoll;

/// Runs a handler that has a context. If it can make no progress without an answer, its future is dropped (destructors
/// run), and the reply contains its questions.
pub(crate) async fn drive<R>(
    ctx: Ctx,
    handler: impl Future<Output = R>,
    finish: impl FnOnce(R) -> RoundOutcome<Reply>,
) -> Reply {
    let _guard = ctx.guard();
    let outcome = {
        let mut handler = pin!(handler);
        let mut finish = Some(finish);
        poll_fn(|cx| {
            loop {
                if let Poll::Ready(output) = handler.as_mut().poll(cx) {
                    return Poll::Ready(finish.take().map(|finish| finish(output)));
                }
                match ctx.after_poll(cx) {
                    AfterPoll::PollAgain => {}
                    AfterPoll::Wait => return Poll::Pending,
                    AfterPoll::Suspend => return Poll::Ready(None),
                }
            }
        })
        .await
    };
    match outcome {
        None => suspend(&ctx, None).await,
        Some(outcome) => reply_of(&ctx, outcome).await,
    }
}

/// Returns the reply of a completed handler: its result, or the `input_required` reply of its next round.
pub(crate) async fn reply_of(ctx: &Ctx, outcome: RoundOutcome<Reply>) -> Reply {
    match outcome {
        RoundOutcome::Complete(reply) => reply,
        RoundOutcome::InputRequired(next) => suspend(ctx, Some(next.into_manual())).await,
    }
}

/// Returns the reply of a completed handler without a context, which cannot start another round.
pub(crate) fn reply_without_context(outcome: RoundOutcome<Reply>) -> Reply {
    match outcome {
        RoundOutcome::Complete(reply) => reply,
        RoundOutcome::InputRequired(_) => foreign_round(),
    }
}

/// Returns the reply to a `NextRound` that was started with the `Round` of another call.
fn foreign_round() -> Reply {
    Reply::Failed(Error::internal("cannot start the next round: its `Round` belongs to another call"))
}

/// Returns the `input_required` reply of a call: its questions, and the sealed journal.
async fn suspend(ctx: &Ctx, manual: Option<ManualRound>) -> Reply {
    let (Some(replay), Some(call)) = (ctx.rounds(), ctx.call_identity()) else { return foreign_round() };
    let (mut questions, mut journal) = replay.suspend();
    let mut wants_state = true;
    if let Some(manual) = manual {
        wants_state = manual.state.is_some() || !journal.answers.is_empty() || !journal.steps.is_empty();
        questions.extend(manual.open(&mut journal));
    }
    let max = ctx.limits().questions;
    if questions.len() > max {
        return Reply::Failed(Error::internal(format!(
            "{} questions in one round exceed `ServerLimits::questions` ({max})",
            questions.len()
        )));
    }
    let mut required = InputRequired::default();
    if !has_multi_round_trip(ctx.revision()) {
        // `manual::run_rounds` sends the questions; the journal stays in this process.
        replay.store_journal(journal);
    } else if wants_state || !questions.is_empty() {
        match seal(ctx, call, &journal, replay.round()).await {
            Ok(state) => required.request_state = Some(state.into()),
            Err(error) => {
                tracing::error!(%error, "cannot create the request state");
                return Reply::Failed(Error::internal(format!("Internal error: {error}")));
            }
        }
    }
    required.input_requests = (!questions.is_empty()).then(|| dedup_keys(questions));
    Reply::NeedsInput(required)
}

/// Removes duplicate keys; the last question wins. Only keys of manual rounds can be duplicates.
fn dedup_keys(questions: Vec<(String, InputRequest)>) -> Vec<(String, InputRequest)> {
    let mut merged: Vec<(String, InputRequest)> = Vec::with_capacity(questions.len());
    for (key, question) in questions {
        match merged.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = question,
            None => merged.push((key, question)),
        }
    }
    merged
}

async fn seal(ctx: &Ctx, call: &CallIdentity, journal: &Journal, round: u32) -> Result<String, SealError> {
    let bytes = journal.encode().map_err(SealError::Unserializable)?;
    let (options, audience) = ctx.states();
    let binding = call.binding(ctx.identity(), audience);
    request_state::seal(options, &binding, &bytes, round).await
}
