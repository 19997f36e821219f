//! What handlers say before they answer, until the response takes it.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ferromcp_core::model::CancelledParams;
use ferromcp_core::wire::encode;
use ferromcp_core::{RequestId, Revision, ServerNotification, ServerRequest};
use tokio::sync::Notify;

use crate::asks::Unanswered;
use crate::asks::live::{Asked, Pending, Questions};
use crate::latch::Latch;
use crate::outlet::{Answering, Full, Sink};
use crate::peer::Peer;

/// The sink of one request's calls.
pub(crate) struct HttpSink {
    state: Mutex<State>,
    limit: usize,
    emptied: Notify,
    closing: Arc<Latch>,
    can_disconnect: bool,
    /// How the client is asked; without it, it cannot be.
    asks: Option<Asks>,
}

/// How the client of a request is asked something in the middle of it.
pub(crate) struct Asks {
    /// Where its answers arrive.
    questions: Arc<Questions>,
    session: Option<Arc<str>>,
    /// The most questions that are out at a time.
    most: usize,
    /// How many are.
    out: AtomicUsize,
}

impl Asks {
    pub(crate) fn new(questions: Arc<Questions>, session: Option<Arc<str>>, most: usize) -> Self {
        Self { questions, session, most, out: AtomicUsize::new(0) }
    }
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
        Self {
            state: Mutex::default(),
            limit: limit.max(1),
            emptied: Notify::new(),
            closing,
            can_disconnect,
            asks: None,
        }
    }

    /// With a way to ask the client, if there is one.
    pub(crate) fn asking(mut self, asks: Option<Asks>) -> Self {
        self.asks = asks;
        self
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

/// What became of a message.
enum Put {
    Done,
    Full,
    /// Nobody wants it any more.
    Mute,
}

impl HttpSink {
    /// Says one message, if there is room.
    fn put(&self, write: impl FnOnce(&mut BytesMut) -> Result<(), serde_json::Error>) -> Put {
        self.note(|state| {
            if state.said.cancelled {
                return Put::Mute;
            }
            if state.bytes >= self.limit {
                return Put::Full;
            }
            let mut message = BytesMut::new();
            if let Err(error) = write(&mut message) {
                tracing::error!(%error, "a message cannot be JSON");
                return Put::Mute;
            }
            state.bytes += message.len();
            state.said.messages.push(message.freeze());
            Put::Done
        })
    }
}

/// A question that is out; taken back if it is dropped without an answer.
struct Out<'s> {
    sink: &'s HttpSink,
    asks: &'s Asks,
    pending: Pending,
    revision: Revision,
}

impl Drop for Out<'_> {
    fn drop(&mut self) {
        self.asks.out.fetch_sub(1, Ordering::AcqRel);
        if self.pending.is_out() {
            let taken_back = ServerNotification::Cancelled(CancelledParams::new(self.pending.id.clone()));
            self.sink.put(|out| encode::server_notification(out, taken_back, self.revision));
        }
    }
}

impl Sink for HttpSink {
    fn try_send(&self, _: u64, notification: ServerNotification, revision: Revision) -> Result<(), Full> {
        let mut notification = Some(notification);
        let put = self.put(|out| match notification.take() {
            Some(notification) => encode::server_notification(out, notification, revision),
            None => Ok(()),
        });
        match (put, notification) {
            (Put::Full, Some(notification)) => Err(Full(Box::new(notification))),
            _ => Ok(()),
        }
    }

    fn ask<'s>(&'s self, _: u64, question: ServerRequest, peer: &'s Peer) -> Answering<'s> {
        Box::pin(async move {
            let asks = self.asks.as_ref().ok_or(Unanswered::Nobody)?;
            let revision = peer.revision();
            let asked = Asked { identity: peer.principal(), session: asks.session.clone() };
            let pending = asks.questions.begin(asked)?;
            let before = asks.out.fetch_add(1, Ordering::AcqRel);
            let id = pending.id.clone();
            let mut out = Out { sink: self, asks, pending, revision };
            if before >= asks.most {
                return Err(Unanswered::TooMany(asks.most));
            }
            loop {
                match self.put(|out| encode::server_request(out, &id, question.clone(), revision)) {
                    Put::Done => return out.pending.wait().await,
                    Put::Mute => return Err(Unanswered::Gone),
                    Put::Full => self.ready().await,
                }
            }
        })
    }

    fn can_ask(&self) -> bool {
        self.asks.is_some()
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
