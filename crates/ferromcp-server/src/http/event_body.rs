//! The body of an SSE response. It polls the future that produces its events, so that no task is needed.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ferromcp_transport::sse;
use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep, sleep};

use super::event_buffer::EventBuffer;
use crate::latch::Latch;
use crate::maybe_ready::BoxFuture;

/// A timeout longer than any connection, for intervals that overflow `Instant`.
const MAX_INTERVAL: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// A stream of events that are produced while it is read.
pub(crate) struct EventBody {
    /// Writes to `buffer`. Taken when it has finished.
    driver: Option<BoxFuture<()>>,
    buffer: Arc<EventBuffer>,
    keep_alive: Duration,
    idle: Option<Pin<Box<Sleep>>>,
    /// If set, the driver continues in a task after a disconnect, until this latch is set.
    detach_until: Option<Arc<Latch>>,
}

impl EventBody {
    /// Creates a body with the events that `driver` writes to `buffer`. Sends a comment when the stream was idle for
    /// `keep_alive`.
    pub(crate) fn new(driver: BoxFuture<()>, buffer: Arc<EventBuffer>, keep_alive: Duration) -> Self {
        Self { driver: Some(driver), buffer, keep_alive, idle: None, detach_until: None }
    }

    /// Lets the driver continue in a task when the client disconnects, until `aborted` is set.
    pub(crate) fn detach_on_disconnect(mut self, aborted: Arc<Latch>) -> Self {
        self.detach_until = Some(aborted);
        self
    }

    /// Polls for the next bytes. Returns `None` at the end of the stream.
    pub(crate) fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(driver) = &mut self.driver {
            if driver.as_mut().poll(cx).is_ready() {
                self.driver = None;
                self.buffer.close();
            }
        }
        match self.buffer.poll_take(cx) {
            Poll::Ready(bytes) => {
                if let Some(idle) = &mut self.idle {
                    idle.as_mut().reset(deadline(self.keep_alive));
                }
                Poll::Ready(bytes)
            }
            Poll::Pending => self.poll_keep_alive(cx).map(Some),
        }
    }

    /// Polls for a keep-alive comment.
    fn poll_keep_alive(&mut self, cx: &mut Context<'_>) -> Poll<Bytes> {
        let interval = self.keep_alive;
        let idle = self.idle.get_or_insert_with(|| Box::pin(sleep(interval)));
        if idle.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        idle.as_mut().reset(deadline(interval));
        let mut bytes = BytesMut::new();
        sse::comment("", &mut bytes);
        // The reset timer registers its waker at the next poll, which follows the write of this comment.
        Poll::Ready(bytes.freeze())
    }
}

impl Drop for EventBody {
    fn drop(&mut self) {
        self.buffer.close();
        if let (Some(aborted), Some(driver)) = (self.detach_until.take(), self.driver.take()) {
            spawn_until(driver, aborted);
        }
    }
}

/// Returns the time after `interval`, or the far future if that overflows.
fn deadline(interval: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(interval).unwrap_or(now + MAX_INTERVAL)
}

/// Runs a future in a task until it finishes or `aborted` is set. Drops it if there is no runtime.
pub(crate) fn spawn_until(future: BoxFuture<()>, aborted: Arc<Latch>) {
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(async move {
            tokio::select! {
                biased;
                () = aborted.wait() => {}
                () = future => {}
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, poll_fn};

    use super::*;

    #[tokio::test]
    async fn sends_no_comments_when_keep_alive_is_max() {
        let buffer = Arc::new(EventBuffer::default());
        let mut body = EventBody::new(Box::pin(pending()), Arc::clone(&buffer), Duration::MAX);
        for _ in 0..2 {
            assert!(poll_fn(|cx| Poll::Ready(body.poll_bytes(cx))).await.is_pending());
            buffer.retry(Duration::from_secs(1));
            assert!(poll_fn(|cx| body.poll_bytes(cx)).await.is_some());
        }
    }
}
