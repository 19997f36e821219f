//! Model Context Protocol servers and clients in Rust: a typed function is a tool, on every protocol revision at once,
//! and a client speaks to any server.
//!
//! ```no_run
//! use ferromcp::prelude::*;
//!
//! /// Add two numbers
//! #[tool]
//! async fn add(a: i64, b: i64) -> i64 {
//!     a + b
//! }
//!
//! /// Get a personalized greeting
//! #[resource("greeting://{name}")]
//! async fn greeting(name: String) -> String {
//!     format!("Hello, {name}!")
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), ServeError> {
//!     Server::new("Demo", "1.0.0").tool::<add>().resource::<greeting>().serve(stdio()).await
//! }
//! ```
//!
//! A client (feature `client`):
//!
//! ```no_run
//! use ferromcp::prelude::*;
//!
//! # async fn example() -> Result<(), ClientError> {
//! let client = Client::builder("demo", "1.0.0").connect(std::process::Command::new("some-server")).await?;
//! let sum: i64 = client.call_as("add", serde_json::json!({ "a": 1, "b": 2 })).await?;
//! client.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! | feature | provides |
//! |---|---|
//! | `server` (default) | MCP servers |
//! | `macros` (default) | the attributes `#[tool]`, `#[resource]`, `#[prompt]`, `#[completion]`, `#[component]`, and `#[derive(Form)]` |
//! | `client` | MCP clients |
//! | `http` | Streamable HTTP and HTTP+SSE for the enabled sides |

/// The README's examples, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// Clients and everything they are made of.
#[cfg(feature = "client")]
pub use ferromcp_client as client;
/// The protocol's words: messages, capabilities, revisions.
pub use ferromcp_core as core;
/// The protocol's nouns: content, definitions, parameters, results.
pub use ferromcp_core::model;
/// Servers and everything they are made of.
#[cfg(feature = "server")]
pub use ferromcp_server as server;
/// Tests of a server, on every era.
#[cfg(feature = "server")]
pub use ferromcp_server::testing;
/// The pipes.
pub use ferromcp_transport as transport;

#[cfg(feature = "macros")]
pub use ferromcp_macros::{Form, completion, component, prompt, resource, tool};

/// A form that the client's user fills in: the trait, beside its derive.
#[cfg(feature = "server")]
pub use ferromcp_server::form::Form;

/// What the macros and derives of a server need by name, so that a server depends on this crate alone.
#[cfg(feature = "server")]
pub use {schemars, serde};

/// The names that most servers and clients need.
pub mod prelude {
    #[cfg(feature = "client")]
    pub use ferromcp_client::{Client, ClientError};
    pub use ferromcp_core::model::PromptMessage;
    #[cfg(feature = "macros")]
    pub use ferromcp_macros::{completion, component, prompt, resource, tool};
    #[cfg(all(feature = "server", feature = "http"))]
    pub use ferromcp_server::http::http;
    #[cfg(feature = "server")]
    pub use ferromcp_server::{Ctx, ServeError, Server, ToolError};
    pub use ferromcp_transport::stdio;
}
