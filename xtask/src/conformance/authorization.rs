//! Runs the authorization server scenarios of the suite, which are in no list of requirements, at each of its revisions.
//!
//! The rules are those of the client scenarios: no warnings, and the suite succeeds.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::process::{self, ServerProcess};
use super::report::{Report, ScenarioReport};
use super::requirements::{Requirements, Scenario, Scoring};
use super::suite_side::SuiteSide;
use super::{checks, install};

/// Runs all authorization server scenarios.
pub(super) fn run(root: &Path) -> Result<Report> {
    const SIDE: SuiteSide = SuiteSide::AuthorizationServer;
    let suite = install::set_up(root)?;
    let program = process::build(root, "conformance-authorization-server")?;
    let results = install::fresh_results(root, SIDE)?;
    let mut server = ServerProcess::start(&program, &results.join("server.log"))?;
    let issuer = server.url().trim_end_matches("/mcp").to_owned();
    let mut report = Report::default();
    for Requirements { revision, scenarios } in by_revision(&suite.list(SIDE)?)? {
        let folder = results.join(&revision);
        std::fs::create_dir_all(&folder)?;
        let passed = suite.run_authorization(&issuer, server.url(), &revision, &folder)?;
        server.ensure_running().with_context(|| format!("while running {revision}"))?;
        for scenario in &scenarios {
            let checks = checks::read_checks(&folder, SIDE, &scenario.name)?;
            let problem = (!passed).then(|| "the suite failed".to_owned());
            report.add(ScenarioReport::new(scenario, &revision, checks).require_clean_run(problem));
        }
    }
    Ok(report)
}

/// Returns the scenarios of each revision, sorted by revision.
///
/// A line of the listing is the name of a scenario and its revisions: `- x [R1,R2]`.
fn by_revision(listing: &str) -> Result<Vec<Requirements>> {
    let mut found: Vec<Requirements> = Vec::new();
    for line in listing.lines() {
        let Some((name, revisions)) = line.trim().strip_prefix("- ").and_then(|line| line.split_once(" [")) else {
            continue;
        };
        for revision in revisions.trim_end_matches(']').split(',').map(str::trim) {
            let scenario = Scenario { name: name.to_owned(), scoring: Scoring::Required };
            match found.iter_mut().find(|it| it.revision == revision) {
                Some(requirements) => requirements.scenarios.push(scenario),
                None => found.push(Requirements { revision: revision.to_owned(), scenarios: vec![scenario] }),
            }
        }
    }
    if found.is_empty() {
        bail!("the suite lists no scenarios for an authorization server:\n{listing}");
    }
    found.sort_by(|a, b| a.revision.cmp(&b.revision));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_are_grouped_by_revision() {
        let found = by_revision("Authorization server scenarios\n  - a [2000-01-01,2000-02-02]\n  - b [2000-02-02]\n");
        let scenario = |name: &str| Scenario { name: name.to_owned(), scoring: Scoring::Required };
        let expected = [
            Requirements { revision: "2000-01-01".to_owned(), scenarios: vec![scenario("a")] },
            Requirements { revision: "2000-02-02".to_owned(), scenarios: vec![scenario("a"), scenario("b")] },
        ];
        assert_eq!(found.unwrap(), expected);
        assert!(by_revision("").is_err());
    }
}
