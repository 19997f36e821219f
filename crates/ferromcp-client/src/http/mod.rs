//! HTTP of the client: Streamable HTTP for every revision, and the deprecated HTTP+SSE.
//!
//! Pass a URL to [`connect`](crate::ClientBuilder::connect). [`HttpOptions`] sets headers, [`Credentials`], the proxy and
//! limits.
//!
//! ```no_run
//! use ferromcp_client::{Client, http::HttpOptions};
//!
//! # async fn example() -> Result<(), ferromcp_client::ClientError> {
//! let options = HttpOptions::new().header("X-Api-Key", "KEY").proxy("http://proxy.example.com:3128");
//! let client = Client::builder("demo", "1.0.0").http(options).connect("https://example.com/mcp").await?;
//! # Ok(())
//! # }
//! ```
//!
//! Internally, `endpoint` sends and receives messages as bytes, and `channel` matches responses to requests for the
//! engine.
//!
//! | file | contents |
//! |---|---|
//! | `options`, `limits`, `builder` | [`HttpOptions`], its limits, and the methods of the client builder |
//! | `credential_wait` | how long requests wait for credentials |
//! | `credentials` | [`Credentials`]: hook for authorization |
//! | `connector` | connecting to a URL |
//! | `channel`, `state`, `dispatch`, `channel_error` | the channel of the engine, its shared state, inbound messages, errors |
//! | `endpoint` | a URL and the connections to it |
//! | `request_headers` | the MCP headers of a request |
//! | `post` | sends one message and classifies its response |
//! | `stream` | messages of an SSE stream, with resumption in the legacy era |
//! | `events`, `body` | SSE events and response bodies |
//! | `failure` | why a request failed |
//! | `legacy` | sessions, their GET stream, and HTTP+SSE |
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http>.

mod body;
mod builder;
mod channel;
mod channel_error;
mod connector;
mod credential_wait;
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
#[cfg(test)]
mod tests;

pub use credentials::{Challenge, ChallengeAction, Credentials, CredentialsError, CredentialsFuture, Request};
pub use options::HttpOptions;
