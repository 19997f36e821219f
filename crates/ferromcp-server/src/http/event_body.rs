//! The body of an SSE response. It polls the future that produces its events, so that no task is needed.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ferromcp_transport::sse;
use tokio::time::{Instant, Sleep, sleep};

use super::byte_budget::{ByteBudget, Reservation};
use super::detached::Detachment;
use super::event_buffer::EventBuffer;
use super::limits::MAX_TIMER;
use super::unwritten::{Chunks, UNTRACKED_BYTES, Unwritten};
use crate::box_future::BoxFuture;

/// A stream of events that are produced while it is read.
pub(crate) struct EventBody {
    /// Writes to `buffer`. Taken when it has finished.
    driver: Option<BoxFuture<()>>,
    buffer: Arc<EventBuffer>,
    /// Bytes that were taken from `buffer` and not passed to the connection yet.
    chunks: Option<Chunks>,
    unwritten: Unwritten,
    responses: Arc<ByteBudget>,
    /// The body ends only after the connection has written it.
    ends_when_written: bool,
    keep_alive: Duration,
    idle: Option<Pin<Box<Sleep>>>,
    /// If set, the driver continues in a task after a disconnect.
    detachment: Option<Detachment>,
}

impl EventBody {
    /// Creates a body with the events that `driver` writes to `buffer`. Sends a comment when the stream was idle for
    /// `keep_alive`. Large events count in `responses` until they are written.
    pub(crate) fn new(
        driver: BoxFuture<()>,
        buffer: Arc<EventBuffer>,
        keep_alive: Duration,
        responses: &Arc<ByteBudget>,
    ) -> Self {
        Self {
            driver: Some(driver),
            buffer,
            chunks: None,
            unwritten: Unwritten::default(),
            responses: Arc::clone(responses),
            ends_when_written: false,
            keep_alive,
            idle: None,
            detachment: None,
        }
    }

    /// Lets the driver continue in a task when the client disconnects.
    pub(crate) fn detach_on_disconnect(mut self, detachment: Detachment) -> Self {
        self.detachment = Some(detachment);
        self
    }

    /// Sets whether the body ends only after the connection has written it.
    pub(crate) fn ends_when_written(mut self, ends_when_written: bool) -> Self {
        self.ends_when_written = ends_when_written;
        self
    }

    /// Returns the bytes that the connection has taken and not written yet.
    pub(crate) fn unwritten(&self) -> &Unwritten {
        &self.unwritten
    }

    /// Polls for the next bytes. Returns `None` at the end of the stream.
    pub(crate) fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(chunk) = self.next_chunk() {
            return Poll::Ready(Some(chunk));
        }
        if let Some(driver) = &mut self.driver {
            if driver.as_mut().poll(cx).is_ready() {
                self.driver = None;
                self.buffer.close();
            }
        }
        match self.buffer.poll_take(cx) {
            Poll::Ready(Some((bytes, reservations))) => {
                if let Some(idle) = &mut self.idle {
                    idle.as_mut().reset(deadline(self.keep_alive));
                }
                Poll::Ready(self.track(bytes, reservations))
            }
            Poll::Ready(None) if self.ends_when_written => self.unwritten.poll_written(cx).map(|()| None),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => self.poll_keep_alive(cx).map(Some),
        }
    }

    /// Returns the bytes themselves if they are few, or their first chunk.
    fn track(&mut self, bytes: Bytes, mut reservations: Vec<Reservation>) -> Option<Bytes> {
        if bytes.len() <= UNTRACKED_BYTES && reservations.is_empty() {
            return Some(bytes);
        }
        if reservations.is_empty() {
            reservations.push(self.responses.reserve(bytes.len()));
        }
        self.chunks = Some(Chunks::new(bytes, reservations));
        self.next_chunk()
    }

    fn next_chunk(&mut self) -> Option<Bytes> {
        let chunk = self.chunks.as_mut()?.next(&self.unwritten);
        if chunk.is_none() {
            self.chunks = None;
        }
        chunk
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
        if let (Some(detachment), Some(driver)) = (self.detachment.take(), self.driver.take()) {
            detachment.spawn(driver);
        }
    }
}

/// Returns the time after `interval`, or the far future if that overflows.
fn deadline(interval: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(interval).unwrap_or(now + MAX_TIMER)
}

#[cfg(test)]
mod tests {
    use std::future::{pending, poll_fn};

    use super::*;

    #[tokio::test]
    async fn sends_no_comments_when_keep_alive_is_max() {
        let buffer = Arc::new(EventBuffer::default());
        let mut body = EventBody::new(Box::pin(pending()), Arc::clone(&buffer), Duration::MAX, &ByteBudget::new(1));
        for _ in 0..2 {
            assert!(poll_fn(|cx| Poll::Ready(body.poll_bytes(cx))).await.is_pending());
            buffer.retry(Duration::from_secs(1));
            assert!(poll_fn(|cx| body.poll_bytes(cx)).await.is_some());
        }
    }
}
