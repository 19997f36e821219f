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
//! | items | purpose |
//! |---|---|
//! | [`Client`], [`ClientBuilder`], [`ClientLimits`] | the client, its builder, its limits and timeouts |
//! | [`Target`], [`Connector`], [`reconnect_with`], [`PeerProcess`] | connection targets, and connectors that can reconnect |
//! | [`ClientCall`], [`ListCall`], [`Subscription`] | requests, paginated lists, change notifications |
//! | [`ClientHandler`], [`PendingCall`] | elicitation, sampling and roots: by handlers, or manually |
//! | [`ClientGroup`], [`config`] | groups of servers, and configuration files |
//! | [`channel`], `http` | transport interface, HTTP options and credentials (feature `http`) |
//! | [`cache`] | caching of results, in memory or in a custom store |
//! | [`output`] | validation of structured output |
//! | [`ClientError`], [`Negotiated`], [`ConnectionState`] | errors, the outcome of negotiation, the state of the connection |
//!
//! Internally, `engine` sends requests over the current connection and reconnects, `probe` negotiates the revision,
//! `era` implements the differences between revisions, `mrtr` answers `input_required` responses, and
//! `notification_router` dispatches notifications.

mod backoff;
mod builder;
pub mod cache;
mod call;
pub mod channel;
mod child;
mod client;
pub mod config;
mod configured;
mod connect;
mod connection_state;
mod decode;
mod deviations;
mod engine;
mod era;
mod error;
mod group;
mod handler;
#[cfg(feature = "http")]
pub mod http;
mod in_process;
mod inbound_dispatcher;
mod limits;
mod list;
mod mrtr;
mod negotiated;
#[cfg(not(feature = "http"))]
mod no_http;
mod notification_router;
pub mod output;
mod output_validation;
mod pagination;
mod patient_timeout;
mod pending;
mod pipe;
mod probe;
mod redacted_url;
mod settings;
mod subscription;
mod target;
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
pub use child::{ChildConnector, child};
pub use client::Client;
pub use connect::{Connector, Opened, Reconnecting, reconnect_with};
pub use connection_state::ConnectionState;
pub use error::{ClientError, ErrorKind};
pub use group::{ClientGroup, Collision, GroupListing, Member};
pub use handler::{ClientHandler, HandledRequests, IntoAnswer, accept, accept_url, cancel, decline};
pub use limits::ClientLimits;
pub use list::ListCall;
pub use negotiated::Negotiated;
pub use notification_router::Progress;
pub use pagination::{Listable, Page};
pub use pending::{CallOutcome, InputAnswers, PendingCall};
pub use pipe::PeerProcess;
pub use subscription::Subscription;
pub use subscription::change::{Change, ChangeFilter};
pub use target::{ConnectOptions, Target};
#[cfg(unix)]
pub use target::{UnixSocket, unix_socket};
pub use typed::MethodResult;

/// Runs the example of the README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
