//! The keys of a server or a fleet.

use std::fmt;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use super::key::{Key, KeyId};

/// Keys: the first seals, all open. Clones share them, so [`rotate`](Self::rotate) works while a server serves.
///
/// A fleet whose servers open each other's states has the same keys everywhere. To bring in a new key, add it behind
/// the others with [`and`](Self::and) on every server first, and then rotate to it.
///
/// ```
/// use ferromcp_server::asks::state::{Key, KeyRing};
///
/// let ring = KeyRing::new(Key::random()?);
/// let serving = ring.clone();
/// ring.rotate(Key::random()?); // `serving` seals with this one, and opens what the other sealed
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "keys seal nothing until they are put into StateOptions"]
pub struct KeyRing(Arc<RwLock<Vec<Arc<Key>>>>);

impl KeyRing {
    /// The most keys that a ring keeps.
    pub const MOST: usize = 8;

    /// A ring of one key.
    pub fn new(key: Key) -> Self {
        let ring = Self::unset();
        ring.rotate(key);
        ring
    }

    /// A ring of one new key that no other process knows.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn random() -> io::Result<Self> {
        Key::random().map(Self::new)
    }

    /// A ring that makes a key when one is first needed.
    pub(super) fn unset() -> Self {
        Self(Arc::default())
    }

    /// Adds a key that opens and does not seal: an older one, or one that is about to seal. A key that is here already
    /// stays in its place. One beyond [`MOST`](Self::MOST) is left out, and a warning goes to the log.
    pub fn and(self, key: Key) -> Self {
        self.change(|keys| {
            if keys.iter().any(|known| known.is(&key)) {
                return;
            }
            if keys.len() < Self::MOST {
                keys.push(Arc::new(key));
            } else {
                tracing::warn!(most = Self::MOST, "a ring keeps no more keys, so the last one is left out");
            }
        });
        self
    }

    /// Seals with `key` from now on; what the others sealed is still opened. Beyond [`MOST`](Self::MOST) the key that
    /// is last goes.
    pub fn rotate(&self, key: Key) {
        self.change(|keys| {
            keys.retain(|known| !known.is(&key));
            keys.insert(0, Arc::new(key));
            keys.truncate(Self::MOST);
        });
    }

    /// Keeps the first `newest` keys, at least one, and drops the others. What they sealed opens no more.
    pub fn keep(&self, newest: usize) {
        self.change(|keys| keys.truncate(newest.max(1)));
    }

    /// The key that seals.
    pub(super) fn sealing(&self) -> io::Result<Arc<Key>> {
        if let Some(first) = self.keys().first() {
            return Ok(Arc::clone(first));
        }
        let made = Arc::new(Key::random()?);
        Ok(self.change(|keys| {
            if keys.is_empty() {
                keys.push(made);
            }
            Arc::clone(&keys[0])
        }))
    }

    /// The keys of that name: one, or by a rare chance more.
    pub(super) fn named(&self, id: KeyId) -> Vec<Arc<Key>> {
        self.keys().iter().filter(|key| key.id() == id).cloned().collect()
    }

    fn keys(&self) -> impl std::ops::Deref<Target = Vec<Arc<Key>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, act: impl FnOnce(&mut Vec<Arc<Key>>) -> T) -> T {
        act(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for KeyRing {
    /// How many keys there are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRing({} keys)", self.keys().len())
    }
}
