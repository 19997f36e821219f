//! The source of a session: its connection, and the principal or network of its client. One source cannot end the
//! sessions of all others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use ferromcp_core::Identity;
use tokio::time::Instant;

use crate::http::guard::client_network;

/// The maximum number of origins whose rates are limited at a time.
const MAX_ORIGINS: usize = 4096;
/// The number of origins that are removed at least when a further one arrives, so that removals are rare.
const EVICTED_ORIGINS: usize = MAX_ORIGINS / 16;

/// Where a session comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) connection: Option<u64>,
    pub(super) origin: Option<Origin>,
}

/// The principal of a client, or the network of its address if it has none: a client can use all addresses of an IPv6 /64
/// network.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Origin {
    Identity(Identity),
    Network(IpAddr),
}

impl Source {
    pub(super) fn new(connection: Option<u64>, identity: Option<&Identity>, address: Option<IpAddr>) -> Self {
        let network = || address.map(client_network).map(Origin::Network);
        let origin = identity.cloned().map(Origin::Identity).or_else(network);
        Self { connection, origin }
    }
}

/// Limits how often each origin may do something: a burst, then a steady rate.
#[derive(Debug)]
pub(super) struct RateLimit {
    burst: f64,
    per_second: f64,
    buckets: Mutex<HashMap<Origin, Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled_at: Instant,
}

impl RateLimit {
    pub(super) fn new(burst: u32, per_second: u32) -> Self {
        Self { burst: burst.into(), per_second: per_second.into(), buckets: Mutex::default() }
    }

    /// Takes a token of `origin`. Returns false if it has none. An unknown origin is not limited, because it stands for
    /// many clients.
    pub(super) fn take(&self, origin: Option<&Origin>) -> bool {
        let Some(origin) = origin else { return true };
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_ORIGINS && !buckets.contains_key(origin) {
            self.evict(&mut buckets, now);
        }
        let bucket = buckets.entry(origin.clone()).or_insert_with(|| Bucket { tokens: self.burst, filled_at: now });
        *bucket = Bucket { tokens: self.level(bucket, now), filled_at: now };
        let has_token = bucket.tokens >= 1.0;
        if has_token {
            bucket.tokens -= 1.0;
        }
        has_token
    }

    /// Returns the number of tokens in a bucket now.
    fn level(&self, bucket: &Bucket, now: Instant) -> f64 {
        let elapsed = now.saturating_duration_since(bucket.filled_at).as_secs_f64();
        elapsed.mul_add(self.per_second, bucket.tokens).min(self.burst)
    }

    /// Removes the fullest buckets, which limit their origins the least. An origin without tokens cannot get new ones by
    /// filling the table with others.
    fn evict(&self, buckets: &mut HashMap<Origin, Bucket>, now: Instant) {
        let mut levels: Vec<f64> = buckets.values().map(|bucket| self.level(bucket, now)).collect();
        let (fuller, limit, _) = levels.select_nth_unstable_by(EVICTED_ORIGINS - 1, |a, b| b.total_cmp(a));
        let limit = *limit;
        let mut equal = EVICTED_ORIGINS - fuller.iter().filter(|level| **level > limit).count();
        buckets.retain(|_, bucket| {
            let level = self.level(bucket, now);
            if level > limit || level >= self.burst {
                return false;
            }
            let is_evicted = level >= limit && equal > 0;
            equal -= usize::from(is_evicted);
            !is_evicted
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn rate_is_limited_per_origin() {
        let limit = RateLimit::new(3, 2);
        let [ada, eve] = ["ada", "eve"].map(|name| Origin::Identity(Identity::new(name)));
        let taken = |origin: &Origin| (0..10).filter(|_| limit.take(Some(origin))).count();
        assert_eq!([taken(&ada), taken(&ada), taken(&eve)], [3, 0, 3]);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(taken(&ada), 2);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(taken(&ada), 3, "at most the burst");
        assert!((0..10).all(|_| limit.take(None)), "an unknown origin");
    }

    #[tokio::test(start_paused = true)]
    async fn trap_many_networks_exclude_new_clients() {
        let limit = RateLimit::new(2, 2);
        let network = |number: u32| Origin::Network(IpAddr::from(number.to_be_bytes()));
        let exhausted = network(u32::MAX);
        assert!(limit.take(Some(&exhausted)) && limit.take(Some(&exhausted)));
        for number in 0..20_000 {
            assert!(limit.take(Some(&network(number))), "{number}");
            assert!(limit.buckets.lock().unwrap().len() <= MAX_ORIGINS);
        }
        assert!(!limit.take(Some(&exhausted)), "its bucket was replaced by a full one");
        // After the time of a refill, all buckets are full.
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(limit.take(Some(&exhausted)));
        tokio::time::advance(Duration::from_secs(2)).await;
        while limit.buckets.lock().unwrap().len() < MAX_ORIGINS {
            let number = 100_000 + u32::try_from(limit.buckets.lock().unwrap().len()).unwrap();
            assert!(limit.take(Some(&network(number))));
        }
        assert!(limit.take(Some(&network(u32::MAX - 1))));
        assert!(limit.buckets.lock().unwrap().len() < MAX_ORIGINS, "only full buckets are left");
    }

    #[test]
    fn trap_addresses_of_one_network() {
        let origin = |address: &str| Source::new(None, None, Some(address.parse().unwrap())).origin.unwrap();
        assert_eq!(origin("2001:db8:1:2:3::4"), origin("2001:db8:1:2::1"));
        assert_ne!(origin("2001:db8:1:2::1"), origin("2001:db8:1:3::1"));
        assert_eq!(origin("::ffff:192.0.2.1"), origin("192.0.2.1"));
        assert_ne!(origin("192.0.2.1"), origin("192.0.2.2"));
    }
}
