//! Serving HTTP on a listener of one's own: `server.serve(http("127.0.0.1:8000"))`.
//!
//! Where there is a router already, [`HttpService`](super::HttpService) goes into that instead.

mod answer;
mod builder;
mod connection;
mod io;
mod listener;
mod routes;
mod run;
#[cfg(unix)]
mod unix;

#[cfg(unix)]
pub use builder::http_unix;
pub use builder::{Http, http, http_on};
pub use listener::{Listener, Tcp};
pub use routes::{Fallback, NotFound};
#[cfg(unix)]
pub use unix::Unix;
