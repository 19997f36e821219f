//! Serves one peer on a pipe: both eras at once, calls side by side, answers that are ready
//! together written at once.
//!
//! One task reads, answers and writes. A call that is ready at once costs no task and no channel;
//! one that must wait goes on in a task of its own, and its reply comes back here to be written,
//! so what is written for a call ends the moment it is cancelled.

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
use crate::pending_requests::Responder;
use crate::call::{Call, Peer, Reply};
use crate::dispatch::{poll_caught, start};
use crate::era;
use crate::era::legacy::Session;
use crate::era::modern;
use crate::inner::Inner;
use crate::request_sink::RequestSink;
use crate::maybe_ready::MaybeReady;

/// The most frames handled in a row before finished calls and writing get their turn.
const BURST: usize = 256;

/// Serves until the peer hangs up or the process is told to shutdown.
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
    // A peer that reads nothing more must not keep the process.
    let finished = tokio::time::timeout(grace, tx.finish()).await.unwrap_or(Ok(()));
    outcome.and(finished.or_else(hung_up))
}

/// A peer that hung up while something was being written is no failure of the server.
fn hung_up(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => Ok(()),
        _ => Err(error),
    }
}

struct Pipe {
    inner: Arc<Inner>,
    /// Who is at the other end, where that is known.
    identity: Option<Identity>,
    session: Session,
    sink: Arc<PipeSink>,
    out: Outbound,
    /// A write was begun and has not said that it is done: what was taken off `out` may still want a flush.
    writing: bool,
    calls: HashMap<RequestId, Running>,
    by_task: HashMap<Id, (RequestId, u64)>,
    /// The number of the last call, by which the sink knows it.
    serial: u64,
    tasks: JoinSet<Reply>,
    batches: Batches,
}

/// A call in a task of its own.
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

    async fn serve<R: FrameRx, W: FrameTx>(&mut self, rx: &mut R, tx: &mut W, mut shutdown: Shutdown) -> io::Result<()> {
        // A frame read while there is no room to answer it: reading one ahead shows when the peer hangs up.
        let mut read_ahead = None;
        loop {
            self.collect();
            for _ in 0..BURST {
                if !self.has_room() {
                    break;
                }
                let Some(frame) = read_ahead.take().or_else(|| rx.try_recv()) else { break };
                self.frame(frame).await;
            }
            if self.has_room() {
                self.sink.take(&mut self.out);
                self.send_changes();
            }
            self.writing |= !self.out.is_empty();
            let (has_room, must_write) = (self.has_room(), self.writing);
            tokio::select! {
                biased;
                () = shutdown.wait() => return Ok(()),
                written = tx.write(&mut self.out), if must_write => {
                    if let Err(error) = written {
                        return hung_up(error);
                    }
                    self.writing = false;
                }
                frame = rx.recv(), if read_ahead.is_none() => match frame? {
                    Some(frame) => read_ahead = Some(frame),
                    None => return Ok(()),
                },
                Some(done) = self.tasks.join_next_with_id(), if !self.tasks.is_empty() => self.done(done),
                () = self.sink.filled(), if has_room => {} // else it would notify so again and again
                news = self.session.next_change(), if has_room => self.notify(news, self.spoken()),
            }
        }
    }

    /// Answers calls that are done. A flood of requests would keep the waiting above from getting to them.
    fn collect(&mut self) {
        while !self.tasks.is_empty() {
            let Some(done) = self.tasks.try_join_next_with_id() else { return };
            self.done(done);
        }
    }

    /// Writes the changes that the session is to hear of. What there is no room for waits in its mailbox,
    /// where each is kept once.
    fn send_changes(&mut self) {
        while self.has_room() {
            let Some(news) = self.session.try_next_change() else { return };
            self.notify(news, self.spoken());
        }
    }

    fn notify(&mut self, notification: ServerNotification, revision: Revision) {
        self.out.frame(|out| {
            if let Err(error) = encode::server_notification(out, notification, revision) {
                tracing::error!(%error, "a notification cannot be JSON");
            }
        });
    }

    fn has_room(&self) -> bool {
        self.out.is_empty() || self.out.len() < self.inner.limits.outbound_bytes
    }

    /// Ends subscriptions, lets other calls under way go on for the grace time, and writes what is left.
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
                        Some(done) => self.done(done),
                        None => return,
                    },
                    () = self.sink.filled() => {}
                }
            }
        };
        let _ = tokio::time::timeout(grace, rest).await; // what is not done by then is dropped
        self.tasks.shutdown().await;
    }

    async fn frame(&mut self, frame: Frame) {
        let bytes = match frame {
            Frame::Whole(bytes) => bytes,
            Frame::TooLong { limit } => {
                let message = format!("Invalid request: the message is longer than {limit} bytes");
                return self.reject(DecodeError::new(Error::invalid_request(message)));
            }
        };
        match self.decode(bytes) {
            Ok(Incoming::One(message)) => self.message(message).await,
            Ok(Incoming::Batch(messages)) => self.batch(messages).await,
            Err(rejection) => self.reject(rejection),
        }
    }

    fn decode(&self, bytes: Bytes) -> Result<Incoming<FromClient>, DecodeError> {
        decode::<FromClient>(bytes, &self.inner.limits.decode)
    }

    async fn message(&mut self, message: Message<FromClient>) {
        match message {
            Message::Request { id, request } => self.request(id, request).await,
            Message::Notification(ClientNotification::Cancelled(params)) => {
                if let Some(id) = params.request_id {
                    self.cancel(&id, params.reason.as_deref());
                }
            }
            Message::Notification(ClientNotification::Initialized(_)) => self.session.initialized(),
            Message::Notification(_) => {} // others notify nothing to a server
            Message::Response { id, outcome } => {
                let from = Responder { identity: self.identity.clone(), session: None };
                self.sink.questions().resolve(id.as_ref(), outcome, &from);
            }
        }
    }

    /// Several messages at once: in 2025-03-26 only, and never the opening.
    async fn batch(&mut self, messages: Vec<Result<Message<FromClient>, DecodeError>>) {
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
                Ok(message) => self.message(message).await,
                Err(rejection) => self.reject(rejection),
            }
        }
    }

    async fn request(&mut self, id: RequestId, request: ClientRequest) {
        if self.calls.contains_key(&id) {
            return self.answer_apart(Some(&id), era::id_in_use(&id), self.spoken());
        }
        let peer = match modern::peer(&request) {
            Ok(Some(peer)) => Ok(peer),
            Ok(None) => self.session.admit(&request).map_err(|error| (error, self.spoken())),
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
        match start(&self.inner, self.call(&id, request, peer)) {
            MaybeReady::Ready(reply) => self.answer(&id, reply, revision),
            MaybeReady::Pending(mut future) => {
                // Most handlers are done at the first poll; only the others get a task.
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

    fn call(&self, id: &RequestId, request: ClientRequest, peer: Peer) -> Call {
        let peer = peer.identified(self.identity.as_ref());
        Call::new(request, peer).id(id.clone()).sink(RequestSink::new(Arc::clone(&self.sink) as _, self.serial))
    }

    /// The revision in which to speak to a peer outside of any good request.
    fn spoken(&self) -> Revision {
        self.session.revision().unwrap_or(Revision::LATEST_LEGACY)
    }

    /// A task ended: writes its reply, unless the call was cancelled meanwhile.
    fn done(&mut self, done: Result<(Id, Reply), JoinError>) {
        let task = match &done {
            Ok((task, _)) => *task,
            Err(error) => error.id(),
        };
        let Some((id, serial)) = self.by_task.remove(&task) else { return };
        if self.calls.get(&id).is_none_or(|running| running.serial != serial) {
            return self.sink.forget(serial);
        }
        let Some(running) = self.calls.remove(&id) else { return };
        let reply = match done {
            Ok((_, reply)) => reply,
            Err(error) => {
                tracing::error!(%error, "a call's task failed");
                Reply::Failed(Error::internal("Internal error"))
            }
        };
        self.answer(&id, reply, running.revision);
    }

    fn cancel(&mut self, id: &RequestId, reason: Option<&str>) {
        tracing::debug!(?id, reason, "a call was cancelled");
        if let Some(running) = self.calls.remove(id) {
            self.sink.mute(running.serial); // its task may be in the middle of a step on another thread
            running.task.abort();
            self.batches.forget(id, &mut self.out);
        }
    }

    /// Writes a reply, behind what its call has sent before.
    fn answer(&mut self, id: &RequestId, reply: Reply, revision: Revision) {
        self.sink.take(&mut self.out);
        let ends_subscription = matches!(reply, Reply::Done(ServerResult::Listen(_)));
        let inner = &self.inner;
        self.batches.write(id, &mut self.out, |out| answer::write(out, inner, id, reply, revision));
        if ends_subscription {
            // The spec wants both the result and this: clients may look for either.
            self.notify(ServerNotification::Cancelled(CancelledParams::new(id.clone())), revision);
        }
    }

    /// Answers what could not be read. Where no id could be read either, the older revisions have
    /// no form for the answer, so it only goes to the log; so does what is never answered.
    fn reject(&mut self, rejection: DecodeError) {
        let DecodeError { id, error, suppress_response, .. } = rejection;
        tracing::debug!(?id, %error, "a message could not be read");
        let revision = self.session.revision().unwrap_or(Revision::LATEST);
        if suppress_response || (id.is_none() && revision < Revision::LATEST_LEGACY) {
            return;
        }
        match id {
            // It may be in a batch, and belongs to its answer then.
            Some(id) if !self.calls.contains_key(&id) => self.answer(&id, Reply::Failed(error), revision),
            id => self.answer_apart(id.as_ref(), error, revision),
        }
    }

    /// Writes an error that no batch waits for, even if one waits for another answer to `id`.
    fn answer_apart(&mut self, id: Option<&RequestId>, error: Error, revision: Revision) {
        self.sink.take(&mut self.out);
        self.out.frame(|out| encode::error(out, id, error, revision));
    }
}
