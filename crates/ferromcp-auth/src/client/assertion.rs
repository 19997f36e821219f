//! Signs JSON Web Tokens: client assertions (RFC 7523) and DPoP proofs.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::Secret;
use crate::clock::now;
use crate::error::AuthError;
use crate::random::random_text;

/// Lifetime of a client assertion, in seconds.
const LIFETIME: u64 = 60;

/// The algorithm of a [`SigningKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SigningAlgorithm {
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// ECDSA with P-384 and SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl SigningAlgorithm {
    /// Parses the name in JSON Web Tokens, such as `ES256`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "ES256" => Some(Self::Es256),
            "ES384" => Some(Self::Es384),
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            "RS256" => Some(Self::Rs256),
            _ => None,
        }
    }

    /// Returns the name in JSON Web Tokens.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }
}

/// A private key that signs client assertions. `Debug` omits the key.
#[derive(Clone)]
pub struct SigningKey {
    algorithm: SigningAlgorithm,
    id: Option<String>,
    key: Arc<Key>,
}

enum Key {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(Box<RsaKeyPair>),
}

impl SigningKey {
    /// Parses a private key in PKCS #8 PEM format (`BEGIN PRIVATE KEY`).
    ///
    /// # Errors
    /// Fails if the text is not such a key, or the key does not fit the algorithm.
    pub fn from_pem(algorithm: SigningAlgorithm, pem: &str) -> Result<Self, AuthError> {
        let der = der(pem)?;
        let rejected = |error: ring::error::KeyRejected| {
            AuthError::configuration(format!("cannot use the private key for {}", algorithm.as_str()))
                .with_source(error.to_string())
        };
        let random = SystemRandom::new();
        let key = match algorithm {
            SigningAlgorithm::Es256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &random).map(Key::Ecdsa)
            }
            SigningAlgorithm::Es384 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &der, &random).map(Key::Ecdsa)
            }
            SigningAlgorithm::EdDsa => Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map(Key::Ed25519),
            SigningAlgorithm::Rs256 => RsaKeyPair::from_pkcs8(&der).map(|key| Key::Rsa(Box::new(key))),
        };
        Ok(Self { algorithm, id: None, key: Arc::new(key.map_err(rejected)?) })
    }

    /// Sets the ID of the key, which is sent in the header of each assertion (`kid`).
    #[must_use]
    pub fn key_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Returns an assertion that authenticates a client at an authorization server.
    pub(crate) fn client_assertion(&self, client_id: &str, audience: &str) -> Result<Secret, AuthError> {
        let now = now();
        let claims = json!({
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "iat": now,
            "exp": now + LIFETIME,
            "jti": random_text()?,
        });
        let mut header = json!({ "alg": self.algorithm.as_str(), "typ": "JWT" });
        if let Some(id) = &self.id {
            header["kid"] = json!(id);
        }
        sign(&header, &claims, |input| self.key.sign(input)).map(Secret::new)
    }
}

impl Key {
    fn sign(&self, input: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::Ecdsa(key) => Some(key.sign(&random, input).ok()?.as_ref().to_vec()),
            Self::Ed25519(key) => Some(key.sign(input).as_ref().to_vec()),
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, input, &mut signature).ok()?;
                Some(signature)
            }
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("algorithm", &self.algorithm).field("id", &self.id).finish_non_exhaustive()
    }
}

/// Returns a JSON Web Token in compact form.
pub(crate) fn sign(
    header: &Value,
    claims: &Value,
    sign: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
) -> Result<String, AuthError> {
    let encode = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let input = format!("{}.{}", encode(header), encode(claims));
    let signature = sign(input.as_bytes()).ok_or_else(|| AuthError::configuration("cannot sign a JSON Web Token"))?;
    Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// Returns the bytes of a PEM text.
fn der(pem: &str) -> Result<Zeroizing<Vec<u8>>, AuthError> {
    const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
    const END: &str = "-----END PRIVATE KEY-----";
    let body = pem.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END)).map(|(body, _)| body);
    let decoded = body.and_then(|body| {
        let body: Zeroizing<String> = Zeroizing::new(body.split_ascii_whitespace().collect());
        STANDARD.decode(body.as_bytes()).ok()
    });
    decoded.map(Zeroizing::new).ok_or_else(|| {
        AuthError::configuration(
            "the private key is not in PKCS #8 PEM format; convert it with `openssl pkcs8 -topk8 -nocrypt`",
        )
    })
}

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, KeyPair, UnparsedPublicKey};

    use super::*;

    #[test]
    fn assertion_is_signed_and_names_client_and_audience() {
        //
        let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let pem =
            format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()));
        let key = SigningKey::from_pem(SigningAlgorithm::Es256, &pem).unwrap().key_id("k1");
        let assertion = key.client_assertion("client", "https://as").unwrap();
        let (input, signature) = assertion.expose().rsplit_once('.').unwrap();
        let Key::Ecdsa(pair) = &*key.key else { panic!("an EC key") };
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref());
        public.verify(input.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
        let (header, claims) = input.split_once('.').unwrap();
        let decode = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        assert_eq!(decode(header)["kid"], "k1");
        let claims = decode(claims);
        assert_eq!([&claims["iss"], &claims["sub"], &claims["aud"]], ["client", "client", "https://as"]);
        assert!(claims["exp"].as_u64() > claims["iat"].as_u64());
    }

    #[test]
    fn debug_and_errors_omit_the_key() {
        let error = SigningKey::from_pem(SigningAlgorithm::Es256, "s3cret").unwrap_err().to_string();
        assert!(error.contains("openssl pkcs8") && !error.contains("s3cret"), "{error}");
        let pem = format!("-----BEGIN PRIVATE KEY-----{}-----END PRIVATE KEY-----", STANDARD.encode("s3cret"));
        assert!(SigningKey::from_pem(SigningAlgorithm::Rs256, &pem).is_err());
    }
}
