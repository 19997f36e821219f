//! An embedded authorization server: OAuth 2.1 endpoints in front of a database and a login page.
//!
//! An [`AuthorizationServer`] consists of [`AuthorizationServerOptions`] and an [`AuthorizationProvider`], which stores
//! clients and issues tokens. It serves the authorization, token, registration and revocation endpoints and the
//! metadata documents, and it protects the MCP server with the tokens that it issued.
//!
//! ```no_run
//! use ferromcp_auth::authorization_server::{
//!     AuthorizationServer, AuthorizationServerOptions, PasswordLogin, StoredProvider, User,
//! };
//! use ferromcp_server::{Server, http::http};
//!
//! # async fn check(name: &str, password: &str) -> Option<User> { None }
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let login = PasswordLogin::new(|name, password| async move { check(&name, password.expose()).await });
//! let options = AuthorizationServerOptions::new("https://example.com")
//!     .resource("https://example.com/mcp")
//!     .required_scopes(["notes:read"]);
//! let authorization_server = AuthorizationServer::new(options, StoredProvider::new(login))?;
//! Server::new("notes", "1.0.0").serve(http("127.0.0.1:8000").authorization(authorization_server)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization>, RFC 6749, RFC 7591, RFC 7009,
//! RFC 8414, RFC 8707, RFC 9207, RFC 9449.

mod assertion;
mod authorize;
mod builtin;
mod cimd;
mod client;
mod client_auth;
mod client_keys;
mod client_metadata;
mod client_secret;
mod error;
mod fetch_slots;
mod form;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod grant_type;
mod html_text;
mod inner;
mod issuer_keys;
mod metadata;
mod options;
mod provider;
mod rate_limit;
mod redirect_uri;
mod register;
mod replay;
mod response;
mod revoke;
mod scope;
mod server;
mod service;
mod token;
mod trusted_issuer;
mod upstream;
mod verifier;

pub use crate::client_authentication::ClientAuthentication;
pub use builtin::*;
pub use client::RegisteredClient;
pub use client_secret::ClientSecretDigest;
pub use error::OAuthError;
pub use html_text::escape_html;
pub use options::{AuthorizationServerOptions, ClientRegistrationOptions};
pub use provider::{
    AuthorizationCode, AuthorizationProvider, AuthorizationRequest, IssuedTokens, PageFuture, ProviderFuture,
    RefreshToken, TokenContext,
};
pub use rate_limit::RateLimits;
pub use server::AuthorizationServer;
pub use service::Routes;
pub use trusted_issuer::{AssertionGrant, TrustedIssuer};
pub use upstream::*;
pub use verifier::ProviderVerifier;
