//! Encryption of credential files.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::error::AuthError;

/// The size of a key, in bytes.
const KEY_BYTES: usize = 32;

/// A key that encrypts the files of a [`FileStore`](super::FileStore) (AES-256-GCM). `Debug` omits the key. Cloning is cheap.
#[derive(Clone)]
pub struct StoreKey(Arc<LessSafeKey>);

impl StoreKey {
    /// Creates a key from 32 random bytes.
    ///
    /// # Errors
    /// Fails if the length is not 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, AuthError> {
        let key = UnboundKey::new(&AES_256_GCM, bytes)
            .map_err(|_| AuthError::store(format!("a store key has {KEY_BYTES} bytes, not {}", bytes.len())))?;
        Ok(Self(Arc::new(LessSafeKey::new(key))))
    }

    /// Creates a random key.
    ///
    /// # Errors
    /// Fails if the system has no random numbers.
    pub fn generate() -> Result<Self, AuthError> {
        Self::from_bytes(&*random_key()?)
    }

    /// Encrypts a record. `context` is authenticated too.
    pub(super) fn seal(&self, context: &str, record: &[u8]) -> Result<String, AuthError> {
        let failed = || AuthError::store("cannot encrypt credentials");
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|_| failed())?;
        let mut sealed = record.to_vec();
        let aad = Aad::from(context.as_bytes());
        self.0.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed).map_err(|_| failed())?;
        Ok(STANDARD.encode([&nonce[..], &sealed].concat()))
    }

    /// Decrypts a record; `None` if it was encrypted with another key or was changed.
    pub(super) fn open(&self, context: &str, sealed: &str) -> Option<Zeroizing<Vec<u8>>> {
        let sealed = STANDARD.decode(sealed).ok()?;
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut record = Zeroizing::new(sealed.to_vec());
        let aad = Aad::from(context.as_bytes());
        let length = self.0.open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut record).ok()?.len();
        record.truncate(length);
        Some(record)
    }
}

pub(crate) fn random_key() -> Result<Zeroizing<[u8; KEY_BYTES]>, AuthError> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    getrandom::fill(&mut *key)
        .map_err(|error| AuthError::store("cannot get random numbers").with_source(error.to_string()))?;
    Ok(key)
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_is_opened_only_with_the_same_key_and_context() {
        //
        let key = StoreKey::generate().unwrap();
        let sealed = key.seal("https://a/mcp", b"s3cret").unwrap();
        assert_ne!(sealed, key.seal("https://a/mcp", b"s3cret").unwrap(), "the nonce is random");
        assert_eq!(&**key.open("https://a/mcp", &sealed).unwrap(), b"s3cret");
        assert!(key.open("https://b/mcp", &sealed).is_none());
        assert!(StoreKey::generate().unwrap().open("https://a/mcp", &sealed).is_none());
        for damaged in ["", "AAAA", &sealed[4..], "!"] {
            assert!(key.open("https://a/mcp", damaged).is_none(), "{damaged}");
        }
        assert!(StoreKey::from_bytes(&[0; 31]).is_err());
        assert_eq!(format!("{key:?}"), "StoreKey(..)");
    }
}
