//! Where calls on a pipe put their notifications, for the pipe's own task to write.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use ferromcp_core::wire::encode;
use ferromcp_core::{Revision, ServerNotification};
use ferromcp_transport::Outbound;
use tokio::sync::Notify;

use crate::outlet::{Full, Sink};

/// A bounded buffer of encoded notifications.
pub(crate) struct PipeSink {
    buffer: Mutex<Outbound>,
    /// Whether the buffer may hold something, so that looking costs no lock.
    some: AtomicBool,
    limit: usize,
    filled: Notify,
    emptied: Notify,
}

impl PipeSink {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            buffer: Mutex::new(Outbound::new()),
            some: AtomicBool::new(false),
            limit,
            filled: Notify::new(),
            emptied: Notify::new(),
        }
    }

    /// Moves what waits behind `out`.
    pub(crate) fn take(&self, out: &mut Outbound) {
        if !self.some.swap(false, Ordering::AcqRel) {
            return;
        }
        out.append(&mut self.buffer.lock().unwrap_or_else(PoisonError::into_inner));
        self.emptied.notify_waiters();
    }

    /// Waits until something is put in.
    pub(crate) async fn filled(&self) {
        if !self.some.load(Ordering::Acquire) {
            self.filled.notified().await;
        }
    }
}

impl Sink for PipeSink {
    fn try_send(&self, notification: ServerNotification, revision: Revision) -> Result<(), Full> {
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        if buffer.len() >= self.limit {
            return Err(Full(Box::new(notification)));
        }
        buffer.frame(|out| {
            // What cannot be JSON was refused when the notification was made.
            if let Err(error) = encode::server_notification(out, notification, revision) {
                tracing::error!(%error, "a notification cannot be JSON");
            }
        });
        self.some.store(true, Ordering::Release);
        drop(buffer);
        self.filled.notify_one();
        Ok(())
    }

    fn ready(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            let mut emptied = std::pin::pin!(self.emptied.notified());
            emptied.as_mut().enable();
            if self.buffer.lock().unwrap_or_else(PoisonError::into_inner).len() >= self.limit {
                emptied.await;
            }
        })
    }
}
