//! The `rate_limit` middleware.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ferromcp_core::model::CallToolResult;
use ferromcp_core::{ClientRequest, Error, ServerResult};

use crate::call::{Call, Reply};
use crate::middleware::{Middleware, Next};

/// Maximum number of principals with a separate rate. Beyond it, the longest idle one is evicted.
const MAX_PRINCIPALS: usize = 10_000;

/// Limits the rate of handler calls (tools, resources, prompts, completions) to `calls` per period `per` and authenticated
/// principal.
///
/// A token bucket allows a burst of `calls` and refills evenly. All unauthenticated peers share one bucket. A rejected tool
/// call returns a tool error; other calls return a protocol error. Both contain the delay before a retry.
///
/// ```
/// use std::time::Duration;
/// use ferromcp_server::{Server, middleware::rate_limit};
/// let server = Server::new("demo", "1.0.0").wrap(rate_limit(100, Duration::from_secs(60)));
/// ```
pub fn rate_limit(calls: u32, per: Duration) -> impl Middleware {
    let calls = f64::from(calls.max(1));
    Rate { calls, per_second: calls / per.as_secs_f64().max(f64::MIN_POSITIVE), buckets: Mutex::default() }
}

struct Rate {
    calls: f64,
    per_second: f64,
    buckets: Mutex<HashMap<Option<String>, Bucket>>,
}

/// A token bucket: the calls that a principal may still make, refilled over time.
struct Bucket {
    left: f64,
    at: Instant,
}

impl Rate {
    /// Takes a token from the principal's bucket, or returns the delay until one is available.
    fn take(&self, principal: Option<&str>, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let key = principal.map(str::to_owned);
        if buckets.len() >= MAX_PRINCIPALS && !buckets.contains_key(&key) {
            let idlest = buckets.iter().min_by_key(|(_, bucket)| bucket.at).map(|(key, _)| key.clone());
            idlest.and_then(|key| buckets.remove(&key));
        }
        let bucket = buckets.entry(key).or_insert(Bucket { left: self.calls, at: now });
        let refill = now.saturating_duration_since(bucket.at).as_secs_f64() * self.per_second;
        bucket.left = (bucket.left + refill).min(self.calls);
        bucket.at = now;
        if bucket.left >= 1.0 {
            bucket.left -= 1.0;
            return Ok(());
        }
        let wait = (1.0 - bucket.left) / self.per_second;
        Err(Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX))
    }
}

impl Middleware for Rate {
    fn handle(&self, call: Call, next: Next) -> Pin<Box<dyn Future<Output = Reply> + Send>> {
        if call.runs_user_code() {
            if let Err(wait) = self.take(call.peer.identity(), Instant::now()) {
                let seconds = wait.as_secs().saturating_add(1);
                let message = format!("Too many calls; try again in {seconds} s");
                let reply = if matches!(call.request, ClientRequest::CallTool(_)) {
                    Reply::Done(ServerResult::CallTool(CallToolResult::error(message)))
                } else {
                    Reply::Failed(Error::internal(message))
                };
                return Box::pin(std::future::ready(reply));
            }
        }
        Box::pin(next.run(call))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn take_returns_delay_when_bucket_is_empty() {
        let rate = Rate { calls: 2.0, per_second: 2.0, buckets: Mutex::default() };
        let start = Instant::now();
        assert_eq!(rate.take(None, start), Ok(()));
        assert_eq!(rate.take(None, start), Ok(()));
        assert_eq!(rate.take(None, start), Err(Duration::from_millis(500)));
        assert_eq!(rate.take(Some("ada"), start), Ok(()), "each principal has a bucket");
        assert_eq!(rate.take(None, start + Duration::from_millis(500)), Ok(()));
        assert!(rate.take(None, start + Duration::from_millis(600)).is_err());
    }

    #[test]
    fn oldest_principal_is_evicted_when_limit_is_reached() {
        let rate = Rate { calls: 1.0, per_second: 1.0, buckets: Mutex::default() };
        let start = Instant::now();
        for index in 0..MAX_PRINCIPALS + 10 {
            let _ = rate.take(Some(&index.to_string()), start);
        }
        assert_eq!(rate.buckets.lock().unwrap().len(), MAX_PRINCIPALS);
    }
}
