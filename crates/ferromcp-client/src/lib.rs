//! MCP clients: any server, any era, one line to connect.
//!
//! Start at [`Client`].
//!
//! | module | what |
//! |---|---|
//! | [`client`], [`builder`](mod@builder) | the client, and how it is built |
//! | [`target`], [`connect`] | what one can connect to, once or again and again |
//! | [`call`], [`list`], [`subscription`] | what one asks of a server |
//! | [`handler`], [`pending`] | what servers ask: answered here, or by hand |
//! | [`group`] | many servers as one |
//! | [`channel`], [`pipe`](mod@pipe) | the seam to the ways there, and the way of pipes |
//! | `http` | the way of HTTP (feature `http`) |
//! | [`cache`], [`results`] | results that are kept, and the seam to a store of them |
//! | [`validate`] | structured results against the schemas of their tools |
//! | [`limits`], [`error`](mod@error), [`verdict`] | bounds, failures, what negotiation found |
//!
//! Inside, `engine` keeps a connection and sends requests over it, `probe` negotiates, `era` speaks the two eras,
//! `round` answers questions, and `board` hands out what a server says of its own accord.

mod board;
pub mod builder;
pub mod cache;
pub mod call;
pub mod channel;
pub mod child;
pub mod client;
pub mod config;
mod configured;
pub mod connect;
mod ear;
mod engine;
mod era;
pub mod error;
pub mod group;
pub mod handler;
#[cfg(feature = "http")]
pub mod http;
mod ids;
pub mod limits;
pub mod list;
mod local;
#[cfg(not(feature = "http"))]
mod no_http;
mod output;
pub mod pending;
pub mod pipe;
mod probe;
pub mod results;
mod round;
mod settings;
mod stored;
pub mod subscription;
pub mod target;
mod toolbox;
mod typed;
mod urls;
pub mod validate;
pub mod verdict;

// What a builder says of HTTP; nothing where there is none.
#[cfg(feature = "http")]
use http::HttpOptions;
#[cfg(not(feature = "http"))]
use no_http::HttpOptions;

pub use board::Progress;
pub use builder::ClientBuilder;
pub use call::{Call, Manual};
pub use child::child;
pub use client::Client;
pub use connect::{Connector, Opened, redial};
pub use error::{ClientError, ErrorKind};
pub use group::{ClientGroup, Listing};
pub use handler::{ClientHandler, Handles, IntoAnswer, accept, accept_url, cancel, decline};
pub use limits::ClientLimits;
pub use list::{List, Page};
pub use pending::{Answers, Pending, Settled};
pub use results::Results;
pub use subscription::Subscription;
pub use subscription::change::{Change, Interest};
pub use target::Target;
#[cfg(unix)]
pub use target::unix_socket;
pub use typed::MethodResult;
pub use verdict::Verdict;
