//! [`DigestCache`]: a bounded map from SHA-256 digests to values that expire.

use std::collections::{HashMap, VecDeque};

use ring::digest::{SHA256, digest};

/// A SHA-256 digest.
pub(crate) type Digest = [u8; 32];

/// Returns the SHA-256 digest of several texts, each preceded by its length.
pub(crate) fn digest_of(texts: &[&str]) -> Digest {
    let mut bytes = Vec::with_capacity(texts.iter().map(|text| text.len() + 8).sum());
    for text in texts {
        bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    digest_of_bytes(&bytes)
}

/// Returns the SHA-256 digest of a token.
pub(crate) fn token_digest(token: &str) -> Digest {
    digest_of_bytes(token.as_bytes())
}

/// Returns the SHA-256 digest of bytes.
pub(crate) fn digest_of_bytes(bytes: &[u8]) -> Digest {
    let mut array = Digest::default();
    for (to, from) in array.iter_mut().zip(digest(&SHA256, bytes).as_ref()) {
        *to = *from;
    }
    array
}

/// A bounded map. A new entry evicts the oldest one when the map is full. The keys are digests, so that the map
/// contains no secrets, and the time of a lookup discloses nothing about them.
pub(crate) struct DigestCache<V> {
    entries: HashMap<Digest, Entry<V>>,
    /// The insertions, oldest first. An insertion whose entry was replaced or removed is skipped.
    insertions: VecDeque<(Digest, u64)>,
    serial: u64,
    max_entries: usize,
}

struct Entry<V> {
    value: V,
    /// In seconds since the Unix epoch.
    expires_at: u64,
    serial: u64,
}

impl<V> DigestCache<V> {
    pub(crate) fn new(max_entries: usize) -> Self {
        Self { entries: HashMap::new(), insertions: VecDeque::new(), serial: 0, max_entries: max_entries.max(1) }
    }

    /// Returns an entry that has not expired. Times are in seconds since the Unix epoch.
    pub(crate) fn get(&self, key: &Digest, now: u64) -> Option<&V> {
        self.entries.get(key).filter(|entry| now < entry.expires_at).map(|entry| &entry.value)
    }

    /// Inserts or replaces an entry.
    pub(crate) fn insert(&mut self, key: Digest, value: V, expires_at: u64, now: u64) {
        self.make_room(now);
        self.serial += 1;
        self.entries.insert(key, Entry { value, expires_at, serial: self.serial });
        self.insertions.push_back((key, self.serial));
    }

    /// Inserts an entry unless the key has an unexpired entry. Returns whether it was inserted.
    pub(crate) fn insert_new(&mut self, key: Digest, value: V, expires_at: u64, now: u64) -> bool {
        let is_new = self.get(&key, now).is_none();
        if is_new {
            self.insert(key, value, expires_at, now);
        }
        is_new
    }

    /// Removes the oldest entries while they have expired, or while the map is full.
    fn make_room(&mut self, now: u64) {
        while let Some((key, serial)) = self.insertions.front() {
            let current = self.entries.get(key).filter(|entry| entry.serial == *serial);
            if current.is_some_and(|entry| now < entry.expires_at) && self.insertions.len() < self.max_entries {
                return;
            }
            if current.is_some() {
                self.entries.remove(key);
            }
            self.insertions.pop_front();
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_expire_and_the_oldest_is_evicted() {
        let mut cache = DigestCache::new(3);
        for (i, text) in ["a", "b", "c", "d"].into_iter().enumerate() {
            cache.insert(token_digest(text), i, 100, 10);
        }
        assert_eq!(cache.len(), 3);
        assert_eq!(cache.get(&token_digest("a"), 10), None);
        assert_eq!(cache.get(&token_digest("d"), 99), Some(&3));
        assert_eq!(cache.get(&token_digest("d"), 100), None);
        cache.insert(token_digest("e"), 4, 200, 100);
        assert_eq!(cache.len(), 1, "expired entries are removed");
    }

    #[test]
    fn a_replaced_entry_keeps_its_new_value_when_the_old_insertion_is_evicted() {
        let mut cache = DigestCache::new(3);
        let key = token_digest("a");
        cache.insert(key, 1, 100, 0);
        cache.insert(key, 2, 100, 0);
        cache.insert(token_digest("b"), 3, 100, 0);
        cache.insert(token_digest("c"), 4, 100, 0);
        assert_eq!(cache.get(&key, 0), Some(&2));
        assert!(cache.insertions.len() <= 3);
    }

    #[test]
    fn only_new_keys_are_inserted_until_they_expire() {
        let mut cache = DigestCache::new(10);
        let key = digest_of(&["a", "b"]);
        assert_ne!(key, digest_of(&["ab", ""]));
        assert!(cache.insert_new(key, (), 100, 0) && !cache.insert_new(key, (), 200, 99));
        assert!(cache.insert_new(key, (), 200, 100));
    }
}
