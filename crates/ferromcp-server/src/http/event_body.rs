//! A response that is a stream of events: the body polls what makes them, so no task is needed.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ferromcp_transport::sse;
use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep, sleep};

use super::out::Out;
use crate::latch::Latch;
use crate::started::BoxFuture;

/// Longer than any connection lasts.
const FAR: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// Makes events while it is read.
pub(crate) struct EventBody {
    /// What writes to `out`; over when the stream is.
    driver: Option<BoxFuture<()>>,
    out: Arc<Out>,
    keep_alive: Duration,
    idle: Option<Pin<Box<Sleep>>>,
    /// What ends the driver where it goes on without a reader.
    survives: Option<Arc<Latch>>,
}

impl EventBody {
    /// A stream of what `driver` writes to `out`, with a comment whenever it was silent for `keep_alive`.
    pub(crate) fn new(driver: BoxFuture<()>, out: Arc<Out>, keep_alive: Duration) -> Self {
        Self { driver: Some(driver), out, keep_alive, idle: None, survives: None }
    }

    /// The driver goes on in a task of its own if nobody reads any more, until `over`: hanging up is no cancellation.
    pub(crate) fn surviving(mut self, over: Arc<Latch>) -> Self {
        self.survives = Some(over);
        self
    }

    /// The next bytes; `None` at the end.
    pub(crate) fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(driver) = &mut self.driver {
            if driver.as_mut().poll(cx).is_ready() {
                self.driver = None;
                self.out.close();
            }
        }
        match self.out.poll_take(cx) {
            Poll::Ready(bytes) => {
                if let Some(idle) = &mut self.idle {
                    idle.as_mut().reset(after(self.keep_alive));
                }
                Poll::Ready(bytes)
            }
            Poll::Pending => self.poll_keep_alive(cx).map(Some),
        }
    }

    /// A comment, when it is time for one.
    fn poll_keep_alive(&mut self, cx: &mut Context<'_>) -> Poll<Bytes> {
        let every = self.keep_alive;
        let idle = self.idle.get_or_insert_with(|| Box::pin(sleep(every)));
        if idle.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        idle.as_mut().reset(after(every));
        let mut bytes = BytesMut::new();
        sse::comment("", &mut bytes);
        // The timer is heard of again at the next poll, which follows the write of this.
        Poll::Ready(bytes.freeze())
    }
}

impl Drop for EventBody {
    fn drop(&mut self) {
        self.out.close();
        if let (Some(over), Some(driver)) = (self.survives.take(), self.driver.take()) {
            go_on(driver, over);
        }
    }
}

/// When `every` is over; where the clock does not go that far, in years.
fn after(every: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(every).unwrap_or(now + FAR)
}

/// Lets something go on in a task of its own until `over`, unless the runtime is gone.
pub(crate) fn go_on(future: BoxFuture<()>, over: Arc<Latch>) {
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(async move {
            tokio::select! {
                biased;
                () = over.wait() => {}
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
    async fn who_wants_no_comments_gets_none() {
        let out = Arc::new(Out::default());
        let mut body = EventBody::new(Box::pin(pending()), Arc::clone(&out), Duration::MAX);
        for _ in 0..2 {
            assert!(poll_fn(|cx| Poll::Ready(body.poll_bytes(cx))).await.is_pending());
            out.retry(Duration::from_secs(1));
            assert!(poll_fn(|cx| body.poll_bytes(cx)).await.is_some());
        }
    }
}
