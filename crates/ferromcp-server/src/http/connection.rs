//! The connection of a request, as far as the server knows it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::body_budget::ConnectionBodies;
use super::byte_budget::ByteBudget;

/// State that the requests of one connection share with its I/O.
#[derive(Debug, Default)]
pub(crate) struct ConnectionState {
    /// The number of requests without a complete response.
    in_flight: AtomicUsize,
    unread: AtomicBool,
    /// A request waits for the rest of its body (HTTP/1.1).
    receiving: AtomicBool,
    /// The number of bytes received since the last request.
    received: AtomicUsize,
}

impl ConnectionState {
    pub(crate) fn begin_request(&self) {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn end_request(&self) {
        self.in_flight.fetch_sub(1, Ordering::AcqRel);
    }

    /// Returns whether requests are in flight.
    pub(crate) fn is_busy(&self) -> bool {
        self.in_flight.load(Ordering::Acquire) > 0
    }

    /// Returns whether part of the last request may be unread.
    pub(crate) fn is_unread(&self) -> bool {
        self.unread.load(Ordering::Acquire)
    }

    /// Sets whether part of the last request may be unread, because it was rejected.
    pub(crate) fn set_unread(&self, unread: bool) {
        self.unread.store(unread, Ordering::Release);
    }

    /// Returns whether a request waits for the rest of its body.
    pub(crate) fn is_receiving(&self) -> bool {
        self.receiving.load(Ordering::Acquire)
    }

    /// Counts received bytes.
    pub(crate) fn add_received(&self, bytes: usize) {
        self.received.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Returns the number of bytes received since the last call.
    pub(crate) fn take_received(&self) -> usize {
        self.received.swap(0, Ordering::Relaxed)
    }
}

/// The state of one connection of `serve(http(..))`. An endpoint in another HTTP server does not know its connections.
pub(crate) struct Connection {
    pub(crate) id: u64,
    pub(crate) is_http2: bool,
    pub(crate) state: Arc<ConnectionState>,
    /// The budget for its unwritten responses.
    pub(crate) responses: Arc<ByteBudget>,
    /// The request bodies that it is sending.
    pub(crate) bodies: ConnectionBodies,
}

/// The client of a request.
#[derive(Default)]
pub(crate) struct Client<'a> {
    /// The address of the peer, which may be a proxy.
    pub(crate) address: Option<IpAddr>,
    pub(crate) connection: Option<&'a Arc<Connection>>,
}

impl Connection {
    pub(crate) fn new(responses: Arc<ByteBudget>, state: Arc<ConnectionState>, is_http2: bool) -> Arc<Self> {
        static LAST_ID: AtomicU64 = AtomicU64::new(0);
        let id = LAST_ID.fetch_add(1, Ordering::Relaxed) + 1;
        Arc::new(Self { id, is_http2, state, responses, bodies: ConnectionBodies::default() })
    }
}

/// Marks a connection while a request waits for the rest of its body.
pub(crate) struct Receiving<'a>(&'a ConnectionState);

impl Drop for Receiving<'_> {
    fn drop(&mut self) {
        self.0.receiving.store(false, Ordering::Release);
    }
}

impl<'a> Client<'a> {
    /// Marks the connection as receiving a body. An HTTP/2 connection may have other, complete requests.
    pub(crate) fn begin_receiving(&self) -> Option<Receiving<'a>> {
        let connection = self.connection.filter(|connection| !connection.is_http2)?;
        connection.state.receiving.store(true, Ordering::Release);
        Some(Receiving(&connection.state))
    }

    /// Returns the budget for unwritten responses to this client: that of its connection, or that of the `server`.
    pub(crate) fn responses(&self, server: &'a Arc<ByteBudget>) -> &'a Arc<ByteBudget> {
        self.connection.map_or(server, |connection| &connection.responses)
    }

    /// Returns whether the body of a response to this client ends only after it is written. Then a stalled HTTP/2 stream
    /// is detected; HTTP/1.1 has a timeout for the whole connection.
    pub(crate) fn ends_when_written(&self) -> bool {
        self.connection.is_some_and(|connection| connection.is_http2)
    }

    /// Returns whether the client must read the responses to its earlier requests first.
    pub(crate) fn has_unread_responses(&self) -> bool {
        self.connection.is_some_and(|connection| connection.responses.is_exhausted())
    }
}
