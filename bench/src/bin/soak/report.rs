//! The figures of the rounds, and the checks at the end.

use std::time::Duration;

use crate::latencies::{Latencies, millis};
use crate::process::Resources;
use crate::traffic::Outcomes;

/// The rounds at the start that are not compared: the allocator of glibc learns the block sizes it keeps.
const WARM_UP_ROUNDS: usize = 5;
/// How many rounds after the warm-up are compared with the same number of rounds at the end.
const COMPARED_ROUNDS: usize = 5;
/// How much the memory may grow between them, in percent. Single rounds vary more than this: which freed blocks glibc keeps
/// depends on the order of the calls.
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
        let memory: Vec<usize> = self.rounds.iter().map(|round| round.memory).collect();
        let (plateaus, plateau) = plateau(&memory);
        let all = |check: fn(&Round) -> bool| !self.rounds.is_empty() && self.rounds.iter().all(check);
        let released = !self.rounds.is_empty() && self.rounds.iter().all(|it| it.resources.is_back_to(&self.start));
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

/// Returns whether the memory after the rounds is a plateau, and the text of this check.
fn plateau(memory: &[usize]) -> (bool, String) {
    let least_rounds = WARM_UP_ROUNDS + 2 * COMPARED_ROUNDS;
    if memory.len() < least_rounds {
        return (
            false,
            format!("the memory requires {least_rounds} rounds to be compared, but there are {}", memory.len()),
        );
    }
    let first = median(&memory[WARM_UP_ROUNDS..WARM_UP_ROUNDS + COMPARED_ROUNDS]);
    let last = median(&memory[memory.len() - COMPARED_ROUNDS..]);
    let text = format!(
        "the median memory of the last {COMPARED_ROUNDS} rounds is {}; after the warm-up it was {} (at most {TOLERANCE_PERCENT} % more)",
        mib(last),
        mib(first)
    );
    (last * 100 <= first * (100 + TOLERANCE_PERCENT), text)
}

/// Returns the middle value of an odd number of values.
fn median(values: &[usize]) -> usize {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
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
    fn memory_is_a_plateau_when_the_median_does_not_grow_after_the_warm_up() {
        let memory = |last: [usize; 5]| [[10, 20, 300, 40, 50], [100, 80, 100, 130, 100], last].concat();
        assert!(plateau(&memory([105, 90, 105, 200, 110])).0);
        assert!(!plateau(&memory([105, 90, 106, 200, 110])).0);
        assert!(!plateau(&memory([100; 5])[..14]).0, "too few rounds");
    }

    #[test]
    fn bytes_are_formatted_in_mib() {
        assert_eq!(mib(0), "0.0 MiB");
        assert_eq!(mib((3 << 20) + (1 << 19)), "3.5 MiB");
    }
}
