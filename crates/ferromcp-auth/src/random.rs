//! Random texts, and digests of texts.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};

use crate::error::AuthError;

/// Number of random bytes: 256 bits, 43 characters in base64.
const RANDOM_BYTES: usize = 32;

/// Returns a random text for a verifier, a state, a code or a token.
///
/// # Errors
/// Fails if the system has no random numbers.
pub(crate) fn random_text() -> Result<String, AuthError> {
    Ok(URL_SAFE_NO_PAD.encode(random_bytes()?))
}

/// Returns 256 random bits.
///
/// # Errors
/// Fails if the system has no random numbers.
pub(crate) fn random_bytes() -> Result<[u8; RANDOM_BYTES], AuthError> {
    let mut bytes = [0; RANDOM_BYTES];
    getrandom::fill(&mut bytes)
        .map_err(|error| AuthError::configuration("cannot get random numbers").with_source(error.to_string()))?;
    Ok(bytes)
}

/// Returns the SHA-256 digest in base64, for URLs.
pub(crate) fn sha256_base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_texts_have_a_valid_length_and_differ() {
        let (a, b) = (random_text().unwrap(), random_text().unwrap());
        assert!(a != b && (43..=128).contains(&a.len()));
    }
}
