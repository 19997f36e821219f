//! Where calls on a pipe put their notifications, for the pipe's own task to write.

use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ferromcp_core::wire::encode;
use ferromcp_core::{Revision, ServerNotification};
use ferromcp_transport::Outbound;
use tokio::sync::Notify;

use crate::latch::Latch;
use crate::outlet::{Full, Sink};

/// A bounded buffer of encoded notifications.
pub(crate) struct PipeSink {
    waiting: Mutex<Waiting>,
    /// Whether the buffer may hold something, so that looking costs no lock.
    some: AtomicBool,
    limit: usize,
    filled: Notify,
    emptied: Notify,
    closing: Latch,
}

#[derive(Default)]
struct Waiting {
    buffer: Outbound,
    /// Calls that were cancelled but whose tasks may still be in the middle of a step.
    mute: HashSet<u64>,
}

impl PipeSink {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            some: AtomicBool::new(false),
            limit,
            filled: Notify::new(),
            emptied: Notify::new(),
            closing: Latch::default(),
        }
    }

    /// Lets calls that would go on for ever come to an end.
    pub(crate) fn close(&self) {
        self.closing.set();
    }

    /// Moves what waits behind `out`.
    pub(crate) fn take(&self, out: &mut Outbound) {
        if !self.some.swap(false, Ordering::AcqRel) {
            return;
        }
        out.append(&mut self.lock().buffer);
        self.emptied.notify_waiters();
    }

    /// Takes nothing more of `call` until [`forget`](Self::forget).
    pub(crate) fn mute(&self, call: u64) {
        self.lock().mute.insert(call);
    }

    /// `call` is over and will not be heard of again.
    pub(crate) fn forget(&self, call: u64) {
        self.lock().mute.remove(&call);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something is put in.
    pub(crate) async fn filled(&self) {
        if !self.some.load(Ordering::Acquire) {
            self.filled.notified().await;
        }
    }
}

impl Sink for PipeSink {
    fn try_send(&self, call: u64, notification: ServerNotification, revision: Revision) -> Result<(), Full> {
        let mut waiting = self.lock();
        if waiting.mute.contains(&call) {
            return Ok(());
        }
        if waiting.buffer.len() >= self.limit {
            return Err(Full(Box::new(notification)));
        }
        waiting.buffer.frame(|out| {
            // What cannot be JSON was refused when the notification was made.
            if let Err(error) = encode::server_notification(out, notification, revision) {
                tracing::error!(%error, "a notification cannot be JSON");
            }
        });
        self.some.store(true, Ordering::Release);
        drop(waiting);
        self.filled.notify_one();
        Ok(())
    }

    fn ready(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            let mut emptied = std::pin::pin!(self.emptied.notified());
            emptied.as_mut().enable();
            if self.lock().buffer.len() >= self.limit {
                emptied.await;
            }
        })
    }

    fn closing(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.closing.wait())
    }
}
