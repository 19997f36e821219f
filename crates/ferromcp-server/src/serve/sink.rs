//! Where calls on a pipe put their notifications, for the pipe's own task to write.

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

use crate::pending_requests::RequestError;
use crate::pending_requests::{IdScheme, PendingRequest, PendingRequests, Responder};
use crate::latch::Latch;
use crate::outlet::{ResponseFuture, Full, Sink};
use crate::peer::Peer;

/// A bounded buffer of encoded notifications.
pub(crate) struct PipeSink {
    waiting: Mutex<Waiting>,
    /// Whether the buffer may hold something, so that looking costs no lock.
    some: AtomicBool,
    limit: usize,
    filled: Notify,
    emptied: Notify,
    closing: Latch,
    questions: Arc<PendingRequests>,
}

#[derive(Default)]
struct Waiting {
    buffer: Outbound,
    /// Calls that were cancelled but whose tasks may still be in the middle of a step.
    mute: HashSet<u64>,
}

impl PipeSink {
    /// Room for `limit` bytes, and for `questions` that wait for their answers.
    pub(crate) fn new(limit: usize, questions: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            some: AtomicBool::new(false),
            limit,
            filled: Notify::new(),
            emptied: Notify::new(),
            closing: Latch::default(),
            questions: PendingRequests::new(IdScheme::Sequential, questions),
        }
    }

    /// Lets calls that would go on for ever come to an end. Nobody answers questions any more.
    pub(crate) fn close(&self) {
        self.closing.set();
        self.questions.close();
    }

    /// The questions that are out.
    pub(crate) fn questions(&self) -> &PendingRequests {
        &self.questions
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

    /// Puts one message of `call` in. Says whether there was room, or nothing more is wanted of it.
    fn put(&self, call: u64, write: impl FnOnce(&mut BytesMut)) -> Put {
        let mut waiting = self.lock();
        if waiting.mute.contains(&call) {
            return Put::Mute;
        }
        if waiting.buffer.len() >= self.limit {
            return Put::Full;
        }
        waiting.buffer.frame(write);
        self.some.store(true, Ordering::Release);
        drop(waiting);
        self.filled.notify_one();
        Put::Done
    }

    /// Tells the peer that a question of the server's own wants no answer any more.
    fn take_back(&self, id: &RequestId, revision: Revision) {
        let mut waiting = self.lock();
        if waiting.buffer.len() < self.limit {
            let notification = ServerNotification::Cancelled(CancelledParams::new(id.clone()));
            waiting.buffer.frame(|out| written(encode::server_notification(out, notification, revision)));
            self.some.store(true, Ordering::Release);
            drop(waiting);
            self.filled.notify_one();
        }
    }

    /// Waits until something is put in.
    pub(crate) async fn filled(&self) {
        if !self.some.load(Ordering::Acquire) {
            self.filled.notified().await;
        }
    }
}

/// What became of a message.
enum Put {
    Done,
    Full,
    /// Its call is over.
    Mute,
}

/// What cannot be JSON was refused when the message was made.
fn written(written: Result<(), serde_json::Error>) {
    if let Err(error) = written {
        tracing::error!(%error, "a message cannot be JSON");
    }
}

/// A question that is out; taken back if it is dropped without an answer.
struct Out<'s> {
    sink: &'s PipeSink,
    pending: PendingRequest,
    revision: Revision,
}

impl Drop for Out<'_> {
    fn drop(&mut self) {
        if self.pending.is_pending() {
            self.sink.take_back(&self.pending.id, self.revision);
        }
    }
}

impl Sink for PipeSink {
    fn try_send(&self, call: u64, notification: ServerNotification, revision: Revision) -> Result<(), Full> {
        let mut notification = Some(notification);
        let put = self.put(call, |out| {
            if let Some(notification) = notification.take() {
                written(encode::server_notification(out, notification, revision));
            }
        });
        match (put, notification) {
            (Put::Full, Some(notification)) => Err(Full(Box::new(notification))),
            _ => Ok(()),
        }
    }

    fn ask<'s>(&'s self, call: u64, question: ServerRequest, peer: &'s Peer) -> ResponseFuture<'s> {
        Box::pin(async move {
            let revision = peer.revision();
            let pending = self.questions.register(Responder { identity: peer.principal(), session: None })?;
            let id = pending.id.clone();
            loop {
                let put = self.put(call, |out| {
                    written(encode::server_request(out, &id, question.clone(), revision));
                });
                match put {
                    Put::Done => break,
                    Put::Mute => return Err(RequestError::Disconnected),
                    Put::Full => self.ready().await,
                }
            }
            let mut out = Out { sink: self, pending, revision };
            out.pending.wait().await
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
