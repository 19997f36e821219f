//! An in-memory store with least-recently-used eviction.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    future::ready,
    sync::{Mutex, PoisonError},
};

use super::store::{CacheFuture, CacheStore, StoreKey, StoredEntry};

/// Maximum number of entries, because an invalidation visits each of them.
const MAX_ENTRIES: usize = 1024;

/// Default of [`MemoryStore::total_bytes`].
pub(super) const DEFAULT_TOTAL_BYTES: usize = 16 << 20;

/// A [`CacheStore`] in memory with up to 1,024 entries. If a limit is exceeded, the least recently used entries are
/// evicted.
pub struct MemoryStore {
    pub(super) max_entries: usize,
    total_bytes: usize,
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

impl Default for MemoryStore {
    fn default() -> Self {
        Self { max_entries: MAX_ENTRIES, total_bytes: DEFAULT_TOTAL_BYTES, state: Mutex::default() }
    }
}

impl MemoryStore {
    /// Creates an empty store with the default limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the maximum total size of results and keys, in bytes. Default: 16 MiB.
    ///
    /// A result larger than a quarter of the limit is not stored, so that it does not evict all others.
    #[must_use]
    pub fn total_bytes(mut self, bytes: usize) -> Self {
        self.total_bytes = bytes;
        self
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

    fn put(&mut self, key: StoreKey, entry: StoredEntry, max_entries: usize, max_bytes: usize) {
        self.remove(&key);
        let size = size(&key, &entry);
        if size > max_bytes / 4 {
            return;
        }
        while self.entries.len() >= max_entries || self.bytes + size > max_bytes {
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
    let partition = key.partition().map_or(0, str::len);
    OVERHEAD + partition + 2 * key.param().map_or(0, str::len) + entry.result.len()
}

impl CacheStore for MemoryStore {
    fn get<'a>(&'a self, key: &'a StoreKey) -> CacheFuture<'a, Option<StoredEntry>> {
        Box::pin(ready(Ok(self.with(|state| state.get(key)))))
    }

    fn put(&self, key: StoreKey, entry: StoredEntry) -> CacheFuture<'_, ()> {
        self.with(|state| state.put(key, entry, self.max_entries, self.total_bytes));
        Box::pin(ready(Ok(())))
    }

    fn remove<'a>(&'a self, key: &'a StoreKey) -> CacheFuture<'a, ()> {
        self.with(|state| state.remove(key));
        Box::pin(ready(Ok(())))
    }

    fn remove_matching<'a>(
        &'a self,
        _server: &'a str,
        predicate: Box<dyn Fn(&StoreKey) -> bool + Send + Sync + 'a>,
    ) -> CacheFuture<'a, ()> {
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
