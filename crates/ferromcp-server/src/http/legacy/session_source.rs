//! The source of a session: its connection, and the principal or address of its client. One source cannot end the
//! sessions of all others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ferromcp_core::Identity;
use tokio::time::Instant;

/// The maximum number of origins whose rates are limited at a time.
const MAX_ORIGINS: usize = 4096;

/// Where a session comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) connection: Option<u64>,
    pub(super) origin: Option<Origin>,
}

/// The principal of a client, or its address if it has none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Origin {
    Identity(Identity),
    Address(IpAddr),
}

impl Source {
    pub(super) fn new(connection: Option<u64>, identity: Option<&Identity>, address: Option<IpAddr>) -> Self {
        let origin = identity.cloned().map(Origin::Identity).or(address.map(Origin::Address));
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
            let refill = Duration::from_secs_f64(self.burst / self.per_second);
            buckets.retain(|_, bucket| now.saturating_duration_since(bucket.filled_at) < refill);
            if buckets.len() >= MAX_ORIGINS {
                return false; // far more clients than a server can begin sessions with at a time
            }
        }
        let bucket = buckets.entry(origin.clone()).or_insert_with(|| Bucket { tokens: self.burst, filled_at: now });
        let elapsed = now.saturating_duration_since(bucket.filled_at).as_secs_f64();
        bucket.tokens = elapsed.mul_add(self.per_second, bucket.tokens).min(self.burst);
        bucket.filled_at = now;
        let has_token = bucket.tokens >= 1.0;
        if has_token {
            bucket.tokens -= 1.0;
        }
        has_token
    }
}

#[cfg(test)]
mod tests {
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
    async fn number_of_origins_is_limited() {
        let limit = RateLimit::new(2, 2);
        let address = |number: u32| Origin::Address(IpAddr::from(number.to_be_bytes()));
        let known = (0..10_000).filter(|number| limit.take(Some(&address(*number)))).count();
        assert_eq!(known, MAX_ORIGINS);
        assert!(limit.take(Some(&address(0))), "a known origin");
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(limit.take(Some(&address(20_000))));
    }
}
