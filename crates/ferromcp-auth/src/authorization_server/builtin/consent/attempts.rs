//! [`Attempts`]: the failed logins of names and addresses.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ferromcp_server::http::client_network;

use crate::authorization_server::builtin::expiring_map::ExpiringMap;
use crate::clock::now;

/// Maximum number of failed attempts for one name in a window. A successful login starts again.
pub(super) const ATTEMPTS_PER_NAME: u32 = 10;
/// Maximum number of failed attempts from one address (or /64 network of IPv6) in a window.
pub(super) const ATTEMPTS_PER_ADDRESS: u32 = 50;
/// Length of a window, in seconds.
const WINDOW_SECONDS: u64 = 15 * 60;
/// Number of counters of names. Names with the same hash share one.
const NAME_COUNTERS: usize = 1 << 16;
/// Maximum number of addresses that are counted. The oldest count is then removed.
const MAX_ADDRESSES: usize = 20_000;

/// Counts attempts. An attempt counts from its beginning, so that concurrent ones do not exceed a limit, until it
/// succeeds.
pub(super) struct Attempts {
    names: Mutex<Vec<Counter>>,
    /// A secret hash function, so that an attacker cannot choose names that share the counter of another.
    hash: RandomState,
    addresses: Mutex<ExpiringMap<Counter>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counter {
    count: u32,
    ends_at: u64,
}

impl Counter {
    /// Counts an attempt. Returns false if there were too many.
    fn count(&mut self, limit: u32, now: u64) -> bool {
        if self.ends_at <= now {
            *self = Self { count: 0, ends_at: now.saturating_add(WINDOW_SECONDS) };
        }
        self.count = self.count.saturating_add(1);
        self.count <= limit
    }
}

impl Attempts {
    pub(super) fn new() -> Self {
        Self {
            names: Mutex::new(vec![Counter::default(); NAME_COUNTERS]),
            hash: RandomState::new(),
            addresses: Mutex::new(ExpiringMap::new(MAX_ADDRESSES)),
        }
    }

    /// Begins an attempt. Returns false if there were too many.
    ///
    /// The address is counted first: an address with too many attempts cannot use up those of names. Counters of names
    /// are never evicted, so that attempts with many names do not reset that of another name.
    pub(super) fn begin(&self, name: &str, address: Option<IpAddr>) -> bool {
        address.is_none_or(|address| self.count_address(address)) && self.count_name(name)
    }

    /// Ends an attempt that has succeeded: it does not count.
    pub(super) fn succeed(&self, name: &str, address: Option<IpAddr>) {
        if let Some(counter) = lock(&self.names).get_mut(self.index(name)) {
            *counter = Counter::default();
        }
        let Some(address) = address else { return };
        if let Some(counter) = lock(&self.addresses).get_mut(&address_key(address)) {
            counter.count = counter.count.saturating_sub(1);
        }
    }

    fn count_name(&self, name: &str) -> bool {
        let mut names = lock(&self.names);
        names.get_mut(self.index(name)).is_some_and(|counter| counter.count(ATTEMPTS_PER_NAME, now()))
    }

    fn count_address(&self, address: IpAddr) -> bool {
        let (key, now) = (address_key(address), now());
        let mut addresses = lock(&self.addresses);
        if let Some(counter) = addresses.get_mut(&key).filter(|counter| counter.ends_at > now) {
            return counter.count(ATTEMPTS_PER_ADDRESS, now);
        }
        let mut counter = Counter::default();
        let is_allowed = counter.count(ATTEMPTS_PER_ADDRESS, now);
        addresses.insert(&key, counter, counter.ends_at, now);
        is_allowed
    }

    /// Returns the position of the counter of a name. Names that differ in case or spaces share it.
    fn index(&self, name: &str) -> usize {
        let hash = self.hash.hash_one(name.trim().to_lowercase());
        usize::try_from(hash % NAME_COUNTERS as u64).unwrap_or_default()
    }
}

fn address_key(address: IpAddr) -> String {
    client_network(address).to_string()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_counters_flushed_by_many_names() {
        let attempts = Attempts::new();
        let attacker = Some(IpAddr::from([192, 0, 2, 1]));
        assert!((0..ATTEMPTS_PER_NAME).all(|_| attempts.begin("ada", attacker)));
        assert!(!attempts.begin("ada", None));
        // Further attempts are rejected by the address, and reset neither the name nor the address.
        let allowed = (0..3 * MAX_ADDRESSES).filter(|n| attempts.begin(&format!("name{n}"), attacker)).count();
        assert!(allowed <= ATTEMPTS_PER_ADDRESS as usize);
        assert!(!attempts.begin("ada", attacker) && !attempts.begin("bob", attacker));
        // Without an address, the name is still limited.
        for n in 0..3 * MAX_ADDRESSES {
            attempts.begin(&format!("other{n}"), None);
        }
        assert!(!attempts.begin("ada", None));
        // The address with too many attempts has not used up those of other names.
        let used = lock(&attempts.names).iter().filter(|counter| counter.count >= ATTEMPTS_PER_NAME).count();
        assert!(used < NAME_COUNTERS / 100, "{used}");
    }

    #[test]
    fn windows_end() {
        let mut counter = Counter::default();
        assert!(counter.count(1, 1000) && !counter.count(1, 1000 + WINDOW_SECONDS - 1));
        assert!(counter.count(1, 1000 + WINDOW_SECONDS));
    }
}
