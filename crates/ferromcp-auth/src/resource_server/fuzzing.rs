//! Entry points for fuzzing of the responses that a resource server receives. Not part of the public API.

use serde_json::Value;

use super::introspection::IntrospectionVerifier;
use crate::access_token::AccessToken;

/// The issuer of introspected tokens.
pub const INTROSPECTED_ISSUER: &str = "https://as.example.com";

/// Reads an introspection response. `None` if the token is not valid.
pub fn introspected(body: &[u8]) -> Option<AccessToken> {
    let Value::Object(response) = serde_json::from_slice(body).ok()? else { return None };
    let verifier = IntrospectionVerifier::new("https://as.example.com/introspect", "id", "secret");
    verifier.issuer(INTROSPECTED_ISSUER).read(response).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_points_read_responses() {
        assert_eq!(introspected(br#"{"active":true,"sub":"ada"}"#).unwrap().subject.as_deref(), Some("ada"));
        assert!(introspected(b"[]").is_none() && introspected(b"\xff").is_none());
    }
}
