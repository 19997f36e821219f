//! Signature algorithms: asymmetric ones only.
//!
//! `none` is not an algorithm here, and HMAC is not accepted: with it, the public key of a server could serve as a
//! secret.

pub(crate) use jsonwebtoken::Algorithm;

/// The algorithms that are accepted unless others are configured.
pub(crate) const DEFAULT_ALGORITHMS: &[Algorithm] = &[
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
];

/// The names of [`DEFAULT_ALGORITHMS`] in metadata.
pub(crate) const ALGORITHM_NAMES: &[&str] =
    &["ES256", "ES384", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"];

/// Returns the asymmetric algorithm with this name; `None` for others. RFC 9864 names EdDSA `Ed25519`.
pub(crate) fn parse_algorithm(name: &str) -> Option<Algorithm> {
    if name == "Ed25519" {
        return Some(Algorithm::EdDSA);
    }
    let algorithm = name.parse().ok()?;
    DEFAULT_ALGORITHMS.contains(&algorithm).then_some(algorithm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_asymmetric_algorithms_are_parsed() {
        for name in ["none", "None", "HS256", "HS384", "HS512", "rs256", "ES512", ""] {
            assert_eq!(parse_algorithm(name), None, "{name}");
        }
        let parsed: Vec<_> = ALGORITHM_NAMES.iter().filter_map(|name| parse_algorithm(name)).collect();
        assert_eq!(parsed, DEFAULT_ALGORITHMS);
        assert_eq!(parse_algorithm("Ed25519"), Some(Algorithm::EdDSA));
    }
}
