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
//! The other side:
//!
//! ```no_run
//! use ferromcp::prelude::*;
//!
//! # async fn example() -> Result<(), ClientError> {
//! let client = Client::new("demo", "1.0.0").connect(std::process::Command::new("some-server")).await?;
//! let sum: i64 = client.call_as("add", serde_json::json!({ "a": 1, "b": 2 })).await?;
//! client.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! | feature | what |
//! |---|---|
//! | `server`, `client` | the two sides; both unless told otherwise |
//! | `macros` | `#[tool]` and its kin; there unless told otherwise |
//! | `http` | HTTP for the sides that are there |

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

/// What most servers and clients want in scope.
pub mod prelude {
    #[cfg(feature = "client")]
    pub use ferromcp_client::{
        Change, Client, ClientBuilder, ClientError, ClientGroup, ClientLimits, Interest, accept, accept_url, cancel,
        decline,
    };
    pub use ferromcp_core::model::{ContentBlock, LogLevel, PromptMessage, ResourceContents, ResourceLink, Role};
    pub use ferromcp_core::{Error, Revision};
    #[cfg(feature = "macros")]
    pub use ferromcp_macros::{Form, completion, component, prompt, resource, tool};
    #[cfg(all(feature = "server", feature = "http"))]
    pub use ferromcp_server::http::{HttpOptions, http, http_on};
    #[cfg(feature = "server")]
    pub use ferromcp_server::{
        Arg, Args, Ask, AskError, Audio, Call, Completion, Ctx, Elicited, Extension, File, Form, Image, Json, Limits,
        Next, Peer, Prompt, Question, Reply, Resource, ServeError, Server, State, Tool, ToolError,
    };
    pub use ferromcp_transport::{memory, stdio};
}
