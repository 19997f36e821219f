//! How an HTTP endpoint behaves: who is let in, whether there are sessions, how streams are kept.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::events::{EventStore, MemoryEvents};
use super::guard::Guard;
use super::limits::HttpLimits;

/// The least time between two comments: less would be nothing but comments.
const LEAST_KEEP_ALIVE: Duration = Duration::from_millis(10);

/// How an HTTP endpoint behaves. The defaults suit a server on the user's own machine.
///
/// ```
/// use ferromcp_server::http::HttpOptions;
/// let options = HttpOptions::new().stateless(true);
/// ```
#[derive(Clone)]
#[must_use = "options do nothing until an endpoint is made with them"]
pub struct HttpOptions {
    pub(crate) guard: Guard,
    pub(crate) stateless: bool,
    pub(crate) http_sse: bool,
    pub(crate) headers: bool,
    pub(crate) keep_alive: Duration,
    pub(crate) retry: Duration,
    pub(crate) events: Option<Arc<dyn EventStore>>,
    pub(crate) limits: HttpLimits,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            guard: Guard::default(),
            stateless: false,
            http_sse: false,
            headers: false,
            keep_alive: Duration::from_secs(15),
            retry: Duration::from_secs(1),
            events: Some(Arc::new(MemoryEvents::default())),
            limits: HttpLimits::default(),
        }
    }
}

impl HttpOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether clients of older revisions are served without sessions: any process of a fleet can
    /// answer any request, but nothing reaches such a client outside its own requests. Requests of
    /// 2026-07-28 never have a session. Off unless switched on.
    pub fn stateless(mut self, stateless: bool) -> Self {
        self.stateless = stateless;
        self
    }

    /// Whether clients that speak only the HTTP+SSE of 2024-11-05 are served too: they open their stream at the path
    /// `sse`, beside the endpoint or below where it is mounted, and send messages to `messages`. Off unless switched on.
    pub fn http_sse(mut self, http_sse: bool) -> Self {
        self.http_sse = http_sse;
        self
    }

    /// Whether handlers find the headers of their request, as `Extension<http::HeaderMap>`. They may hold credentials:
    /// off unless switched on. On stdio there are none.
    pub fn headers(mut self, headers: bool) -> Self {
        self.headers = headers;
        self
    }

    /// How often an idle stream gets a comment that keeps proxies from cutting it; also how long a
    /// request may go unanswered before its response becomes a stream. 15 s unless set, 10 ms at least.
    pub fn keep_alive(mut self, every: Duration) -> Self {
        self.keep_alive = every.max(LEAST_KEEP_ALIVE);
        self
    }

    /// How long a client whose stream was cut is told to wait before it comes back. 1 s unless set.
    pub fn retry(mut self, after: Duration) -> Self {
        self.retry = after;
        self
    }

    /// Where the events of sessions are kept, so that a cut stream can be resumed. In memory unless set.
    pub fn events(mut self, store: impl EventStore) -> Self {
        self.events = Some(Arc::new(store));
        self
    }

    /// Keeps no events: cut streams cannot be resumed.
    pub fn without_resumption(mut self) -> Self {
        self.events = None;
        self
    }

    /// Answers to one more host beside those of this machine, which are `localhost`, `127.0.0.0/8` and
    /// `[::1]`: a name or address, with its port if only that one is right (`mcp.example.com:8443`), or
    /// all names under one (`*.example.com`, which `example.com` itself is not). Requests for another
    /// host are refused with 403, since a foreign web page may have made them by a name that points here.
    ///
    /// What is no host is a mistake that keeps the server from serving, as with all settings here.
    pub fn allow_host(mut self, host: impl AsRef<str>) -> Self {
        self.guard.allow_host(host.as_ref());
        self
    }

    /// Answers to every host, for a server that a proxy guards. Web pages are still let in only from the
    /// host that is asked, and from origins that were allowed.
    pub fn any_host(mut self) -> Self {
        self.guard.allow_any_host();
        self
    }

    /// Lets web pages of one more origin in, and tells their browser so (CORS): `https://app.example.com`,
    /// with its port unless it is the usual one, or with any port (`http://localhost:*`). Without that,
    /// pages of the server's own host are let in, and on this machine those of this machine.
    pub fn allow_origin(mut self, origin: impl AsRef<str>) -> Self {
        self.guard.allow_origin(origin.as_ref());
        self
    }

    /// Lets all web pages in, and tells their browser so (CORS). What keeps a page that the user just
    /// happens to look at from using the server then is authorization alone.
    pub fn any_origin(mut self) -> Self {
        self.guard.allow_any_origin();
        self
    }

    /// Believes what a proxy at this address or in this network (`10.0.0.0/8`) says in `X-Forwarded-Host`
    /// or `Forwarded` of the host that was asked for.
    ///
    /// ```
    /// use ferromcp_server::http::HttpOptions;
    /// let options = HttpOptions::new().trust_proxy("10.0.0.0/8").allow_host("mcp.example.com");
    /// ```
    #[allow(clippy::needless_pass_by_value, reason = "an address or a string, whichever is at hand")]
    pub fn trust_proxy(mut self, proxy: impl ToString) -> Self {
        self.guard.trust_proxy(&proxy.to_string());
        self
    }

    /// Settings that mean nothing, each in words.
    pub(crate) fn mistakes(&self) -> Vec<String> {
        self.guard.mistakes().to_vec()
    }

    /// Sets the bounds.
    pub fn limits(mut self, limits: HttpLimits) -> Self {
        self.limits = limits;
        self
    }
}

impl fmt::Debug for HttpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpOptions")
            .field("guard", &self.guard)
            .field("stateless", &self.stateless)
            .field("http_sse", &self.http_sse)
            .field("headers", &self.headers)
            .field("keep_alive", &self.keep_alive)
            .field("retry", &self.retry)
            .field("resumption", &self.events.is_some())
            .field("limits", &self.limits)
            .finish()
    }
}
