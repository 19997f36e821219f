//! Authenticated encryption of request states: XChaCha20-Poly1305 with the header as associated data.
//!
//! | bytes | contents |
//! |---|---|
//! | 1 | format version |
//! | 4 | key id |
//! | 24 | random nonce; collisions are negligible at this length |
//! | rest | ciphertext, and a 16-byte tag |
//!
//! Method: <https://datatracker.ietf.org/doc/html/draft-irtf-cfrg-xchacha>.

use std::io;

use orion::hazardous::aead::xchacha20poly1305::{self as cipher, Nonce, SecretKey};

use super::error::OpenError;
use super::key::{Key, KeyId};
use super::key_ring::KeyRing;

const VERSION: u8 = 1;

const NONCE: usize = 24;

const TAG: usize = 16;

const HEADER: usize = 1 + size_of::<KeyId>() + NONCE;

/// Length that sealing adds to the plaintext, in bytes.
pub(super) const OVERHEAD: usize = HEADER + TAG;

/// The purpose of sealed data, which is part of the associated data. One kind cannot be opened as the other.
#[derive(Clone, Copy)]
pub(super) enum Kind<'a> {
    /// A `requestState`.
    Wire,
    /// A journal in the store, bound to its id, so that swapped store entries are detected.
    Stored(&'a [u8]),
}

/// Encrypts `plain` with a random nonce.
pub(super) fn seal(key: &Key, kind: Kind<'_>, plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).map_err(io::Error::other)?;
    let mut sealed = Vec::with_capacity(OVERHEAD + plain.len());
    sealed.push(VERSION);
    sealed.extend_from_slice(&key.id());
    sealed.extend_from_slice(&nonce);
    let associated_data = kind.associated_data(&sealed);
    sealed.resize(OVERHEAD + plain.len(), 0);
    cipher::seal(&secret(key)?, &Nonce::from(nonce), plain, Some(&associated_data), &mut sealed[HEADER..])
        .map_err(|_| io::Error::other("the plaintext exceeds the limit of the cipher"))?;
    Ok(sealed)
}

/// Decrypts and authenticates data from [`seal`].
pub(super) fn open(ring: &KeyRing, kind: Kind<'_>, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
    let (version, rest) = sealed.split_first().ok_or(OpenError::Altered)?;
    if *version != VERSION {
        return Err(OpenError::UnknownVersion(*version));
    }
    let (id, rest) = rest.split_first_chunk::<{ size_of::<KeyId>() }>().ok_or(OpenError::Altered)?;
    let (nonce, rest) = rest.split_first_chunk::<NONCE>().ok_or(OpenError::Altered)?;
    let length = rest.len().checked_sub(TAG).ok_or(OpenError::Altered)?;
    let keys = ring.named(*id);
    if keys.is_empty() {
        return Err(OpenError::UnknownKey(*id));
    }
    let associated_data = kind.associated_data(&sealed[..HEADER]);
    for key in keys {
        let Ok(secret) = secret(&key) else { continue };
        let mut plain = vec![0; length];
        if cipher::open(&secret, &Nonce::from(*nonce), rest, Some(&associated_data), &mut plain).is_ok() {
            return Ok(plain);
        }
    }
    Err(OpenError::Altered)
}

impl Kind<'_> {
    /// Returns the associated data.
    fn associated_data(self, header: &[u8]) -> Vec<u8> {
        let (purpose, id): (&[u8], &[u8]) = match self {
            Self::Wire => (b"ferromcp request state: wire", &[]),
            Self::Stored(id) => (b"ferromcp request state: kept", id),
        };
        [purpose, id, header].concat()
    }
}

/// Copies a key for the cipher, which zeroizes its copy on drop.
fn secret(key: &Key) -> io::Result<SecretKey> {
    SecretKey::from_slice(key.sealing()).map_err(|_| io::Error::other("the key has the wrong length"))
}
