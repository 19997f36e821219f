//! Serves one peer on a pipe: both eras, concurrent calls, batched writes.
//!
//! One task reads, dispatches and writes. A call that completes immediately needs no task and no channel. A pending call,
//! or a pending batch, runs in a separate task and returns its reply to this task, so that nothing is written for a call
//! after it is cancelled.

use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use ferromcp_core::model::CancelledParams;
use ferromcp_core::text::excerpt;
use ferromcp_core::wire::{DecodeError, FromClient, Incoming, Message, encode};
use ferromcp_core::{ClientNotification, ClientRequest, Error, RequestId, Revision, ServerNotification, ServerResult};
use ferromcp_transport::{Frame, FrameTx, Outbound};
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};

use super::signal::Shutdown;
use super::sink::PipeSink;
use super::source::MessageSource;
use crate::batch::Batch;
use crate::call::{Call, Reply};
use crate::decode::decode_frame;
use crate::dispatch::start;
use crate::era;
use crate::era::features::has_batches;
use crate::era::legacy::Session;
use crate::inner::Inner;
use crate::latch::Latch;
use crate::maybe_ready::MaybeReady;
use crate::panics::poll_caught;
use crate::peer::Caller;
use crate::pending_requests::Responder;
use crate::request_sink::RequestSink;
use crate::shutdown_cut::{ShutdownCut, shut_down_error};

/// How long the errors of calls that are cut at shutdown may take to write.
const CUT_TIMEOUT: Duration = Duration::from_millis(500);

/// Maximum number of frames handled in a row before completed calls and writes are processed.
const BURST: usize = 256;

/// Serves until the peer disconnects or shutdown is requested.
pub(crate) async fn run(
    inner: Arc<Inner>,
    mut rx: impl MessageSource,
    mut tx: impl FrameTx,
    shutdown: Shutdown,
) -> io::Result<()> {
    let mut pipe = Pipe::new(inner);
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
    /// The sender of the current frame.
    caller: Caller,
    session: Session,
    sink: Arc<PipeSink>,
    out: Outbound,
    /// Whether a write is incomplete; data already taken from `out` may still need a flush.
    writing: bool,
    /// The calls in flight, including those of a batch that have not started.
    calls: HashMap<RequestId, Running>,
    /// The call of each task that runs a single call.
    by_task: HashMap<Id, (RequestId, u64)>,
    /// The calls of each task that runs a batch.
    batches: HashMap<Id, Vec<(RequestId, u64)>>,
    /// The number of the last call; identifies calls in the sink.
    serial: u64,
    tasks: JoinSet<Finished>,
    /// Set when the shutdown timeout has expired.
    cut: Arc<Latch>,
}

/// The result of a task.
enum Finished {
    Call(Reply),
    /// The array of responses, or `None` if every call was cancelled.
    Batch(Option<Bytes>),
}

/// A call that runs in a separate task.
struct Running {
    revision: Revision,
    serial: u64,
    canceller: Canceller,
}

/// Cancels a call.
enum Canceller {
    Task(AbortHandle),
    /// The call is part of a batch.
    Latch(Arc<Latch>),
}

impl Pipe {
    fn new(inner: Arc<Inner>) -> Self {
        let sink = Arc::new(PipeSink::new(inner.limits.outbound_bytes.max(1), inner.limits.questions));
        Self {
            session: Session::with_notifications(Arc::clone(&inner.broadcaster)),
            inner,
            caller: Caller::remote(None, None), // without access, until the first frame
            sink,
            out: Outbound::new(),
            writing: false,
            calls: HashMap::new(),
            by_task: HashMap::new(),
            batches: HashMap::new(),
            serial: 0,
            tasks: JoinSet::new(),
            cut: Arc::default(),
        }
    }

    async fn serve(
        &mut self,
        rx: &mut impl MessageSource,
        tx: &mut impl FrameTx,
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
                let Some((frame, caller)) = read_ahead.take().or_else(|| rx.try_recv()) else { break };
                self.caller = caller;
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
                change = self.session.next_change(), if has_capacity => self.notify(change, self.session.revision_or_latest()),
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
            self.notify(change, self.session.revision_or_latest());
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

    /// Ends subscriptions, waits for in-flight calls during the grace period, and writes the remaining messages. Calls that
    /// are still running then end with an error.
    async fn drain<W: FrameTx>(&mut self, tx: &mut W) {
        self.sink.close();
        let grace = self.inner.limits.shutdown_grace;
        if tokio::time::timeout(grace, self.finish_calls(tx)).await.is_err() {
            self.cut_calls();
            let _ = tokio::time::timeout(CUT_TIMEOUT, self.finish_calls(tx)).await;
        }
        self.tasks.shutdown().await;
    }

    /// Waits until no call is in flight and everything is written, or the peer disconnects.
    async fn finish_calls<W: FrameTx>(&mut self, tx: &mut W) {
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
    }

    /// Ends the calls in flight with an error.
    fn cut_calls(&mut self) {
        self.cut.set(); // the calls of batches end on the same signal
        let calls = std::mem::take(&mut self.calls);
        for (id, running) in calls {
            match running.canceller {
                Canceller::Task(task) => {
                    self.sink.mark_cancelled(running.serial);
                    task.abort();
                    self.write_error(Some(&id), self.shut_down_error(), running.revision);
                }
                Canceller::Latch(_) => drop(self.calls.insert(id, running)),
            }
        }
    }

    fn shut_down_error(&self) -> Error {
        shut_down_error("ServerLimits", self.inner.limits.shutdown_grace)
    }

    async fn handle_frame(&mut self, frame: Frame) {
        let bytes = match frame {
            Frame::Complete(bytes) => bytes,
            Frame::TooLong { limit } => {
                let message = format!("Invalid request: the message is longer than {limit} bytes");
                return self.reject(DecodeError::new(Error::invalid_request(message)));
            }
        };
        match decode_frame(bytes) {
            Ok(Incoming::One(message)) => self.handle_message(message).await,
            Ok(Incoming::Batch(messages)) => self.handle_batch(messages).await,
            Err(rejection) => self.reject(rejection),
        }
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
                let from = Responder { identity: self.caller.identity().cloned(), session: None };
                self.sink.questions().resolve(id.as_ref(), outcome, &from);
            }
        }
    }

    /// Handles a batch. Allowed in 2025-03-26 only, and not for `initialize`.
    async fn handle_batch(&mut self, messages: Vec<Result<Message<FromClient>, DecodeError>>) {
        let Some(revision) = self.session.revision().filter(|revision| has_batches(*revision)) else {
            return self.reject(DecodeError::new(era::no_batches()));
        };
        let (mut batch, mut members) = (Batch::default(), Vec::new());
        for message in messages {
            match message {
                Ok(Message::Request { id, request }) if !self.calls.contains_key(&id) => {
                    match self.admit(&id, request) {
                        Ok(call) if has_batches(call.peer.revision()) => {
                            let (revision, serial) = (call.peer.revision(), self.serial);
                            members.push((id.clone(), serial));
                            let canceller = Canceller::Latch(batch.push(id.clone(), call));
                            self.calls.insert(id, Running { revision, serial, canceller });
                        }
                        Ok(_) => batch.push_rejected(Some(id), era::no_batches(), revision),
                        Err((error, revision)) => batch.push_rejected(Some(id), error, revision),
                    }
                }
                Err(DecodeError { id: Some(id), error, suppress_response: false, .. })
                    if !self.calls.contains_key(&id) =>
                {
                    batch.push_rejected(Some(id), error, revision);
                }
                // A request with the id of a call in flight is rejected immediately, not in the array.
                Ok(message) => self.handle_message(message).await,
                Err(rejection) => self.reject(rejection),
            }
        }
        if batch.is_empty() {
            return;
        }
        let cut = ShutdownCut { latch: Arc::clone(&self.cut), error: self.shut_down_error() };
        let mut responses = Box::pin(batch.run(Arc::clone(&self.inner), cut));
        match poll_fn(|cx| Poll::Ready(responses.as_mut().poll(cx))).await {
            Poll::Ready(responses) => self.complete_batch(members, responses),
            Poll::Pending => {
                let task = self.tasks.spawn(async move { Finished::Batch(responses.await) });
                self.batches.insert(task.id(), members);
            }
        }
    }

    async fn handle_request(&mut self, id: RequestId, request: ClientRequest) {
        let call = match self.admit(&id, request) {
            Ok(call) => call,
            Err((error, revision)) => return self.write_error(Some(&id), error, revision),
        };
        let (revision, serial) = (call.peer.revision(), self.serial);
        match start(&self.inner, call) {
            MaybeReady::Ready(reply) => self.answer(&id, reply, revision),
            MaybeReady::Pending(mut future) => {
                // Most handlers complete at the first poll; only the others are spawned.
                match poll_fn(|cx| Poll::Ready(poll_caught(&mut future, cx))).await {
                    Poll::Ready(reply) => self.answer(&id, reply, revision),
                    Poll::Pending => {
                        let reply = async move { Finished::Call(poll_fn(|cx| poll_caught(&mut future, cx)).await) };
                        let task = self.tasks.spawn(reply);
                        self.by_task.insert(task.id(), (id.clone(), serial));
                        self.calls.insert(id, Running { revision, serial, canceller: Canceller::Task(task) });
                    }
                }
            }
        }
    }

    /// Returns the call of a valid request, with `self.serial` as its number.
    ///
    /// # Errors
    /// The error to respond with, and the revision in which to send it.
    fn admit(&mut self, id: &RequestId, request: ClientRequest) -> Result<Call, (Error, Revision)> {
        if self.calls.contains_key(id) {
            return Err((era::id_in_use(id), self.session.revision_or_latest()));
        }
        let peer = era::peer(&request, &mut self.session)?;
        let limit = self.inner.limits.in_flight;
        if self.calls.len() >= limit {
            return Err((era::too_many_calls(limit), peer.revision()));
        }
        self.serial += 1;
        let sink = RequestSink::new(Arc::clone(&self.sink) as _, self.serial);
        Ok(Call::new(request, peer.called_by(&self.caller)).id(id.clone()).sink(sink))
    }

    /// Writes the reply of a completed task, unless the call was cancelled.
    fn complete(&mut self, done: Result<(Id, Finished), JoinError>) {
        let (task, finished) = match done {
            Ok((task, finished)) => (task, Some(finished)),
            Err(error) => {
                if !error.is_cancelled() {
                    tracing::error!(%error, "the task of a call failed");
                }
                (error.id(), None)
            }
        };
        if let Some(members) = self.batches.remove(&task) {
            let responses = if let Some(Finished::Batch(responses)) = finished { responses } else { None };
            return self.complete_batch(members, responses);
        }
        let Some((id, serial)) = self.by_task.remove(&task) else { return };
        let Some(running) = self.forget(&id, serial) else { return };
        let reply = match finished {
            Some(Finished::Call(reply)) => reply,
            _ => Reply::Failed(Error::internal("Internal error")),
        };
        self.answer(&id, reply, running.revision);
    }

    /// Writes the responses of a batch, if there are any.
    fn complete_batch(&mut self, members: Vec<(RequestId, u64)>, responses: Option<Bytes>) {
        for (id, serial) in members {
            self.forget(&id, serial);
        }
        self.sink.take(&mut self.out);
        if let Some(responses) = responses {
            self.out.frame(|out| out.extend_from_slice(&responses));
        }
    }

    /// Removes a call whose task has ended. Returns it, unless it was cancelled.
    fn forget(&mut self, id: &RequestId, serial: u64) -> Option<Running> {
        if self.calls.get(id).is_none_or(|running| running.serial != serial) {
            self.sink.remove(serial);
            return None;
        }
        self.calls.remove(id)
    }

    fn cancel(&mut self, id: &RequestId, reason: Option<&str>) {
        tracing::debug!(?id, reason = reason.map(|reason| excerpt(reason).to_string()), "call cancelled");
        if let Some(running) = self.calls.remove(id) {
            self.sink.mark_cancelled(running.serial); // its task may be running on another thread
            match running.canceller {
                Canceller::Task(task) => task.abort(),
                Canceller::Latch(cancelled) => cancelled.set(),
            }
        }
    }

    /// Writes a reply after the notifications of its call.
    fn answer(&mut self, id: &RequestId, reply: Reply, revision: Revision) {
        self.sink.take(&mut self.out);
        let ends_subscription = matches!(reply, Reply::Done(ServerResult::Listen(_)));
        let inner = &self.inner;
        self.out.frame(|out| reply.write(out, id, revision, inner.info_json()));
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
        match era::decode_error_revision(&self.session, id.as_ref()) {
            Some(revision) if !suppress_response => self.write_error(id.as_ref(), error, revision),
            _ => {}
        }
    }

    fn write_error(&mut self, id: Option<&RequestId>, error: Error, revision: Revision) {
        self.sink.take(&mut self.out);
        self.out.frame(|out| encode::error(out, id, error, revision));
    }
}
