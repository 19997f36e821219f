//! A key that seals request states.

use std::fmt;
use std::io;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// The bytes of a key.
const BYTES: usize = 32;

/// Base64 with or without its padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The shape that [`Key::parse`] reads, for its errors.
const SHAPE: &str = "64 hexadecimal digits, or 32 bytes in base64";

/// A key of 256 bits. It is not shown by `Debug`, and wiped from memory when it is dropped.
///
/// ```
/// use ferromcp_server::asks::state::Key;
///
/// let key = Key::from_secret(b"a long text that only the fleet knows")?;
/// assert_eq!(format!("{key:?}"), "Key(..)");
/// # Ok::<_, ferromcp_server::asks::state::KeyError>(())
/// ```
pub struct Key {
    /// What seals: never the key itself, so that one which is used elsewhere too does not do two things. In a box,
    /// so that moving the key leaves no copies.
    sealing: Box<Zeroizing<[u8; BYTES]>>,
    id: KeyId,
}

/// Names a key in what it sealed, and tells nothing of it.
pub(super) type KeyId = [u8; 4];

/// Why a text or a secret makes no key. It does not hold what was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The secret has so few bytes.
    TooShort(usize),
    /// The text has none of the shapes that are read.
    Unreadable,
}

impl Key {
    /// A key of 32 bytes that nobody can guess. They should be random; of a text, use [`from_secret`](Self::from_secret).
    pub fn new(bytes: [u8; BYTES]) -> Self {
        Self::of(&Zeroizing::new(bytes))
    }

    /// A key made of a secret of 32 bytes or more, for example one that other parts of the deployment have already.
    pub fn from_secret(secret: &[u8]) -> Result<Self, KeyError> {
        if secret.len() < BYTES {
            return Err(KeyError::TooShort(secret.len()));
        }
        Ok(Self::of(&derived("ferromcp request state: key of a secret", secret)))
    }

    /// Reads a key: 64 hexadecimal digits, or 32 bytes in base64 or base64url. Space around it is left out, so the
    /// line of a file will do.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.trim().as_bytes();
        let mut bytes = Zeroizing::new([0; BYTES]);
        if text.len() == 2 * BYTES { unhex(text, &mut bytes) } else { unbase64(text, &mut bytes) }
            .ok_or(KeyError::Unreadable)?;
        Ok(Self::of(&bytes))
    }

    /// A new key, known to nobody else.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn random() -> io::Result<Self> {
        let mut bytes = Zeroizing::new([0; BYTES]);
        getrandom::fill(bytes.as_mut_slice()).map_err(io::Error::other)?;
        Ok(Self::of(&bytes))
    }

    fn of(bytes: &Zeroizing<[u8; BYTES]>) -> Self {
        let named = derived("ferromcp request state: key id", bytes.as_slice());
        let mut id = KeyId::default();
        id.copy_from_slice(&named[..size_of::<KeyId>()]);
        Self { sealing: Box::new(derived("ferromcp request state: seal", bytes.as_slice())), id }
    }

    /// The name of the key.
    pub(super) fn id(&self) -> KeyId {
        self.id
    }

    /// The bytes that seal.
    pub(super) fn sealing(&self) -> &[u8; BYTES] {
        &self.sealing
    }

    /// Whether this is the same key.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.sealing == other.sealing // both are the operator's; no peer sees how long it takes
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort(bytes) => write!(f, "a secret of {bytes} bytes is too short; give {BYTES} or more"),
            Self::Unreadable => write!(f, "this is no key; give {SHAPE}"),
        }
    }
}

impl std::error::Error for KeyError {}

/// 32 bytes made of a secret for one purpose.
fn derived(purpose: &str, secret: &[u8]) -> Zeroizing<[u8; BYTES]> {
    let hash = Sha256::new().chain_update(purpose).chain_update([0]).chain_update(secret).finalize();
    Zeroizing::new(hash.into())
}

fn unhex(text: &[u8], bytes: &mut [u8; BYTES]) -> Option<()> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(())
}

fn unbase64(text: &[u8], bytes: &mut [u8; BYTES]) -> Option<()> {
    // 43 characters and one of padding; the engine wants room for 33 bytes.
    let (mut plain, mut room) = (Zeroizing::new([0; 44]), Zeroizing::new([0; 33]));
    let plain = plain.get_mut(..text.len())?;
    for (to, from) in plain.iter_mut().zip(text) {
        *to = match from {
            b'-' => b'+',
            b'_' => b'/',
            other => *other,
        };
    }
    let length = BASE64.decode_slice(&*plain, room.as_mut_slice()).ok()?;
    bytes.copy_from_slice(room.get(..length).filter(|read| read.len() == BYTES)?);
    Some(())
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};

    use super::*;

    #[test]
    fn keys_are_read_in_all_the_shapes_that_are_promised() {
        let bytes: [u8; 32] = std::array::from_fn(|n| u8::try_from(n * 8 + 3).unwrap());
        let hex = bytes.map(|byte| format!("{byte:02x}")).concat();
        let padded = STANDARD.encode([0xfb; 32]);
        assert!(padded.contains('+') && padded.ends_with('='), "{padded}");
        for (text, bytes) in [
            (hex.clone(), bytes),
            (format!("  {}\n", hex.to_uppercase()), bytes),
            (STANDARD.encode(bytes), bytes),
            (URL_SAFE_NO_PAD.encode(bytes), bytes),
            (padded.clone(), [0xfb; 32]),
            (padded.trim_end_matches('=').to_owned(), [0xfb; 32]),
            (URL_SAFE.encode([0xfb; 32]), [0xfb; 32]),
        ] {
            assert!(Key::parse(&text).unwrap().is(&Key::new(bytes)), "{text}");
        }
        for text in ["", "=", &hex[1..], &format!("{hex}0"), &"é".repeat(32), &padded[1..], &padded.repeat(2), "+_+_"]
        {
            assert_eq!(Key::parse(text).unwrap_err(), KeyError::Unreadable, "{text}");
        }
        assert_eq!(Key::from_secret(&[7; 31]).unwrap_err(), KeyError::TooShort(31));
        let secret = Key::from_secret(&[7; 32]).unwrap();
        assert!(!secret.is(&Key::new([7; 32])), "a secret is not the key itself");
        assert!(secret.is(&Key::from_secret(&[7; 32]).unwrap()));
        assert!(!Key::random().unwrap().is(&Key::random().unwrap()));
    }
}
