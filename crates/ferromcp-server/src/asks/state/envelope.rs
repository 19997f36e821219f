//! The seal: XChaCha20-Poly1305 under a key of the ring, with its header as associated data.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | the version of this format |
//! | 4 | the key's id |
//! | 24 | a random nonce; with so many bytes, none comes twice |
//! | the rest | what is sealed, and 16 bytes of tag |
//!
//! Method: <https://datatracker.ietf.org/doc/html/draft-irtf-cfrg-xchacha>.

use std::io;

use chacha20poly1305::{AeadInOut as _, KeyInit as _, XChaCha20Poly1305};

use super::error::Refused;
use super::key::{Key, KeyId};
use super::ring::KeyRing;

const VERSION: u8 = 1;

const NONCE: usize = 24;

const TAG: usize = 16;

const HEADER: usize = 1 + size_of::<KeyId>() + NONCE;

/// What a seal adds to the bytes in it.
pub(super) const COST: usize = HEADER + TAG;

/// What is sealed; one is never taken for the other.
#[derive(Clone, Copy)]
pub(super) enum Kind<'a> {
    /// A state on the wire.
    Wire,
    /// A journal in the store, under its id: a store that mixes up two of them does not get far.
    Kept(&'a [u8]),
}

/// Seals `plain`.
pub(super) fn seal(key: &Key, kind: Kind<'_>, plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).map_err(io::Error::other)?;
    let mut sealed = Vec::with_capacity(COST + plain.len());
    sealed.push(VERSION);
    sealed.extend_from_slice(&key.id());
    sealed.extend_from_slice(&nonce);
    let about = kind.about(&sealed);
    sealed.extend_from_slice(plain);
    let body = &mut sealed[HEADER..];
    let tag = cipher(key).encrypt_inout_detached((&nonce).into(), &about, body.into());
    let tag = tag.map_err(|_| io::Error::other("what should be sealed is beyond what the cipher takes"))?;
    sealed.extend_from_slice(&tag);
    Ok(sealed)
}

/// Opens what [`seal`] made.
pub(super) fn open(ring: &KeyRing, kind: Kind<'_>, sealed: &[u8]) -> Result<Vec<u8>, Refused> {
    let (version, rest) = sealed.split_first().ok_or(Refused::Altered)?;
    if *version != VERSION {
        return Err(Refused::UnknownVersion(*version));
    }
    let (id, rest) = rest.split_first_chunk::<{ size_of::<KeyId>() }>().ok_or(Refused::Altered)?;
    let (nonce, rest) = rest.split_first_chunk::<NONCE>().ok_or(Refused::Altered)?;
    let (body, tag) = rest.split_last_chunk::<TAG>().ok_or(Refused::Altered)?;
    let keys = ring.named(*id);
    if keys.is_empty() {
        return Err(Refused::UnknownKey(*id));
    }
    let about = kind.about(&sealed[..HEADER]);
    for key in keys {
        let mut plain = body.to_vec();
        if cipher(&key).decrypt_inout_detached(nonce.into(), &about, plain.as_mut_slice().into(), tag.into()).is_ok() {
            return Ok(plain);
        }
    }
    Err(Refused::Altered)
}

impl Kind<'_> {
    /// The associated data.
    fn about(self, header: &[u8]) -> Vec<u8> {
        let (purpose, id): (&[u8], &[u8]) = match self {
            Self::Wire => (b"ferromcp request state: wire", &[]),
            Self::Kept(id) => (b"ferromcp request state: kept", id),
        };
        [purpose, id, header].concat()
    }
}

/// The cipher under a key; it wipes its copy of the key when it is dropped.
fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.sealing().into())
}
