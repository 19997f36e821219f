//! Where and how HTTP is served.

use std::fmt;
use std::net::SocketAddr;

use super::listener::{Listener, Tcp};
use super::routes::{Fallback, NotFound};
#[cfg(unix)]
use super::unix::Unix;
use crate::http::options::HttpOptions;

/// Serves HTTP/1.1 and HTTP/2 at an address such as `127.0.0.1:8000`; port 0 takes any that is free.
/// The endpoint is at `/mcp`.
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

/// Serves HTTP at a Unix socket that only the user may open. A socket that nobody answers on any more
/// is replaced; anything else in its place is left alone, and is an error.
#[cfg(unix)]
pub fn http_unix(path: impl Into<std::path::PathBuf>) -> Http<Unix> {
    Http::on(Unix::at(path))
}

/// Serves HTTP to the connections of a listener of one's own: one that is bound already, or one that speaks TLS.
pub fn http_on<L: Listener>(listener: L) -> Http<L> {
    Http::on(listener)
}

/// How HTTP is served: where, at which path, and what beside it. Made by [`http()`].
#[must_use = "nothing is served until it is given to Server::serve"]
pub struct Http<L = Tcp, F = NotFound> {
    pub(super) listener: L,
    pub(super) path: String,
    pub(super) options: HttpOptions,
    pub(super) fallback: F,
    pub(super) on_bound: Option<Box<dyn FnOnce(SocketAddr) + Send>>,
}

impl<L> Http<L> {
    fn on(listener: L) -> Self {
        Self { listener, path: "/mcp".into(), options: HttpOptions::new(), fallback: NotFound, on_bound: None }
    }
}

impl<L, F> Http<L, F> {
    /// The path of the endpoint. `/mcp` unless set.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Who is let in, the bounds, and the rest of how the endpoint behaves.
    pub fn options(mut self, options: HttpOptions) -> Self {
        self.options = options;
        self
    }

    /// What answers at all other paths, such as an `axum::Router`: health checks, pages. It is on its
    /// own: `Host` and `Origin` are looked at for the endpoint alone. 404 unless set.
    pub fn fallback<G: Fallback>(self, service: G) -> Http<L, G> {
        let Self { listener, path, options, fallback: _, on_bound } = self;
        Http { listener, path, options, fallback: service, on_bound }
    }

    /// Tells the address once it is bound, for when the port was 0. Not told where there is none (Unix sockets).
    pub fn on_bound(mut self, tell: impl FnOnce(SocketAddr) + Send + 'static) -> Self {
        self.on_bound = Some(Box::new(tell));
        self
    }

    /// What keeps it from being served.
    pub(super) fn mistakes(&self) -> Vec<String> {
        let mut mistakes = self.options.mistakes();
        if self
            .path
            .parse::<::http::uri::PathAndQuery>()
            .map_or(true, |path| path.as_str() != self.path || path.query().is_some())
            || !self.path.starts_with('/')
        {
            mistakes.push(format!("`.path({:?})`: a path looks like `/mcp`", self.path));
        }
        mistakes
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
