//! A one-time event with any number of waiters.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// A flag that is set once and wakes all current and future waiters.
#[derive(Debug, Default)]
pub(crate) struct Latch {
    set: AtomicBool,
    waiters: Notify,
}

impl Latch {
    /// Sets the flag and wakes all waiters.
    pub(crate) fn set(&self) {
        self.set.store(true, Ordering::Release);
        self.waiters.notify_waiters();
    }

    /// Returns true if the flag is set.
    pub(crate) fn is_set(&self) -> bool {
        self.set.load(Ordering::Acquire)
    }

    /// Waits until the flag is set. Cancel safe.
    pub(crate) async fn wait(&self) {
        let mut notified = std::pin::pin!(self.waiters.notified());
        notified.as_mut().enable();
        if !self.is_set() {
            notified.await;
        }
    }
}
