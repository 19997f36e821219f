//! Model Context Protocol (MCP) servers and clients in Rust.
//!
//! A server defines tools, resources and prompts as typed functions. Servers and clients support all protocol revisions
//! (2024-11-05 to 2026-07-28) over stdio and Streamable HTTP, and negotiate the revision of each connection.
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
//! | `auth` | OAuth for the enabled sides (enables `http`; requires Rust 1.88) |
//! | `chrono`, `uuid`, `url` | arguments and results of the types of these crates |
//!
//! The [`guide`] explains each topic with tested examples. For the exact text of an error, search
//! [Troubleshooting](guide::troubleshooting).
//!
//! # Paths
//! Each item has one canonical path, through the module of its crate: `server`, `client`, `auth`, [`transport`], [`model`] or
//! [`core`]. For example, the test client is `ferromcp::server::testing::TestClient`. There are three exceptions:
//!
//! - The macros are in the crate root.
//! - The trait `Form` is in the crate root next to its derive macro, so that `use ferromcp::Form` imports both. It is
//!   defined in `server::form`.
//! - The [`prelude`] repeats the items that most programs use, and is meant for a glob import.

// Only in documentation: the pages contain no items. Not in documentation tests: their code is tested in the examples.
#[cfg(all(doc, not(doctest)))]
pub mod guide;

/// Runs the examples of the README as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// OAuth for MCP clients, protected servers, and an embedded authorization server.
#[cfg(feature = "auth")]
pub use ferromcp_auth as auth;
/// MCP clients.
#[cfg(feature = "client")]
pub use ferromcp_client as client;
/// Protocol types: content, definitions, parameters, results.
pub use ferromcp_core::model;
/// MCP servers.
#[cfg(feature = "server")]
pub use ferromcp_server as server;
/// Transports: stdio, child processes, in-process connections, server-sent events.
pub use ferromcp_transport as transport;

#[cfg(feature = "macros")]
pub use ferromcp_macros::{Form, completion, component, prompt, resource, tool};

/// A form for elicitation; derive it with [`derive@Form`]. Defined in [`server::form`].
#[cfg(feature = "server")]
pub use ferromcp_server::form::Form;

/// Crates that the macros and derives refer to, re-exported so that a server depends only on this crate.
#[cfg(feature = "server")]
pub use {schemars, serde};

/// The types shared by servers and clients: revisions, errors, raw JSON and the enums of all methods.
pub mod core {
    #[doc(hidden)]
    pub use ferromcp_core::wire;
    pub use ferromcp_core::{
        ClientNotification, ClientRequest, ClientResult, Custom, Era, Error, ErrorCode, Identity, Meta, Method,
        ProgressToken, RawJson, RawMap, RequestId, RequestMeta, Revision, ServerNotification, ServerRequest,
        ServerResult, Str, header, meta,
    };
}

/// The items that most servers and clients use.
pub mod prelude {
    #[cfg(feature = "client")]
    pub use ferromcp_client::{Client, ClientError};
    pub use ferromcp_core::model::PromptMessage;
    #[cfg(feature = "macros")]
    pub use ferromcp_macros::{completion, component, prompt, resource, tool};
    #[cfg(all(feature = "server", feature = "http"))]
    pub use ferromcp_server::http::http;
    #[cfg(feature = "server")]
    pub use ferromcp_server::{Ctx, Registry, ServeError, Server, ToolError};
    pub use ferromcp_transport::stdio;
}
