//! An encryption key of request states.

use std::fmt;
use std::io;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::digest::sha256;

/// Length of a key in bytes.
const BYTES: usize = 32;

/// Base64 with optional padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The formats that [`Key::parse`] accepts, for error messages.
const SHAPE: &str = "64 hexadecimal digits, or 32 bytes in base64";

/// A 256-bit key. `Debug` does not show it, and it is zeroed on drop.
///
/// ```
/// use ferromcp_server::Key;
///
/// let key = Key::from_secret(b"a long text that only the fleet knows")?;
/// assert_eq!(format!("{key:?}"), "Key(..)");
/// # Ok::<_, ferromcp_server::KeyError>(())
/// ```
pub struct Key {
    /// The derived encryption key. Derivation separates it from other uses of the same secret. Boxed, so that moving
    /// the key does not leave copies in memory.
    sealing: Box<Zeroizing<[u8; BYTES]>>,
    id: KeyId,
}

/// Identifies a key in a sealed state without revealing it.
pub(super) type KeyId = [u8; 4];

/// The error of parsing or deriving a key. It does not contain the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The secret is too short; its length in bytes.
    TooShort(usize),
    /// The text has no supported format.
    Unreadable,
}

impl Key {
    /// Creates a key from 32 random bytes. For text, use [`from_secret`](Self::from_secret).
    pub fn new(bytes: [u8; BYTES]) -> Self {
        Self::of(&Zeroizing::new(bytes))
    }

    /// Derives a key from a secret of at least 32 bytes, such as an existing deployment secret.
    ///
    /// # Errors
    /// Fails if the secret is shorter than 32 bytes.
    pub fn from_secret(secret: &[u8]) -> Result<Self, KeyError> {
        if secret.len() < BYTES {
            return Err(KeyError::TooShort(secret.len()));
        }
        Ok(Self::of(&derived("ferromcp request state: key of a secret", secret)))
    }

    /// Parses a key: 64 hexadecimal digits, or 32 bytes in base64 or base64url. Surrounding whitespace is ignored.
    ///
    /// # Errors
    /// Fails if the text has another format.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.trim().as_bytes();
        let mut bytes = Zeroizing::new([0; BYTES]);
        if text.len() == 2 * BYTES { unhex(text, &mut bytes) } else { unbase64(text, &mut bytes) }
            .ok_or(KeyError::Unreadable)?;
        Ok(Self::of(&bytes))
    }

    /// Generates a random key.
    ///
    /// # Errors
    /// Fails if the system's random number generator fails.
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

    /// Returns the id of the key.
    pub(super) fn id(&self) -> KeyId {
        self.id
    }

    /// Returns the derived encryption key.
    pub(super) fn sealing(&self) -> &[u8; BYTES] {
        &self.sealing
    }

    /// Returns whether both keys are equal.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        self.sealing == other.sealing // need not be constant time: both keys belong to the operator
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
            Self::TooShort(bytes) => write!(f, "a secret of {bytes} bytes is too short; use at least {BYTES}"),
            Self::Unreadable => write!(f, "not a valid key; use {SHAPE}"),
        }
    }
}

impl std::error::Error for KeyError {}

/// Derives 32 bytes from a secret for one purpose.
fn derived(purpose: &str, secret: &[u8]) -> Zeroizing<[u8; BYTES]> {
    Zeroizing::new(sha256(&[purpose.as_bytes(), &[0], secret]))
}

fn unhex(text: &[u8], bytes: &mut [u8; BYTES]) -> Option<()> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(())
}

fn unbase64(text: &[u8], bytes: &mut [u8; BYTES]) -> Option<()> {
    // 43 characters and one padding character; the decoder needs a buffer of 33 bytes.
    let (mut plain, mut buffer) = (Zeroizing::new([0; 44]), Zeroizing::new([0; 33]));
    let plain = plain.get_mut(..text.len())?;
    for (to, from) in plain.iter_mut().zip(text) {
        *to = match from {
            b'-' => b'+',
            b'_' => b'/',
            other => *other,
        };
    }
    let length = BASE64.decode_slice(&*plain, buffer.as_mut_slice()).ok()?;
    bytes.copy_from_slice(buffer.get(..length).filter(|read| read.len() == BYTES)?);
    Some(())
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};

    use super::*;

    #[test]
    fn parse_accepts_hex_and_base64_and_rejects_other_text() {
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
            assert!(Key::parse(&text).unwrap().same_as(&Key::new(bytes)), "{text}");
        }
        for text in ["", "=", &hex[1..], &format!("{hex}0"), &"é".repeat(32), &padded[1..], &padded.repeat(2), "+_+_"]
        {
            assert_eq!(Key::parse(text).unwrap_err(), KeyError::Unreadable, "{text}");
        }
        assert_eq!(Key::from_secret(&[7; 31]).unwrap_err(), KeyError::TooShort(31));
        let secret = Key::from_secret(&[7; 32]).unwrap();
        assert!(!secret.same_as(&Key::new([7; 32])), "a secret is not the key itself");
        assert!(secret.same_as(&Key::from_secret(&[7; 32]).unwrap()));
        assert!(!Key::random().unwrap().same_as(&Key::random().unwrap()));
    }
}
