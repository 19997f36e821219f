//! Signs JSON Web Tokens with ES256.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

pub(crate) struct SigningKey {
    key: EcdsaKeyPair,
    pub(crate) jwk: Value,
}

impl SigningKey {
    pub(crate) fn generate() -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
        let (x, y) = key.public_key().as_ref()[1..65].split_at(32);
        let jwk = json!({
            "crv": "P-256", "kty": "EC", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        });
        Self { key, jwk }
    }

    /// Returns the key set.
    pub(crate) fn jwks(&self) -> Value {
        let mut jwk = self.jwk.clone();
        jwk["kid"] = json!("1");
        jwk["alg"] = json!("ES256");
        json!({ "keys": [jwk] })
    }

    pub(crate) fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.jwk.to_string().as_bytes()))
    }

    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let input = format!("{header}.{claims}");
        let signature = self.key.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Signs claims with a media type.
    pub(crate) fn token(&self, kind: &str, claims: &Value) -> String {
        self.sign(&json!({ "typ": kind, "alg": "ES256", "kid": "1" }), claims)
    }

    /// Returns a DPoP proof for the token endpoint.
    pub(crate) fn proof(&self, id: &str, url: &str) -> String {
        let claims = json!({ "jti": id, "htm": "POST", "htu": url, "iat": crate::provider::now() });
        self.sign(&json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk }), &claims)
    }
}
