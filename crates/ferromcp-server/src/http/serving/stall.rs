//! The write timeout: detects clients that do not read their responses. Replies to HTTP/2 pings do not reset it.
//!
//! HTTP/1.1 sends one response at a time, so the timer belongs to the socket. An HTTP/2 stream can stall while other
//! streams of its connection continue, so each stream has a timer.

use std::cell::Cell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::Executor;
use tokio::time::{Instant, Sleep, sleep};

/// Under pressure, responses that have stalled for this fraction (1/12) of the timeout end.
const PRESSURE_FRACTION: u32 = 12;

/// The write timeout of a connection or stream.
#[derive(Clone)]
pub(super) struct StallLimit {
    timeout: Duration,
    /// Returns whether a limit of the server is reached, so that stalled responses must make room.
    is_under_pressure: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// A timer that runs while a write makes no progress.
pub(super) struct StallTimer {
    limit: StallLimit,
    /// Created when a write stalls, since most writes complete at once.
    running: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl StallLimit {
    pub(super) fn new(timeout: Duration, is_under_pressure: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { timeout, is_under_pressure: Arc::new(is_under_pressure) }
    }
}

impl StallTimer {
    pub(super) fn new(limit: StallLimit) -> Self {
        Self { limit, running: None }
    }

    /// Stops the timer: the write has made progress.
    pub(super) fn reset(&mut self) {
        self.running = None;
    }

    /// Ready when nothing was written for the timeout, or for a part of it under pressure.
    pub(super) fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let timeout = self.limit.timeout;
        let step = (timeout / PRESSURE_FRACTION).max(Duration::from_millis(1));
        let (since, sleeping) = self.running.get_or_insert_with(|| (Instant::now(), Box::pin(sleep(step))));
        while sleeping.as_mut().poll(cx).is_ready() {
            let left = timeout.saturating_sub(since.elapsed());
            if left.is_zero() || (self.limit.is_under_pressure)() {
                return Poll::Ready(());
            }
            sleeping.set(sleep(left.min(step)));
        }
        Poll::Pending
    }
}

/// The progress of a response, as its body reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WriteProgress {
    /// The connection has bytes of the body that it has not written.
    pub(super) is_writing: bool,
    /// A number that changes when the connection takes or writes bytes.
    pub(super) count: u64,
}

thread_local! {
    /// The progress that a body has reported while its stream is polled.
    static REPORTED: Cell<Option<WriteProgress>> = const { Cell::new(None) };
}

/// Reports the progress of the response that is being polled.
pub(super) fn report(progress: WriteProgress) {
    REPORTED.set(Some(progress));
}

/// Runs the streams of an HTTP/2 connection in tasks. A stream that stalls is dropped, which resets it.
#[derive(Clone)]
pub(super) struct StreamExecutor(pub(super) StallLimit);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for StreamExecutor {
    fn execute(&self, stream: F) {
        tokio::spawn(end_when_stalled(stream, StallTimer::new(self.0.clone())));
    }
}

/// Polls a stream until it ends or stalls.
async fn end_when_stalled(stream: impl Future<Output = ()>, mut timer: StallTimer) {
    let mut stream = pin!(stream);
    let mut last = None;
    poll_fn(|cx| {
        REPORTED.set(None);
        if stream.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        // Without a report, the stream waits to send what its body has returned before.
        let progress = REPORTED.take().or(last);
        if progress != last {
            timer.reset();
            last = progress;
        }
        match progress {
            Some(WriteProgress { is_writing: true, .. }) => timer.poll_expired(cx).map(|()| {
                tracing::debug!("reset an HTTP/2 stream: the client does not read the response");
            }),
            _ => Poll::Pending,
        }
    })
    .await;
}

impl fmt::Debug for StallLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StallLimit").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn limit(timeout: Duration) -> (StallLimit, Arc<AtomicBool>) {
        let pressure = Arc::<AtomicBool>::default();
        let flag = Arc::clone(&pressure);
        (StallLimit::new(timeout, move || flag.load(Ordering::Relaxed)), pressure)
    }

    #[tokio::test(start_paused = true)]
    async fn timer_expires_earlier_under_pressure() {
        for (pressure, expected) in [(false, 60), (true, 5)] {
            let (limit, flag) = limit(Duration::from_secs(60));
            flag.store(pressure, Ordering::Relaxed);
            let mut timer = StallTimer::new(limit);
            let started = Instant::now();
            poll_fn(|cx| timer.poll_expired(cx)).await;
            assert_eq!(started.elapsed().as_secs(), expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn timer_never_expires_when_the_timeout_is_max() {
        let mut timer = StallTimer::new(limit(Duration::MAX).0);
        let expired = tokio::time::timeout(Duration::from_secs(86_400 * 365), poll_fn(|cx| timer.poll_expired(cx)));
        assert!(expired.await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn stream_ends_only_when_it_writes_without_progress() {
        let run = async |is_writing: bool, steps: u64| {
            let stream = async move {
                for count in 0..=steps {
                    report(WriteProgress { is_writing, count });
                    sleep(Duration::from_secs(50)).await;
                }
                pending::<()>().await;
            };
            let started = Instant::now();
            let ended = end_when_stalled(stream, StallTimer::new(limit(Duration::from_secs(60)).0));
            tokio::time::timeout(Duration::from_secs(600), ended).await.map(|()| started.elapsed().as_secs()).ok()
        };
        assert_eq!(run(true, 0).await, Some(60));
        assert_eq!(run(true, 3).await, Some(210));
        assert_eq!(run(false, 3).await, None, "an idle stream does not stall");
    }
}
