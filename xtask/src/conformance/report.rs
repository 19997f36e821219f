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
    /// What is wrong beside the checks.
    flaw: Option<String>,
    /// Why it did not run.
    excuse: Option<&'static str>,
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
    /// It did not run, as it is about what we do not have yet.
    Excused,
}

impl Line {
    pub(super) fn new(scenario: &Scenario, revision: &str, checks: Vec<Check>) -> Self {
        let Scenario { name, standing } = scenario.clone();
        Self { scenario: name, revision: revision.to_owned(), standing, checks, flaw: None, excuse: None }
    }

    /// One that did not run.
    pub(super) fn excused(scenario: &Scenario, revision: &str, why: &'static str) -> Self {
        Self { excuse: Some(why), ..Self::new(scenario, revision, Vec::new()) }
    }

    /// The same, held to strictly: no warning, and nothing wrong beside the checks either.
    pub(super) fn strictly(mut self, flaw: Option<String>) -> Self {
        let warns = self.count(Status::Warning) > 0;
        self.flaw = flaw.or_else(|| warns.then(|| "it has warnings".to_owned()));
        self
    }

    fn count(&self, status: Status) -> usize {
        self.checks.iter().filter(|check| check.status == status).count()
    }

    fn verdict(&self) -> Verdict {
        // Every recorded exchange is held to the schema, also where the scenario itself measures nothing.
        let own = |check: &&Check| !check.id.starts_with("wire-schema");
        let measured = self.checks.iter().filter(own).any(|check| check.status == Status::Success);
        if self.excuse.is_some() {
            Verdict::Excused
        } else if self.checks.is_empty() {
            Verdict::Nothing
        } else if self.count(Status::Failure) > 0 || self.flaw.is_some() {
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

    /// Whether it is to pass: what is required, and what only came too late for the frozen list.
    fn is_held(&self) -> bool {
        self.is_required() || self.standing == Standing::Extra("added-after-release".to_owned())
    }

    /// Whether it counts as it is.
    fn is_fine(&self) -> bool {
        matches!(self.verdict(), Verdict::Pass | Verdict::Excused)
    }

    /// What is wrong: beside the checks, and each check that failed or warns, on a line of its own.
    fn complaints(&self) -> String {
        let is_bad = |check: &&Check| matches!(check.status, Status::Failure | Status::Warning);
        let line = |check: &Check| {
            let what = if check.status == Status::Warning { "warning " } else { "" };
            format!("\n    {what}{}: {}", check.id, check.words.lines().next().unwrap_or_default())
        };
        let flaw = self.flaw.iter().map(|flaw| format!("\n    {}", flaw.replace('\n', "\n    ")));
        flaw.chain(self.checks.iter().filter(is_bad).map(line)).collect()
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let standing = match &self.standing {
            Standing::Required => "required",
            Standing::Extra(why) => why,
        };
        let passed = self.count(Status::Success);
        let checks = match self.excuse {
            Some(_) => "-".to_owned(),
            None => format!("{passed}/{}", passed + self.count(Status::Failure)),
        };
        let verdict = match self.verdict() {
            Verdict::Pass => "pass",
            Verdict::Fail => "FAIL",
            Verdict::Skip => "skip",
            Verdict::Nothing => "NO RESULT",
            Verdict::Excused => "not run",
        };
        write!(f, "{:<46} {:<11} {standing:<20} {checks:>6}  {verdict}", self.scenario, self.revision)?;
        if let Some(why) = self.excuse {
            return write!(f, ": {why}");
        }
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

    /// What is not as it should be: scenarios that are to pass and do not.
    pub(super) fn faults(&self) -> Vec<String> {
        let fails = |line: &&Line| line.is_held() && !line.is_fine();
        let told = |line: &Line| format!("{} at {} does not pass{}", line.scenario, line.revision, line.complaints());
        self.0.iter().filter(fails).map(told).collect()
    }

    /// How many required scenarios pass, by revision.
    pub(super) fn summary(&self) -> String {
        let mut revisions: Vec<&str> = self.0.iter().map(|line| line.revision.as_str()).collect();
        revisions.dedup();
        let of_revision = |revision: &str| {
            let required = self.0.iter().filter(|line| line.is_required() && line.revision == revision);
            let count = |verdict| required.clone().filter(|line| line.verdict() == verdict).count();
            let (passing, excused) = (count(Verdict::Pass), count(Verdict::Excused));
            let ran = required.count() - excused;
            let rest = if excused == 0 { String::new() } else { format!(" ({excused} more are not run)") };
            format!("{passing} of {ran} required scenarios pass at {revision}{rest}")
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
            Standing::Required => line.is_fine(),
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
    fn a_scenario_that_is_held_to_strictly_may_neither_warn_nor_end_badly() {
        let scenario = |name: &str, standing| Scenario { name: name.into(), standing };
        let mut report = Report::default();
        report.add(required("good", &[Status::Success]).strictly(None));
        report.add(required("warns", &[Status::Success, Status::Warning]).strictly(None));
        report.add(required("ends", &[Status::Success]).strictly(Some("the client said:\nno".into())));
        report.add(line("late", Standing::Extra("added-after-release".into()), &[Status::Failure]));
        report.add(Line::excused(&scenario("auth/x", Standing::Required), "R1", "no OAuth"));
        assert_eq!(
            report.faults(),
            [
                "warns at R1 does not pass\n    it has warnings\n    warning warns-check: Why",
                "ends at R1 does not pass\n    the client said:\n    no",
                "late at R1 does not pass\n    late-check: Why",
            ]
        );
        assert_eq!(report.summary(), "1 of 3 required scenarios pass at R1 (1 more are not run)");
        assert!(report.to_string().contains("not run: no OAuth"), "{report}");
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
