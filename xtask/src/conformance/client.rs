//! Runs the client scenarios of the suite one after the other, with stricter rules than the score of the suite.
//!
//! The score ignores warnings and the exit status of the client. Here a scenario passes only if it has no warnings, the
//! suite succeeds, and the client writes nothing to stderr. The client writes to stderr when a scenario fails.

use std::path::Path;

use anyhow::Result;

use super::process;
use super::report::{Report, ScenarioReport};
use super::requirements::Requirements;
use super::suite_side::SuiteSide;
use super::{checks, install};

/// Scenarios for features that are not implemented: a prefix of their names, and the reason for skipping them.
const SKIPPED: [(&str, &str); 1] = [("auth/", "OAuth is not implemented")];

/// Runs all client scenarios.
pub(super) fn run(root: &Path) -> Result<Report> {
    let suite = install::set_up(root)?;
    let program = process::build(root, "conformance-client")?;
    let results = install::fresh_results(root, SuiteSide::Client)?;
    let mut report = Report::default();
    for Requirements { revision, scenarios } in Requirements::all(&suite.requirements, SuiteSide::Client)? {
        let folder = results.join(&revision);
        std::fs::create_dir_all(&folder)?;
        for scenario in &scenarios {
            if let Some((_, reason)) = SKIPPED.iter().find(|(prefix, _)| scenario.name.starts_with(prefix)) {
                report.add(ScenarioReport::skipped(scenario, &revision, reason));
                continue;
            }
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
