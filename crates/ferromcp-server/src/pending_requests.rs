//! Pending server-to-client requests of handshake revisions, until their responses arrive.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic#requests>.

use std::collections::HashMap;
use std::collections::hash_map::Entry as HashEntry;
use std::fmt;
use std::hash::Hash;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferromcp_core::{Error, Identity, RawJson, RequestId};
use tokio::sync::oneshot;

use crate::random;

/// The error of a server-to-client request without a successful response.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum RequestError {
    /// The transport cannot send requests to the client.
    Unsupported,
    /// The client disconnected, or the call has ended.
    Disconnected,
    /// Too many requests to the client are pending; the limit.
    TooMany(usize),
    /// Too many requests to all clients of the server are pending; the limit.
    ServerBusy(usize),
    /// The client returned an error response.
    ErrorResponse(Error),
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported => f.write_str("the transport cannot send requests to the client"),
            Self::Disconnected => f.write_str("the client disconnected, or the call has ended"),
            Self::TooMany(limit) => write!(f, "{limit} requests to the client are already pending"),
            Self::ServerBusy(limit) => write!(f, "{limit} requests to the clients of the server are already pending"),
            Self::ErrorResponse(error) => write!(f, "the client returned an error: {error}"),
        }
    }
}

impl std::error::Error for RequestError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::ErrorResponse(error) => Some(error),
            _ => None,
        }
    }
}

/// The outcome of a request.
type Response = Result<RawJson, RequestError>;

/// The pending requests to one peer, or to all peers of a stateless endpoint.
pub(crate) struct PendingRequests {
    table: Mutex<Table>,
    last_id: AtomicI64,
    id_scheme: IdScheme,
    /// Maximum number of pending requests.
    limit: usize,
    /// Maximum number of them to one session, and to one principal.
    shares: Option<(usize, usize)>,
    /// The number of calls that wait for a response.
    waiting: AtomicUsize,
}

/// How request ids are generated.
#[derive(Debug, Clone, Copy)]
pub(crate) enum IdScheme {
    /// Sequential numbers, for a pipe or session that identifies the peer.
    Sequential,
    /// Unguessable random strings, for a stateless endpoint where only the id identifies the request.
    Random,
}

#[derive(Default)]
struct Table {
    entries: HashMap<RequestId, Entry>,
    /// The number of requests to each session and to each principal, if these are limited.
    by_session: HashMap<Arc<str>, usize>,
    by_identity: HashMap<Identity, usize>,
    /// The peer has disconnected; no request can be registered.
    closed: bool,
}

/// A pending request.
struct Entry {
    sender: oneshot::Sender<Response>,
    responder: Responder,
}

/// The peer that received a request. Only the same peer can respond to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Responder {
    pub(crate) identity: Option<Identity>,
    /// The session, on an endpoint with several sessions.
    pub(crate) session: Option<Arc<str>>,
}

/// The sender's handle of a pending request. Dropping it removes the request.
pub(crate) struct PendingRequest {
    requests: Arc<PendingRequests>,
    pub(crate) id: RequestId,
    answer: oneshot::Receiver<Response>,
}

impl PendingRequests {
    /// Creates a table for at most `limit` pending requests.
    pub(crate) fn new(id_scheme: IdScheme, limit: usize) -> Arc<Self> {
        Arc::new(Self::with(id_scheme, limit, None))
    }

    /// Creates the table of an endpoint: for at most `limit` pending requests, `per_session` of them to one session and
    /// `per_identity` of them to one principal.
    pub(crate) fn for_endpoint(limit: usize, per_session: usize, per_identity: usize) -> Arc<Self> {
        Arc::new(Self::with(IdScheme::Random, limit, Some((per_session, per_identity))))
    }

    fn with(id_scheme: IdScheme, limit: usize, shares: Option<(usize, usize)>) -> Self {
        let (table, last_id, waiting) = (Mutex::default(), AtomicI64::new(0), AtomicUsize::new(0));
        Self { table, last_id, id_scheme, limit, shares, waiting }
    }

    /// Returns the number of calls that wait for a response.
    pub(crate) fn waiting_calls(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }

    /// Counts a call that begins to wait.
    pub(crate) fn begin_waiting(&self) {
        self.waiting.fetch_add(1, Ordering::AcqRel);
    }

    /// Counts a call that no longer waits.
    pub(crate) fn end_waiting(&self) {
        self.waiting.fetch_sub(1, Ordering::AcqRel);
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a new request, and returns its handle.
    ///
    /// # Errors
    /// Fails if the limit is reached, or the peer has disconnected.
    pub(crate) fn register(self: &Arc<Self>, responder: Responder) -> Result<PendingRequest, RequestError> {
        let id = match self.id_scheme {
            IdScheme::Sequential => RequestId::Number(self.last_id.fetch_add(1, Ordering::Relaxed) + 1),
            IdScheme::Random => RequestId::String(random::id().map_err(|_| RequestError::Unsupported)?.into()),
        };
        let (sender, answer) = oneshot::channel();
        let mut table = self.lock();
        if table.closed {
            return Err(RequestError::Disconnected);
        }
        if table.entries.len() >= self.limit {
            let error = if self.shares.is_some() { RequestError::ServerBusy } else { RequestError::TooMany };
            return Err(error(self.limit));
        }
        if let Some(shares) = self.shares {
            table.count(&responder, shares)?;
        }
        table.entries.insert(id.clone(), Entry { sender, responder });
        drop(table);
        Ok(PendingRequest { requests: Arc::clone(self), id, answer })
    }

    /// Resolves request `id` with a response from `from`. Returns false if `from` has no pending request with this id.
    pub(crate) fn resolve(&self, id: Option<&RequestId>, outcome: Result<RawJson, Error>, from: &Responder) -> bool {
        let mut table = self.lock();
        // Some clients return a number as a string.
        let decimal = id.filter(|id| !table.entries.contains_key(id)).and_then(RequestId::parse_decimal);
        let Some(id) =
            decimal.as_ref().or(id).filter(|id| table.entries.get(id).is_some_and(|entry| entry.responder == *from))
        else {
            drop(table);
            tracing::debug!(?id, "ignored a response that matches no pending request");
            return false;
        };
        let entry = table.remove(id);
        drop(table);
        entry.is_some_and(|entry| entry.sender.send(outcome.map_err(RequestError::ErrorResponse)).is_ok())
    }

    /// Fails all pending requests, and rejects new ones.
    pub(crate) fn close(&self) {
        let mut table = self.lock();
        *table = Table { closed: true, ..Table::default() }; // dropping the senders wakes the receivers
    }
}

impl Table {
    /// Counts a request to `responder`.
    ///
    /// # Errors
    /// Fails if the session or the principal has too many.
    fn count(
        &mut self,
        responder: &Responder,
        (per_session, per_identity): (usize, usize),
    ) -> Result<(), RequestError> {
        let Responder { identity, session } = responder;
        let is_full = |count: Option<&usize>, limit: usize| count.is_some_and(|count| *count >= limit);
        if session.as_ref().is_some_and(|session| is_full(self.by_session.get(session), per_session)) {
            return Err(RequestError::TooMany(per_session));
        }
        if identity.as_ref().is_some_and(|identity| is_full(self.by_identity.get(identity), per_identity)) {
            return Err(RequestError::TooMany(per_identity));
        }
        if let Some(session) = session {
            *self.by_session.entry(Arc::clone(session)).or_default() += 1;
        }
        if let Some(identity) = identity {
            *self.by_identity.entry(identity.clone()).or_default() += 1;
        }
        Ok(())
    }

    /// Removes a request, which no longer counts.
    fn remove(&mut self, id: &RequestId) -> Option<Entry> {
        let entry = self.entries.remove(id)?;
        if let Some(session) = &entry.responder.session {
            decrement(&mut self.by_session, session);
        }
        if let Some(identity) = &entry.responder.identity {
            decrement(&mut self.by_identity, identity);
        }
        Some(entry)
    }
}

/// Decrements a count, and removes it at zero.
fn decrement<K: Clone + Eq + Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    if let HashEntry::Occupied(mut count) = counts.entry(key.clone()) {
        *count.get_mut() -= 1;
        if *count.get() == 0 {
            count.remove();
        }
    }
}

impl PendingRequest {
    /// Waits for the response. Cancellation safe.
    pub(crate) async fn wait(&mut self) -> Response {
        (&mut self.answer).await.unwrap_or(Err(RequestError::Disconnected))
    }

    /// Returns whether the response has not arrived yet.
    pub(crate) fn is_pending(&self) -> bool {
        self.requests.lock().entries.contains_key(&self.id)
    }
}

impl Drop for PendingRequest {
    fn drop(&mut self) {
        self.requests.lock().remove(&self.id);
    }
}

impl fmt::Debug for PendingRequests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PendingRequests({} pending)", self.lock().entries.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn responder(name: &str, session: Option<&str>) -> Responder {
        Responder { identity: Some(Identity::new(name)), session: session.map(Into::into) }
    }

    // M26-504, S-457
    #[tokio::test]
    async fn response_resolves_request_only_when_responder_matches() {
        let requests = PendingRequests::new(IdScheme::Random, 2);
        let ada = responder("ada", Some("s"));
        let mut pending = requests.register(ada.clone()).unwrap();
        let id = pending.id.clone();
        for other in
            [responder("eve", Some("s")), responder("ada", Some("t")), responder("ada", None), Responder::default()]
        {
            assert!(!requests.resolve(Some(&id), Ok(RawJson::null()), &other), "{other:?}");
        }
        assert!(!requests.resolve(None, Ok(RawJson::null()), &ada), "without an id");
        assert!(requests.resolve(Some(&id), Ok(RawJson::null()), &ada));
        assert!(!requests.resolve(Some(&id), Ok(RawJson::null()), &ada), "a request is resolved once");
        assert_eq!(pending.wait().await, Ok(RawJson::null()));
    }

    // C12
    #[tokio::test]
    async fn response_resolves_request_when_id_is_a_decimal_string() {
        let requests = PendingRequests::new(IdScheme::Sequential, 1);
        let mut pending = requests.register(Responder::default()).unwrap();
        let RequestId::Number(number) = pending.id else { panic!("a sequential id is a number") };
        let text = RequestId::from(number.to_string().as_str());
        let other = RequestId::from(format!("0{number}").as_str());
        assert!(!requests.resolve(Some(&other), Ok(RawJson::null()), &Responder::default()));
        assert!(!requests.resolve(Some(&text), Ok(RawJson::null()), &responder("eve", None)));
        assert!(requests.resolve(Some(&text), Ok(RawJson::null()), &Responder::default()));
        assert_eq!(pending.wait().await, Ok(RawJson::null()));
    }

    #[tokio::test]
    async fn register_fails_when_limit_is_reached_or_table_is_closed() {
        let requests = PendingRequests::new(IdScheme::Sequential, 1);
        let mut first = requests.register(Responder::default()).unwrap();
        assert_eq!(requests.register(Responder::default()).err(), Some(RequestError::TooMany(1)));
        requests.close();
        assert_eq!(first.wait().await, Err(RequestError::Disconnected));
        drop(first);
        assert_eq!(requests.register(Responder::default()).err(), Some(RequestError::Disconnected));
    }

    #[tokio::test]
    async fn register_fails_when_session_or_principal_has_too_many() {
        let requests = PendingRequests::for_endpoint(5, 2, 3);
        let register = |name, session| requests.register(responder(name, session));
        let first = register("ada", Some("s")).unwrap();
        let second = register("ada", Some("s")).unwrap();
        assert_eq!(register("ada", Some("s")).err(), Some(RequestError::TooMany(2)));
        let third = register("ada", Some("t")).unwrap();
        assert_eq!(register("ada", None).err(), Some(RequestError::TooMany(3)));
        let others = [register("eve", Some("u")).unwrap(), requests.register(Responder::default()).unwrap()];
        assert_eq!(register("bob", None).err(), Some(RequestError::ServerBusy(5)));
        assert!(requests.resolve(Some(&first.id), Ok(RawJson::null()), &responder("ada", Some("s"))));
        drop((first, second));
        assert!(register("ada", Some("s")).is_ok(), "answered and dropped requests do not count");
        drop((third, others));
        let table = requests.lock();
        assert!(table.entries.is_empty() && table.by_session.is_empty() && table.by_identity.is_empty());
    }

    #[tokio::test]
    async fn request_is_removed_when_handle_is_dropped() {
        let requests = PendingRequests::new(IdScheme::Sequential, 1);
        let pending = requests.register(Responder::default()).unwrap();
        assert!(pending.is_pending());
        drop(pending);
        assert!(requests.register(Responder::default()).is_ok());
    }
}
