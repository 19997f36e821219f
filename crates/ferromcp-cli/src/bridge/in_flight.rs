//! The calls in flight, to find the one that a question or a log message of a server belongs to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ferromcp_client::Progress;
use ferromcp_core::model::{InputRequest, LogLevel, LogMessageParams};
use ferromcp_core::{Error, RawJson, Revision};
use ferromcp_server::{Call, Peer};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::timeout;

/// How long a question waits for a call, if the server asks outside of calls. Some servers request the roots at once.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// Maximum number of events of a call that are not forwarded yet. Further progress and log messages are discarded.
const MAX_EVENTS: usize = 256;

tokio::task_local! {
    /// The call that the current task forwards.
    pub(super) static CURRENT: Arc<ForwardedCall>;
}

/// A question of a server.
pub(super) struct Question {
    pub(super) request: InputRequest,
    pub(super) answer: oneshot::Sender<Result<RawJson, Error>>,
}

/// What a server sends during a call.
pub(super) enum Event {
    Progress(Progress),
    Log(LogMessageParams),
    Question(Question),
}

/// A call that is forwarded to a server.
pub(super) struct ForwardedCall {
    member: usize,
    client: ClientKey,
    /// Whether questions can be sent to the client during this call.
    takes_questions: bool,
    log_level: Option<LogLevel>,
    events: mpsc::Sender<Event>,
}

/// Identifies a client. Instances of one program with the same principal are not distinguished.
#[derive(Debug, PartialEq, Eq)]
struct ClientKey {
    identity: Option<String>,
    name: Option<String>,
    revision: Revision,
}

impl ClientKey {
    fn of(peer: &Peer) -> Self {
        let name = peer.info().map(|info| info.name);
        Self { identity: peer.identity().map(str::to_owned), name, revision: peer.revision() }
    }
}

/// The calls in flight of all servers.
#[derive(Default)]
pub(super) struct InFlight {
    calls: Mutex<Calls>,
    arrived: Notify,
}

#[derive(Default)]
struct Calls {
    last: u64,
    by_number: BTreeMap<u64, Arc<ForwardedCall>>,
}

/// A registered call. Dropping it removes the call.
pub(super) struct Registration {
    in_flight: Arc<InFlight>,
    number: u64,
    pub(super) call: Arc<ForwardedCall>,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.in_flight.lock().by_number.remove(&self.number);
    }
}

impl ForwardedCall {
    /// Queues an event. A question waits for space; other events are discarded if the queue is full.
    pub(super) fn progress(&self, progress: Progress) {
        let _ = self.events.try_send(Event::Progress(progress));
    }

    /// Sends a question to the client, and waits for the answer.
    ///
    /// # Errors
    /// Fails if the call has ended, and with the error of the client.
    pub(super) async fn ask(&self, request: InputRequest) -> Result<RawJson, Error> {
        let (answer, answered) = oneshot::channel();
        let ended = || Error::internal("cannot forward the request: the call has ended");
        self.events.send(Event::Question(Question { request, answer })).await.map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

impl InFlight {
    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a call to the server with the number `member`.
    pub(super) fn register(
        self: &Arc<Self>,
        call: &Call,
        member: usize,
        takes_questions: bool,
    ) -> (Registration, mpsc::Receiver<Event>) {
        let (events, received) = mpsc::channel(MAX_EVENTS);
        let (client, log_level) = (ClientKey::of(&call.peer), call.peer.log_level());
        let call = Arc::new(ForwardedCall { member, client, takes_questions, log_level, events });
        let mut calls = self.lock();
        calls.last += 1;
        let number = calls.last;
        calls.by_number.insert(number, Arc::clone(&call));
        drop(calls);
        self.arrived.notify_waiters();
        (Registration { in_flight: Arc::clone(self), number, call }, received)
    }

    /// Returns the call that a question of a server belongs to: that of the current task, else the newest. Handshake
    /// revisions do not relate questions to calls.
    ///
    /// # Errors
    /// Fails if the server asks outside of calls, or if several clients have calls in flight.
    pub(super) async fn call_of_question(&self, member: usize) -> Result<Arc<ForwardedCall>, Error> {
        if let Ok(call) = CURRENT.try_with(Arc::clone) {
            return Ok(call);
        }
        let found = async {
            loop {
                let arrived = self.arrived.notified();
                if let Some(found) = self.newest(member) {
                    return found;
                }
                arrived.await;
            }
        };
        let waited = timeout(MAX_WAIT, found).await;
        waited.unwrap_or_else(|_| Err(Error::internal("cannot forward the request: the client has no call in flight")))
    }

    /// Returns the newest call of a server that takes questions; `None` if it has none.
    fn newest(&self, member: usize) -> Option<Result<Arc<ForwardedCall>, Error>> {
        let calls = self.lock();
        let mut found = calls.by_number.values().rev().filter(|call| call.member == member && call.takes_questions);
        let newest = found.next()?;
        if found.any(|other| other.client != newest.client) {
            let cause = "cannot forward the request: calls of several clients are in flight, and it names none of them";
            tracing::warn!("{cause}; run one bridge for each client");
            return Some(Err(Error::internal(cause)));
        }
        Some(Ok(Arc::clone(newest)))
    }

    /// Forwards a log message with the call that it probably belongs to, if the client receives messages of its level.
    pub(super) fn log(&self, member: usize, message: LogMessageParams) {
        let current = CURRENT.try_with(Arc::clone).ok();
        let call = current.or_else(|| {
            let calls = self.lock();
            calls.by_number.values().rev().find(|call| call.member == member).map(Arc::clone)
        });
        if let Some(call) = call.filter(|call| call.log_level.is_some_and(|level| message.level >= level)) {
            let _ = call.events.try_send(Event::Log(message));
        }
    }
}
