//! Entry points for fuzzing of the responses of an upstream server. Not part of the public API.

use std::sync::LazyLock;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::exchange::{TokenFailure, read_tokens};
use super::login::UpstreamLogin;
use super::options::UpstreamOptions;
use crate::authorization_server::{OAuthError, User};
use crate::fetch::Fetched;

static LOGIN: LazyLock<UpstreamLogin> = LazyLock::new(|| {
    let options = UpstreamOptions::new("https://login.example.com", "id", "secret");
    UpstreamLogin::new(options).expect("valid options")
});

/// Reads a token response and the claims of a user.
///
/// # Errors
/// Fails if the token response is an error or invalid, or the claims do not identify a user.
pub fn upstream_user(status: StatusCode, tokens: Bytes, claims: &[u8]) -> Result<User, OAuthError> {
    let user = LOGIN.user(serde_json::from_slice(claims).unwrap_or_default());
    match read_tokens(&Fetched { status, headers: HeaderMap::new(), body: tokens }) {
        Ok(_) => user,
        Err(TokenFailure::InvalidGrant) => Err(OAuthError::invalid_grant("the upstream server rejected the grant")),
        Err(TokenFailure::Other(error)) => Err(error),
    }
}
