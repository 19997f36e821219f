//! Effects that run once, however often the handler runs: their results are journaled.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ferromcp_core::RawJson;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::AskError;
use super::replay::{Recalled, Replay};
use crate::ctx::Ctx;
use crate::random;

/// The result of an effect that may fail, as it is journaled: a failure as its words.
#[derive(Serialize, Deserialize)]
pub(crate) enum Outcome<T> {
    #[serde(rename = "v")]
    Done(T),
    #[serde(rename = "e")]
    Failed(String),
}

/// Does something once. On a live call there is nothing to journal.
pub(crate) async fn once<T, Fut>(ctx: &Ctx, name: &str, effect: impl FnOnce() -> Fut) -> Result<T, AskError>
where
    T: Serialize + DeserializeOwned,
    Fut: Future<Output = T>,
{
    let Some(replay) = ctx.replay() else { return Ok(within(ctx, effect()).await.0) };
    let value = match replay.recall(name) {
        Recalled::Here(value) => value,
        Recalled::Seat(place) => Arrival { replay, place }.wait().await?,
        Recalled::New(name) => {
            let busy = Busy::new(replay);
            let (result, waited) = within(ctx, effect()).await;
            let value = RawJson::new(&result).map_err(|error| unfit(&name, &error))?;
            replay.note(name, value, waited);
            drop(busy);
            return Ok(result);
        }
    };
    value.decode().map_err(|error| unfit(name, &error))
}

fn unfit(name: &str, error: &serde_json::Error) -> AskError {
    AskError::mistake(format!("the result of `once({name:?}, ..)` cannot be journaled: {error}"))
}

/// Runs an effect, in which nothing can be asked; says whether it had to wait.
async fn within<Fut: Future>(ctx: &Ctx, effect: Fut) -> (Fut::Output, bool) {
    let mut effect = pin!(effect);
    let mut waited = false;
    poll_fn(|cx| {
        let inside = ctx.inside_step();
        let poll = effect.as_mut().poll(cx);
        drop(inside);
        match poll {
            Poll::Ready(result) => Poll::Ready((result, waited)),
            Poll::Pending => {
                waited = true;
                Poll::Pending
            }
        }
    })
    .await
}

/// The time, the same in each run.
pub(crate) fn now(ctx: &Ctx) -> SystemTime {
    let millis = instantly(ctx, "now", || {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    });
    UNIX_EPOCH.checked_add(Duration::from_millis(millis)).unwrap_or(UNIX_EPOCH)
}

/// An id that nobody can guess, the same in each run.
///
/// # Panics
/// When the system has no random numbers; a panic in a handler becomes an error of the call.
pub(crate) fn new_id(ctx: &Ctx) -> String {
    instantly(ctx, "id", || random::id().expect("the system has random numbers"))
}

/// Finds something out once that takes no waiting. Names of its own, beside those of `once`.
fn instantly<T: Serialize + DeserializeOwned>(ctx: &Ctx, name: &str, find: impl Fn() -> T) -> T {
    let Some(replay) = ctx.replay() else { return find() };
    match replay.recall(&format!("\u{1}{name}")) {
        Recalled::Here(value) => value.decode().unwrap_or_else(|_| find()),
        Recalled::New(name) => {
            let found = find();
            if let Ok(value) = RawJson::new(&found) {
                replay.note(name, value, false);
            }
            found
        }
        Recalled::Seat(_) => find(), // what took no waiting has no seat
    }
}

/// Holds questions back while an effect is under way.
struct Busy<'r>(&'r Replay);

impl<'r> Busy<'r> {
    fn new(replay: &'r Replay) -> Self {
        replay.busy(false);
        Self(replay)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.busy(true);
    }
}

/// Something that comes to a seat; leaves it when dropped.
pub(crate) struct Arrival<'r> {
    pub(crate) replay: &'r Replay,
    pub(crate) place: usize,
}

impl Arrival<'_> {
    pub(crate) async fn wait(&self) -> Result<RawJson, AskError> {
        poll_fn(|cx| self.replay.poll_seat(self.place, cx)).await
    }
}

impl Drop for Arrival<'_> {
    fn drop(&mut self) {
        self.replay.leave(self.place);
    }
}
