//! The result table of all scenarios, and the failures.

use std::fmt;

use super::checks::{Check, Status};
use super::requirements::{Scenario, Scoring};

/// The result of one scenario.
#[derive(Debug)]
pub(super) struct ScenarioReport {
    scenario: String,
    revision: String,
    scoring: Scoring,
    checks: Vec<Check>,
    /// A problem outside of the checks.
    problem: Option<String>,
}

/// The status of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ScenarioStatus {
    Pass,
    Fail,
    /// No check succeeded or failed.
    Skip,
    /// The suite wrote no results, for example because the scenario crashed.
    NoResult,
}

impl ScenarioReport {
    pub(super) fn new(scenario: &Scenario, revision: &str, checks: Vec<Check>) -> Self {
        let Scenario { name, scoring } = scenario.clone();
        Self { scenario: name, revision: revision.to_owned(), scoring, checks, problem: None }
    }

    /// Fails the scenario if it has warnings or a problem outside of the checks.
    pub(super) fn require_clean_run(mut self, problem: Option<String>) -> Self {
        let warns = self.count(Status::Warning) > 0;
        self.problem = problem.or_else(|| warns.then(|| "it has warnings".to_owned()));
        self
    }

    fn count(&self, status: Status) -> usize {
        self.checks.iter().filter(|check| check.status == status).count()
    }

    fn status(&self) -> ScenarioStatus {
        // The schema checks apply to every recorded message, also in scenarios without other checks.
        let is_scenario_check = |check: &&Check| !check.id.starts_with("wire-schema");
        let measured = self.checks.iter().filter(is_scenario_check).any(|check| check.status == Status::Success);
        if self.checks.is_empty() {
            ScenarioStatus::NoResult
        } else if self.count(Status::Failure) > 0 || self.problem.is_some() {
            ScenarioStatus::Fail
        } else if measured {
            ScenarioStatus::Pass
        } else {
            ScenarioStatus::Skip
        }
    }

    fn is_required(&self) -> bool {
        self.scoring == Scoring::Required
    }

    /// Whether the scenario must pass: it is required, or was added after the list was frozen.
    fn must_pass(&self) -> bool {
        self.is_required() || self.scoring == Scoring::Unscored("added-after-release".to_owned())
    }

    fn passes(&self) -> bool {
        self.status() == ScenarioStatus::Pass
    }

    /// Formats the problem outside of the checks and each failed check or warning, one per line.
    fn problems(&self) -> String {
        let is_bad = |check: &&Check| matches!(check.status, Status::Failure | Status::Warning);
        let line = |check: &Check| {
            let what = if check.status == Status::Warning { "warning " } else { "" };
            format!("\n    {what}{}: {}", check.id, check.message.lines().next().unwrap_or_default())
        };
        let problem = self.problem.iter().map(|problem| format!("\n    {}", problem.replace('\n', "\n    ")));
        problem.chain(self.checks.iter().filter(is_bad).map(line)).collect()
    }
}

impl fmt::Display for ScenarioReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scoring = match &self.scoring {
            Scoring::Required => "required",
            Scoring::Unscored(reason) => reason,
        };
        let passed = self.count(Status::Success);
        let checks = format!("{passed}/{}", passed + self.count(Status::Failure));
        let status = match self.status() {
            ScenarioStatus::Pass => "pass",
            ScenarioStatus::Fail => "FAIL",
            ScenarioStatus::Skip => "skip",
            ScenarioStatus::NoResult => "NO RESULT",
        };
        write!(f, "{:<46} {:<11} {scoring:<20} {checks:>6}  {status}", self.scenario, self.revision)?;
        match self.count(Status::Warning) {
            0 => Ok(()),
            1 => f.write_str(", 1 warning"),
            warnings => write!(f, ", {warnings} warnings"),
        }
    }
}

/// The results of all scenarios.
#[derive(Debug, Default)]
pub(super) struct Report(Vec<ScenarioReport>);

impl Report {
    pub(super) fn add(&mut self, line: ScenarioReport) {
        self.0.push(line);
    }

    /// Returns the scenarios that must pass and did not.
    pub(super) fn failures(&self) -> Vec<String> {
        let fails = |line: &&ScenarioReport| line.must_pass() && !line.passes();
        let text =
            |line: &ScenarioReport| format!("{} at {} does not pass{}", line.scenario, line.revision, line.problems());
        self.0.iter().filter(fails).map(text).collect()
    }

    /// Formats the number of passed required scenarios per revision.
    pub(super) fn summary(&self) -> String {
        let mut revisions: Vec<&str> = self.0.iter().map(|line| line.revision.as_str()).collect();
        revisions.dedup();
        let of_revision = |revision: &str| {
            let required = self.0.iter().filter(|line| line.is_required() && line.revision == revision);
            let passing = required.clone().filter(|line| line.passes()).count();
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
        // Extensions are not implemented, and `failures` lists the required scenarios.
        let is_shown = |line: &&ScenarioReport| match &line.scoring {
            Scoring::Required => line.passes(),
            Scoring::Unscored(reason) => reason != "extension",
        };
        for line in self.0.iter().filter(is_shown).filter(|line| !line.problems().is_empty()) {
            writeln!(f, "{} at {}{}", line.scenario, line.revision, line.problems())?;
        }
        f.write_str(&self.summary())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, scoring: Scoring, statuses: &[Status]) -> ScenarioReport {
        let check =
            |status: &Status| Check { id: format!("{name}-check"), status: *status, message: "Why\nmore".into() };
        ScenarioReport::new(&Scenario { name: name.into(), scoring }, "R1", statuses.iter().map(check).collect())
    }

    fn required(name: &str, statuses: &[Status]) -> ScenarioReport {
        line(name, Scoring::Required, statuses)
    }

    #[test]
    fn scenario_without_success_is_skipped() {
        use Status::{Failure, Info, Skipped, Success, Warning};
        for (statuses, status) in [
            (&[Success, Info][..], ScenarioStatus::Pass),
            (&[Success, Warning], ScenarioStatus::Pass),
            (&[Success, Failure], ScenarioStatus::Fail),
            (&[Failure], ScenarioStatus::Fail),
            (&[Skipped, Info], ScenarioStatus::Skip),
            (&[Warning], ScenarioStatus::Skip),
            (&[], ScenarioStatus::NoResult),
        ] {
            assert_eq!(required("x", statuses).status(), status, "{statuses:?}");
        }
        let wire = Check { id: "wire-schema-valid".into(), status: Success, message: String::new() };
        let scenario = Scenario { name: "x".into(), scoring: Scoring::Required };
        assert_eq!(ScenarioReport::new(&scenario, "R1", vec![wire]).status(), ScenarioStatus::Skip);
    }

    #[test]
    fn only_required_scenarios_must_pass() {
        let mut report = Report::default();
        report.add(required("good", &[Status::Success]));
        report.add(required("bad", &[Status::Success, Status::Failure, Status::Warning]));
        report.add(required("skipped", &[Status::Skipped]));
        report.add(line("extra", Scoring::Unscored("pending".into()), &[Status::Failure]));
        let failures = report.failures();
        assert_eq!(
            failures,
            ["bad at R1 does not pass\n    bad-check: Why\n    warning bad-check: Why", "skipped at R1 does not pass",]
        );
        assert_eq!(report.summary(), "1 of 3 required scenarios pass at R1");
    }

    #[test]
    fn clean_run_requires_no_warnings_and_no_problems() {
        let mut report = Report::default();
        report.add(required("good", &[Status::Success]).require_clean_run(None));
        report.add(required("warns", &[Status::Success, Status::Warning]).require_clean_run(None));
        report.add(required("ends", &[Status::Success]).require_clean_run(Some("the client said:\nno".into())));
        report.add(line("late", Scoring::Unscored("added-after-release".into()), &[Status::Failure]));
        assert_eq!(
            report.failures(),
            [
                "warns at R1 does not pass\n    it has warnings\n    warning warns-check: Why",
                "ends at R1 does not pass\n    the client said:\n    no",
                "late at R1 does not pass\n    late-check: Why",
            ]
        );
        assert_eq!(report.summary(), "1 of 3 required scenarios pass at R1");
    }

    #[test]
    fn table_shows_counts_warnings_and_scoring() {
        let mut report = Report::default();
        report.add(line("extra", Scoring::Unscored("pending".into()), &[Status::Failure, Status::Warning]));
        report.add(line("foreign", Scoring::Unscored("extension".into()), &[Status::Failure]));
        let text = report.to_string();
        let message: Vec<&str> = text.lines().next().unwrap().split_whitespace().collect();
        assert_eq!(message, ["extra", "R1", "pending", "0/1", "FAIL,", "1", "warning"]);
        assert!(text.contains("extra-check: Why") && !text.contains("foreign-check"), "{text}");
    }
}
