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
    /// It happens. Says whether this was the first time.
    pub(crate) fn set(&self) -> bool {
        let first = !self.happened.swap(true, Ordering::AcqRel);
        self.told.notify_waiters();
        first
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
