//! An in-memory store with least-recently-used eviction.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    future::ready,
    sync::{Mutex, PoisonError},
};

use super::store::{CacheFuture, CacheStore, StoreKey, StoredEntry};

/// Limits of a [`MemoryStore`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheLimits {
    /// Maximum number of entries. Default: 1,024.
    pub entries: usize,
    /// Maximum total size of results and keys, in bytes. Default: 16 MiB. A result larger than a quarter of the limit
    /// is not stored, so that it does not evict all others.
    pub bytes: usize,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self { entries: 1024, bytes: 16 << 20 }
    }
}

/// A [`CacheStore`] in memory.
#[derive(Default)]
pub struct MemoryStore {
    limits: CacheLimits,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    entries: HashMap<StoreKey, (StoredEntry, u64)>,
    /// Keys in order of last use.
    order: BTreeMap<u64, StoreKey>,
    uses: u64,
    bytes: usize,
}

impl MemoryStore {
    /// Creates an empty store with these limits.
    pub fn new(limits: CacheLimits) -> Self {
        Self { limits, state: Mutex::default() }
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.with(|state| state.entries.len())
    }

    /// Returns whether the store is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the total size of the entries, in bytes.
    pub fn bytes(&self) -> usize {
        self.with(|state| state.bytes)
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn get(&mut self, key: &StoreKey) -> Option<StoredEntry> {
        let (entry, used) = self.entries.get_mut(key)?;
        self.uses += 1;
        if let Some(key) = self.order.remove(used) {
            self.order.insert(self.uses, key);
        }
        *used = self.uses;
        Some(entry.clone())
    }

    fn put(&mut self, key: StoreKey, entry: StoredEntry, limits: CacheLimits) {
        self.remove(&key);
        let size = size(&key, &entry);
        if size > limits.bytes / 4 || limits.entries == 0 {
            return;
        }
        while self.entries.len() >= limits.entries || self.bytes + size > limits.bytes {
            let Some((_, oldest)) = self.order.first_key_value() else { break };
            let oldest = oldest.clone();
            self.remove(&oldest);
        }
        self.uses += 1;
        self.bytes += size;
        self.order.insert(self.uses, key.clone());
        self.entries.insert(key, (entry, self.uses));
    }

    fn remove(&mut self, key: &StoreKey) {
        if let Some((entry, used)) = self.entries.remove(key) {
            self.bytes -= size(key, &entry);
            self.order.remove(&used);
        }
    }
}

/// Returns the size of an entry, including its overhead in the maps.
fn size(key: &StoreKey, entry: &StoredEntry) -> usize {
    const OVERHEAD: usize = 256;
    let partition = key.partition.as_ref().map_or(0, |partition| partition.len());
    OVERHEAD + partition + 2 * key.key.param().map_or(0, str::len) + entry.result.len()
}

impl CacheStore for MemoryStore {
    fn get<'a>(&'a self, key: &'a StoreKey) -> CacheFuture<'a, Option<StoredEntry>> {
        Box::pin(ready(Ok(self.with(|state| state.get(key)))))
    }

    fn put(&self, key: StoreKey, entry: StoredEntry) -> CacheFuture<'_, ()> {
        self.with(|state| state.put(key, entry, self.limits));
        Box::pin(ready(Ok(())))
    }

    fn remove<'a>(&'a self, key: &'a StoreKey) -> CacheFuture<'a, ()> {
        self.with(|state| state.remove(key));
        Box::pin(ready(Ok(())))
    }

    fn remove_matching<'a>(&'a self, predicate: Box<dyn Fn(&StoreKey) -> bool + Send + 'a>) -> CacheFuture<'a, ()> {
        self.with(|state| {
            let removed: Vec<StoreKey> = state.entries.keys().filter(|key| predicate(key)).cloned().collect();
            for key in &removed {
                state.remove(key);
            }
        });
        Box::pin(ready(Ok(())))
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("entries", &self.len()).field("bytes", &self.bytes()).finish()
    }
}
