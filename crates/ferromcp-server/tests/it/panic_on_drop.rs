//! A future that panics when it is dropped. The tests of HTTP include this file as well.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

/// A future that is ready after some polls, and panics when it is dropped.
pub(crate) struct PanicOnDrop {
    /// The number of polls until it is ready; the maximum is never.
    pub(crate) polls: usize,
    /// Counts the destructors.
    pub(crate) dropped: Arc<AtomicUsize>,
}

impl Future for PanicOnDrop {
    type Output = &'static str;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready("done");
        }
        if self.polls != usize::MAX {
            self.polls -= 1;
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl Drop for PanicOnDrop {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::SeqCst);
        assert!(std::thread::panicking(), "panics when dropped");
    }
}
