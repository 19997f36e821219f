//! Latencies of the probe, and their percentiles.

use std::fmt;
use std::time::{Duration, Instant};

/// The longest accepted latency of another client at the 99th percentile.
pub(crate) const LATENCY_LIMIT: Duration = Duration::from_millis(100);

/// One call of the probe.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) finished_at: Instant,
    pub(crate) latency: Duration,
    pub(crate) succeeded: bool,
}

impl Sample {
    /// Returns whether the call was answered in time.
    pub(crate) fn is_good(&self) -> bool {
        self.succeeded && self.latency <= LATENCY_LIMIT
    }
}

/// A summary of samples. A failed call counts as the longest latency.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Latencies {
    pub(crate) calls: usize,
    pub(crate) failed: usize,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) max: Duration,
}

impl Latencies {
    pub(crate) fn of(samples: &[Sample]) -> Self {
        let latency = |sample: &Sample| if sample.succeeded { sample.latency } else { Duration::MAX };
        let mut sorted: Vec<Duration> = samples.iter().map(latency).collect();
        sorted.sort_unstable();
        let percentile = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100).max(1);
            sorted.get(rank - 1).copied().unwrap_or_default()
        };
        Self {
            calls: samples.len(),
            failed: samples.iter().filter(|sample| !sample.succeeded).count(),
            p50: percentile(50),
            p99: percentile(99),
            max: samples.iter().map(|sample| sample.latency).max().unwrap_or_default(),
        }
    }

    /// Returns whether the 99th percentile is within the limit.
    pub(crate) fn is_within_limit(&self) -> bool {
        self.calls > 0 && self.p99 <= LATENCY_LIMIT
    }
}

/// Formats a latency.
pub(crate) fn millis(latency: Duration) -> String {
    if latency == Duration::MAX { "failed".to_owned() } else { format!("{:.1} ms", latency.as_secs_f64() * 1000.0) }
}

impl fmt::Display for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p99, max] = [self.p50, self.p99, self.max].map(millis);
        write!(f, "p50 {p50}, p99 {p99}, longest {max}, {} of {} failed", self.failed, self.calls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(latencies: impl IntoIterator<Item = (u64, bool)>) -> Latencies {
        let sample = |(millis, succeeded)| Sample {
            finished_at: Instant::now(),
            latency: Duration::from_millis(millis),
            succeeded,
        };
        Latencies::of(&latencies.into_iter().map(sample).collect::<Vec<_>>())
    }

    #[test]
    fn percentiles_are_ranks_of_sorted_samples() {
        let hundred = samples((1..=100).rev().map(|millis| (millis, true)));
        assert_eq!([hundred.p50, hundred.p99, hundred.max].map(|it| it.as_millis()), [50, 99, 100]);
        assert!(hundred.is_within_limit());
        assert!(!samples([]).is_within_limit(), "a probe without calls shows no latency");
    }

    #[test]
    fn failed_calls_count_as_the_longest_latency() {
        let failed = samples((0..100).map(|n| (1, n > 1)));
        assert_eq!((failed.failed, failed.p99), (2, Duration::MAX));
        assert!(!failed.is_within_limit());
        assert!(samples((0..100).map(|n| (1, n > 0))).is_within_limit());
    }
}
