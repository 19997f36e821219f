//! HTTP, from the client's side: Streamable HTTP for every revision, and the old HTTP+SSE as a pipe.
//!
//! Below, messages are bytes: which request an answer belongs to, and what to do after a failure, is for the one who
//! asked. `channel` and what it is made of put the engine's words on top of that.
//!
//! | file | what |
//! |---|---|
//! | `endpoint` | [`Endpoint`]: a URL and the connections to it |
//! | `options`, `limits` | [`HttpOptions`] and [`HttpLimits`] |
//! | `credentials` | [`Credentials`]: where authorization plugs in |
//! | `head`, `session` | [`RequestHeaders`]: what a request says in headers; [`SessionId`] |
//! | `post` | [`Endpoint::post`]: one message, and its [`PostResponse`] |
//! | `listen` | [`Endpoint::listen`], [`Endpoint::end`]: the rest of a legacy session |
//! | `stream` | [`EventStream`]: messages as they come, resumed in the legacy era |
//! | `events`, `pace`, `body` | what streams are made of |
//! | `http_sse` | [`HttpSse`]: the transport of 2024-11-05 |
//! | `failure` | [`Failure`]: why nothing came back |
//! | `connector`, `builder` | an [`Endpoint`] or a URL as something to connect to, and with what options |
//! | `channel`, `talk`, `hear`, `lasting` | a channel of the engine: requests, what they share, what comes back, and the stream of a session |
//! | `sorted` | failures in the words of the engine |
//!
//! ```no_run
//! use ferromcp_client::http::{Content, Endpoint, RequestHeaders, HttpOptions};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let endpoint = Endpoint::new("https://example.com/mcp", HttpOptions::new())?;
//! let initialize = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#;
//! match endpoint.post(&RequestHeaders::initialize(), initialize.into()).await?.content {
//!     Content::Json(message) => drop(message),
//!     Content::Events(mut events) => while let Some(message) = events.next().await? { drop(message) },
//!     _ => {}
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http>.

mod body;
mod builder;
mod channel;
mod channel_error;
mod connector;
mod credentials;
mod dispatch;
mod endpoint;
mod events;
mod failure;
mod legacy;
mod limits;
mod options;
mod post;
mod request_headers;
mod state;
mod stream;

pub use credentials::{Challenge, Credentials, CredentialsError, CredentialsFuture, Request, ChallengeAction};
pub use endpoint::{InvalidEndpoint, Endpoint};
pub use failure::{Failure, StatusError};
pub use legacy::{HttpSse, HttpSseRx, HttpSseTx, SessionId};
pub use limits::HttpLimits;
pub use options::HttpOptions;
pub use post::{Content, PostResponse};
pub use request_headers::RequestHeaders;
pub use stream::EventStream;
