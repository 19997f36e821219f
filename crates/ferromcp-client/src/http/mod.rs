//! HTTP transports of the client: Streamable HTTP for every revision, and the deprecated HTTP+SSE.
//!
//! [`Endpoint`] sends and receives messages as bytes. Matching responses to requests and handling failures is the task of
//! its caller. `channel` implements this for the engine.
//!
//! | file | contents |
//! |---|---|
//! | `endpoint` | [`Endpoint`]: a URL and the connections to it |
//! | `options`, `limits` | [`HttpOptions`] and [`HttpLimits`] |
//! | `credentials` | [`Credentials`]: hook for authorization |
//! | `request_headers` | [`RequestHeaders`]: the MCP headers of a request |
//! | `post` | [`Endpoint::post`]: sends one message, returns a [`PostResponse`] |
//! | `stream` | [`EventStream`]: messages of an SSE stream, with resumption in the legacy era |
//! | `events`, `body` | SSE events and response bodies |
//! | `failure` | [`Failure`]: why a request failed |
//! | `legacy` | sessions, their GET stream, resumption, and [`HttpSse`] |
//! | `connector`, `builder` | connecting to an [`Endpoint`] or a URL; options of the client builder |
//! | `channel`, `state`, `dispatch`, `channel_error` | the channel of the engine, its shared state, inbound messages, errors |
//!
//! ```no_run
//! use ferromcp_client::http::{Content, Endpoint, HttpOptions, RequestHeaders};
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

pub use credentials::{Challenge, ChallengeAction, Credentials, CredentialsError, CredentialsFuture, Request};
pub use endpoint::{Endpoint, InvalidEndpoint};
pub use failure::{Failure, StatusError};
pub use legacy::{HttpSse, HttpSseRx, HttpSseTx, SessionId};
pub use limits::HttpLimits;
pub use options::HttpOptions;
pub use post::{Content, PostResponse};
pub use request_headers::RequestHeaders;
pub use stream::EventStream;
