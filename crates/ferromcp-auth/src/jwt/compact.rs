//! Parses the compact form of signed tokens: RFC 7515, section 7.1.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::algorithm::{Algorithm, parse_algorithm};
use super::key::VerificationKey;
use super::ring_provider::is_valid_signature;

/// Maximum length of a token, in bytes.
pub(crate) const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// A token that was parsed, not verified.
pub(crate) struct CompactToken<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) header: Map<String, Value>,
    pub(crate) claims: Map<String, Value>,
    /// The header and the claims, as they were signed.
    message: &'a [u8],
    signature: Vec<u8>,
}

impl<'a> CompactToken<'a> {
    /// Parses a token.
    ///
    /// # Errors
    /// The problem, if the token is too long or malformed, its algorithm is not an asymmetric one, or it has critical
    /// extensions.
    pub(crate) fn parse(token: &'a str) -> Result<Self, &'static str> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err("the token is too long");
        }
        let malformed = "the token is not a signed JSON Web Token";
        let (message, signature) = token.rsplit_once('.').ok_or(malformed)?;
        let (header, claims) = message.split_once('.').ok_or(malformed)?;
        let header = object(header).ok_or(malformed)?;
        if header.contains_key("crit") || header.contains_key("b64") {
            return Err("the token has critical extensions, which are not supported");
        }
        let algorithm = header.get("alg").and_then(Value::as_str).and_then(parse_algorithm);
        Ok(Self {
            algorithm: algorithm.ok_or("the signature algorithm of the token is not allowed")?,
            header,
            claims: object(claims).ok_or(malformed)?,
            message: message.as_bytes(),
            signature: URL_SAFE_NO_PAD.decode(signature).map_err(|_| malformed)?,
        })
    }

    /// Returns a text of the header, such as `kid`.
    pub(crate) fn header_text(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    /// Returns a text of the claims, such as `iss`.
    pub(crate) fn claim_text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    /// Returns whether the media type (`typ`) is one of these, regardless of case and of a prefix `application/`. An
    /// empty text matches a token without type.
    pub(crate) fn has_type(&self, types: &[&str]) -> bool {
        let found = match self.header.get("typ") {
            None => "",
            Some(Value::String(text)) if !text.is_empty() => text,
            Some(_) => return false,
        };
        let prefix = "application/";
        let found = match found.get(..prefix.len()) {
            Some(start) if start.eq_ignore_ascii_case(prefix) => found.get(prefix.len()..).unwrap_or_default(),
            _ => found,
        };
        types.iter().any(|allowed| allowed.eq_ignore_ascii_case(found))
    }

    /// Returns whether the token was signed with this key.
    pub(crate) fn is_signed_by(&self, key: &VerificationKey) -> bool {
        key.fits(self.algorithm) && is_valid_signature(self.algorithm, key.key(), self.message, &self.signature)
    }
}

/// Decodes a JSON object.
fn object(part: &str) -> Option<Map<String, Value>> {
    match serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()? {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn token(header: &Value) -> String {
        let [header, claims] = [header, &json!({})].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        format!("{header}.{claims}.AAAA")
    }

    #[test]
    fn malformed_tokens_are_rejected() {
        let valid = token(&json!({ "alg": "ES256" }));
        assert!(CompactToken::parse(&valid).is_ok());
        let long = format!("{valid}{}", "A".repeat(MAX_TOKEN_BYTES));
        for text in ["", ".", "..", "a.b.c", "e30.e30.", "e30.e30.AA", "W10.e30.AA", &long, &valid[1..], "é.é.é"] {
            assert!(CompactToken::parse(text).is_err(), "{text}");
        }
        // Four parts, and padding.
        for text in [format!("{valid}.AAAA"), format!("{valid}=")] {
            assert!(CompactToken::parse(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn trap_algorithm_none() {
        for algorithm in [json!("none"), json!("None"), json!("HS256"), json!(null), json!(["ES256"])] {
            let error = CompactToken::parse(&token(&json!({ "alg": algorithm }))).err().unwrap();
            assert_eq!(error, "the signature algorithm of the token is not allowed");
        }
    }

    #[test]
    fn critical_extensions_are_rejected() {
        for header in [json!({ "alg": "ES256", "crit": ["exp"] }), json!({ "alg": "ES256", "b64": false })] {
            assert!(CompactToken::parse(&token(&header)).is_err());
        }
    }

    #[test]
    fn types_are_compared_without_case_and_prefix() {
        let with_type = |typ: Value, types: &[&str]| {
            let text = token(&json!({ "alg": "ES256", "typ": typ }));
            CompactToken::parse(&text).unwrap().has_type(types)
        };
        for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
            assert!(with_type(json!(typ), &["at+jwt"]), "{typ}");
        }
        for typ in [json!("JWT"), json!(""), json!(null), json!(1), json!("application/")] {
            assert!(!with_type(typ.clone(), &["at+jwt"]), "{typ}");
        }
        let text = token(&json!({ "alg": "ES256" }));
        let without = CompactToken::parse(&text).unwrap();
        assert!(without.has_type(&["at+jwt", ""]) && !without.has_type(&["at+jwt"]));
    }

    /// Returns a text in base64 with another last character, whose bits after the last byte are not zero; `None` if there are
    /// no such bits.
    fn non_canonical(encoded: &str) -> Option<String> {
        const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let unused_bits = match encoded.len() % 4 {
            2 => 4,
            3 => 2,
            _ => return None,
        };
        let value = ALPHABET.find(encoded.chars().last()?)?;
        let changed = ALPHABET.get(value + 1..value + 2).filter(|_| value % (1 << unused_bits) == 0)?;
        Some(format!("{}{changed}", &encoded[..encoded.len() - 1]))
    }

    proptest! {
        #[test]
        fn parts_are_decoded_only_from_canonical_base64(
            subject in "\\PC{0,12}",
            signature in prop::collection::vec(any::<u8>(), 0..70),
        ) {
            let parts = [
                URL_SAFE_NO_PAD.encode(json!({ "alg": "EdDSA", "typ": "JWT" }).to_string()),
                URL_SAFE_NO_PAD.encode(json!({ "sub": subject }).to_string()),
                URL_SAFE_NO_PAD.encode(&signature),
            ];
            let text = parts.join(".");
            let token = CompactToken::parse(&text).unwrap();
            prop_assert_eq!(token.claim_text("sub"), Some(subject.as_str()));
            prop_assert_eq!((token.message, &token.signature), (text.rsplit_once('.').unwrap().0.as_bytes(), &signature));
            for i in 0..parts.len() {
                let changes = [Some(format!("{}=", parts[i])), Some(format!("{}\n", parts[i])), non_canonical(&parts[i])];
                for changed in changes.into_iter().flatten() {
                    let mut parts = parts.clone();
                    parts[i] = changed;
                    prop_assert!(CompactToken::parse(&parts.join(".")).is_err(), "{:?}", parts);
                }
            }
        }

        #[test]
        fn arbitrary_tokens_are_rejected(text in "[A-Za-z0-9_.=+/-]{0,80}|\\PC{0,40}") {
            prop_assert!(CompactToken::parse(&text).is_err(), "{}", text);
        }
    }
}
