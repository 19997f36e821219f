//! Random values of an authorization: the PKCE verifier and the state.
//!
//! Spec: RFC 7636. The challenge method is always `S256`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};

use super::error::AuthError;
use crate::Secret;

/// Random bytes of a value: 256 bits, 43 characters in base64.
const RANDOM_BYTES: usize = 32;

/// Returns a random text for a verifier or a state.
///
/// # Errors
/// Fails if the system has no random numbers.
pub(crate) fn random_text() -> Result<String, AuthError> {
    let mut bytes = [0; RANDOM_BYTES];
    getrandom::fill(&mut bytes)
        .map_err(|error| AuthError::configuration("cannot get random numbers").with_source(error.to_string()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Returns the `S256` challenge of a verifier.
pub(crate) fn challenge(verifier: &Secret) -> String {
    sha256_base64(verifier.expose().as_bytes())
}

/// Returns the SHA-256 digest in base64, for URLs.
pub(crate) fn sha256_base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenge_is_that_of_the_rfc() {
        // RFC 7636, appendix B; A-096
        let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn random_texts_have_a_valid_length_and_differ() {
        let (a, b) = (random_text().unwrap(), random_text().unwrap());
        assert!(a != b && (43..=128).contains(&a.len()));
    }
}
