//! Rounds that are driven by hand, on handshake revisions: the questions are put live, and the handler runs again.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use ferromcp_core::model::InputRequest;
use ferromcp_core::{Error, RawMap};

use super::asking::live;
use super::replay::Replay;
use crate::call::{Call, Reply};
use crate::ctx::Ctx;
use crate::started::BoxFuture;

/// Answers a call whose handler asks by hand; `run` runs the handler.
pub(crate) async fn answer(call: Call, ctx: Ctx, run: impl Fn(Call) -> BoxFuture<Reply>) -> Reply {
    let most = ctx.states().0.most_rounds();
    let mut replay = Arc::new(Replay::first());
    for round in 1..=most {
        let required = match run(call.again().with_asks(Arc::clone(&replay))).await {
            Reply::NeedsInput(required) => required,
            answered => return answered,
        };
        let latest = ask(&ctx, required.input_requests.unwrap_or_default()).await;
        let mut journal = replay.kept();
        if let Err(words) = journal.hear(&latest) {
            return Reply::Failed(Error::internal(format!("The client answered wrongly: {words}")));
        }
        replay = Arc::new(Replay::again(journal, round, latest));
    }
    Reply::Failed(Error::internal(format!("more than {most} rounds; `StateOptions::rounds` sets how many")))
}

/// Asks everything at once. What is not answered is missing from what comes back.
async fn ask(ctx: &Ctx, questions: Vec<(String, InputRequest)>) -> RawMap {
    let put = |(key, mut request): (String, InputRequest)| {
        let ctx = ctx.clone();
        Box::pin(async move { (key, live(&ctx, &mut request, None).await) }) as BoxFuture<_>
    };
    let mut asked: Vec<_> = questions.into_iter().map(put).collect();
    let mut answers = RawMap::new();
    poll_fn(|cx| {
        asked.retain_mut(|question| match question.as_mut().poll(cx) {
            Poll::Pending => true,
            Poll::Ready((key, Ok(answer))) => {
                answers.insert(key, answer);
                false
            }
            Poll::Ready((key, Err(error))) => {
                tracing::debug!(key, %error, "a question was not answered");
                false
            }
        });
        if asked.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    answers
}
