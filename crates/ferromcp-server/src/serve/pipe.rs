//! Serves one peer on a pipe: both eras, concurrent calls, batched writes.
//!
//! One task reads, dispatches and writes. A call that completes immediately needs no task and no channel. A pending call
//! runs in a separate task and returns its reply to this task, so that nothing is written for a call after it is cancelled.

use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use ferromcp_core::model::CancelledParams;
use ferromcp_core::wire::{DecodeError, FromClient, Incoming, Message, decode, encode};
use ferromcp_core::{
    ClientNotification, ClientRequest, Error, Identity, RequestId, Revision, ServerNotification, ServerResult,
};
use ferromcp_transport::{Frame, FrameRx, FrameTx, Outbound};
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};

use super::batch::Batches;
use super::signal::Shutdown;
use super::sink::PipeSink;
use crate::answer;
use crate::call::{Call, Peer, Reply};
use crate::dispatch::{poll_caught, start};
use crate::era;
use crate::era::legacy::Session;
use crate::era::modern;
use crate::inner::Inner;
use crate::maybe_ready::MaybeReady;
use crate::pending_requests::Responder;
use crate::request_sink::RequestSink;

/// Maximum number of frames handled in a row before completed calls and writes are processed.
const BURST: usize = 256;

/// Serves until the peer disconnects or shutdown is requested.
pub(crate) async fn run<R: FrameRx, W: FrameTx>(
    inner: Arc<Inner>,
    mut rx: R,
    mut tx: W,
    shutdown: Shutdown,
    identity: Option<Identity>,
) -> io::Result<()> {
    let mut pipe = Pipe::new(inner, identity);
    let outcome = pipe.serve(&mut rx, &mut tx, shutdown).await;
    let grace = pipe.inner.limits.shutdown_grace;
    pipe.drain(&mut tx).await;
    // A peer that has stopped reading must not keep the process alive.
    let finished = tokio::time::timeout(grace, tx.finish()).await.unwrap_or(Ok(()));
    outcome.and(finished.or_else(ignore_disconnect))
}

/// Ignores a disconnect of the peer during a write; it is not a server error.
fn ignore_disconnect(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => Ok(()),
        _ => Err(error),
    }
}

/// The state of one peer's connection.
struct Pipe {
    inner: Arc<Inner>,
    /// The identity of the peer, if known.
    identity: Option<Identity>,
    session: Session,
    sink: Arc<PipeSink>,
    out: Outbound,
    /// Whether a write is incomplete; data already taken from `out` may still need a flush.
    writing: bool,
    calls: HashMap<RequestId, Running>,
    by_task: HashMap<Id, (RequestId, u64)>,
    /// The number of the last call; identifies calls in the sink.
    serial: u64,
    tasks: JoinSet<Reply>,
    batches: Batches,
}

/// A call that runs in a separate task.
struct Running {
    revision: Revision,
    task: AbortHandle,
    serial: u64,
}

impl Pipe {
    fn new(inner: Arc<Inner>, identity: Option<Identity>) -> Self {
        let sink = Arc::new(PipeSink::new(inner.limits.outbound_bytes.max(1), inner.limits.questions));
        Self {
            session: Session::with_notifications(Arc::clone(&inner.broadcaster)),
            inner,
            identity,
            sink,
            out: Outbound::new(),
            writing: false,
            calls: HashMap::new(),
            by_task: HashMap::new(),
            serial: 0,
            tasks: JoinSet::new(),
            batches: Batches::default(),
        }
    }

    async fn serve<R: FrameRx, W: FrameTx>(
        &mut self,
        rx: &mut R,
        tx: &mut W,
        mut shutdown: Shutdown,
    ) -> io::Result<()> {
        // A frame read while the output buffer is full. Reading one frame ahead detects a disconnect.
        let mut read_ahead = None;
        loop {
            self.write_completed();
            for _ in 0..BURST {
                if !self.has_capacity() {
                    break;
                }
                let Some(frame) = read_ahead.take().or_else(|| rx.try_recv()) else { break };
                self.handle_frame(frame).await;
            }
            if self.has_capacity() {
                self.sink.take(&mut self.out);
                self.send_changes();
            }
            self.writing |= !self.out.is_empty();
            let (has_capacity, must_write) = (self.has_capacity(), self.writing);
            tokio::select! {
                biased;
                () = shutdown.wait() => return Ok(()),
                written = tx.write(&mut self.out), if must_write => {
                    if let Err(error) = written {
                        return ignore_disconnect(error);
                    }
                    self.writing = false;
                }
                frame = rx.recv(), if read_ahead.is_none() => match frame? {
                    Some(frame) => read_ahead = Some(frame),
                    None => return Ok(()),
                },
                Some(done) = self.tasks.join_next_with_id(), if !self.tasks.is_empty() => self.complete(done),
                () = self.sink.filled(), if has_capacity => {} // otherwise it would wake repeatedly
                change = self.session.next_change(), if has_capacity => self.notify(change, self.fallback_revision()),
            }
        }
    }

    /// Writes the replies of completed calls. Without this, a flood of requests would starve them.
    fn write_completed(&mut self) {
        while !self.tasks.is_empty() {
            let Some(done) = self.tasks.try_join_next_with_id() else { return };
            self.complete(done);
        }
    }

    /// Writes pending change notifications. The mailbox keeps the rest while the output buffer is full.
    fn send_changes(&mut self) {
        while self.has_capacity() {
            let Some(change) = self.session.try_next_change() else { return };
            self.notify(change, self.fallback_revision());
        }
    }

    fn notify(&mut self, notification: ServerNotification, revision: Revision) {
        self.out.frame(|out| {
            if let Err(error) = encode::server_notification(out, notification, revision) {
                tracing::error!(%error, "cannot serialize a notification");
            }
        });
    }

    fn has_capacity(&self) -> bool {
        self.out.is_empty() || self.out.len() < self.inner.limits.outbound_bytes
    }

    /// Ends subscriptions, waits for in-flight calls during the grace period, and writes the remaining messages.
    async fn drain<W: FrameTx>(&mut self, tx: &mut W) {
        self.sink.close();
        let grace = self.inner.limits.shutdown_grace;
        let rest = async {
            loop {
                self.sink.take(&mut self.out);
                if !self.out.is_empty() || self.writing {
                    if tx.write(&mut self.out).await.is_err() {
                        return;
                    }
                    self.writing = false;
                    continue;
                }
                tokio::select! {
                    done = self.tasks.join_next_with_id() => match done {
                        Some(done) => self.complete(done),
                        None => return,
                    },
                    () = self.sink.filled() => {}
                }
            }
        };
        let _ = tokio::time::timeout(grace, rest).await; // calls that are still running are dropped
        self.tasks.shutdown().await;
    }

    async fn handle_frame(&mut self, frame: Frame) {
        let bytes = match frame {
            Frame::Whole(bytes) => bytes,
            Frame::TooLong { limit } => {
                let message = format!("Invalid request: the message is longer than {limit} bytes");
                return self.reject(DecodeError::new(Error::invalid_request(message)));
            }
        };
        match self.decode(bytes) {
            Ok(Incoming::One(message)) => self.handle_message(message).await,
            Ok(Incoming::Batch(messages)) => self.handle_batch(messages).await,
            Err(rejection) => self.reject(rejection),
        }
    }

    fn decode(&self, bytes: Bytes) -> Result<Incoming<FromClient>, DecodeError> {
        decode::<FromClient>(bytes, &self.inner.limits.decode)
    }

    async fn handle_message(&mut self, message: Message<FromClient>) {
        match message {
            Message::Request { id, request } => self.handle_request(id, request).await,
            Message::Notification(ClientNotification::Cancelled(params)) => {
                if let Some(id) = params.request_id {
                    self.cancel(&id, params.reason.as_deref());
                }
            }
            Message::Notification(ClientNotification::Initialized(_)) => self.session.initialized(),
            Message::Notification(_) => {} // other notifications need no action
            Message::Response { id, outcome } => {
                let from = Responder { identity: self.identity.clone(), session: None };
                self.sink.questions().resolve(id.as_ref(), outcome, &from);
            }
        }
    }

    /// Handles a batch. Allowed in 2025-03-26 only, and not for `initialize`.
    async fn handle_batch(&mut self, messages: Vec<Result<Message<FromClient>, DecodeError>>) {
        if self.session.revision() != Some(Revision::V2025_03_26) {
            return self.reject(DecodeError::new(era::no_batches()));
        }
        self.batches.open(messages.iter().filter_map(|message| match message {
            Ok(Message::Request { id, .. }) | Err(DecodeError { id: Some(id), suppress_response: false, .. }) => {
                Some(id).filter(|id| !self.calls.contains_key(*id))
            }
            _ => None,
        }));
        for message in messages {
            match message {
                Ok(message) => self.handle_message(message).await,
                Err(rejection) => self.reject(rejection),
            }
        }
    }

    async fn handle_request(&mut self, id: RequestId, request: ClientRequest) {
        if self.calls.contains_key(&id) {
            return self.write_error_unbatched(Some(&id), era::id_in_use(&id), self.fallback_revision());
        }
        let peer = match modern::peer(&request) {
            Ok(Some(peer)) => Ok(peer),
            Ok(None) => self.session.admit(&request).map_err(|error| (error, self.fallback_revision())),
            Err(error) => Err((error, Revision::LATEST)),
        };
        let peer = match peer {
            Ok(peer) => peer,
            Err((error, revision)) => return self.answer(&id, Reply::Failed(error), revision),
        };
        let revision = peer.revision();
        let limit = self.inner.limits.in_flight;
        if self.calls.len() >= limit {
            return self.answer(&id, Reply::Failed(era::too_many_calls(limit)), revision);
        }
        self.serial += 1;
        match start(&self.inner, self.build_call(&id, request, peer)) {
            MaybeReady::Ready(reply) => self.answer(&id, reply, revision),
            MaybeReady::Pending(mut future) => {
                // Most handlers complete at the first poll; only the others are spawned.
                match poll_fn(|cx| Poll::Ready(poll_caught(&mut future, cx))).await {
                    Poll::Ready(reply) => self.answer(&id, reply, revision),
                    Poll::Pending => {
                        let task = self.tasks.spawn(async move { poll_fn(|cx| poll_caught(&mut future, cx)).await });
                        self.by_task.insert(task.id(), (id.clone(), self.serial));
                        self.calls.insert(id, Running { revision, task, serial: self.serial });
                    }
                }
            }
        }
    }

    fn build_call(&self, id: &RequestId, request: ClientRequest, peer: Peer) -> Call {
        let peer = peer.identified(self.identity.as_ref());
        Call::new(request, peer).id(id.clone()).sink(RequestSink::new(Arc::clone(&self.sink) as _, self.serial))
    }

    /// Returns the revision for messages that do not belong to a valid request.
    fn fallback_revision(&self) -> Revision {
        self.session.revision().unwrap_or(Revision::LATEST_LEGACY)
    }

    /// Writes the reply of a completed task, unless the call was cancelled.
    fn complete(&mut self, done: Result<(Id, Reply), JoinError>) {
        let task = match &done {
            Ok((task, _)) => *task,
            Err(error) => error.id(),
        };
        let Some((id, serial)) = self.by_task.remove(&task) else { return };
        if self.calls.get(&id).is_none_or(|running| running.serial != serial) {
            return self.sink.remove(serial);
        }
        let Some(running) = self.calls.remove(&id) else { return };
        let reply = match done {
            Ok((_, reply)) => reply,
            Err(error) => {
                tracing::error!(%error, "the task of a call failed");
                Reply::Failed(Error::internal("Internal error"))
            }
        };
        self.answer(&id, reply, running.revision);
    }

    fn cancel(&mut self, id: &RequestId, reason: Option<&str>) {
        tracing::debug!(?id, reason, "call cancelled");
        if let Some(running) = self.calls.remove(id) {
            self.sink.mark_cancelled(running.serial); // its task may be running on another thread
            running.task.abort();
            self.batches.remove(id, &mut self.out);
        }
    }

    /// Writes a reply after the notifications of its call.
    fn answer(&mut self, id: &RequestId, reply: Reply, revision: Revision) {
        self.sink.take(&mut self.out);
        let ends_subscription = matches!(reply, Reply::Done(ServerResult::Listen(_)));
        let inner = &self.inner;
        self.batches.write(id, &mut self.out, |out| answer::write(out, inner, id, reply, revision));
        if ends_subscription {
            // The spec requires both the result and this notification; clients may wait for either.
            self.notify(ServerNotification::Cancelled(CancelledParams::new(id.clone())), revision);
        }
    }

    /// Responds to a message that cannot be decoded.
    ///
    /// Older revisions define no error response without an id, so the error is only logged there.
    fn reject(&mut self, rejection: DecodeError) {
        let DecodeError { id, error, suppress_response, .. } = rejection;
        tracing::debug!(?id, %error, "cannot decode a message");
        let revision = self.session.revision().unwrap_or(Revision::LATEST);
        if suppress_response || (id.is_none() && revision < Revision::LATEST_LEGACY) {
            return;
        }
        match id {
            // The request may be part of a batch.
            Some(id) if !self.calls.contains_key(&id) => self.answer(&id, Reply::Failed(error), revision),
            id => self.write_error_unbatched(id.as_ref(), error, revision),
        }
    }

    /// Writes an error outside of all batches, even if a batch waits for another response to `id`.
    fn write_error_unbatched(&mut self, id: Option<&RequestId>, error: Error, revision: Revision) {
        self.sink.take(&mut self.out);
        self.out.frame(|out| encode::error(out, id, error, revision));
    }
}
