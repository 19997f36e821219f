//! What handlers say before they answer, until the response takes it.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ferromcp_core::wire::encode;
use ferromcp_core::{RequestId, Revision, ServerNotification};
use tokio::sync::Notify;

use crate::latch::Latch;
use crate::outlet::{Full, Sink};

/// The sink of one request's calls.
pub(crate) struct HttpSink {
    said: Mutex<Said>,
    limit: usize,
    emptied: Notify,
    closing: Arc<Latch>,
    can_disconnect: bool,
}

/// What was said and not yet taken.
#[derive(Default)]
pub(crate) struct Said {
    /// Messages, encoded.
    pub(crate) messages: Vec<Bytes>,
    bytes: usize,
    /// No answer is wanted any more.
    pub(crate) cancelled: bool,
    /// The calls that the client withdrew, of which there may be others.
    withdrawn: Vec<RequestId>,
    /// The handler lets the connection go, and the client is to come back after this.
    pub(crate) disconnect: Option<Duration>,
    waker: Option<Waker>,
}

impl HttpSink {
    /// A sink that holds up to `limit` bytes; `closing` tells its subscriptions to end.
    pub(crate) fn new(limit: usize, closing: Arc<Latch>, can_disconnect: bool) -> Self {
        Self { said: Mutex::default(), limit: limit.max(1), emptied: Notify::new(), closing, can_disconnect }
    }

    fn lock(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes something and wakes the response.
    fn note<R>(&self, note: impl FnOnce(&mut Said) -> R) -> R {
        let mut said = self.lock();
        let result = note(&mut said);
        let waker = said.waker.take();
        drop(said);
        if let Some(waker) = waker {
            waker.wake();
        }
        result
    }

    /// No answer is wanted any more.
    pub(crate) fn cancel(&self) {
        self.note(|said| said.cancelled = true);
    }

    /// The client withdrew a call.
    pub(crate) fn withdraw(&self, id: &RequestId) {
        self.note(|said| said.withdrawn.push(id.clone()));
    }

    /// Takes the calls that were withdrawn.
    pub(crate) fn withdrawn(&self) -> Vec<RequestId> {
        mem::take(&mut self.lock().withdrawn)
    }

    /// Whether a call was withdrawn, and that was not taken.
    pub(crate) fn has_withdrawn(&self) -> bool {
        !self.lock().withdrawn.is_empty()
    }

    /// Whether anything is there to take.
    pub(crate) fn poll_any(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut said = self.lock();
        if said.is_some() {
            return Poll::Ready(());
        }
        if said.waker.as_ref().is_none_or(|waker| !waker.will_wake(cx.waker())) {
            said.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Whether nothing is there to take.
    pub(crate) fn is_silent(&self) -> bool {
        !self.lock().is_some()
    }

    /// Takes what is there.
    pub(crate) fn take(&self) -> Said {
        let mut said = self.lock();
        let (cancelled, withdrawn) = (said.cancelled, mem::take(&mut said.withdrawn));
        let taken = mem::take(&mut *said);
        (said.cancelled, said.withdrawn) = (cancelled, withdrawn);
        drop(said);
        if !taken.messages.is_empty() {
            self.emptied.notify_waiters();
        }
        taken
    }
}

impl Said {
    fn is_some(&self) -> bool {
        !self.messages.is_empty() || self.cancelled || !self.withdrawn.is_empty() || self.disconnect.is_some()
    }
}

impl Sink for HttpSink {
    fn try_send(&self, _: u64, notification: ServerNotification, revision: Revision) -> Result<(), Full> {
        self.note(|said| {
            if said.cancelled {
                return Ok(());
            }
            if said.bytes >= self.limit {
                return Err(Full(Box::new(notification)));
            }
            let mut message = BytesMut::new();
            if let Err(error) = encode::server_notification(&mut message, notification, revision) {
                tracing::error!(%error, "a notification cannot be JSON");
                return Ok(());
            }
            said.bytes += message.len();
            said.messages.push(message.freeze());
            Ok(())
        })
    }

    fn ready(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            let mut emptied = std::pin::pin!(self.emptied.notified());
            emptied.as_mut().enable();
            if self.lock().bytes >= self.limit {
                emptied.await;
            }
        })
    }

    fn closing(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.closing.wait())
    }

    fn disconnect(&self, _: u64, retry: Duration) {
        if self.can_disconnect {
            self.note(|said| said.disconnect = Some(retry));
        }
    }
}
