//! Key pairs for tests.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

/// A key pair with an ID, which may be empty.
pub(crate) struct TestKey {
    id: &'static str,
    pair: Pair,
}

enum Pair {
    Es256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl TestKey {
    pub(crate) fn es256(id: &'static str) -> Self {
        let (random, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self { id, pair: Pair::Es256(EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap()) }
    }

    pub(crate) fn ed25519(id: &'static str) -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self { id, pair: Pair::Ed25519(Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap()) }
    }

    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Es256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                let [x, y] = [x, y].map(|part| URL_SAFE_NO_PAD.encode(part));
                json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y })
            }
            Pair::Ed25519(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(pair.public_key()) })
            }
        };
        if !self.id.is_empty() {
            jwk["kid"] = json!(self.id);
        }
        jwk
    }

    /// Signs a token. Fields of `header` replace `alg` and `kid`; fields with `null` are removed.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let alg = if matches!(self.pair, Pair::Es256(_)) { "ES256" } else { "EdDSA" };
        let mut fields = json!({ "alg": alg });
        if !self.id.is_empty() {
            fields["kid"] = json!(self.id);
        }
        for (name, value) in header.as_object().unwrap() {
            fields[name] = value.clone();
        }
        fields.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let [header, claims] = [&fields, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let message = format!("{header}.{claims}");
        let signature = match &self.pair {
            Pair::Es256(pair) => pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(message.as_bytes()).as_ref().to_vec(),
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}
