//! The random texts of codes, tokens, cookies and IDs, and their keys in the store.

use crate::authorization_server::error::OAuthError;
use crate::random::{random_text, sha256_base64};

/// Returns a random text of 256 bits.
pub(super) fn random() -> Result<String, OAuthError> {
    random_text().map_err(|error| OAuthError::server_error(error.to_string()))
}

/// Returns the key of a code, token, cookie or ID in the store.
pub(super) fn digest(secret: &str) -> String {
    sha256_base64(secret.as_bytes())
}
