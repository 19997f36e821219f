//! [`ClientSecretDigest`]: the stored form of a client secret.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::Secret;
use crate::random::sha256_base64;

/// The length of a SHA-256 digest in base64url, in characters.
const DIGEST_CHARS: usize = 43;

/// The SHA-256 digest of a client secret, so that a copy of the database does not contain the secret.
///
/// The secrets of clients that register dynamically have 256 random bits. A secret that the operator chooses must be
/// random too: the digest of a short secret can be reversed. `Debug` omits the digest. It serializes as base64url (43
/// characters).
///
/// ```
/// use ferromcp_auth::authorization_server::{ClientAuthentication, ClientSecretDigest, RegisteredClient};
///
/// # let secret = "6Pz0zqWmQyD3sYVu5Rr2b1WcXl9NfK8eTtHgJoAiUwE";
/// let mut client = RegisteredClient::new("backend", ["https://example.com/callback"]);
/// client.auth_method = ClientAuthentication::ClientSecretBasic;
/// client.client_secret = Some(ClientSecretDigest::of(secret));
/// ```
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ClientSecretDigest(String);

impl ClientSecretDigest {
    /// Creates the digest of a secret.
    pub fn of(secret: impl Into<Secret>) -> Self {
        let secret: Secret = secret.into();
        Self(sha256_base64(secret.expose().as_bytes()))
    }

    /// Returns whether this is the digest of a secret. Only digests are compared, so that the time of the comparison
    /// discloses nothing about the secret.
    pub fn is_of(&self, secret: &str) -> bool {
        self.0 == sha256_base64(secret.as_bytes())
    }
}

impl<'de> Deserialize<'de> for ClientSecretDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() != DIGEST_CHARS {
            return Err(serde::de::Error::custom("not the digest of a client secret: expected 43 characters"));
        }
        Ok(Self(text))
    }
}

impl fmt::Debug for ClientSecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecretDigest(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_survives_serialization_and_does_not_contain_the_secret() {
        let digest = ClientSecretDigest::of("a-s3cret");
        assert!(digest.is_of("a-s3cret") && !digest.is_of("a-s3cre") && !digest.is_of(&digest.0));
        let json = serde_json::to_string(&digest).unwrap();
        assert!(
            json.len() == DIGEST_CHARS + 2 && !json.contains("s3cret") && !format!("{digest:?}").contains(&digest.0)
        );
        assert!(serde_json::from_str::<ClientSecretDigest>(&json).unwrap() == digest);
        // A secret in plain text, from another store.
        assert!(serde_json::from_str::<ClientSecretDigest>("\"a-s3cret\"").is_err());
    }
}
