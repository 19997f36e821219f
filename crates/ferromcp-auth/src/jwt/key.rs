//! [`VerificationKey`]: a public key in a JSON Web Key (RFC 7517), and its thumbprint (RFC 7638).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind};
use serde_json::{Map, Value, json};

use super::algorithm::parse_algorithm;
use crate::random::sha256_base64;

/// Length of an RSA modulus, in bytes: 2048 to 8192 bits.
const RSA_MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;
/// Maximum length of an RSA exponent, in bytes.
const MAX_RSA_EXPONENT_BYTES: usize = 4;
/// Maximum length of a key ID, in bytes. Longer IDs are treated as absent.
const MAX_ID_BYTES: usize = 1024;
/// The members of private and symmetric keys.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A public key.
#[derive(Debug, Clone)]
pub(crate) struct VerificationKey {
    id: Option<String>,
    /// The only algorithm of the key, if the key names one.
    algorithm: Option<Algorithm>,
    curve: Curve,
    key: DecodingKey,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Curve {
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl VerificationKey {
    /// Parses a JSON Web Key. `None` if the key is malformed, too short, symmetric, of an unknown type, or not for
    /// signatures.
    pub(crate) fn parse(jwk: &Value) -> Option<Self> {
        let jwk = jwk.as_object()?;
        if jwk.get("use").is_some_and(|it| it != "sig") {
            return None;
        }
        let operations = jwk.get("key_ops").and_then(Value::as_array);
        if operations.is_some_and(|operations| !operations.iter().any(|it| it == "verify")) {
            return None;
        }
        let (curve, key) = match (text(jwk, "kty")?, jwk.get("crv").and_then(Value::as_str)) {
            ("RSA", _) => (Curve::Rsa, rsa(jwk)?),
            ("EC", Some("P-256")) => (Curve::P256, point(jwk, 32)?),
            ("EC", Some("P-384")) => (Curve::P384, point(jwk, 48)?),
            ("OKP", Some("Ed25519")) => (Curve::Ed25519, DecodingKey::from_ed_der(&bytes(jwk, "x", 32)?)),
            _ => return None,
        };
        let algorithm = match jwk.get("alg") {
            None | Some(Value::Null) => None,
            Some(name) => Some(parse_algorithm(name.as_str()?)?),
        };
        let id = jwk.get("kid").and_then(Value::as_str).filter(|id| id.len() <= MAX_ID_BYTES).map(str::to_owned);
        let key = Self { id, algorithm: None, curve, key };
        if algorithm.is_some_and(|algorithm| !key.fits(algorithm)) {
            return None;
        }
        Some(Self { algorithm, ..key })
    }

    /// Parses the key in a token's own header, which must not contain a private or symmetric key.
    pub(crate) fn parse_embedded(jwk: &Value) -> Option<Self> {
        if has_private_member(jwk) { None } else { Self::parse(jwk) }
    }

    /// Returns the ID (`kid`).
    pub(crate) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    pub(crate) fn key(&self) -> &DecodingKey {
        &self.key
    }

    /// Returns whether the key can be used with an algorithm.
    pub(crate) fn fits(&self, algorithm: Algorithm) -> bool {
        let fits_curve = match self.curve {
            Curve::Rsa => algorithm.family() == AlgorithmFamily::Rsa,
            Curve::P256 => algorithm == Algorithm::ES256,
            Curve::P384 => algorithm == Algorithm::ES384,
            Curve::Ed25519 => algorithm == Algorithm::EdDSA,
        };
        fits_curve && self.algorithm.is_none_or(|only| only == algorithm)
    }

    /// Returns the SHA-256 thumbprint in base64, for URLs.
    pub(crate) fn thumbprint(&self) -> String {
        sha256_base64(self.required_members().to_string().as_bytes())
    }

    /// Returns the members of the thumbprint, which are sorted by name.
    fn required_members(&self) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self.key.kind() {
            DecodingKeyKind::RsaModulusExponent { n, e } => json!({ "e": encode(e), "kty": "RSA", "n": encode(n) }),
            DecodingKeyKind::SecretOrDer(key) => match self.curve {
                Curve::Ed25519 | Curve::Rsa => json!({ "crv": "Ed25519", "kty": "OKP", "x": encode(key) }),
                Curve::P256 | Curve::P384 => {
                    let curve = if self.curve == Curve::P256 { "P-256" } else { "P-384" };
                    let point = key.get(1..).unwrap_or_default();
                    let (x, y) = point.split_at(point.len() / 2);
                    json!({ "crv": curve, "kty": "EC", "x": encode(x), "y": encode(y) })
                }
            },
        }
    }
}

/// Returns whether a JSON Web Key contains a private or symmetric key.
pub(crate) fn has_private_member(jwk: &Value) -> bool {
    PRIVATE_MEMBERS.iter().any(|member| jwk.get(member).is_some())
}

fn text<'a>(jwk: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    jwk.get(name).and_then(Value::as_str)
}

/// Decodes a member of a fixed length.
fn bytes(jwk: &Map<String, Value>, name: &str, length: usize) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text(jwk, name)?).ok().filter(|bytes| bytes.len() == length)
}

/// Returns an elliptic-curve key as an uncompressed point: 4, x, y.
fn point(jwk: &Map<String, Value>, length: usize) -> Option<DecodingKey> {
    let point = [vec![4], bytes(jwk, "x", length)?, bytes(jwk, "y", length)?].concat();
    Some(DecodingKey::from_ec_der(&point))
}

fn rsa(jwk: &Map<String, Value>) -> Option<DecodingKey> {
    let number = |name| -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(text(jwk, name)?).ok()?;
        Some(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
    };
    let (n, e) = (number("n")?, number("e")?);
    if !RSA_MODULUS_BYTES.contains(&n.len()) || !(1..=MAX_RSA_EXPONENT_BYTES).contains(&e.len()) {
        return None;
    }
    Some(DecodingKey::from_rsa_raw_components(&n, &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ed(extra: &Value) -> Value {
        let mut jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode([7; 32]) });
        for (name, value) in extra.as_object().unwrap() {
            jwk[name] = value.clone();
        }
        jwk
    }

    #[test]
    fn keys_that_are_not_for_signatures_are_refused() {
        for extra in [json!({}), json!({ "use": "sig", "alg": "EdDSA" }), json!({ "key_ops": ["verify"], "alg": null })]
        {
            assert!(VerificationKey::parse(&ed(&extra)).is_some(), "{extra}");
        }
        for extra in [
            json!({ "use": "enc" }),
            json!({ "key_ops": ["encrypt"] }),
            json!({ "alg": "RSA-OAEP" }),
            json!({ "alg": "HS256" }),
            json!({ "alg": "ES256" }),
            json!({ "crv": "X25519" }),
            json!({ "kty": "oct" }),
            json!({ "x": "AAAA" }),
            json!({ "x": 1 }),
        ] {
            assert!(VerificationKey::parse(&ed(&extra)).is_none(), "{extra}");
        }
        for jwk in [json!(null), json!([]), json!({}), json!({ "kty": "oct", "k": "c2VjcmV0" })] {
            assert!(VerificationKey::parse(&jwk).is_none(), "{jwk}");
        }
    }

    #[test]
    fn short_rsa_keys_are_refused() {
        let jwk = |bytes: usize| json!({ "kty": "RSA", "n": URL_SAFE_NO_PAD.encode(vec![0xff; bytes]), "e": "AQAB" });
        assert!(VerificationKey::parse(&jwk(128)).is_none() && VerificationKey::parse(&jwk(1025)).is_none());
        let key = VerificationKey::parse(&jwk(256)).unwrap();
        assert!(key.fits(Algorithm::PS384) && key.fits(Algorithm::RS256));
        assert!(!key.fits(Algorithm::ES256) && !key.fits(Algorithm::HS256));
    }

    #[test]
    fn embedded_keys_must_not_be_private() {
        assert!(VerificationKey::parse_embedded(&ed(&json!({}))).is_some());
        for member in PRIVATE_MEMBERS {
            assert!(VerificationKey::parse_embedded(&ed(&json!({ member: "AAAA" }))).is_none(), "{member}");
        }
    }

    #[test]
    fn thumbprint_is_that_of_rfc_7638_and_rfc_8037() {
        let rsa = json!({
            "kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECP\
                  ebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY\
                  368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0f\
                  M4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        });
        let key = VerificationKey::parse(&rsa).unwrap();
        assert_eq!(key.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        assert_eq!(key.id(), Some("2011-04-29"));
        let okp = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
        let key = VerificationKey::parse(&okp).unwrap();
        assert_eq!(key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
