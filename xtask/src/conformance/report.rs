//! The table of all scenarios, and what is wrong with it.

use std::fmt;

use super::checks::{Check, Status};
use super::requirements::{Scenario, Standing};

/// A scenario that ran.
#[derive(Debug)]
pub(super) struct Line {
    scenario: String,
    revision: String,
    standing: Standing,
    checks: Vec<Check>,
}

/// What came of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Pass,
    Fail,
    /// Nothing was measured.
    Skip,
    /// The suite left no results, as when the scenario itself broke.
    Nothing,
}

impl Line {
    pub(super) fn new(scenario: &Scenario, revision: &str, checks: Vec<Check>) -> Self {
        let Scenario { name, standing } = scenario.clone();
        Self { scenario: name, revision: revision.to_owned(), standing, checks }
    }

    fn count(&self, status: Status) -> usize {
        self.checks.iter().filter(|check| check.status == status).count()
    }

    fn verdict(&self) -> Verdict {
        // Every recorded exchange is held to the schema, also where the scenario itself measures nothing.
        let own = |check: &&Check| !check.id.starts_with("wire-schema");
        let measured = self.checks.iter().filter(own).any(|check| check.status == Status::Success);
        if self.checks.is_empty() {
            Verdict::Nothing
        } else if self.count(Status::Failure) > 0 {
            Verdict::Fail
        } else if measured {
            Verdict::Pass
        } else {
            Verdict::Skip
        }
    }

    fn is_required(&self) -> bool {
        self.standing == Standing::Required
    }

    /// Each check that failed or warns, on a line of its own.
    fn complaints(&self) -> String {
        let is_bad = |check: &&Check| matches!(check.status, Status::Failure | Status::Warning);
        let line = |check: &Check| {
            let what = if check.status == Status::Warning { "warning " } else { "" };
            format!("\n    {what}{}: {}", check.id, check.words.lines().next().unwrap_or_default())
        };
        self.checks.iter().filter(is_bad).map(line).collect()
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let standing = match &self.standing {
            Standing::Required => "required",
            Standing::Extra(why) => why,
        };
        let passed = self.count(Status::Success);
        let checks = format!("{passed}/{}", passed + self.count(Status::Failure));
        let verdict = match self.verdict() {
            Verdict::Pass => "pass",
            Verdict::Fail => "FAIL",
            Verdict::Skip => "skip",
            Verdict::Nothing => "NO RESULT",
        };
        write!(f, "{:<46} {:<11} {standing:<20} {checks:>6}  {verdict}", self.scenario, self.revision)?;
        match self.count(Status::Warning) {
            0 => Ok(()),
            1 => f.write_str(", 1 warning"),
            warnings => write!(f, ", {warnings} warnings"),
        }
    }
}

/// All scenarios that ran.
#[derive(Debug, Default)]
pub(super) struct Report(Vec<Line>);

impl Report {
    pub(super) fn add(&mut self, line: Line) {
        self.0.push(line);
    }

    /// What is not as it should be: required scenarios that do not pass.
    pub(super) fn faults(&self) -> Vec<String> {
        let fails = |line: &&Line| line.is_required() && line.verdict() != Verdict::Pass;
        let told = |line: &Line| format!("{} at {} does not pass{}", line.scenario, line.revision, line.complaints());
        self.0.iter().filter(fails).map(told).collect()
    }

    /// How many required scenarios pass, by revision.
    pub(super) fn summary(&self) -> String {
        let mut revisions: Vec<&str> = self.0.iter().map(|line| line.revision.as_str()).collect();
        revisions.dedup();
        let of_revision = |revision: &str| {
            let required = self.0.iter().filter(|line| line.is_required() && line.revision == revision);
            let passing = required.clone().filter(|line| line.verdict() == Verdict::Pass).count();
            format!("{passing} of {} required scenarios pass at {revision}", required.count())
        };
        revisions.into_iter().map(of_revision).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.0 {
            writeln!(f, "{line}")?;
        }
        // Of an extension that is not offered there is nothing to say; of what is required, `faults` says it.
        let untold = |line: &&Line| match &line.standing {
            Standing::Required => line.verdict() == Verdict::Pass,
            Standing::Extra(why) => why != "extension",
        };
        for line in self.0.iter().filter(untold).filter(|line| !line.complaints().is_empty()) {
            writeln!(f, "{} at {}{}", line.scenario, line.revision, line.complaints())?;
        }
        f.write_str(&self.summary())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, standing: Standing, statuses: &[Status]) -> Line {
        let check = |status: &Status| Check { id: format!("{name}-check"), status: *status, words: "Why\nmore".into() };
        Line::new(&Scenario { name: name.into(), standing }, "R1", statuses.iter().map(check).collect())
    }

    fn required(name: &str, statuses: &[Status]) -> Line {
        line(name, Standing::Required, statuses)
    }

    #[test]
    fn a_verdict_needs_something_measured() {
        use Status::{Failure, Info, Skipped, Success, Warning};
        for (statuses, verdict) in [
            (&[Success, Info][..], Verdict::Pass),
            (&[Success, Warning], Verdict::Pass),
            (&[Success, Failure], Verdict::Fail),
            (&[Failure], Verdict::Fail),
            (&[Skipped, Info], Verdict::Skip),
            (&[Warning], Verdict::Skip),
            (&[], Verdict::Nothing),
        ] {
            assert_eq!(required("x", statuses).verdict(), verdict, "{statuses:?}");
        }
        let wire = Check { id: "wire-schema-valid".into(), status: Success, words: String::new() };
        let scenario = Scenario { name: "x".into(), standing: Standing::Required };
        assert_eq!(Line::new(&scenario, "R1", vec![wire]).verdict(), Verdict::Skip);
    }

    #[test]
    fn what_is_required_must_pass_and_what_is_excused_must_not() {
        let mut report = Report::default();
        report.add(required("good", &[Status::Success]));
        report.add(required("bad", &[Status::Success, Status::Failure, Status::Warning]));
        report.add(required("skipped", &[Status::Skipped]));
        report.add(line("extra", Standing::Extra("pending".into()), &[Status::Failure]));
        let faults = report.faults();
        assert_eq!(
            faults,
            ["bad at R1 does not pass\n    bad-check: Why\n    warning bad-check: Why", "skipped at R1 does not pass",]
        );
        assert_eq!(report.summary(), "1 of 3 required scenarios pass at R1");
    }

    #[test]
    fn the_table_shows_counts_warnings_and_standing() {
        let mut report = Report::default();
        report.add(line("extra", Standing::Extra("pending".into()), &[Status::Failure, Status::Warning]));
        report.add(line("foreign", Standing::Extra("extension".into()), &[Status::Failure]));
        let told = report.to_string();
        let words: Vec<&str> = told.lines().next().unwrap().split_whitespace().collect();
        assert_eq!(words, ["extra", "R1", "pending", "0/1", "FAIL,", "1", "warning"]);
        assert!(told.contains("extra-check: Why") && !told.contains("foreign-check"), "{told}");
    }
}
