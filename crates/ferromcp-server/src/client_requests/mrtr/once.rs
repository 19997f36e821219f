//! Effects that run once per call. The journal records their results.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ferromcp_core::RawJson;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::ctx::Ctx;
use crate::question_error::QuestionError;
use crate::random;
use crate::rounds::replay::{Recalled, Replay};

/// The recorded result of a fallible effect. A failure is recorded as its message.
#[derive(Serialize, Deserialize)]
pub(crate) enum Outcome<T> {
    #[serde(rename = "v")]
    Done(T),
    #[serde(rename = "e")]
    Failed(String),
}

/// Runs an effect once per call. On handshake revisions the handler runs only once, so nothing is recorded.
pub(crate) async fn once<T, Fut>(ctx: &Ctx, name: &str, effect: impl FnOnce() -> Fut) -> Result<T, QuestionError>
where
    T: Serialize + DeserializeOwned,
    Fut: Future<Output = T>,
{
    let Some(replay) = ctx.replay() else { return Ok(run_effect(ctx, effect()).await.0) };
    let value = match replay.recall(name) {
        Recalled::Ready(value) => value,
        Recalled::Slot(slot) => SlotFuture { replay, slot }.wait().await?,
        Recalled::New(name) => {
            let guard = EffectGuard::new(replay);
            let (result, waited) = run_effect(ctx, effect()).await;
            let value = RawJson::new(&result).map_err(|error| not_serializable(&name, &error))?;
            replay.record_step(name, value, waited);
            drop(guard);
            return Ok(result);
        }
    };
    value.decode().map_err(|error| not_serializable(name, &error))
}

fn not_serializable(name: &str, error: &serde_json::Error) -> QuestionError {
    QuestionError::usage(format!("cannot record the result of `once({name:?}, ..)` as JSON: {error}"))
}

/// Runs an effect, within which no questions can be sent. Returns whether it had to wait.
async fn run_effect<Fut: Future>(ctx: &Ctx, effect: Fut) -> (Fut::Output, bool) {
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

/// Returns the time of the first run.
pub(crate) fn now(ctx: &Ctx) -> SystemTime {
    let millis = record_sync(ctx, "now", || {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    });
    UNIX_EPOCH.checked_add(Duration::from_millis(millis)).unwrap_or(UNIX_EPOCH)
}

/// Returns the random id of the first run.
///
/// # Panics
/// Panics if the system's random number generator fails.
pub(crate) fn new_id(ctx: &Ctx) -> String {
    record_sync(ctx, "id", || random::id().expect("the system provides random numbers"))
}

/// Records a value that is computed synchronously. The names are separate from those of `once`.
fn record_sync<T: Serialize + DeserializeOwned>(ctx: &Ctx, name: &str, compute: impl Fn() -> T) -> T {
    let Some(replay) = ctx.replay() else { return compute() };
    match replay.recall(&format!("\u{1}{name}")) {
        Recalled::Ready(value) => value.decode().unwrap_or_else(|_| compute()),
        Recalled::New(name) => {
            let value = compute();
            if let Ok(json) = RawJson::new(&value) {
                replay.record_step(name, json, false);
            }
            value
        }
        Recalled::Slot(_) => compute(), // synchronous values never have a slot
    }
}

/// Prevents suspension while an effect is running.
struct EffectGuard<'r>(&'r Replay);

impl<'r> EffectGuard<'r> {
    fn new(replay: &'r Replay) -> Self {
        replay.begin_effect();
        Self(replay)
    }
}

impl Drop for EffectGuard<'_> {
    fn drop(&mut self) {
        self.0.end_effect();
    }
}

/// A future for the value of a slot. Releases the slot on drop.
pub(crate) struct SlotFuture<'r> {
    pub(crate) replay: &'r Replay,
    pub(crate) slot: usize,
}

impl SlotFuture<'_> {
    pub(crate) async fn wait(&self) -> Result<RawJson, QuestionError> {
        poll_fn(|cx| self.replay.poll_slot(self.slot, cx)).await
    }
}

impl Drop for SlotFuture<'_> {
    fn drop(&mut self) {
        self.replay.release(self.slot);
    }
}
