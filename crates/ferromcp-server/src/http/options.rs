//! The options of an HTTP endpoint: access control, sessions, resumption, and limits.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::authorization::{HttpAuthorization, SharedAuthorization};
use super::guard::Guard;
use super::legacy::{EventStore, MemoryEventStore};
use super::limits::HttpServerLimits;

/// The shortest keep-alive interval. Less would flood the connection with comments.
const MIN_KEEP_ALIVE: Duration = Duration::from_millis(10);

/// Options of an HTTP endpoint. The defaults are for a server on the user's machine.
///
/// ```
/// use ferromcp_server::http::HttpServerOptions;
/// let options = HttpServerOptions::new().stateless(true);
/// ```
#[derive(Clone)]
#[must_use = "options do nothing until they are passed to `Server::http_with` or `Http::options`"]
pub struct HttpServerOptions {
    pub(crate) guard: Guard,
    pub(crate) stateless: bool,
    pub(crate) http_sse: bool,
    pub(crate) headers: bool,
    pub(crate) keep_alive: Duration,
    pub(crate) retry: Duration,
    pub(crate) events: Option<Arc<dyn EventStore>>,
    pub(crate) authorization: Option<SharedAuthorization>,
    pub(crate) limits: HttpServerLimits,
}

impl Default for HttpServerOptions {
    fn default() -> Self {
        Self {
            guard: Guard::default(),
            stateless: false,
            http_sse: false,
            headers: false,
            keep_alive: Duration::from_secs(15),
            retry: Duration::from_secs(1),
            events: Some(Arc::new(MemoryEventStore::default())),
            authorization: None,
            limits: HttpServerLimits::default(),
        }
    }
}

impl HttpServerOptions {
    /// Creates the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Serves clients of handshake revisions without sessions. Any process behind a load balancer can then handle any
    /// request, but the server can send such a client messages only during its requests. Requests of 2026-07-28 never
    /// have a session. Default: false.
    pub fn stateless(mut self, stateless: bool) -> Self {
        self.stateless = stateless;
        self
    }

    /// Enables the HTTP+SSE transport of 2024-11-05. Clients open their stream at the path `sse` and send messages to
    /// `messages`, next to the path of the endpoint or below the path where it is mounted. Default: false.
    pub fn http_sse(mut self, http_sse: bool) -> Self {
        self.http_sse = http_sse;
        self
    }

    /// Lets handlers extract the request headers, as `Extension<http::HeaderMap>`. The headers may contain credentials;
    /// with [`authorization`](Self::authorization), `Authorization` and `DPoP` are omitted, because a server must not send
    /// the token of its client to another service. Not available on stdio. Default: false.
    pub fn headers(mut self, headers: bool) -> Self {
        self.headers = headers;
        self
    }

    /// Sets the keep-alive interval. An idle stream gets a comment at this interval, so that proxies do not time out. A
    /// request that is still pending after this time gets a stream as its response. Default: 15 s; minimum: 10 ms.
    pub fn keep_alive(mut self, interval: Duration) -> Self {
        self.keep_alive = interval.max(MIN_KEEP_ALIVE);
        self
    }

    /// Sets how long a client waits before it reconnects to a stream (the `retry` field of SSE). Default: 1 s.
    pub fn retry(mut self, after: Duration) -> Self {
        self.retry = after;
        self
    }

    /// Sets the event store, which enables resumption of streams. Default: [`MemoryEventStore`].
    pub fn events(mut self, store: impl EventStore) -> Self {
        self.events = Some(Arc::new(store));
        self
    }

    /// Disables resumption: no events are stored.
    pub fn without_resumption(mut self) -> Self {
        self.events = None;
        self
    }

    /// Allows a `Host` in addition to those of this machine (`localhost`, `127.0.0.0/8` and `[::1]`).
    ///
    /// The value is a name or an address, optionally with a port (`mcp.example.com:8443`), or a wildcard for all
    /// subdomains (`*.example.com`, which does not include `example.com`). Requests for any other host are rejected
    /// with 403, which prevents DNS rebinding: a web page could otherwise reach the server by a name that resolves to
    /// it.
    ///
    /// An invalid value prevents the server from starting.
    pub fn allow_host(mut self, host: impl AsRef<str>) -> Self {
        self.guard.allow_host(host.as_ref());
        self
    }

    /// Allows every `Host`, for a server behind a proxy that validates it. Web pages are still allowed only from the
    /// requested host and from allowed origins.
    pub fn any_host(mut self) -> Self {
        self.guard.allow_any_host();
        self
    }

    /// Allows web pages of an origin, and sends CORS headers for it.
    ///
    /// The value includes a non-default port, or `*` for any port: `https://app.example.com`, `http://localhost:*`. By
    /// default, only pages of the requested host are allowed, and on the local machine pages of local hosts.
    pub fn allow_origin(mut self, origin: impl AsRef<str>) -> Self {
        self.guard.allow_origin(origin.as_ref());
        self
    }

    /// Allows every origin, and sends CORS headers for it. Any web page can then call the server; protect it with
    /// authorization.
    pub fn any_origin(mut self) -> Self {
        self.guard.allow_any_origin();
        self
    }

    /// Trusts the headers `X-Forwarded-Host`, `X-Forwarded-For` and `Forwarded` of a proxy, given by its address or
    /// network (`10.0.0.0/8`). The proxy must replace or extend them. The address of the client is the last one in
    /// `X-Forwarded-For`, or else in `Forwarded`, that is not of a trusted proxy. Sessions and the requests for the routes
    /// of an authorization are limited by it.
    ///
    /// ```
    /// use ferromcp_server::http::HttpServerOptions;
    /// let options = HttpServerOptions::new().trust_proxy("10.0.0.0/8").allow_host("mcp.example.com");
    /// ```
    #[allow(clippy::needless_pass_by_value, reason = "accepts an address or a string")]
    pub fn trust_proxy(mut self, proxy: impl ToString) -> Self {
        self.guard.trust_proxy(&proxy.to_string());
        self
    }

    /// Returns the error messages of invalid options.
    pub(crate) fn errors(&self) -> Vec<String> {
        self.guard.errors().to_vec()
    }

    /// Requires authorization: each request for the endpoint is checked before its body is read. With
    /// [`http()`](super::http()), the routes of the authorization are served too, such as metadata documents; a router in
    /// which the endpoint is mounted must route their paths itself.
    ///
    /// `ferromcp-auth` provides implementations: `ResourceServer` and `AuthorizationServer`. Default: no authorization.
    pub fn authorization(mut self, authorization: impl HttpAuthorization) -> Self {
        self.authorization = Some(SharedAuthorization(Arc::new(authorization)));
        self
    }

    /// Sets the limits.
    pub fn limits(mut self, limits: HttpServerLimits) -> Self {
        self.limits = limits;
        self
    }
}

impl fmt::Debug for HttpServerOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpServerOptions")
            .field("guard", &self.guard)
            .field("stateless", &self.stateless)
            .field("http_sse", &self.http_sse)
            .field("headers", &self.headers)
            .field("keep_alive", &self.keep_alive)
            .field("retry", &self.retry)
            .field("resumption", &self.events.is_some())
            .field("authorization", &self.authorization.is_some())
            .field("limits", &self.limits)
            .finish()
    }
}
