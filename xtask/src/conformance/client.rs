//! Runs the client scenarios of the suite one after the other, with stricter rules than the score of the suite.
//!
//! The score ignores warnings and the exit status of the client. Here a scenario passes only if it has no warnings, the
//! suite succeeds, and the client writes nothing to stderr. The client writes to stderr when a scenario fails.

use std::path::Path;

use anyhow::Result;

use super::process;
use super::report::{Report, ScenarioReport};
use super::requirements::{Requirements, Scenario, Scoring};
use super::suite_side::SuiteSide;
use super::{checks, install};

/// Runs all client scenarios.
pub(super) fn run(root: &Path) -> Result<Report> {
    let suite = install::set_up(root)?;
    let program = process::build(root, "conformance-client")?;
    let results = install::fresh_results(root, SuiteSide::Client)?;
    let mut report = Report::default();
    let mut all = Requirements::all(&suite.requirements, SuiteSide::Client)?;
    all.extend(without_list(&suite.list(SuiteSide::Client)?, &all));
    for Requirements { revision, scenarios } in all {
        let folder = results.join(&revision);
        std::fs::create_dir_all(&folder)?;
        for scenario in &scenarios {
            let scenario = &required(scenario);
            let passed = suite.run_alone(&program, &scenario.name, &revision, &folder)?;
            let checks = checks::read_checks(&folder, SuiteSide::Client, &scenario.name)?;
            let stderr = checks::client_stderr(&folder, &scenario.name)?;
            let problem = match (passed, stderr.as_str()) {
                (true, "") => None,
                (true, stderr) => Some(format!("the client wrote to stderr:\n{stderr}")),
                (false, "") => Some("the suite failed".to_owned()),
                (false, stderr) => Some(format!("the suite failed; the client wrote to stderr:\n{stderr}")),
            };
            report.add(ScenarioReport::new(scenario, &revision, checks).require_clean_run(problem));
        }
    }
    Ok(report)
}

/// Returns a scenario as required if it is an extension, because the client supports all extensions with scenarios.
fn required(scenario: &Scenario) -> Scenario {
    let is_extension = scenario.scoring == Scoring::Unscored("extension".to_owned());
    Scenario {
        name: scenario.name.clone(),
        scoring: if is_extension { Scoring::Required } else { scenario.scoring.clone() },
    }
}

/// Returns the authorization scenarios of revisions without a list of requirements.
///
/// A line of the listing is the name of a scenario and the revisions: `- auth/x [R1,R2]`.
fn without_list(listing: &str, listed: &[Requirements]) -> Vec<Requirements> {
    let mut found: Vec<Requirements> = Vec::new();
    for line in listing.lines() {
        let Some((name, revision)) = line.trim().strip_prefix("- ").and_then(|line| line.split_once(" [")) else {
            continue;
        };
        let revision = revision.trim_end_matches(']').to_owned();
        let is_revision = revision.starts_with(|c: char| c.is_ascii_digit()) && !revision.contains(',');
        if !name.starts_with("auth/") || !is_revision || listed.iter().any(|it| it.revision == revision) {
            continue;
        }
        let scenario = Scenario { name: name.to_owned(), scoring: Scoring::Required };
        match found.iter_mut().find(|it| it.revision == revision) {
            Some(requirements) => requirements.scenarios.push(scenario),
            None => found.push(Requirements { revision, scenarios: vec![scenario] }),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_of_revisions_without_list_are_required() {
        let listed = [Requirements { revision: "2000-02-02".to_owned(), scenarios: Vec::new() }];
        let listing = "Client scenarios\n  - auth/a [2000-01-01]\n  - auth/b [2000-01-01]\n  - auth/c [2000-02-02]\n  - auth/d [2000-01-01,2000-02-02]\n  - e [2000-01-01]\n  - auth/f [extension]\n";
        let found = without_list(listing, &listed);
        let scenario = |name: &str| Scenario { name: name.to_owned(), scoring: Scoring::Required };
        let expected =
            Requirements { revision: "2000-01-01".to_owned(), scenarios: vec![scenario("auth/a"), scenario("auth/b")] };
        assert_eq!(found, [expected]);
    }
}
