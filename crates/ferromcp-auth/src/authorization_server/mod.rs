//! An embedded authorization server: OAuth 2.1 endpoints in front of a database and a login page.
//!
//! An [`AuthorizationServer`] consists of [`AuthorizationServerOptions`] and an [`AuthorizationProvider`], which stores
//! clients and issues tokens. It serves the authorization, token, registration and revocation endpoints and the
//! metadata documents, and it protects the MCP server with the tokens that it issued.
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
mod error;
mod fetch_slots;
mod form;
mod grant_type;
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

pub use builtin::*;
pub use client::{ClientAuthMethod, RegisteredClient};
pub use error::OAuthError;
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
