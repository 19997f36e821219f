//! State shared by all clones of an HTTP service: limits, shutdown, and the lifespans.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use std::time::Duration;

use http::HeaderName;
use http::header::AUTHORIZATION;
use http::request::Parts;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use super::body_budget::BodyBudget;
use super::byte_budget::ByteBudget;
use super::connection::Client;
use super::legacy::LegacyState;
use super::options::HttpServerOptions;
use super::send_state::SendState;
use crate::call::Extensions;
use crate::inner::Inner;
use crate::latch::Latch;
use crate::serve::{self, ServeError};

/// The proof of possession of an access token (RFC 9449).
const DPOP: HeaderName = HeaderName::from_static("dpop");
/// How often shutdown polls the number of requests in flight.
const IDLE_POLL_INTERVAL: Duration = Duration::from_millis(10);
/// How long the errors of calls that are cut at shutdown may take to write.
const CUT_TIMEOUT: Duration = Duration::from_millis(500);
/// How long the lifespans wait for dropped calls to finish.
const DROP_TIMEOUT: Duration = Duration::from_millis(500);

/// One HTTP endpoint of a server.
pub(crate) struct Endpoint {
    pub(crate) inner: Arc<Inner>,
    pub(crate) options: HttpServerOptions,
    /// Sessions, and the other state of handshake revisions.
    pub(crate) legacy: LegacyState,
    /// The state that the senders of messages observe.
    pub(crate) sending: Arc<SendState>,
    /// Set when the shutdown timeout has expired: calls end with an error.
    pub(crate) cut: Arc<Latch>,
    /// Set when the errors are sent: calls without a connected client are dropped.
    pub(crate) aborted: Arc<Latch>,
    /// The budget for request bodies.
    pub(crate) bodies: BodyBudget,
    in_flight: AtomicUsize,
    streams: AtomicUsize,
    /// Whether this endpoint has opened the lifespans.
    opened: Mutex<bool>,
    is_open: AtomicBool,
}

/// A limit on concurrent use of an endpoint.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    /// Requests in flight: `HttpServerLimits::in_flight`.
    InFlight,
    /// Long-lived streams: `HttpServerLimits::streams`.
    Streams,
}

/// Why a request cannot be handled now.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unavailable {
    ShuttingDown,
    LimitReached(Limit),
    /// The client does not read the responses to its earlier requests.
    UnreadResponses,
}

/// A unit of a [`Limit`], released when dropped.
pub(crate) struct Permit {
    endpoint: Arc<Endpoint>,
    limit: Limit,
}

impl Endpoint {
    pub(crate) fn new(inner: Arc<Inner>, options: HttpServerOptions) -> Self {
        Self {
            legacy: LegacyState::new(&inner, &options),
            sending: Arc::new(SendState {
                closing: Latch::default(),
                responses: ByteBudget::new(options.limits.total_response_bytes),
            }),
            bodies: BodyBudget::new(&options.limits),
            inner,
            options,
            cut: Arc::default(),
            aborted: Arc::default(),
            in_flight: AtomicUsize::new(0),
            streams: AtomicUsize::new(0),
            opened: Mutex::new(false),
            is_open: AtomicBool::new(false),
        }
    }

    /// Opens the lifespans, unless they are open already.
    ///
    /// # Errors
    /// If a lifespan fails to open. The next request retries.
    pub(crate) async fn open(&self) -> Result<(), ServeError> {
        if self.is_open.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut opened = self.opened.lock().await;
        if !*opened && !self.sending.closing.is_set() {
            serve::open(&self.inner).await?;
            *opened = true;
            self.is_open.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Rejects new requests from here on.
    pub(crate) fn begin_shutdown(&self) {
        self.sending.closing.set();
        self.legacy.questions.close(); // the POSTs that carry their answers are rejected from here on
        fence(Ordering::SeqCst);
    }

    /// Waits for the requests in flight up to the shutdown timeout. Then ends them with an error, and waits until it is
    /// sent.
    pub(crate) async fn finish_requests(&self) {
        if timeout(self.options.limits.shutdown_grace, self.wait_idle()).await.is_err() {
            tracing::debug!("shutdown timed out; ending the requests in flight");
            self.cut.set();
            let _ = timeout(CUT_TIMEOUT, self.wait_idle()).await;
        }
    }

    /// Drops requests without a connected client, ends all sessions, and closes the lifespans.
    pub(crate) async fn close(&self) {
        self.aborted.set();
        self.legacy.purge_events(self.legacy.sessions.end_all()).await;
        let _ = timeout(DROP_TIMEOUT, self.wait_idle()).await;
        let mut opened = self.opened.lock().await;
        if std::mem::take(&mut *opened) {
            self.is_open.store(false, Ordering::Release);
            self.inner.running.leave().await;
        }
    }

    /// Returns the extensions that handlers can extract: the headers, if `HttpServerOptions::headers` is set, without
    /// those that the authorization of the endpoint has checked.
    pub(crate) fn request_extensions(&self, parts: &Parts) -> Extensions {
        let mut extensions = Extensions::default();
        if self.options.headers {
            let mut headers = parts.headers.clone();
            if self.options.authorization.is_some() {
                headers.remove(AUTHORIZATION);
                headers.remove(DPOP);
            }
            extensions.insert(headers);
        }
        extensions
    }

    /// Acquires a permit for a request of `client`.
    ///
    /// # Errors
    /// If a limit is reached, or the endpoint is shutting down.
    pub(crate) fn acquire(self: &Arc<Self>, limit: Limit, client: &Client<'_>) -> Result<Permit, Unavailable> {
        let must_read = match limit {
            Limit::InFlight => client.has_unread_responses(),
            // A new stream may send stored events at once, so it also needs bytes of the server.
            Limit::Streams => client.responses(&self.sending.responses).is_any_exhausted(),
        };
        if must_read {
            return Err(Unavailable::UnreadResponses);
        }
        let (count, max) = self.counter(limit);
        let in_use = count.fetch_add(1, Ordering::AcqRel);
        fence(Ordering::SeqCst); // either this sees `closing`, or shutdown sees this permit
        let is_available = in_use < max || in_use.saturating_sub(self.waiting(limit)) < max;
        if !is_available || self.sending.closing.is_set() {
            count.fetch_sub(1, Ordering::AcqRel);
            let is_closing = self.sending.closing.is_set();
            return Err(if is_closing { Unavailable::ShuttingDown } else { Unavailable::LimitReached(limit) });
        }
        Ok(Permit { endpoint: Arc::clone(self), limit })
    }

    /// Returns the number of requests in flight that wait for an answer of their client, and use no permit.
    fn waiting(&self, limit: Limit) -> usize {
        match limit {
            Limit::InFlight => self.legacy.questions.waiting_calls(),
            Limit::Streams => 0,
        }
    }

    /// Returns whether a limit on requests or responses is reached, so that stalled responses must make room.
    pub(crate) fn is_under_pressure(&self) -> bool {
        let (in_flight, max) = (self.in_flight.load(Ordering::Relaxed), self.options.limits.in_flight);
        self.sending.responses.is_exhausted() || in_flight.saturating_sub(self.waiting(Limit::InFlight)) >= max
    }

    /// Waits until no request is in flight.
    pub(crate) async fn wait_idle(&self) {
        while self.in_flight() > 0 {
            sleep(IDLE_POLL_INTERVAL).await;
        }
    }

    /// Returns the number of requests in flight. Each open HTTP+SSE stream counts, since it may carry requests.
    fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire) + self.legacy.open_sse_streams.load(Ordering::Acquire)
    }

    fn counter(&self, limit: Limit) -> (&AtomicUsize, usize) {
        match limit {
            Limit::InFlight => (&self.in_flight, self.options.limits.in_flight),
            Limit::Streams => (&self.streams, self.options.limits.streams),
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.endpoint.counter(self.limit).0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drop for Endpoint {
    /// Closes the lifespans if [`Endpoint::close`] did not run and there is a runtime.
    fn drop(&mut self) {
        self.sending.closing.set();
        if *self.opened.get_mut() {
            let lifespans = Arc::clone(&self.inner.running);
            if let Ok(runtime) = Handle::try_current() {
                runtime.spawn(async move { lifespans.leave().await });
            }
        }
    }
}
