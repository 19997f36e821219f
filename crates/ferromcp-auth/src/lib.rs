//! OAuth 2.1 authorization for the Model Context Protocol.
//!
//! - [`client`] authorizes an MCP client: it discovers the authorization server of an MCP server, registers the client,
//!   sends the user to the authorization page, and obtains and refreshes access tokens.
//! - [`resource_server`] protects an MCP server: it verifies access tokens of an authorization server.
//! - [`authorization_server`] is an embedded authorization server, which issues the access tokens of an MCP server.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization>.

// A build with one side only leaves some functions of the shared modules unused.
#![cfg_attr(not(all(feature = "client", feature = "server")), allow(dead_code))]

#[cfg(feature = "server")]
pub mod authorization_server;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "server")]
pub mod resource_server;

#[cfg(feature = "server")]
mod access_token;
mod address;
#[cfg(any(feature = "client", feature = "server"))]
mod client_authentication;
mod clock;
#[cfg(feature = "server")]
mod digest_cache;
mod document;
#[cfg(any(feature = "client", feature = "server"))]
mod dpop_headers;
#[cfg(feature = "server")]
mod dpop_proof;
mod error;
mod fetch;
#[cfg(feature = "server")]
mod jwt;
#[cfg(feature = "keychain")]
mod keychain;
mod metadata;
mod random;
mod scopes;
mod secret;
#[cfg(feature = "server")]
mod token_verifier;
#[cfg(feature = "server")]
mod verified_token;

pub use error::{AuthError, AuthErrorKind};
pub use secret::Secret;

/// Entry points for fuzzing. Not part of the public API.
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing {
    #[cfg(feature = "server")]
    pub use crate::authorization_server::fuzzing::*;
    #[cfg(feature = "client")]
    pub use crate::client::fuzzing::*;
    #[cfg(feature = "server")]
    pub use crate::resource_server::fuzzing::*;
}

/// Runs the examples of the README as tests.
#[cfg(all(doctest, feature = "client"))]
#[doc = include_str!("../README.md")]
struct Readme;
