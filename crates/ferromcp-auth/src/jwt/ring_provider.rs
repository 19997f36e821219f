//! Verification of signatures by `ring`, as a cryptography provider of `jsonwebtoken`.
//!
//! A provider that the application has installed is used instead. This one is not installed, so that the application
//! can install another at any time.

use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result, new_error};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use signature::Verifier;

/// The provider. It verifies signatures; it neither signs nor converts keys.
static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(new_error(ErrorKind::UnsupportedAlgorithm)),
    verifier_factory: |algorithm, key| verifier(*algorithm, key),
    key_utils: KeyUtils::new_unimplemented(),
};

/// Returns whether a signature is valid. `false` also if the key does not fit the algorithm.
pub(crate) fn is_valid_signature(algorithm: Algorithm, key: &DecodingKey, message: &[u8], signature: &Vec<u8>) -> bool {
    let provider = CryptoProvider::try_get_default().unwrap_or(&PROVIDER);
    (provider.verifier_factory)(&algorithm, key).is_ok_and(|verifier| verifier.verify(message, signature).is_ok())
}

fn verifier(algorithm: Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    if key.family() != algorithm.family() {
        return Err(new_error(ErrorKind::InvalidKeyFormat));
    }
    if algorithm.family() == AlgorithmFamily::Hmac {
        return Err(new_error(ErrorKind::UnsupportedAlgorithm));
    }
    Ok(Box::new(RingVerifier { algorithm, key: key.clone() }))
}

struct RingVerifier {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl RingVerifier {
    fn rsa_parameters(&self) -> Option<&'static RsaParameters> {
        Some(match self.algorithm {
            Algorithm::RS256 => &RSA_PKCS1_2048_8192_SHA256,
            Algorithm::RS384 => &RSA_PKCS1_2048_8192_SHA384,
            Algorithm::RS512 => &RSA_PKCS1_2048_8192_SHA512,
            Algorithm::PS256 => &RSA_PSS_2048_8192_SHA256,
            Algorithm::PS384 => &RSA_PSS_2048_8192_SHA384,
            Algorithm::PS512 => &RSA_PSS_2048_8192_SHA512,
            _ => return None,
        })
    }

    fn verification(&self) -> Option<&'static dyn VerificationAlgorithm> {
        Some(match self.algorithm {
            Algorithm::ES256 => &ECDSA_P256_SHA256_FIXED,
            Algorithm::ES384 => &ECDSA_P384_SHA384_FIXED,
            Algorithm::EdDSA => &ED25519,
            _ => return self.rsa_parameters().map(|parameters| parameters as &dyn VerificationAlgorithm),
        })
    }

    fn is_valid(&self, message: &[u8], signature: &[u8]) -> bool {
        match self.key.kind() {
            DecodingKeyKind::RsaModulusExponent { n, e } => self.rsa_parameters().is_some_and(|parameters| {
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature).is_ok()
            }),
            DecodingKeyKind::SecretOrDer(key) => self.verification().is_some_and(|algorithm| {
                UnparsedPublicKey::new(algorithm, key.as_slice()).verify(message, signature).is_ok()
            }),
        }
    }
}

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), signature::Error> {
        if self.is_valid(message, signature) { Ok(()) } else { Err(signature::Error::new()) }
    }
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_and_keys_of_other_families_are_refused() {
        let secret = DecodingKey::from_secret(b"secret").unwrap();
        assert!(verifier(Algorithm::HS256, &secret).is_err());
        assert!(verifier(Algorithm::RS256, &secret).is_err());
        assert!(verifier(Algorithm::ES256, &DecodingKey::from_ed_der(&[0; 32])).is_err());
    }

    #[test]
    fn malformed_keys_and_signatures_are_not_valid() {
        for key in [DecodingKey::from_ec_der(&[]), DecodingKey::from_ec_der(&[4; 65])] {
            assert!(!is_valid_signature(Algorithm::ES256, &key, b"message", &vec![0; 64]));
        }
        let rsa = DecodingKey::from_rsa_raw_components(&[0xff; 256], &[1, 0, 1]);
        assert!(!is_valid_signature(Algorithm::RS256, &rsa, b"message", &vec![0; 256]));
        assert!(!is_valid_signature(Algorithm::RS256, &DecodingKey::from_rsa_der(&[1]), b"message", &Vec::new()));
        assert!(!is_valid_signature(Algorithm::EdDSA, &DecodingKey::from_ed_der(&[0; 32]), b"message", &vec![0; 64]));
    }
}
