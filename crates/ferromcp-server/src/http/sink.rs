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
    state: Mutex<State>,
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
    /// No answer is wanted any more.
    pub(crate) cancelled: bool,
    /// The handler lets the connection go, and the client is to come back after this.
    pub(crate) disconnect: Option<Duration>,
}

#[derive(Default)]
struct State {
    said: Said,
    /// Of the messages.
    bytes: usize,
    /// The calls that the client withdrew, of which there may be others.
    withdrawn: Vec<RequestId>,
    waker: Option<Waker>,
}

impl HttpSink {
    /// A sink that holds up to `limit` bytes; `closing` tells its subscriptions to end.
    pub(crate) fn new(limit: usize, closing: Arc<Latch>, can_disconnect: bool) -> Self {
        Self { state: Mutex::default(), limit: limit.max(1), emptied: Notify::new(), closing, can_disconnect }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes something and wakes the response.
    fn note<R>(&self, note: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.lock();
        let result = note(&mut state);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        result
    }

    /// No answer is wanted any more.
    pub(crate) fn cancel(&self) {
        self.note(|state| state.said.cancelled = true);
    }

    /// The client withdrew a call.
    pub(crate) fn withdraw(&self, id: &RequestId) {
        self.note(|state| state.withdrawn.push(id.clone()));
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
        let mut state = self.lock();
        if state.is_some() {
            return Poll::Ready(());
        }
        if state.waker.as_ref().is_none_or(|waker| !waker.will_wake(cx.waker())) {
            state.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Whether nothing is there to take.
    pub(crate) fn is_silent(&self) -> bool {
        !self.lock().is_some()
    }

    /// Takes what was said. That no answer is wanted stays true.
    pub(crate) fn take(&self) -> Said {
        let mut state = self.lock();
        let cancelled = state.said.cancelled;
        let said = mem::replace(&mut state.said, Said { cancelled, ..Said::default() });
        (state.bytes, state.waker) = (0, None);
        drop(state);
        if !said.messages.is_empty() {
            self.emptied.notify_waiters();
        }
        said
    }
}

impl State {
    fn is_some(&self) -> bool {
        let Said { messages, cancelled, disconnect } = &self.said;
        !messages.is_empty() || *cancelled || disconnect.is_some() || !self.withdrawn.is_empty()
    }
}

impl Sink for HttpSink {
    fn try_send(&self, _: u64, notification: ServerNotification, revision: Revision) -> Result<(), Full> {
        self.note(|state| {
            if state.said.cancelled {
                return Ok(());
            }
            if state.bytes >= self.limit {
                return Err(Full(Box::new(notification)));
            }
            let mut message = BytesMut::new();
            if let Err(error) = encode::server_notification(&mut message, notification, revision) {
                tracing::error!(%error, "a notification cannot be JSON");
                return Ok(());
            }
            state.bytes += message.len();
            state.said.messages.push(message.freeze());
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
            self.note(|state| state.said.disconnect = Some(retry));
        }
    }
}
