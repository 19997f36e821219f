//! Protection of an MCP server by access tokens: the resource server of OAuth 2.1.
//!
//! [`ResourceServer`] verifies the access token of each request by a [`TokenVerifier`], checks that the token was
//! issued for this server, and serves the metadata by which clients find the authorization server (RFC 9728). Handlers
//! extract the verified [`Principal`](ferromcp_server::Principal).
//!
//! ```no_run
//! use ferromcp_auth::resource_server::{JwtVerifier, ResourceServer};
//!
//! # fn example() -> Result<(), ferromcp_auth::AuthError> {
//! let verifier = JwtVerifier::new("https://login.example.com");
//! let resource_server = ResourceServer::builder("https://mcp.example.com/mcp", verifier)
//!     .required_scopes(["notes:read"])
//!     .build()?;
//! # Ok(())
//! # }
//! ```
//!
//! Verifiers: [`JwtVerifier`] for signed tokens, [`IntrospectionVerifier`] for opaque tokens (RFC 7662),
//! [`StaticTokens`] for development, [`verifier_fn`] for a function.
//!
//! A `ResourceServer` is also a [`tower_layer::Layer`], for other frameworks.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization>.

mod audience;
mod body;
mod builder;
mod challenge;
mod claims;
mod credentials;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod introspection;
mod jwt_verifier;
mod layer;
mod metadata;
mod rejection;
mod scope_rules;
mod server;
mod static_tokens;
mod token_cache;
mod verifier_fn;

pub use crate::access_token::AccessToken;
pub use crate::token_verifier::{TokenVerifier, VerifyError, VerifyFuture};
pub use crate::verified_token::VerifiedToken;
pub use body::{ProtectedBody, ResponseBody};
pub use builder::{DpopPolicy, ResourceServerBuilder};
pub use introspection::IntrospectionVerifier;
pub use jwt_verifier::JwtVerifier;
pub use layer::{MetadataService, Protected};
pub use server::ResourceServer;
pub use static_tokens::StaticTokens;
pub use verifier_fn::{FnVerifier, verifier_fn};
