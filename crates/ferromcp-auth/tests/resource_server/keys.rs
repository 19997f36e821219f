//! Key pairs, and tokens that are signed with them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
    RSA_PSS_SHA512, RsaEncoding, RsaKeyPair, RsaPublicKeyComponents,
};
use serde_json::{Value, json};

/// An RSA key with 2048 bits, for tests only.
const RSA_PKCS8: &str = "\
    MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCmIwOxocfxqlvXQHi+X4XyYKuUua3iEKH7k2SV+8p+HzZZQnE3I2foQYvj\
    zvEnIkmmbni+TwIPsA9RXCnS+642/DSNIVxLb9XyXQBP8oZloDLsC4QNc3n4iaLrajdunn7ucCLZNe3PJ7CtU+orbobvbjbthlC1iuWfMhYe\
    vaM8YHtJ1EqqtTOTnnHqgzjmtMvf2/h9b8E5G4JDlJHbphpeLbzU93RItErI2ed0f/l0W+DtZ2ylWoSrP9FIsidML3eZSywTX1PlaEK9PbAF\
    PVcPoLlIuPfBe7xBTEyoLmWyEXWIDD+eiNFI/xZDvIc/VVC+ILv+3Kblyw2NUYHp5rsfAgMBAAECggEAA7fVFwfqj4W2ad7tmz9/btK4ber2\
    SypmVAwftdzKOQz3kume2tLy7UQ8qyI2mTkchXO233XcmaXhJq5I2b0I0GTP9xHP9nijKzoaNGMJnFzVXVBoQ3YAcBsCDegbihRUlxjkXSpM\
    6OELBH4HYUx0Czsf68XtqK2nAOtgI/T7iIs/ZU2MeHjDEEGzQICLuMGUz681otlAW5j94uJg4ex+phwfnWxRhpr0yWehDoS9oW/gMD9kSAUl\
    0nxsGWvi5xu0knoZE68M+h2/qicNuWkony6zCdc9Ja8EE0zQZ8pnjYoXM4ZzX/vKPeixymDkakKUyDYBRZmBm7Hb6SFsb3l1dQKBgQDRgjTF\
    2SAd9vSUEC4rHEyJMmKPGLMErzv8anNpreFgjvEMA9tgv5WErsNDbyRNzc298m6VNwpX3vfaSAEzqtlq0cIO4zhYp+5KpvRpe9kcHMRJCYly\
    ozghvw5p+Jrx0ukOts2CU276IAKNRbx6WJYcX0Fjdz9cufebGUJtTgpmnQKBgQDLAO9ObZB84onxBGEyotIbrHDbBv5CG0reYTnF6Von0n0F\
    uR8xKyrsXkL2qHM5m+yuat/BPp+Vf+Bk/bn9G9hrGtCG6TszPSPsaPad4iqS0rlr+yLH0vSzU2WKVQWqO9TtxSPpkY1QDDc3T72w20NBW5xc\
    G2cKdp9qUlBmXUnd6wKBgDJtIoKUVhSgQhH5KwOZVhqXk/1ZNo1kGA4TGSBQh7ST8xSvQPgyZKyA2+K5N4W6iVC0r0Ue8FBiDEnvlsp2zsnV\
    Ht4ydndwQ/yX3rAc7Q7FJcFmmDyNaI9GyxNakQCvgQTXnvNFXaq6VaLnLAxOkiLWEoj8RLXu1Nfx5nkklYBJAoGBAJ7mnWszggzvOnBpMDf1\
    kSdORIx9ndpbCLCnRBSxwvs23Nv0+wB+vLuGUT5HvuHSNmKUj47xGPNpxFjo7oO8Hxw/QgjIWamS6yKrSpdtKEwDHFb0nlXxv876sZmlUajd\
    6p8vWBwE7atB1Jq8FUxxZOSs8+h5Hp/nGIOd6QcncKF/AoGAXdWuGKqMmeG1UM470kNBYjnemHzCAuieAAyc2QzaOMrUA59hqZqaCSpOyBhs\
    K6z/bh3JMQ/zb6+zMcpDTvr7Yh1ROEKWlJ/58snuif+XY3CUV8PWif+wor7231vS8fUVYckE1IWlQZI0t2c3J8de4j0phojOH1rjWlnqH9xY\
    7Mg=\
";

/// A key pair with an ID.
pub(crate) struct Key {
    pub(crate) id: &'static str,
    algorithm: &'static str,
    pair: Pair,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(Box<RsaKeyPair>, &'static dyn RsaEncoding),
}

impl Key {
    /// Generates a key. RSA keys are always the same.
    pub(crate) fn new(id: &'static str, algorithm: &'static str) -> Self {
        let pair = match algorithm {
            "ES256" => ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING),
            "ES384" => ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING),
            "EdDSA" => {
                let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
                Pair::Ed25519(Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap())
            }
            _ => {
                let encoding: &'static dyn RsaEncoding = match algorithm {
                    "RS256" => &RSA_PKCS1_SHA256,
                    "RS384" => &RSA_PKCS1_SHA384,
                    "RS512" => &RSA_PKCS1_SHA512,
                    "PS256" => &RSA_PSS_SHA256,
                    "PS384" => &RSA_PSS_SHA384,
                    "PS512" => &RSA_PSS_SHA512,
                    _ => panic!("unknown algorithm {algorithm}"),
                };
                let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(RSA_PKCS8).unwrap()).unwrap();
                Pair::Rsa(Box::new(pair), encoding)
            }
        };
        Self { id, algorithm, pair }
    }

    pub(crate) fn public_bytes(&self) -> Vec<u8> {
        match &self.pair {
            Pair::Ecdsa(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
            Pair::Rsa(pair, _) => pair.public_key().as_ref().to_vec(),
        }
    }

    /// Returns the public key without ID.
    pub(crate) fn bare_jwk(&self) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match &self.pair {
            Pair::Ecdsa(pair) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let curve = if self.algorithm == "ES256" { "P-256" } else { "P-384" };
                json!({ "crv": curve, "kty": "EC", "x": encode(x), "y": encode(y) })
            }
            Pair::Ed25519(pair) => json!({ "crv": "Ed25519", "kty": "OKP", "x": encode(pair.public_key().as_ref()) }),
            Pair::Rsa(pair, _) => {
                let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                json!({ "e": encode(&public.e), "kty": "RSA", "n": encode(&public.n) })
            }
        }
    }

    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = self.bare_jwk();
        jwk["kid"] = json!(self.id);
        jwk["use"] = json!("sig");
        jwk
    }

    /// Returns the thumbprint: RFC 7638.
    pub(crate) fn thumbprint(&self) -> String {
        sha256(self.bare_jwk().to_string().as_bytes())
    }

    /// Signs a token. Fields of `header` replace `alg`, `kid` and `typ`.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let mut fields = json!({ "alg": self.algorithm, "kid": self.id, "typ": "at+jwt" });
        for (name, value) in header.as_object().unwrap() {
            fields[name] = value.clone();
        }
        let message = message(&fields, claims);
        let random = SystemRandom::new();
        let signature = match &self.pair {
            Pair::Ecdsa(pair) => pair.sign(&random, message.as_bytes()).unwrap().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(message.as_bytes()).as_ref().to_vec(),
            Pair::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(*encoding, &random, message.as_bytes(), &mut signature).unwrap();
                signature
            }
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Returns a proof of possession for a request. Fields of `claims` replace correct ones.
    pub(crate) fn proof(&self, method: &str, url: &str, token: &str, claims: &Value) -> String {
        let mut fields = json!({
            "jti": sha256(&ring::rand::generate::<[u8; 16]>(&SystemRandom::new()).unwrap().expose()),
            "htm": method, "htu": url, "iat": now(), "ath": sha256(token.as_bytes()),
        });
        for (name, value) in claims.as_object().unwrap() {
            fields[name] = value.clone();
        }
        self.sign(&json!({ "typ": "dpop+jwt", "jwk": self.bare_jwk() }), &fields)
    }
}

fn ecdsa(algorithm: &'static EcdsaSigningAlgorithm) -> Pair {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    Pair::Ecdsa(EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap())
}

/// Returns the part of a token that is signed.
pub(crate) fn message(header: &Value, claims: &Value) -> String {
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    format!("{header}.{claims}")
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, bytes))
}

pub(crate) fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}
