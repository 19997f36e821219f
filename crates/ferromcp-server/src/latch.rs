//! Something that happens once, for any number of waiters.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Happens once; whoever waits, before or after, goes on.
#[derive(Debug, Default)]
pub(crate) struct Latch {
    happened: AtomicBool,
    told: Notify,
}

impl Latch {
    /// It happens.
    pub(crate) fn set(&self) {
        self.happened.store(true, Ordering::Release);
        self.told.notify_waiters();
    }

    /// Whether it has happened.
    pub(crate) fn is_set(&self) -> bool {
        self.happened.load(Ordering::Acquire)
    }

    /// Waits for it.
    pub(crate) async fn wait(&self) {
        let mut told = std::pin::pin!(self.told.notified());
        told.as_mut().enable();
        if !self.is_set() {
            told.await;
        }
    }
}
