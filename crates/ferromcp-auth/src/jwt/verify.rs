//! Verifies a token: its algorithm, type, issuer, signature, times and audience.

use serde_json::{Map, Value};

use super::algorithm::{Algorithm, DEFAULT_ALGORITHMS};
use super::compact::CompactToken;
use super::jwks::JwkSource;
use crate::clock::now;
use crate::token_verifier::VerifyError;

/// The clock difference that is tolerated, by default, in seconds.
pub(crate) const DEFAULT_LEEWAY_SECONDS: u64 = 60;

/// The requirements for a token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'a> {
    /// The issuer, which must be identical. `None`: not checked here.
    pub(crate) issuer: Option<&'a str>,
    /// The audiences, of which the token must have one. Empty: not checked here.
    pub(crate) audiences: &'a [&'a str],
    /// The allowed types (`typ`), without the prefix `application/`. An empty text allows a token without type. Empty:
    /// any.
    pub(crate) types: &'a [&'a str],
    /// The allowed signature algorithms. Symmetric ones are never accepted.
    pub(crate) algorithms: &'a [Algorithm],
    /// The clock difference that is tolerated, in seconds.
    pub(crate) leeway_seconds: u64,
}

impl Default for Expected<'_> {
    /// Returns requirements of any issuer, audience and type.
    fn default() -> Self {
        Self {
            issuer: None,
            audiences: &[],
            types: &[],
            algorithms: DEFAULT_ALGORITHMS,
            leeway_seconds: DEFAULT_LEEWAY_SECONDS,
        }
    }
}

/// Verifies a token, and returns its claims. The token must have an expiry.
///
/// # Errors
/// [`VerifyError::Invalid`] if the token does not meet the requirements; [`VerifyError::Unavailable`] if the keys
/// cannot be fetched. The texts contain nothing of the token.
pub(crate) async fn verify(
    token: &str,
    keys: &JwkSource,
    expected: &Expected<'_>,
) -> Result<Map<String, Value>, VerifyError> {
    let parsed = CompactToken::parse(token).map_err(invalid)?;
    // Before the keys are needed, so that a foreign token does not cause a fetch.
    expected.check_header(&parsed).map_err(invalid)?;
    keys.verify_signature(&parsed).await?;
    expected.check_claims(&parsed.claims, now()).map_err(invalid)?;
    Ok(parsed.claims)
}

fn invalid(text: &str) -> VerifyError {
    VerifyError::Invalid(text.to_owned())
}

impl Expected<'_> {
    fn check_header(&self, token: &CompactToken<'_>) -> Result<(), &'static str> {
        if !self.algorithms.contains(&token.algorithm) {
            return Err("the signature algorithm of the token is not allowed");
        }
        if !self.types.is_empty() && !token.has_type(self.types) {
            return Err("the token has another type (`typ`)");
        }
        if self.issuer.is_some_and(|issuer| token.claim_text("iss") != Some(issuer)) {
            return Err("the token is of another issuer");
        }
        Ok(())
    }

    fn check_claims(&self, claims: &Map<String, Value>, now: u64) -> Result<(), &'static str> {
        let expires_at = claims.get("exp").and_then(numeric_date).ok_or("the token has no valid expiry (`exp`)")?;
        if now >= expires_at.saturating_add(self.leeway_seconds) {
            return Err("the token has expired");
        }
        if let Some(not_before) = claims.get("nbf").filter(|value| !value.is_null()) {
            let not_before = numeric_date(not_before).ok_or("the token has an invalid start (`nbf`)")?;
            if now.saturating_add(self.leeway_seconds) < not_before {
                return Err("the token is not valid yet");
            }
        }
        let has_audience = || match claims.get("aud") {
            Some(Value::String(audience)) => self.audiences.contains(&audience.as_str()),
            Some(Value::Array(audiences)) => {
                audiences.iter().filter_map(Value::as_str).any(|audience| self.audiences.contains(&audience))
            }
            _ => false,
        };
        if !self.audiences.is_empty() && !has_audience() {
            return Err("the token is for another audience");
        }
        Ok(())
    }
}

/// Parses a time in seconds since the Unix epoch, which may have a fraction.
pub(crate) fn numeric_date(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let seconds = value.as_f64()?;
        std::time::Duration::try_from_secs_f64(seconds).ok().map(|time| time.as_secs())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::jwt::test_keys::TestKey;

    async fn check(header: Value, claims: Value, expected: &Expected<'_>) -> Result<Map<String, Value>, VerifyError> {
        let key = TestKey::es256("a");
        let mut all = json!({ "iss": "https://as", "aud": "https://rs", "exp": now() + 300 });
        for (name, value) in claims.as_object().unwrap() {
            all[name] = value.clone();
        }
        let source = JwkSource::fixed(&json!({ "keys": [key.jwk()] }));
        verify(&key.sign(&header, &all), &source, expected).await
    }

    fn strict() -> Expected<'static> {
        Expected { issuer: Some("https://as"), audiences: &["https://rs"], types: &["at+jwt"], ..Expected::default() }
    }

    #[tokio::test]
    async fn claims_are_returned_when_the_token_meets_the_requirements() {
        //
        let typ = json!({ "typ": "at+jwt" });
        let claims = check(typ.clone(), json!({ "sub": "ada", "nbf": now() }), &strict()).await.unwrap();
        assert_eq!(claims["sub"], "ada");
        check(typ.clone(), json!({ "aud": ["https://other", "https://rs"] }), &strict()).await.unwrap();
        check(typ, json!({ "exp": 4e9, "nbf": null }), &strict()).await.unwrap();
        check(json!({}), json!({}), &Expected::default()).await.unwrap();
    }

    #[tokio::test]
    async fn tokens_are_rejected_when_they_miss_a_requirement() {
        //
        for (header, claims, text) in [
            (json!({ "typ": "JWT" }), json!({}), "another type"),
            (json!({}), json!({}), "another type"),
            (json!({}), json!({ "iss": "https://as/" }), "another issuer"),
            (json!({}), json!({ "iss": ["https://as"] }), "another issuer"),
            (json!({}), json!({ "iss": null }), "another issuer"),
            (json!({}), json!({ "aud": "https://rs/x" }), "another audience"),
            (json!({}), json!({ "aud": ["https://other"] }), "another audience"),
            (json!({}), json!({ "aud": null }), "another audience"),
            (json!({}), json!({ "exp": now() - 61 }), "expired"),
            (json!({}), json!({ "exp": null }), "no valid expiry"),
            (json!({}), json!({ "exp": "9999999999" }), "no valid expiry"),
            (json!({}), json!({ "exp": -1 }), "no valid expiry"),
            (json!({}), json!({ "nbf": now() + 90 }), "not valid yet"),
            (json!({}), json!({ "nbf": u64::MAX }), "not valid yet"),
            (json!({}), json!({ "nbf": "x" }), "invalid start"),
        ] {
            let types: &[&str] = if text == "another type" { &["at+jwt"] } else { &[] };
            let error = check(header, claims.clone(), &Expected { types, ..strict() }).await.unwrap_err();
            assert!(matches!(&error, VerifyError::Invalid(it) if it.contains(text)), "{claims} {error}");
        }
    }

    #[tokio::test]
    async fn only_configured_algorithms_are_accepted() {
        let expected = Expected { algorithms: &[Algorithm::RS256, Algorithm::HS256], ..Expected::default() };
        let error = check(json!({}), json!({}), &expected).await.unwrap_err();
        assert!(error.to_string().contains("algorithm"), "{error}");
    }

    #[test]
    fn extreme_times_do_not_overflow() {
        let expected = Expected { leeway_seconds: u64::MAX, ..Expected::default() };
        let claims = json!({ "exp": u64::MAX, "nbf": u64::MAX });
        assert!(expected.check_claims(claims.as_object().unwrap(), u64::MAX - 1).is_ok());
        assert_eq!(numeric_date(&json!(1e300)), None);
        assert_eq!(numeric_date(&json!(1.9)), Some(1));
    }
}
