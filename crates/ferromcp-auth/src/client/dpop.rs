//! DPoP: proofs of possession of a key, to which access tokens are bound.
//!
//! Spec: RFC 9449.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use url::Url;

use super::assertion::sign;
use crate::Secret;
use crate::clock::now;
use crate::dpop_headers::NONCE_HEADER;
use crate::error::AuthError;
use crate::random::{random_text, sha256_base64};

/// Maximum length of a nonce, in bytes. Longer nonces are ignored.
const MAX_NONCE: usize = 1024;
/// Maximum number of origins with a nonce.
const MAX_ORIGINS: usize = 16;

/// A key for proofs, and the nonces of the servers. `Debug` omits both.
pub(crate) struct DpopKey {
    key: EcdsaKeyPair,
    /// The key in PKCS #8, for the credential store.
    pkcs8: Secret,
    jwk: Value,
    /// The last nonce of each origin.
    nonces: Mutex<Vec<(String, String)>>,
}

impl DpopKey {
    /// Generates a key.
    pub(crate) fn generate() -> Result<Self, AuthError> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|_| AuthError::configuration("cannot generate a DPoP key"))?;
        Self::from_pkcs8(&Secret::new(URL_SAFE_NO_PAD.encode(document.as_ref())))
            .ok_or_else(|| AuthError::configuration("cannot use a generated DPoP key"))
    }

    /// Loads a key that [`pkcs8`](Self::pkcs8) returned; `None` if it is invalid.
    pub(crate) fn from_pkcs8(pkcs8: &Secret) -> Option<Self> {
        let der = URL_SAFE_NO_PAD.decode(pkcs8.expose()).ok()?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &SystemRandom::new()).ok()?;
        // An uncompressed point: 4, x, y.
        let point = key.public_key().as_ref();
        let (x, y) = point.get(1..65)?.split_at(32);
        let jwk =
            json!({ "crv": "P-256", "kty": "EC", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) });
        Some(Self { key, pkcs8: pkcs8.clone(), jwk, nonces: Mutex::default() })
    }

    /// Returns the key for the credential store.
    pub(crate) fn pkcs8(&self) -> &Secret {
        &self.pkcs8
    }

    /// Returns a proof for a request. `token` is the access token of the request.
    pub(crate) fn proof(&self, method: &str, url: &str, token: Option<&Secret>) -> Result<HeaderValue, AuthError> {
        let mut claims = json!({ "jti": random_text()?, "htm": method, "htu": without_query(url), "iat": now() });
        if let Some(token) = token {
            claims["ath"] = json!(sha256_base64(token.expose().as_bytes()));
        }
        let origin = origin(url);
        if let Some((_, nonce)) = self.nonces().iter().find(|(other, _)| *other == origin) {
            claims["nonce"] = json!(nonce);
        }
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk });
        let signer = |input: &[u8]| Some(self.key.sign(&SystemRandom::new(), input).ok()?.as_ref().to_vec());
        let proof = sign(&header, &claims, signer)?;
        let proof = HeaderValue::from_str(&proof);
        let mut proof = proof.map_err(|_| AuthError::configuration("cannot encode a DPoP proof"))?;
        proof.set_sensitive(true);
        Ok(proof)
    }

    /// Records the nonce of a response. Returns whether it is new.
    pub(crate) fn record_nonce(&self, url: &str, headers: &HeaderMap) -> bool {
        let nonce = headers.get(NONCE_HEADER).and_then(|nonce| nonce.to_str().ok());
        let Some(nonce) = nonce.filter(|nonce| !nonce.is_empty() && nonce.len() <= MAX_NONCE) else { return false };
        let (origin, mut nonces) = (origin(url), self.nonces());
        let old = nonces.iter().position(|(other, _)| *other == origin).map(|i| nonces.swap_remove(i).1);
        if nonces.len() < MAX_ORIGINS {
            nonces.push((origin, nonce.to_owned()));
        }
        old.as_deref() != Some(nonce)
    }

    fn nonces(&self) -> std::sync::MutexGuard<'_, Vec<(String, String)>> {
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for DpopKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DpopKey").finish_non_exhaustive()
    }
}

fn origin(url: &str) -> String {
    Url::parse(url).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
}

/// Returns the URL without query and fragment.
fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    fn claims(proof: &HeaderValue) -> Value {
        let proof = proof.to_str().unwrap();
        let part = proof.split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn proof_is_bound_to_request_token_and_nonce() {
        //
        let key = DpopKey::generate().unwrap();
        let url = "https://h/mcp?secret=1#x";
        let token = Secret::new("token");
        let proof = key.proof("POST", url, Some(&token)).unwrap();
        let first = claims(&proof);
        assert_eq!(format!("{proof:?}"), "Sensitive");
        assert_eq!([&first["htm"], &first["htu"]], ["POST", "https://h/mcp"]);
        assert_eq!(first["ath"], sha256_base64(b"token"));
        assert!(first.get("nonce").is_none());
        let mut headers = HeaderMap::new();
        headers.insert("dpop-nonce", HeaderValue::from_static("n1"));
        assert!(key.record_nonce(url, &headers) && !key.record_nonce(url, &headers));
        let second = claims(&key.proof("POST", url, None).unwrap());
        assert_eq!(second["nonce"], "n1");
        assert_ne!(first["jti"], second["jti"]);
        // A nonce is sent to its origin only.
        assert!(claims(&key.proof("POST", "https://other/", None).unwrap()).get("nonce").is_none());
        let (input, signature) = proof.to_str().unwrap().rsplit_once('.').unwrap();
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.key.public_key().as_ref());
        public.verify(input.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    }

    #[test]
    fn key_is_restored_from_the_store() {
        let key = DpopKey::generate().unwrap();
        assert_eq!(DpopKey::from_pkcs8(key.pkcs8()).unwrap().jwk, key.jwk);
        assert!(DpopKey::from_pkcs8(&Secret::new("x")).is_none());
        assert_eq!(format!("{key:?}"), "DpopKey { .. }");
    }
}
