//! A standalone HTTP server: `server.serve(http("127.0.0.1:8000"))`.
//!
//! To mount the endpoint in an existing router, use [`HttpService`](super::HttpService) instead.

mod builder;
mod connection;
mod hint;
mod listener;
mod response_body;
mod routes;
mod run;
mod stall;
mod timeout_io;
#[cfg(unix)]
mod unix;

#[cfg(unix)]
pub use builder::http_unix;
pub use builder::{Http, http, http_on};
pub use listener::{Listener, Tcp};
pub use routes::{Fallback, NotFound};
#[cfg(unix)]
pub use unix::HttpUnix;
