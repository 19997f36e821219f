//! [`ExpiringMap`]: a bounded map whose entries expire.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// A map of at most `capacity` entries. An insertion removes the expired entries, and then, if the map is full, the
/// entry that expires first.
pub(in crate::authorization_server) struct ExpiringMap<V> {
    entries: HashMap<Arc<str>, (u64, V)>,
    by_expiry: BTreeSet<(u64, Arc<str>)>,
    capacity: usize,
}

impl<V> ExpiringMap<V> {
    pub(in crate::authorization_server) fn new(capacity: usize) -> Self {
        Self { entries: HashMap::new(), by_expiry: BTreeSet::new(), capacity: capacity.max(1) }
    }

    /// Adds or replaces an entry. Returns the entries that were removed because they have expired or the map is full.
    pub(in crate::authorization_server) fn insert(&mut self, key: &str, value: V, expires_at: u64, now: u64) -> Vec<V> {
        self.remove(key);
        let mut removed = self.remove_expired(now);
        while self.entries.len() >= self.capacity {
            let Some((_, oldest)) = self.by_expiry.first().cloned() else { break };
            removed.extend(self.remove(&oldest));
        }
        let key: Arc<str> = key.into();
        self.by_expiry.insert((expires_at, Arc::clone(&key)));
        self.entries.insert(key, (expires_at, value));
        removed
    }

    pub(in crate::authorization_server) fn remove_expired(&mut self, now: u64) -> Vec<V> {
        let mut removed = Vec::new();
        while let Some((expires_at, key)) = self.by_expiry.first().cloned() {
            if expires_at > now {
                break;
            }
            removed.extend(self.remove(&key));
        }
        removed
    }

    pub(in crate::authorization_server) fn get(&self, key: &str) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    pub(in crate::authorization_server) fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        self.entries.get_mut(key).map(|(_, value)| value)
    }

    pub(in crate::authorization_server) fn contains(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    pub(in crate::authorization_server) fn remove(&mut self, key: &str) -> Option<V> {
        let (key, (expires_at, value)) = self.entries.remove_entry(key)?;
        self.by_expiry.remove(&(expires_at, key));
        Some(value)
    }

    /// Changes when an entry expires.
    pub(in crate::authorization_server) fn set_expiry(&mut self, key: &str, at: u64) {
        let Some((key, (expires_at, _))) = self.entries.get_key_value(key) else { return };
        let (key, old) = (Arc::clone(key), *expires_at);
        self.by_expiry.remove(&(old, Arc::clone(&key)));
        if let Some((expires_at, _)) = self.entries.get_mut(&key) {
            *expires_at = at;
        }
        self.by_expiry.insert((at, key));
    }

    /// Removes the entries that match. Takes time proportional to the size of the map.
    pub(in crate::authorization_server) fn remove_matching(&mut self, matches: impl Fn(&V) -> bool) -> Vec<V> {
        let keys: Vec<Arc<str>> =
            self.entries.iter().filter(|(_, (_, value))| matches(value)).map(|(key, _)| Arc::clone(key)).collect();
        keys.iter().filter_map(|key| self.remove(key)).collect()
    }

    #[cfg(test)]
    pub(in crate::authorization_server) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oldest_entry_is_evicted_when_the_map_is_full() {
        let mut map = ExpiringMap::new(2);
        for (key, expires_at) in [("a", 30), ("b", 20), ("c", 40)] {
            map.insert(key, key, expires_at, 1);
        }
        assert!(map.get("b").is_none() && map.len() == 2);
        map.set_expiry("a", 50);
        assert_eq!(map.insert("d", "d", 60, 1), ["c"]);
        assert_eq!(map.by_expiry.len(), map.len());
    }

    #[test]
    fn expired_entries_are_removed_on_insertion() {
        let mut map = ExpiringMap::new(10);
        map.insert("a", "a", 5, 1);
        map.insert("b", "b", 9, 1);
        assert_eq!(map.insert("c", "c", 20, 5), ["a"]);
        assert_eq!(map.insert("c", "c2", 30, 6), Vec::<&str>::new());
        assert_eq!((map.get("c"), map.len(), map.by_expiry.len()), (Some(&"c2"), 2, 2));
        assert_eq!(map.remove_matching(|value| *value == "b"), ["b"]);
        assert_eq!((map.len(), map.by_expiry.len()), (1, 1));
    }
}
