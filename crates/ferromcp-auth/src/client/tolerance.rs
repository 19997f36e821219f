//! Opt-in exceptions from the rules of the specification, for authorization servers that violate them.

/// An exception from a security rule, for one authorization server. Each weakens a defense; enable it only for a server
/// that you trust and that requires it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tolerance {
    /// Accepts an issuer in metadata and authorization responses that differs by one slash at its end.
    ///
    /// Risk: two issuers that differ by a slash are treated as one, which matters if different parties operate them.
    IssuerSlash,
    /// Accepts metadata without `code_challenge_methods_supported`. PKCE is used nevertheless.
    ///
    /// Risk: if the server ignores PKCE, an attacker who intercepts an authorization code can redeem it.
    MissingPkceMethods,
}

/// The exceptions of a client.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tolerances(Vec<(String, Tolerance)>);

impl Tolerances {
    pub(crate) fn add(&mut self, issuer: String, tolerance: Tolerance) {
        self.0.push((issuer, tolerance));
    }

    pub(crate) fn allows(&self, issuer: &str, tolerance: Tolerance) -> bool {
        let issuer = issuer.trim_end_matches('/');
        self.0.iter().any(|(other, allowed)| *allowed == tolerance && other.trim_end_matches('/') == issuer)
    }

    /// Returns whether `issuer` is accepted where `expected` is.
    pub(crate) fn allows_issuer(&self, expected: &str, issuer: &str) -> bool {
        let by_slash = |a: &str, b: &str| a.strip_suffix('/') == Some(b);
        (by_slash(expected, issuer) || by_slash(issuer, expected)) && self.allows(expected, Tolerance::IssuerSlash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuer_slash_applies_to_its_issuer_only() {
        let mut tolerances = Tolerances::default();
        assert!(!tolerances.allows_issuer("https://a", "https://a/"));
        tolerances.add("https://a".to_owned(), Tolerance::IssuerSlash);
        assert!(tolerances.allows_issuer("https://a", "https://a/"));
        assert!(tolerances.allows_issuer("https://a/", "https://a"));
        assert!(!tolerances.allows_issuer("https://a", "https://a//"));
        assert!(!tolerances.allows_issuer("https://b", "https://b/"));
        assert!(!tolerances.allows("https://a", Tolerance::MissingPkceMethods));
    }
}
