//! OAuth 2.1 authorization for the Model Context Protocol.
//!
//! [`client`] authorizes an MCP client: it discovers the authorization server of an MCP server, registers the client,
//! sends the user to the authorization page, and obtains and refreshes access tokens.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization>.

pub mod client;

mod secret;

pub use secret::Secret;

/// Runs the examples of the README as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
