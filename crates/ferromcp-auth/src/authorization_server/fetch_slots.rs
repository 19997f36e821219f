//! [`FetchSlots`]: limits of concurrent requests to URLs that clients name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

/// Limits the URLs that are requested at the same time: in total, of each host, and half of them of hosts whose last two
/// labels are the same, so that slow hosts, and many names of one of them, do not use up all. Requests of the same URL
/// share a slot.
pub(super) struct FetchSlots {
    in_use: Arc<Mutex<HashMap<String, InUse>>>,
    max: usize,
    max_per_host: usize,
}

/// A URL that is being requested.
struct InUse {
    host: String,
    requests: usize,
}

impl InUse {
    fn is_in_domain(&self, domain: &str) -> bool {
        domain_of(&self.host) == domain
    }
}

/// Returns the last two labels of a host name, or an address.
fn domain_of(host: &str) -> &str {
    if host.ends_with(|last: char| last.is_ascii_digit() || last == ']') {
        return host;
    }
    let start = host.rmatch_indices('.').nth(1).map_or(0, |(dot, _)| dot + 1);
    host.get(start..).unwrap_or(host)
}

/// The permission to request a URL. Released on drop.
pub(super) struct FetchSlot {
    in_use: Arc<Mutex<HashMap<String, InUse>>>,
    url: String,
}

impl FetchSlots {
    pub(super) fn new(max: usize, max_per_host: usize) -> Self {
        Self { in_use: Arc::default(), max, max_per_host }
    }

    /// Returns the permission to request a URL; `None` if all slots or those of its host are in use.
    pub(super) fn enter(&self, url: &str) -> Option<FetchSlot> {
        // Ports do not distinguish hosts: one machine has many of them.
        let host = Url::parse(url).ok()?.host_str()?.trim_end_matches('.').to_owned();
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = in_use.get_mut(url) {
            entry.requests += 1;
        } else {
            let of_host = in_use.values().filter(|entry| entry.host == host).count();
            let of_domain = in_use.values().filter(|entry| entry.is_in_domain(domain_of(&host))).count();
            if in_use.len() >= self.max || of_host >= self.max_per_host || of_domain >= self.max.div_ceil(2) {
                return None;
            }
            in_use.insert(url.to_owned(), InUse { host, requests: 1 });
        }
        Some(FetchSlot { in_use: self.in_use.clone(), url: url.to_owned() })
    }
}

impl Drop for FetchSlot {
    fn drop(&mut self) {
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = in_use.get_mut(&self.url) {
            entry.requests -= 1;
            if entry.requests == 0 {
                in_use.remove(&self.url);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_one_host_uses_up_all_slots() {
        //
        let slots = FetchSlots::new(4, 2);
        let first = slots.enter("https://evil.example.com/1").unwrap();
        let second = slots.enter("https://evil.example.com:8443/2").unwrap();
        assert!(slots.enter("https://EVIL.example.com/3").is_none());
        let other = slots.enter("https://example.org/").unwrap();
        let last = slots.enter("https://example.net/").unwrap();
        assert!(slots.enter("https://example.info/").is_none(), "all are in use");
        drop((first, other, last));
        assert!(slots.enter("https://evil.example.com/3").is_some());
        drop(second);
        assert!(slots.in_use.lock().unwrap().is_empty());
    }

    #[test]
    fn trap_many_names_of_one_domain_use_up_all_slots() {
        //
        let slots = FetchSlots::new(8, 2);
        let held: Vec<_> = (0..8).filter_map(|i| slots.enter(&format!("https://a{i}.evil.example/"))).collect();
        assert_eq!(held.len(), 4);
        assert!(slots.enter("https://app.example.com/").is_some());
        assert_eq!(
            ["a.b.c.example", "b.example", "example", "192.0.2.1", "[2001:db8::1]"].map(domain_of),
            ["c.example", "b.example", "example", "192.0.2.1", "[2001:db8::1]"]
        );
    }

    #[test]
    fn requests_of_a_url_share_a_slot() {
        let slots = FetchSlots::new(1, 1);
        let first = slots.enter("https://example.com/1").unwrap();
        let second = slots.enter("https://example.com/1").unwrap();
        drop(first);
        assert!(slots.enter("https://example.com/2").is_none());
        drop(second);
        assert!(slots.enter("https://example.com/2").is_some());
    }
}
