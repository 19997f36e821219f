//! The challenge of a PKCE verifier.
//!
//! Spec: RFC 7636. The challenge method is always `S256`.

use crate::Secret;
use crate::random::sha256_base64;

/// Returns the `S256` challenge of a verifier.
pub(crate) fn challenge(verifier: &Secret) -> String {
    sha256_base64(verifier.expose().as_bytes())
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
}
