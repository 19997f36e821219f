//! The figures of the rounds, and the checks at the end.

use std::time::Duration;

use crate::latencies::{Latencies, millis};
use crate::process::Resources;
use crate::traffic::Outcomes;

/// The rounds at the end whose memory is compared.
const COMPARED_ROUNDS: usize = 5;
/// How much their memory may differ, in percent of the largest: the allocator returns freed memory in a different order
/// each time.
const TOLERANCE_PERCENT: usize = 5;

/// The columns of the table: their names and widths.
const COLUMNS: [(&str, usize); 13] = [
    ("round", 5),
    ("time", 6),
    ("peak", 10),
    ("after", 10),
    ("fd/task/session", 16),
    ("release", 8),
    ("p50", 9),
    ("p99", 9),
    ("longest", 10),
    ("failed", 8),
    ("valid", 11),
    ("invalid", 10),
    ("load average", 18),
];

/// The figures of a round.
pub(crate) struct Round {
    pub(crate) time: Duration,
    /// The most memory during the round.
    pub(crate) peak: usize,
    /// The memory after the resources were released.
    pub(crate) memory: usize,
    pub(crate) resources: Resources,
    /// How long it took to release the resources.
    pub(crate) release: Duration,
    pub(crate) latencies: Latencies,
    pub(crate) valid: Outcomes,
    pub(crate) invalid: Outcomes,
    pub(crate) attacks: Vec<String>,
}

/// The figures of all rounds.
pub(crate) struct Report {
    start: Resources,
    rounds: Vec<Round>,
}

impl Report {
    /// Prints the heads of the columns.
    pub(crate) fn new(start: Resources) -> Self {
        println!("start: {start:?}");
        println!("{}", row(&COLUMNS.map(|(name, _)| name.to_owned())));
        Self { start, rounds: Vec::new() }
    }

    /// Adds a round and prints it. Of the traffic, it prints how many scenarios have passed, were refused, and failed.
    pub(crate) fn add(&mut self, round: Round) {
        let (Resources { descriptors, tasks, sessions }, latencies) = (round.resources, &round.latencies);
        let cells = [
            (self.rounds.len() + 1).to_string(),
            format!("{:.0} s", round.time.as_secs_f64()),
            mib(round.peak),
            mib(round.memory),
            format!("{descriptors}/{tasks}/{sessions}"),
            format!("{:.1} s", round.release.as_secs_f64()),
            millis(latencies.p50),
            millis(latencies.p99),
            millis(latencies.max),
            format!("{}/{}", latencies.failed, latencies.calls),
            round.valid.to_string(),
            round.invalid.to_string(),
            load_average(),
        ];
        println!("{}", row(&cells));
        if self.rounds.is_empty() {
            for outcome in &round.attacks {
                println!("      {outcome}");
            }
        }
        for failure in [&round.valid.first_failure, &round.invalid.first_failure].into_iter().flatten() {
            println!("      failed: {failure}");
        }
        self.rounds.push(round);
    }

    /// Prints the checks. Returns whether all pass.
    pub(crate) fn finish(&self, memory_exceeded: bool) -> bool {
        let memory: Vec<usize> = self.rounds.iter().rev().take(COMPARED_ROUNDS).map(|round| round.memory).collect();
        let (least, most) = (memory.iter().min().copied().unwrap_or(0), memory.iter().max().copied().unwrap_or(0));
        let all = |check: fn(&Round) -> bool| !self.rounds.is_empty() && self.rounds.iter().all(check);
        let released = !self.rounds.is_empty() && self.rounds.iter().all(|it| it.resources.is_back_to(&self.start));
        let plateaus = memory.len() == COMPARED_ROUNDS && is_plateau(least, most);
        let plateau = format!(
            "the memory after the last {} rounds is {} to {} (at most {TOLERANCE_PERCENT} % apart, {COMPARED_ROUNDS} rounds)",
            memory.len(),
            mib(least),
            mib(most)
        );
        let checks = [
            (all(|round| round.latencies.is_within_limit()), "p99 of the probe is at most 100 ms in every round"),
            (plateaus, plateau.as_str()),
            (released, "descriptors, tasks and sessions return to their start in every round"),
            (
                all(|round| round.valid.failed == 0),
                "every valid request has the right answer, or is refused at a limit",
            ),
            (all(|round| round.invalid.failed == 0), "every invalid request is rejected as expected"),
            (!memory_exceeded, "the memory stays below the ceiling"),
        ];
        for (passed, check) in checks {
            println!("{} {check}", if passed { "ok    " } else { "FAILED" });
        }
        checks.iter().all(|(passed, _)| *passed)
    }
}

/// Formats a line of the table.
fn row(cells: &[String; COLUMNS.len()]) -> String {
    let cells = cells.iter().zip(COLUMNS).map(|(cell, (_, width))| format!("{cell:>width$}"));
    cells.collect::<Vec<_>>().join(" ")
}

fn is_plateau(least: usize, most: usize) -> bool {
    (most - least) * 100 <= most * TOLERANCE_PERCENT
}

/// Formats a number of bytes in MiB.
pub(crate) fn mib(bytes: usize) -> String {
    let tenths = (bytes * 10) >> 20;
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

/// Returns the load average of the machine over 1, 5 and 15 minutes.
pub(crate) fn load_average() -> String {
    let all = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    all.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_a_plateau_within_the_tolerance() {
        assert!(is_plateau(95, 100) && is_plateau(100, 100));
        assert!(!is_plateau(94, 100));
    }

    #[test]
    fn bytes_are_formatted_in_mib() {
        assert_eq!(mib(0), "0.0 MiB");
        assert_eq!(mib((3 << 20) + (1 << 19)), "3.5 MiB");
    }
}
