//! [`FetchSlots`]: limits of concurrent requests to URLs that clients name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

/// Limits the URLs that are requested at the same time: in total, and of each host, so that slow hosts do not use up all.
/// Requests of the same URL share a slot.
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
            if in_use.len() >= self.max || of_host >= self.max_per_host {
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
        let slots = FetchSlots::new(3, 2);
        let first = slots.enter("https://evil.example.com/1").unwrap();
        let second = slots.enter("https://evil.example.com:8443/2").unwrap();
        assert!(slots.enter("https://EVIL.example.com/3").is_none());
        let other = slots.enter("https://example.com/").unwrap();
        assert!(slots.enter("https://example.org/").is_none(), "all are in use");
        drop((first, other));
        assert!(slots.enter("https://evil.example.com/3").is_some());
        drop(second);
        assert!(slots.in_use.lock().unwrap().is_empty());
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
