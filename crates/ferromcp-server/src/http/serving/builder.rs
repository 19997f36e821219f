//! Configures an HTTP server.

use std::fmt;
use std::net::SocketAddr;

use super::listener::{Listener, Tcp};
use super::routes::{Fallback, NotFound};
#[cfg(unix)]
use super::unix::HttpUnix;
use crate::http::authorization::HttpAuthorization;
use crate::http::options::HttpServerOptions;

/// Serves HTTP/1.1 and HTTP/2 at an address such as `127.0.0.1:8000`. Port 0 selects a free port. The endpoint is at
/// `/mcp`.
///
/// ```no_run
/// use ferromcp_server::{Server, http};
///
/// # async fn serve() -> Result<(), ferromcp_server::ServeError> {
/// Server::new("Demo", "1.0.0").serve(http::http("127.0.0.1:8000")).await
/// # }
/// ```
pub fn http(addr: impl Into<String>) -> Http {
    Http::on(Tcp::at(addr))
}

/// Serves HTTP at a Unix socket that only the current user can open. Replaces a stale socket; any other file at the
/// path is an error.
#[cfg(unix)]
pub fn http_unix(path: impl Into<std::path::PathBuf>) -> Http<HttpUnix> {
    Http::on(HttpUnix::at(path))
}

/// Serves HTTP on a custom [`Listener`], such as one that is already bound, or one with TLS.
pub fn http_on<L: Listener>(listener: L) -> Http<L> {
    Http::on(listener)
}

/// An HTTP server: its listener, the path of the endpoint, and a fallback service. Created by [`http()`].
#[must_use = "an HTTP server does nothing until it is passed to `Server::serve`"]
pub struct Http<L = Tcp, F = NotFound> {
    pub(super) listener: L,
    pub(super) path: String,
    pub(super) options: HttpServerOptions,
    pub(super) fallback: F,
    pub(super) on_bound: Option<Box<dyn FnOnce(SocketAddr) + Send>>,
}

impl<L> Http<L> {
    fn on(listener: L) -> Self {
        Self { listener, path: "/mcp".into(), options: HttpServerOptions::new(), fallback: NotFound, on_bound: None }
    }
}

impl<L, F> Http<L, F> {
    /// Sets the path of the endpoint. Default: `/mcp`.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Sets the options of the endpoint. An [`authorization`](Self::authorization) that was set before remains, unless the
    /// options have another one.
    pub fn options(mut self, options: HttpServerOptions) -> Self {
        let authorization = self.options.authorization.take();
        self.options = options;
        self.options.authorization = self.options.authorization.or(authorization);
        self
    }

    /// Requires authorization, and serves its routes. Equivalent to [`HttpServerOptions::authorization`].
    pub fn authorization(mut self, authorization: impl HttpAuthorization) -> Self {
        self.options = self.options.authorization(authorization);
        self
    }

    /// Sets the service for all other paths, such as an `axum::Router` with health checks or pages. `Host` and `Origin`
    /// are validated for the endpoint only, not for the fallback. Default: 404.
    pub fn fallback<G: Fallback>(self, service: G) -> Http<L, G> {
        let Self { listener, path, options, fallback: _, on_bound } = self;
        Http { listener, path, options, fallback: service, on_bound }
    }

    /// Sets a callback for the bound address, for example for port 0. Not called for listeners without an address (Unix
    /// sockets).
    pub fn on_bound(mut self, callback: impl FnOnce(SocketAddr) + Send + 'static) -> Self {
        self.on_bound = Some(Box::new(callback));
        self
    }

    /// Returns the error messages of invalid options.
    pub(super) fn errors(&self) -> Vec<String> {
        let mut errors = self.options.errors();
        if self
            .path
            .parse::<::http::uri::PathAndQuery>()
            .map_or(true, |path| path.as_str() != self.path || path.query().is_some())
            || !self.path.starts_with('/')
        {
            errors.push(format!("`.path({:?})` is invalid: use a path such as `/mcp`", self.path));
        }
        errors
    }
}

impl<L: fmt::Debug, F> fmt::Debug for Http<L, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http")
            .field("listener", &self.listener)
            .field("path", &self.path)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
