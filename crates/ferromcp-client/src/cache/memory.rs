//! A store in memory. When it is full, what was not used for the longest time makes room.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    future::ready,
    sync::{Mutex, PoisonError},
};

use super::store::{CacheStore, Entry, StoreFuture, StoreKey};

/// How much a [`MemoryStore`] keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheLimits {
    /// Results; 1024 unless set.
    pub entries: usize,
    /// Bytes of results and their keys together; 16 MiB unless set. A result of more than a quarter of it is
    /// not kept, so that one does not drive out all others.
    pub bytes: usize,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self { entries: 1024, bytes: 16 << 20 }
    }
}

/// Keeps results in memory.
#[derive(Default)]
pub struct MemoryStore {
    limits: CacheLimits,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    entries: HashMap<StoreKey, (Entry, u64)>,
    /// The keys by when they were used last.
    order: BTreeMap<u64, StoreKey>,
    uses: u64,
    bytes: usize,
}

impl MemoryStore {
    /// An empty store that keeps so much.
    pub fn new(limits: CacheLimits) -> Self {
        Self { limits, kept: Mutex::default() }
    }

    /// How many results there are.
    pub fn len(&self) -> usize {
        self.with(|kept| kept.entries.len())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes they take together.
    pub fn bytes(&self) -> usize {
        self.with(|kept| kept.bytes)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Kept) -> T) -> T {
        act(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Kept {
    fn get(&mut self, key: &StoreKey) -> Option<Entry> {
        let (entry, used) = self.entries.get_mut(key)?;
        self.uses += 1;
        if let Some(key) = self.order.remove(used) {
            self.order.insert(self.uses, key);
        }
        *used = self.uses;
        Some(entry.clone())
    }

    fn put(&mut self, key: StoreKey, entry: Entry, limits: CacheLimits) {
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

/// What an entry takes; the two maps have a share of their own.
fn size(key: &StoreKey, entry: &Entry) -> usize {
    const SHARE: usize = 256;
    let partition = key.partition.as_ref().map_or(0, |partition| partition.len());
    SHARE + partition + 2 * key.key.param().map_or(0, str::len) + entry.result.len()
}

impl CacheStore for MemoryStore {
    fn get<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<Entry>> {
        Box::pin(ready(Ok(self.with(|kept| kept.get(key)))))
    }

    fn put(&self, key: StoreKey, entry: Entry) -> StoreFuture<'_, ()> {
        self.with(|kept| kept.put(key, entry, self.limits));
        Box::pin(ready(Ok(())))
    }

    fn remove<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, ()> {
        self.with(|kept| kept.remove(key));
        Box::pin(ready(Ok(())))
    }

    fn sweep<'a>(&'a self, covers: Box<dyn Fn(&StoreKey) -> bool + Send + 'a>) -> StoreFuture<'a, ()> {
        self.with(|kept| {
            let gone: Vec<StoreKey> = kept.entries.keys().filter(|key| covers(key)).cloned().collect();
            for key in &gone {
                kept.remove(key);
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
