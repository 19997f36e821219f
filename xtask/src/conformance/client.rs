//! The suite against our client: one scenario after the other, each held to more than the suite's score asks.
//!
//! The score does not look at warnings, nor at how the client ended. Here a scenario passes only if there is no warning,
//! the suite run for it alone is content, and the client had nothing to say on stderr, which it has whenever a
//! conversation did not go through.

use std::path::Path;

use anyhow::Result;

use super::leg::Leg;
use super::process;
use super::report::{Line, Report};
use super::requirements::Requirements;
use super::{checks, install};

/// Scenarios that are about what we do not have yet, by the beginning of their names, and why they are not run.
const EXCUSED: [(&str, &str); 1] = [("auth/", "there is no OAuth yet")];

/// Runs every scenario for clients.
pub(super) fn run(root: &Path) -> Result<Report> {
    let suite = install::set_up(root)?;
    let program = process::build(root, "conformance-client")?;
    let results = install::fresh_results(root, Leg::Client)?;
    let mut report = Report::default();
    for Requirements { revision, scenarios } in Requirements::all(&suite.requirements, Leg::Client)? {
        let folder = results.join(&revision);
        std::fs::create_dir_all(&folder)?;
        for scenario in &scenarios {
            if let Some((_, why)) = EXCUSED.iter().find(|(prefix, _)| scenario.name.starts_with(prefix)) {
                report.add(Line::excused(scenario, &revision, why));
                continue;
            }
            let content = suite.run_alone(&program, &scenario.name, &revision, &folder)?;
            let checks = checks::of(&folder, Leg::Client, &scenario.name)?;
            let said = checks::last_words(&folder, &scenario.name)?;
            let flaw = match (content, said.as_str()) {
                (true, "") => None,
                (true, said) => Some(format!("the client said:\n{said}")),
                (false, "") => Some("the suite is not content with the client".to_owned()),
                (false, said) => Some(format!("the suite is not content with the client, which said:\n{said}")),
            };
            report.add(Line::new(scenario, &revision, checks).strictly(flaw));
        }
    }
    Ok(report)
}
