//! The calls in flight, to find the one that a question or a log message of a server belongs to.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ferromcp_client::Progress;
use ferromcp_core::model::{InputRequest, LogLevel, LogMessageParams};
use ferromcp_core::{Error, RawJson};
use ferromcp_server::{Call, Peer, QuestionError, RequestSink};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout_at};

/// Timeout of a question that a server sends outside of calls, until a call arrives. Some servers request the roots immediately.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// Maximum number of calls during which a question is sent, because the calls before have ended.
const MAX_ATTEMPTS: usize = 5;

/// Delay before a question is sent during another call.
const RETRY_DELAY: Duration = Duration::from_millis(50);

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

/// A message of a server that belongs to a call.
pub(super) enum Event {
    Progress(Progress),
    Log(LogMessageParams),
    Question(Question),
}

/// A call that is forwarded to a server.
pub(super) struct ForwardedCall {
    member: usize,
    peer: Peer,
    /// Whether questions can be sent to the client during this call.
    takes_questions: bool,
    /// Whether the call is suspended until the client retries it.
    is_suspended: AtomicBool,
    log_level: Option<LogLevel>,
    events: mpsc::Sender<Event>,
}

/// The calls in flight of all servers.
pub(super) struct InFlight {
    calls: Mutex<Calls>,
    arrived: Notify,
    /// Whether all calls are of one client.
    has_one_client: bool,
}

#[derive(Default)]
struct Calls {
    last: u64,
    by_number: BTreeMap<u64, Arc<ForwardedCall>>,
    /// The latest call of a single client with a session, which receives questions outside of calls.
    session: Option<(RequestSink, Peer)>,
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
    /// Queues a progress notification. It is discarded if the queue is full.
    pub(super) fn progress(&self, progress: Progress) {
        let _ = self.events.try_send(Event::Progress(progress));
    }

    /// Sets whether the call is suspended until the client retries it.
    pub(super) fn set_suspended(&self, suspended: bool) {
        self.is_suspended.store(suspended, Ordering::Relaxed);
    }

    /// Sends a question to the client, and waits for the answer. `None` if the call ends before.
    pub(super) async fn ask(&self, request: InputRequest) -> Option<Result<RawJson, Error>> {
        let (answer, answered) = oneshot::channel();
        self.events.send(Event::Question(Question { request, answer })).await.ok()?;
        answered.await.ok()
    }
}

impl InFlight {
    /// Creates the table. `has_one_client` is true on stdio.
    pub(super) fn new(has_one_client: bool) -> Self {
        Self { calls: Mutex::default(), arrived: Notify::new(), has_one_client }
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the session of a single client, which has sent a call.
    pub(super) fn record_session(&self, call: &Call) {
        if self.has_one_client && !call.peer.revision().is_modern() {
            self.lock().session = Some((call.sink.clone(), call.peer.clone()));
            self.arrived.notify_waiters();
        }
    }

    /// Registers a call to the server with the number `member`.
    pub(super) fn register(
        self: &Arc<Self>,
        call: &Call,
        member: usize,
        takes_questions: bool,
    ) -> (Registration, mpsc::Receiver<Event>) {
        let (events, received) = mpsc::channel(MAX_EVENTS);
        let call = Arc::new(ForwardedCall {
            member,
            peer: call.peer.clone(),
            takes_questions,
            is_suspended: AtomicBool::new(false),
            log_level: call.peer.log_level(),
            events,
        });
        let mut calls = self.lock();
        calls.last += 1;
        let number = calls.last;
        calls.by_number.insert(number, Arc::clone(&call));
        drop(calls);
        self.arrived.notify_waiters();
        (Registration { in_flight: Arc::clone(self), number, call }, received)
    }

    /// Returns whether a server has calls in flight.
    pub(super) fn has_calls(&self, member: usize) -> bool {
        self.lock().by_number.values().any(|call| call.member == member)
    }

    /// Forwards a question of a server, and returns the answer of the client. Handshake revisions do not relate questions to
    /// calls; a question whose call has ended is sent during another one.
    ///
    /// # Errors
    /// Fails with the error of the client, if the client has no call in flight, or if several clients have.
    pub(super) async fn ask(&self, member: usize, request: InputRequest) -> Result<RawJson, Error> {
        if let Ok(call) = CURRENT.try_with(Arc::clone) {
            return call.ask(request).await.unwrap_or_else(|| Err(no_call()));
        }
        let deadline = Instant::now() + MAX_WAIT;
        let mut attempts = 0;
        loop {
            let arrived = self.arrived.notified();
            match self.call_of_question(member) {
                Candidate::Call(call) => {
                    if let Some(answer) = call.ask(request.clone()).await {
                        return answer;
                    }
                    attempts += 1;
                    if attempts == MAX_ATTEMPTS {
                        return Err(no_call());
                    }
                    sleep(RETRY_DELAY).await;
                }
                Candidate::Session(sink, peer) => {
                    let answer = sink.request_input(request, &peer).await;
                    return answer.map_err(client_error);
                }
                Candidate::Ambiguous => {
                    let cause = "cannot forward the request: calls of several clients are in flight, and it names none; run one bridge for each client";
                    tracing::warn!("{cause}");
                    return Err(Error::internal(cause));
                }
                Candidate::None => timeout_at(deadline, arrived).await.map_err(|_| no_call())?,
            }
        }
    }

    /// Returns the call that a question of a server probably belongs to: the oldest one that runs, else the newest suspended
    /// one.
    fn call_of_question(&self, member: usize) -> Candidate {
        let calls = self.lock();
        let takes =
            |call: &&Arc<ForwardedCall>| call.member == member && call.takes_questions && !call.events.is_closed();
        let is_suspended = |call: &&Arc<ForwardedCall>| call.is_suspended.load(Ordering::Relaxed);
        let running: Vec<_> = calls.by_number.values().filter(takes).filter(|call| !is_suspended(call)).collect();
        let waiting: Vec<_> = calls.by_number.values().rev().filter(takes).filter(is_suspended).collect();
        let candidates = if running.is_empty() { waiting } else { running };
        match (candidates.as_slice(), &calls.session) {
            ([first, others @ ..], _) if others.iter().all(|other| self.is_same_client(first, other)) => {
                Candidate::Call(Arc::clone(first))
            }
            ([_, ..], _) => Candidate::Ambiguous,
            ([], Some((sink, peer))) => Candidate::Session(sink.clone(), peer.clone()),
            ([], None) => Candidate::None,
        }
    }

    /// Returns whether two calls are of one client. Clients of 2026-07-28 without a principal cannot be distinguished, so they
    /// count as different.
    fn is_same_client(&self, one: &ForwardedCall, two: &ForwardedCall) -> bool {
        let same_principal = one.peer.identity().is_some() && one.peer.identity() == two.peer.identity();
        self.has_one_client
            || one.peer.is_same_session(&two.peer)
            || (same_principal && one.peer.revision().is_modern() && two.peer.revision().is_modern())
    }

    /// Forwards a log message with the call that it belongs to, if the client receives messages of its level. A message that
    /// may belong to calls of several clients is discarded.
    pub(super) fn log(&self, member: usize, message: LogMessageParams) {
        let call = CURRENT.try_with(Arc::clone).ok().or_else(|| {
            let calls = self.lock();
            let mut found = calls.by_number.values().rev().filter(|call| call.member == member);
            let newest = found.next()?;
            found.all(|other| self.is_same_client(newest, other)).then(|| Arc::clone(newest))
        });
        if let Some(call) = call.filter(|call| call.log_level.is_some_and(|level| message.level >= level)) {
            let _ = call.events.try_send(Event::Log(message));
        }
    }
}

/// Where a question of a server can be sent.
enum Candidate {
    Call(Arc<ForwardedCall>),
    /// The session of a single client, outside of calls.
    Session(RequestSink, Peer),
    /// Calls of several clients are in flight.
    Ambiguous,
    None,
}

fn no_call() -> Error {
    Error::internal("cannot forward the request: the client has no call in flight; send a request during a call")
}

/// Converts the error of a question to the client. An error response is passed on.
pub(super) fn client_error(error: QuestionError) -> Error {
    error.error_response().cloned().unwrap_or_else(|| error.into())
}
