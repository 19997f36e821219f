//! Manual rounds on handshake revisions: sends the questions of each round as requests, and runs the handler again.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use ferromcp_core::model::InputRequest;
use ferromcp_core::{Error, RawMap};

use crate::box_future::BoxFuture;
use crate::call::{Call, Reply};
use crate::client_requests::pending_question::send_request;
use crate::ctx::Ctx;
use crate::rounds::replay::Replay;

/// Runs the rounds of a call until its handler returns; `run` runs the handler once.
pub(crate) async fn run_rounds(call: Call, ctx: Ctx, run: impl Fn(Call) -> BoxFuture<Reply>) -> Reply {
    let max = ctx.states().0.max_rounds();
    let mut replay = Arc::new(Replay::first());
    for round in 1..=max {
        let required = match run(call.again().with_rounds(Arc::clone(&replay))).await {
            Reply::NeedsInput(required) => required,
            answered => return answered,
        };
        let round_answers = send_all(&ctx, required.input_requests.unwrap_or_default()).await;
        let mut journal = replay.take_journal();
        if let Err(reason) = journal.record_responses(&round_answers) {
            return Reply::Failed(Error::internal(format!("The client returned an invalid response: {reason}")));
        }
        replay = Arc::new(Replay::resumed(journal, round, round_answers));
    }
    Reply::Failed(Error::internal(format!("more than {max} rounds; raise `StateOptions::rounds`")))
}

/// Sends all questions concurrently, and returns the successful responses by key. Failed requests are omitted.
async fn send_all(ctx: &Ctx, questions: Vec<(String, InputRequest)>) -> RawMap {
    let send = |(key, mut request): (String, InputRequest)| {
        let ctx = ctx.clone();
        Box::pin(async move { (key, send_request(&ctx, &mut request, None).await) }) as BoxFuture<_>
    };
    let mut pending: Vec<_> = questions.into_iter().map(send).collect();
    let mut answers = RawMap::new();
    poll_fn(|cx| {
        pending.retain_mut(|question| match question.as_mut().poll(cx) {
            Poll::Pending => true,
            Poll::Ready((key, Ok(answer))) => {
                answers.insert(key, answer);
                false
            }
            Poll::Ready((key, Err(error))) => {
                tracing::debug!(key, %error, "a request to the client failed");
                false
            }
        });
        if pending.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    answers
}
