//! Runs a handler until it answers, or has to ask.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use ferromcp_core::Error;
use ferromcp_core::model::{InputRequest, InputRequired};

use super::journal::Journal;
use super::origin::Origin;
use super::replay::Settled;
use super::state::{Binding, SealError};
use crate::call::Reply;
use crate::ctx::Ctx;

/// Runs a handler that has a context. When every way on needs an answer, its future is dropped, destructors and all,
/// and the reply is its questions.
pub(crate) async fn drive<R>(ctx: Ctx, handler: impl Future<Output = R>, finish: impl FnOnce(R) -> Reply) -> Reply {
    let _guard = ctx.guard();
    let reply = {
        let mut handler = pin!(handler);
        let mut finish = Some(finish);
        poll_fn(|cx| {
            loop {
                if let Poll::Ready(output) = handler.as_mut().poll(cx) {
                    return Poll::Ready(finish.take().map(|finish| finish(output)));
                }
                match ctx.settle(cx) {
                    Settled::Again => {}
                    Settled::Wait => return Poll::Pending,
                    Settled::Suspend => return Poll::Ready(None),
                }
            }
        })
        .await
    };
    match reply {
        None => suspend(&ctx).await,
        Some(reply) => settle(&ctx, reply).await,
    }
}

/// A handler that drives its rounds by hand says that it asks; what it asks is with its context.
pub(crate) async fn settle(ctx: &Ctx, reply: Reply) -> Reply {
    match reply {
        Reply::NeedsInput(_) => suspend(ctx).await,
        reply => reply,
    }
}

/// The questions of a call as its reply, with its journal sealed.
async fn suspend(ctx: &Ctx) -> Reply {
    let (Some(replay), Some(origin)) = (ctx.rounds(), ctx.origin()) else {
        return Reply::Failed(Error::internal("nothing was asked"));
    };
    let (mut questions, mut journal) = replay.suspend();
    let mut wants_state = true;
    if let Some(hand) = replay.take_hand() {
        wants_state = hand.state.is_some() || !journal.answers.is_empty() || !journal.steps.is_empty();
        questions.extend(hand.open(&mut journal));
    }
    let most = ctx.limits().questions;
    if questions.len() > most {
        return Reply::Failed(Error::internal(format!(
            "{} questions in one round; at most {most}, `Limits::questions` sets how many",
            questions.len()
        )));
    }
    let mut required = InputRequired::default();
    if !ctx.revision().is_modern() {
        // Asked live by whoever runs the handler again; nothing leaves the process.
        replay.keep(journal);
    } else if wants_state || !questions.is_empty() {
        match seal(ctx, origin, &journal, replay.round()).await {
            Ok(state) => required.request_state = Some(state.into()),
            Err(error) => {
                tracing::error!(%error, "the state of a call cannot be sent");
                return Reply::Failed(Error::internal(format!("Internal error: {error}")));
            }
        }
    }
    required.input_requests = (!questions.is_empty()).then(|| merged(questions));
    Reply::NeedsInput(required)
}

/// Each key once. Ours are made so; those given by hand may not be.
fn merged(questions: Vec<(String, InputRequest)>) -> Vec<(String, InputRequest)> {
    let mut merged: Vec<(String, InputRequest)> = Vec::with_capacity(questions.len());
    for (key, question) in questions {
        match merged.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = question,
            None => merged.push((key, question)),
        }
    }
    merged
}

async fn seal(ctx: &Ctx, origin: &Origin, journal: &Journal, round: u32) -> Result<String, SealError> {
    let bytes = journal.encode().map_err(SealError::Unwritable)?;
    let (options, audience) = ctx.states();
    let binding = Binding {
        identity: ctx.identity(),
        method: origin.method,
        name: &origin.name,
        arguments: origin.arguments.as_ref(),
        audience,
    };
    super::state::seal(options, &binding, &bytes, round).await
}
