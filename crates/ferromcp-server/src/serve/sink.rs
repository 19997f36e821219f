//! The outbound queue of a pipe: calls add messages, and the pipe's task writes them.

use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;
use ferromcp_core::model::CancelledParams;
use ferromcp_core::wire::encode;
use ferromcp_core::{RequestId, Revision, ServerNotification, ServerRequest};
use ferromcp_transport::Outbound;
use tokio::sync::Notify;

use crate::latch::Latch;
use crate::peer::Peer;
use crate::pending_requests::RequestError;
use crate::pending_requests::{IdScheme, PendingRequest, PendingRequests, Responder};
use crate::request_sink::{NotificationSink, QueueFull, ResponseFuture};

/// A bounded buffer of encoded notifications.
pub(crate) struct PipeSink {
    queue: Mutex<Queue>,
    /// Whether the buffer may contain messages; avoids the lock when it is empty.
    non_empty: AtomicBool,
    limit: usize,
    filled: Notify,
    emptied: Notify,
    closing: Latch,
    questions: Arc<PendingRequests>,
}

#[derive(Default)]
struct Queue {
    buffer: Outbound,
    /// Cancelled calls whose tasks may still be running.
    cancelled: HashSet<u64>,
}

impl PipeSink {
    /// Creates a sink that buffers `limit` bytes and allows `questions` pending client requests.
    pub(crate) fn new(limit: usize, questions: usize) -> Self {
        Self {
            queue: Mutex::default(),
            non_empty: AtomicBool::new(false),
            limit,
            filled: Notify::new(),
            emptied: Notify::new(),
            closing: Latch::default(),
            questions: PendingRequests::new(IdScheme::Sequential, questions),
        }
    }

    /// Completes calls without an end, such as subscriptions, and fails all pending client requests.
    pub(crate) fn close(&self) {
        self.closing.set();
        self.questions.close();
    }

    /// Returns the pending client requests.
    pub(crate) fn questions(&self) -> &PendingRequests {
        &self.questions
    }

    /// Appends the buffered messages to `out`.
    pub(crate) fn take(&self, out: &mut Outbound) {
        if !self.non_empty.swap(false, Ordering::AcqRel) {
            return;
        }
        out.append(&mut self.lock().buffer);
        self.emptied.notify_waiters();
    }

    /// Discards further messages of `call` until [`remove`](Self::remove).
    pub(crate) fn mark_cancelled(&self, call: u64) {
        self.lock().cancelled.insert(call);
    }

    /// Removes `call`, whose task has ended.
    pub(crate) fn remove(&self, call: u64) {
        self.lock().cancelled.remove(&call);
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds one message of `call` to the buffer.
    fn put(&self, call: u64, write: impl FnOnce(&mut BytesMut)) -> Put {
        let mut queue = self.lock();
        if queue.cancelled.contains(&call) {
            return Put::Cancelled;
        }
        if queue.buffer.len() >= self.limit {
            return Put::Full;
        }
        queue.buffer.frame(write);
        self.non_empty.store(true, Ordering::Release);
        drop(queue);
        self.filled.notify_one();
        Put::Done
    }

    /// Sends `notifications/cancelled` for a request of the server.
    fn cancel_request(&self, id: &RequestId, revision: Revision) {
        let mut queue = self.lock();
        if queue.buffer.len() < self.limit {
            let notification = ServerNotification::Cancelled(CancelledParams::new(id.clone()));
            queue.buffer.frame(|out| log_error(encode::server_notification(out, notification, revision)));
            self.non_empty.store(true, Ordering::Release);
            drop(queue);
            self.filled.notify_one();
        }
    }

    /// Waits until the buffer contains messages.
    pub(crate) async fn filled(&self) {
        if !self.non_empty.load(Ordering::Acquire) {
            self.filled.notified().await;
        }
    }
}

/// The outcome of adding a message.
enum Put {
    Done,
    Full,
    /// The call was cancelled; the message was discarded.
    Cancelled,
}

/// Logs a serialization error.
fn log_error(result: Result<(), serde_json::Error>) {
    if let Err(error) = result {
        tracing::error!(%error, "cannot serialize a message");
    }
}

/// A pending client request, cancelled if it is dropped without a response.
struct CancelOnDrop<'s> {
    sink: &'s PipeSink,
    pending: PendingRequest,
    revision: Revision,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if self.pending.is_pending() {
            self.sink.cancel_request(&self.pending.id, self.revision);
        }
    }
}

impl NotificationSink for PipeSink {
    fn try_send(&self, call: u64, notification: ServerNotification, revision: Revision) -> Result<(), QueueFull> {
        let mut notification = Some(notification);
        let put = self.put(call, |out| {
            if let Some(notification) = notification.take() {
                log_error(encode::server_notification(out, notification, revision));
            }
        });
        match (put, notification) {
            (Put::Full, Some(notification)) => Err(QueueFull(Box::new(notification))),
            _ => Ok(()),
        }
    }

    fn ask<'s>(&'s self, call: u64, question: ServerRequest, peer: &'s Peer) -> ResponseFuture<'s> {
        Box::pin(async move {
            let revision = peer.revision();
            let pending = self.questions.register(Responder { identity: peer.owned_identity(), session: None })?;
            let id = pending.id.clone();
            loop {
                let put = self.put(call, |out| {
                    log_error(encode::server_request(out, &id, question.clone(), revision));
                });
                match put {
                    Put::Done => break,
                    Put::Cancelled => return Err(RequestError::Disconnected),
                    Put::Full => self.ready().await,
                }
            }
            let mut request = CancelOnDrop { sink: self, pending, revision };
            request.pending.wait().await
        })
    }

    fn can_ask(&self) -> bool {
        true
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
