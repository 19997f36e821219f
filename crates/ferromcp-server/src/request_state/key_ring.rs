//! The encryption keys of a server or a fleet.

use std::fmt;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use super::key::{Key, KeyId};

/// A list of keys: the first one encrypts, all of them decrypt. Clones share the keys, so [`rotate`](Self::rotate)
/// works while the server is running.
///
/// All servers of a fleet need the same keys. To deploy a new key, first add it on every server with
/// [`with_decrypt_key`](Self::with_decrypt_key), then rotate to it.
///
/// ```
/// use ferromcp_server::{Key, KeyRing};
///
/// let ring = KeyRing::new(Key::random()?);
/// let serving = ring.clone();
/// ring.rotate(Key::random()?); // `serving` encrypts with the new key, and still decrypts with the old one
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "a key ring does nothing until it is passed to `StateOptions`"]
pub struct KeyRing(Arc<RwLock<Vec<Arc<Key>>>>);

impl KeyRing {
    /// Maximum number of keys.
    pub const MAX_KEYS: usize = 8;

    /// Creates a ring with one key.
    pub fn new(key: Key) -> Self {
        let ring = Self::unset();
        ring.rotate(key);
        ring
    }

    /// Creates a ring with one random key.
    ///
    /// # Errors
    /// Fails if the system's random number generator fails.
    pub fn random() -> io::Result<Self> {
        Key::random().map(Self::new)
    }

    /// Creates an empty ring, which generates a random key on first use.
    pub(super) fn unset() -> Self {
        Self(Arc::default())
    }

    /// Adds a key that only decrypts: an older key, or the next one. Does nothing if the ring contains the key. If the
    /// ring has [`MAX_KEYS`](Self::MAX_KEYS) keys, the key is not added and a warning is logged.
    pub fn with_decrypt_key(self, key: Key) -> Self {
        self.update(|keys| {
            if keys.iter().any(|known| known.same_as(&key)) {
                return;
            }
            if keys.len() < Self::MAX_KEYS {
                keys.push(Arc::new(key));
            } else {
                tracing::warn!(limit = Self::MAX_KEYS, "key not added: the key ring is full");
            }
        });
        self
    }

    /// Makes `key` the encryption key. The other keys still decrypt. If the ring exceeds [`MAX_KEYS`](Self::MAX_KEYS),
    /// the last key is removed.
    pub fn rotate(&self, key: Key) {
        self.update(|keys| {
            keys.retain(|known| !known.same_as(&key));
            keys.insert(0, Arc::new(key));
            keys.truncate(Self::MAX_KEYS);
        });
    }

    /// Retains the first `newest` keys, at least one, and removes the others. States encrypted with a removed key
    /// become invalid.
    pub fn retain_newest(&self, newest: usize) {
        self.update(|keys| keys.truncate(newest.max(1)));
    }

    /// Returns the encryption key.
    pub(super) fn sealing(&self) -> io::Result<Arc<Key>> {
        if let Some(first) = self.keys().first() {
            return Ok(Arc::clone(first));
        }
        let made = Arc::new(Key::random()?);
        Ok(self.update(|keys| {
            if keys.is_empty() {
                keys.push(made);
            }
            Arc::clone(&keys[0])
        }))
    }

    /// Returns the keys with this id. Ids are short, so more than one key may match.
    pub(super) fn named(&self, id: KeyId) -> Vec<Arc<Key>> {
        self.keys().iter().filter(|key| key.id() == id).cloned().collect()
    }

    fn keys(&self) -> impl std::ops::Deref<Target = Vec<Arc<Key>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn update<T>(&self, act: impl FnOnce(&mut Vec<Arc<Key>>) -> T) -> T {
        act(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for KeyRing {
    /// Formats the number of keys, without the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRing({} keys)", self.keys().len())
    }
}
