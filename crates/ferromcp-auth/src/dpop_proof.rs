//! [`DpopVerifier`]: verifies proofs of possession of a key: RFC 9449, section 4.3.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use ring::hmac;
use serde_json::{Map, Value};
use url::Url;

use crate::clock::now;
use crate::digest_cache::{DigestCache, digest_of};
use crate::dpop_headers::PROOF_HEADER;
use crate::error::AuthError;
use crate::jwt::{CompactToken, VerificationKey, numeric_date};
use crate::random::{random_bytes, sha256_base64};

/// The maximum difference between the time of a proof and that of the server, in seconds.
const WINDOW_SECONDS: u64 = 300;
/// Maximum length of a proof, in bytes.
const MAX_PROOF_BYTES: usize = 8 * 1024;
/// Maximum length of the ID of a proof (`jti`), in bytes.
const MAX_ID_BYTES: usize = 512;
/// Maximum number of proofs that are remembered. Of more proofs within the window, the oldest are forgotten.
const MAX_PROOFS: usize = 100_000;
/// How often the nonce changes, in seconds. The previous nonce is accepted too.
const NONCE_SECONDS: u64 = 150;

/// Why a proof is rejected. The texts contain nothing of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DpopError {
    /// The request has no proof.
    Missing,
    /// The proof is not valid.
    Invalid(String),
    /// The proof must contain the nonce of [`DpopVerifier::nonce`].
    UseNonce,
}

/// How a token is bound to its sender, by its claim `cnf`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Confirmation<'a> {
    /// The token is not bound.
    Absent,
    /// The token is bound to the key with this thumbprint (`jkt`).
    Key(&'a str),
    /// The token is bound to something that cannot be checked, such as a certificate.
    Unsupported,
}

impl<'a> Confirmation<'a> {
    /// Reads the claim from the claims of a token.
    pub(crate) fn read(claims: &'a Map<String, Value>) -> Self {
        match claims.get("cnf") {
            None | Some(Value::Null) => Self::Absent,
            Some(confirmation) => match confirmation.get("jkt").and_then(Value::as_str) {
                Some(thumbprint) if !thumbprint.is_empty() => Self::Key(thumbprint),
                _ => Self::Unsupported,
            },
        }
    }
}

/// Verifies proofs, and remembers them until they expire.
pub(crate) struct DpopVerifier {
    seen: Mutex<DigestCache<()>>,
    nonce_key: Option<hmac::Key>,
}

/// A valid proof, which may be a replay.
pub(crate) struct Proof {
    /// The thumbprint of the key.
    pub(crate) thumbprint: String,
    id: String,
    expires_at: u64,
}

impl DpopVerifier {
    pub(crate) fn new() -> Self {
        Self { seen: Mutex::new(DigestCache::new(MAX_PROOFS)), nonce_key: None }
    }

    /// Requires nonces. Each process has its own: a client that is sent to another process gets another nonce.
    ///
    /// # Errors
    /// Fails if the system has no random numbers.
    pub(crate) fn with_nonces(self) -> Result<Self, AuthError> {
        Ok(Self { nonce_key: Some(hmac::Key::new(hmac::HMAC_SHA256, &random_bytes()?)), ..self })
    }

    /// Returns the nonce that proofs must contain, if nonces are required.
    pub(crate) fn nonce(&self) -> Option<String> {
        self.nonce_key.as_ref().map(|key| nonce_of(key, now() / NONCE_SECONDS))
    }

    /// Verifies the proof of a request. The caller rejects foreign keys before it calls [`consume`](Self::consume), so
    /// that proofs with them do not fill the memory.
    pub(crate) fn check(
        &self,
        headers: &HeaderMap,
        method: &str,
        url: &str,
        access_token: Option<&str>,
    ) -> Result<Proof, DpopError> {
        let mut proofs = headers.get_all(PROOF_HEADER).iter();
        let proof = proofs.next().ok_or(DpopError::Missing)?;
        if proofs.next().is_some() {
            return Err(invalid("the request has several DPoP headers"));
        }
        let proof = proof.to_str().ok().filter(|proof| proof.len() <= MAX_PROOF_BYTES);
        let token = CompactToken::parse(proof.ok_or_else(|| invalid("the DPoP header is malformed"))?)
            .map_err(|_| invalid("the proof is malformed, or its algorithm is not allowed"))?;
        if !token.has_type(&["dpop+jwt"]) {
            return Err(invalid("the type of the proof is not `dpop+jwt`"));
        }
        let key = token.header.get("jwk").and_then(VerificationKey::parse_embedded);
        let key = key.ok_or_else(|| invalid("the proof has no valid public key"))?;
        if !token.is_signed_by(&key) {
            return Err(invalid("the signature of the proof is not valid"));
        }
        let expires_at = check_claims(&token, method, url, access_token).map_err(invalid)?;
        if let Some(key) = &self.nonce_key {
            let nonce = token.claim_text("nonce").ok_or(DpopError::UseNonce)?;
            if !is_recent_nonce(key, nonce, now() / NONCE_SECONDS) {
                return Err(DpopError::UseNonce);
            }
        }
        let id = token.claim_text("jti").unwrap_or_default().to_owned();
        Ok(Proof { thumbprint: key.thumbprint(), id, expires_at })
    }

    /// Remembers a proof.
    ///
    /// # Errors
    /// Fails if the proof was used before.
    pub(crate) fn consume(&self, proof: &Proof) -> Result<(), DpopError> {
        let digest = digest_of(&[&proof.thumbprint, &proof.id]);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.insert_new(digest, (), proof.expires_at, now()) {
            return Ok(());
        }
        Err(invalid("the proof was used before"))
    }
}

/// Checks the claims, and returns when the proof expires.
fn check_claims(
    token: &CompactToken<'_>,
    method: &str,
    url: &str,
    access_token: Option<&str>,
) -> Result<u64, &'static str> {
    if !token.claim_text("jti").is_some_and(|id| (1..=MAX_ID_BYTES).contains(&id.len())) {
        return Err("the proof has no valid ID (`jti`)");
    }
    if token.claim_text("htm") != Some(method) {
        return Err("the proof is for another method (`htm`)");
    }
    let expected = normalized(url).ok_or("the URL of the request is unknown")?;
    if token.claim_text("htu").and_then(normalized) != Some(expected) {
        return Err("the proof is for another URL (`htu`)");
    }
    let issued_at = token.claims.get("iat").and_then(numeric_date).ok_or("the proof has no time (`iat`)")?;
    if now().abs_diff(issued_at) > WINDOW_SECONDS {
        return Err("the proof is too old or in the future (`iat`); check the clock");
    }
    let digest = access_token.map(|token| sha256_base64(token.as_bytes()));
    if digest.is_some() && token.claim_text("ath") != digest.as_deref() {
        return Err("the proof is for another access token (`ath`)");
    }
    // Remembered for longer than it is accepted, because the clock is read again when it is used up.
    Ok(issued_at.saturating_add(WINDOW_SECONDS + 3))
}

/// Returns a URL without query and fragment, with scheme, host and port in their canonical form.
fn normalized(url: &str) -> Option<Url> {
    let mut url = Url::parse(url).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    Some(url)
}

fn nonce_of(key: &hmac::Key, slot: u64) -> String {
    URL_SAFE_NO_PAD.encode(hmac::sign(key, &slot.to_be_bytes()))
}

/// Returns whether a nonce is that of this slot or of the one before it. Takes constant time.
fn is_recent_nonce(key: &hmac::Key, nonce: &str, slot: u64) -> bool {
    let Ok(tag) = URL_SAFE_NO_PAD.decode(nonce) else { return false };
    [slot, slot.saturating_sub(1)].iter().any(|slot| hmac::verify(key, &slot.to_be_bytes(), &tag).is_ok())
}

fn invalid(text: &str) -> DpopError {
    DpopError::Invalid(text.to_owned())
}

impl fmt::Debug for DpopVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DpopVerifier").field("nonces", &self.nonce_key.is_some()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde_json::json;

    use super::*;
    use crate::jwt::test_keys::TestKey;

    const URL: &str = "https://h/mcp";

    /// Returns the headers of a request with a proof. Fields replace those of a valid proof.
    fn headers(key: &TestKey, header: &Value, claims: &Value) -> HeaderMap {
        let mut fields = json!({ "typ": "dpop+jwt", "jwk": key.jwk() });
        let mut all = json!({
            "jti": crate::random::random_text().unwrap(), "htm": "POST", "htu": URL, "iat": now(),
            "ath": sha256_base64(b"token"),
        });
        for (object, changes) in [(&mut fields, header), (&mut all, claims)] {
            for (name, value) in changes.as_object().unwrap() {
                object[name] = value.clone();
            }
        }
        HeaderMap::from_iter([(PROOF_HEADER, HeaderValue::from_str(&key.sign(&fields, &all)).unwrap())])
    }

    /// Checks and uses up the proof of a request, and returns the thumbprint of its key.
    fn verify(verifier: &DpopVerifier, headers: &HeaderMap) -> Result<String, DpopError> {
        let proof = verifier.check(headers, "POST", URL, Some("token"))?;
        verifier.consume(&proof)?;
        Ok(proof.thumbprint)
    }

    #[test]
    fn valid_proofs_return_the_thumbprint() {
        //
        let verifier = DpopVerifier::new();
        for key in [TestKey::es256(""), TestKey::ed25519("x")] {
            let thumbprint = VerificationKey::parse(&key.jwk()).unwrap().thumbprint();
            for claims in [
                json!({}),
                json!({ "htu": "HTTPS://H:443/mcp?x=1#y" }),
                json!({ "iat": now() - 290 }),
                json!({ "iat": now() + 290 }),
                json!({ "nonce": "ignored" }),
            ] {
                assert_eq!(verify(&verifier, &headers(&key, &json!({}), &claims)), Ok(thumbprint.clone()), "{claims}");
            }
        }
    }

    #[test]
    fn trap_dpop_htu_and_ath_mismatch() {
        //
        let (verifier, key) = (DpopVerifier::new(), TestKey::es256(""));
        for (claims, text) in [
            (json!({ "htm": "GET" }), "htm"),
            (json!({ "htm": "post" }), "htm"),
            (json!({ "htm": null }), "htm"),
            (json!({ "htu": "https://h/mcp2" }), "htu"),
            (json!({ "htu": "https://evil/mcp" }), "htu"),
            (json!({ "htu": "http://h/mcp" }), "htu"),
            (json!({ "htu": "/mcp" }), "htu"),
            (json!({ "htu": null }), "htu"),
            (json!({ "iat": now() - 302 }), "iat"),
            (json!({ "iat": now() + 310 }), "iat"),
            (json!({ "iat": null }), "iat"),
            (json!({ "ath": sha256_base64(b"other") }), "ath"),
            (json!({ "ath": null }), "ath"),
            (json!({ "jti": "" }), "jti"),
            (json!({ "jti": 1 }), "jti"),
            (json!({ "jti": "x".repeat(513) }), "jti"),
        ] {
            let error = verify(&verifier, &headers(&key, &json!({}), &claims)).unwrap_err();
            assert!(matches!(&error, DpopError::Invalid(it) if it.contains(text)), "{claims} {error:?}");
        }
        let without_token = headers(&key, &json!({}), &json!({ "ath": null }));
        let proof = verifier.check(&without_token, "POST", URL, None);
        assert!(proof.and_then(|proof| verifier.consume(&proof)).is_ok());
    }

    #[test]
    fn proofs_with_bad_headers_are_rejected() {
        //
        let (verifier, key) = (DpopVerifier::new(), TestKey::es256(""));
        let mut private = key.jwk();
        private["d"] = json!("AAAA");
        for header in [
            json!({ "typ": "JWT" }),
            json!({ "typ": null }),
            json!({ "alg": "none" }),
            json!({ "alg": "HS256" }),
            json!({ "alg": "RS256" }),
            json!({ "jwk": null }),
            json!({ "jwk": private }),
            json!({ "jwk": TestKey::es256("").jwk() }),
            json!({ "jwk": { "kty": "oct", "k": "AAAA" } }),
            json!({ "crit": ["x"] }),
        ] {
            let result = verify(&verifier, &headers(&key, &header, &json!({})));
            assert!(matches!(result, Err(DpopError::Invalid(_))), "{header}");
        }
        assert_eq!(verify(&verifier, &HeaderMap::new()), Err(DpopError::Missing));
        let mut two = headers(&key, &json!({}), &json!({}));
        two.append(PROOF_HEADER, HeaderValue::from_static("x"));
        assert!(matches!(verify(&verifier, &two), Err(DpopError::Invalid(_))));
    }

    #[test]
    fn trap_dpop_replay() {
        //
        let (verifier, key) = (DpopVerifier::new(), TestKey::es256(""));
        let proof = headers(&key, &json!({}), &json!({ "jti": "1" }));
        assert!(verify(&verifier, &proof).is_ok());
        assert_eq!(verify(&verifier, &proof), Err(invalid("the proof was used before")));
        // Another key may use the same ID.
        assert!(verify(&verifier, &headers(&TestKey::es256(""), &json!({}), &json!({ "jti": "1" }))).is_ok());
        // A proof with a future time is remembered until it is too old.
        let future =
            verifier.check(&headers(&key, &json!({}), &json!({ "iat": now() + 200 })), "POST", URL, Some("token"));
        assert!(future.unwrap().expires_at > now() + 400);
    }

    #[test]
    fn tokens_are_bound_to_keys_only() {
        for (confirmation, expected) in [
            (json!(null), Confirmation::Absent),
            (json!({ "jkt": "k" }), Confirmation::Key("k")),
            (json!({ "jkt": "k", "x5t#S256": "x" }), Confirmation::Key("k")),
            (json!({ "x5t#S256": "x" }), Confirmation::Unsupported),
            (json!({ "jkt": "" }), Confirmation::Unsupported),
            (json!({ "jkt": 1 }), Confirmation::Unsupported),
            (json!("x"), Confirmation::Unsupported),
            (json!({}), Confirmation::Unsupported),
        ] {
            let claims = json!({ "cnf": confirmation });
            assert_eq!(Confirmation::read(claims.as_object().unwrap()), expected, "{claims}");
        }
        assert_eq!(Confirmation::read(&Map::new()), Confirmation::Absent);
    }

    #[test]
    fn nonces_are_required_when_enabled() {
        //
        let (verifier, key) = (DpopVerifier::new().with_nonces().unwrap(), TestKey::es256(""));
        assert_eq!(DpopVerifier::new().nonce(), None);
        let nonce = verifier.nonce().unwrap();
        for claims in [json!({}), json!({ "nonce": "x" }), json!({ "nonce": "" }), json!({ "nonce": 1 })] {
            assert_eq!(verify(&verifier, &headers(&key, &json!({}), &claims)), Err(DpopError::UseNonce), "{claims}");
        }
        assert!(verify(&verifier, &headers(&key, &json!({}), &json!({ "nonce": nonce }))).is_ok());
        let hmac_key = verifier.nonce_key.as_ref().unwrap();
        assert!(is_recent_nonce(hmac_key, &nonce_of(hmac_key, 7), 7));
        assert!(is_recent_nonce(hmac_key, &nonce_of(hmac_key, 7), 8));
        assert!(!is_recent_nonce(hmac_key, &nonce_of(hmac_key, 7), 9));
        assert!(!is_recent_nonce(hmac_key, &nonce_of(hmac_key, 8), 7));
    }
}
