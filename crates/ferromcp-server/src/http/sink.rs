//! Buffers the messages that handlers send before their reply, until the response takes them.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ferromcp_core::model::CancelledParams;
use ferromcp_core::wire::encode;
use ferromcp_core::{RequestId, Revision, ServerNotification, ServerRequest};
use tokio::sync::Notify;

use super::legacy::QuestionChannel;
use super::send_state::SendState;
use crate::peer::Peer;
use crate::pending_requests::{PendingRequest, RequestError};
use crate::request_sink::{NotificationSink, QueueFull, ResponseFuture};

/// The message buffer of one request.
pub(crate) struct HttpSink {
    state: Mutex<State>,
    /// The buffer size in bytes from which senders wait.
    limit: usize,
    drained: Notify,
    endpoint: Arc<SendState>,
    can_disconnect: bool,
    /// The channel for server requests, if the client supports them.
    questions: Option<QuestionChannel>,
}

/// Buffered messages and events, for the response.
#[derive(Default)]
pub(crate) struct Outgoing {
    /// Encoded messages.
    pub(crate) messages: Vec<Bytes>,
    /// The request was cancelled.
    pub(crate) cancelled: bool,
    /// The handler closes the connection; the client reconnects after this time.
    pub(crate) disconnect: Option<Duration>,
}

#[derive(Default)]
struct State {
    outgoing: Outgoing,
    /// The size of the buffered messages in bytes.
    bytes: usize,
    /// The calls that the client cancelled. The request may have others.
    withdrawn: Vec<RequestId>,
    waker: Option<Waker>,
}

impl State {
    fn is_empty(&self) -> bool {
        let Outgoing { messages, cancelled, disconnect } = &self.outgoing;
        messages.is_empty() && !*cancelled && disconnect.is_none() && self.withdrawn.is_empty()
    }
}

impl HttpSink {
    /// Creates a buffer of `limit` bytes. The shutdown of its `endpoint` ends its subscriptions.
    pub(crate) fn new(limit: usize, endpoint: Arc<SendState>, can_disconnect: bool) -> Self {
        Self {
            state: Mutex::default(),
            limit: limit.max(1),
            drained: Notify::new(),
            endpoint,
            can_disconnect,
            questions: None,
        }
    }

    /// Sets the channel for server requests.
    pub(crate) fn with_questions(mut self, questions: Option<QuestionChannel>) -> Self {
        self.questions = questions;
        self
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Updates the state and wakes the response.
    fn update<R>(&self, update: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.lock();
        let result = update(&mut state);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        result
    }

    /// Cancels the request: no reply is sent.
    pub(crate) fn cancel(&self) {
        self.update(|state| state.outgoing.cancelled = true);
    }

    /// Ends the questions of the request, because its client is gone. Later ones fail.
    pub(crate) fn end_questions(&self) {
        if let Some(questions) = &self.questions {
            questions.end();
        }
    }

    /// Cancels one call of the request for the client.
    pub(crate) fn withdraw(&self, id: &RequestId) {
        self.update(|state| state.withdrawn.push(id.clone()));
    }

    /// Takes the calls that the client cancelled.
    pub(crate) fn take_withdrawn(&self) -> Vec<RequestId> {
        mem::take(&mut self.lock().withdrawn)
    }

    /// Returns whether [`take_withdrawn`](Self::take_withdrawn) would return any call.
    pub(crate) fn has_withdrawn(&self) -> bool {
        !self.lock().withdrawn.is_empty()
    }

    /// Ready when the buffer is not empty.
    pub(crate) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if !state.is_empty() {
            return Poll::Ready(());
        }
        if state.waker.as_ref().is_none_or(|waker| !waker.will_wake(cx.waker())) {
            state.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Returns whether the buffer is empty.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Takes the buffered messages. A cancellation stays set.
    pub(crate) fn take(&self) -> Outgoing {
        let mut state = self.lock();
        let cancelled = state.outgoing.cancelled;
        let outgoing = mem::replace(&mut state.outgoing, Outgoing { cancelled, ..Outgoing::default() });
        (state.bytes, state.waker) = (0, None);
        drop(state);
        if !outgoing.messages.is_empty() {
            self.drained.notify_waiters();
        }
        outgoing
    }

    /// Returns whether senders must wait. While the unread responses of the server are at their limit, a request buffers
    /// one message at a time.
    fn is_full(&self, state: &State) -> bool {
        state.bytes >= self.limit || (state.bytes > 0 && self.endpoint.responses.is_exhausted())
    }

    /// Buffers one message, unless the buffer is full or the request was cancelled.
    pub(crate) fn push(&self, write: impl FnOnce(&mut BytesMut) -> Result<(), serde_json::Error>) -> Push {
        self.update(|state| {
            if state.outgoing.cancelled {
                return Push::Closed;
            }
            if self.is_full(state) {
                return Push::Full;
            }
            let mut message = BytesMut::new();
            if let Err(error) = write(&mut message) {
                tracing::error!(%error, "cannot serialize a message");
                return Push::Closed;
            }
            state.bytes += message.len();
            state.outgoing.messages.push(message.freeze());
            Push::Done
        })
    }
}

/// The result of [`HttpSink::push`].
pub(crate) enum Push {
    Done,
    Full,
    /// The request was cancelled, or the message cannot be serialized.
    Closed,
}

impl NotificationSink for HttpSink {
    fn try_send(&self, _: u64, notification: ServerNotification, revision: Revision) -> Result<(), QueueFull> {
        let mut notification = Some(notification);
        let push = self.push(|out| match notification.take() {
            Some(notification) => encode::server_notification(out, notification, revision),
            None => Ok(()),
        });
        match (push, notification) {
            (Push::Full, Some(notification)) => Err(QueueFull(Box::new(notification))),
            _ => Ok(()),
        }
    }

    fn ask<'s>(&'s self, _: u64, question: ServerRequest, peer: &'s Peer) -> ResponseFuture<'s> {
        Box::pin(async move {
            let questions = self.questions.as_ref().ok_or(RequestError::Unsupported)?;
            let revision = peer.revision();
            let (_slot, pending) = questions.register(peer.owned_identity())?;
            let id = pending.id.clone();
            loop {
                match self.push(|out| encode::server_request(out, &id, question.clone(), revision)) {
                    Push::Done => break,
                    Push::Closed => return Err(RequestError::Disconnected),
                    Push::Full => self.ready().await,
                }
            }
            let mut sent = SentQuestion { sink: self, pending, revision };
            tokio::select! {
                biased;
                answer = sent.pending.wait() => answer,
                () = questions.ended() => Err(RequestError::Disconnected),
            }
        })
    }

    fn can_ask(&self) -> bool {
        self.questions.is_some()
    }

    fn ready(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            let mut drained = std::pin::pin!(self.drained.notified());
            drained.as_mut().enable();
            if self.is_full(&self.lock()) {
                drained.await;
            }
        })
    }

    fn closing(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.endpoint.closing.wait())
    }

    fn disconnect(&self, _: u64, retry: Duration) {
        if self.can_disconnect {
            self.update(|state| state.outgoing.disconnect = Some(retry));
        }
    }
}

/// A question that was sent. Sends `notifications/cancelled` if dropped without a response.
struct SentQuestion<'s> {
    sink: &'s HttpSink,
    pending: PendingRequest,
    revision: Revision,
}

impl Drop for SentQuestion<'_> {
    fn drop(&mut self) {
        if self.pending.is_pending() {
            let cancelled = ServerNotification::Cancelled(CancelledParams::new(self.pending.id.clone()));
            self.sink.push(|out| encode::server_notification(out, cancelled, self.revision));
        }
    }
}
