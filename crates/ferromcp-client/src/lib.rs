//! Clients for the Model Context Protocol.
//!
//! [`Client::builder`] starts a client, and [`ClientBuilder::connect`] connects it to a [`Target`]: a command, a URL, a
//! configured server, a server in this process, or a transport. The client negotiates the protocol revision, so the
//! same code works with servers of every revision.
//!
//! ```no_run
//! # async fn example() -> Result<(), ferromcp_client::ClientError> {
//! use ferromcp_client::Client;
//! let client = Client::builder("demo", "1.0.0").connect(std::process::Command::new("weather-server")).await?;
//! for tool in client.tools().await? {
//!     println!("{}", tool.name);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Modules
//!
//! | module | content |
//! |---|---|
//! | [`client`], [`builder`](mod@builder) | the client and its builder |
//! | [`target`], [`connect`] | connection targets, and connectors that can reconnect |
//! | [`call`], [`list`], [`subscription`] | requests, paginated lists, change notifications |
//! | [`handler`], [`pending`] | elicitation, sampling and roots: by handlers, or manually |
//! | [`group`], [`config`] | groups of servers, and configuration files |
//! | [`channel`], [`pipe`](mod@pipe), `http` | transport interface, byte streams, HTTP (feature `http`) |
//! | [`cache`], [`result_cache`] | caching of results |
//! | [`output`] | validation of structured output |
//! | [`limits`], [`error`](mod@error), [`negotiated`] | limits and timeouts, errors, the outcome of negotiation |
//!
//! Internally, `engine` sends requests over the current connection and reconnects, `probe` negotiates the revision,
//! `era` implements the differences between revisions, `mrtr` answers `input_required` responses, and
//! `notification_router` dispatches notifications.

pub mod builder;
pub mod cache;
pub mod call;
pub mod channel;
pub mod child;
pub mod client;
pub mod config;
mod configured;
pub mod connect;
mod engine;
mod era;
pub mod error;
pub mod group;
pub mod handler;
#[cfg(feature = "http")]
pub mod http;
mod in_process;
mod inbound_dispatcher;
pub mod limits;
pub mod list;
mod mrtr;
pub mod negotiated;
#[cfg(not(feature = "http"))]
mod no_http;
mod notification_router;
pub mod output;
mod output_validation;
mod partitioned_cache;
pub mod pending;
pub mod pipe;
mod probe;
mod request_ids;
pub mod result_cache;
mod settings;
pub mod subscription;
pub mod target;
mod tool_cache;
mod typed;
mod urls;

// HTTP options of the builder; a stub without the feature.
#[cfg(feature = "http")]
use http::HttpOptions;
#[cfg(not(feature = "http"))]
use no_http::HttpOptions;

pub use builder::ClientBuilder;
pub use call::{ClientCall, ManualCall};
pub use child::child;
pub use client::Client;
pub use connect::{Connector, Opened, reconnect_with};
pub use error::{ClientError, ErrorKind};
pub use group::{ClientGroup, GroupListing};
pub use handler::{ClientHandler, HandledRequests, IntoAnswer, accept, accept_url, cancel, decline};
pub use limits::ClientLimits;
pub use list::{ListCall, Page};
pub use negotiated::Negotiated;
pub use notification_router::Progress;
pub use pending::{CallOutcome, InputAnswers, PendingCall};
pub use result_cache::ResultCache;
pub use subscription::Subscription;
pub use subscription::change::{Change, ChangeFilter};
pub use target::Target;
#[cfg(unix)]
pub use target::unix_socket;
pub use typed::MethodResult;
