//! Runs the server scenarios of the suite, one list of requirements at a time.

use std::path::Path;

use anyhow::{Context, Result};

use super::process::{self, ServerProcess};
use super::report::{Report, ScenarioReport};
use super::requirements::Requirements;
use super::suite_side::SuiteSide;
use super::{checks, install};

/// Runs all server scenarios.
pub(super) fn run(root: &Path) -> Result<Report> {
    let suite = install::set_up(root)?;
    let program = process::build(root, "conformance-server")?;
    let results = install::fresh_results(root, SuiteSide::Server)?;
    let mut server = ServerProcess::start(&program, &results.join("server.log"))?;
    println!("the server listens at {}", server.url());
    let mut report = Report::default();
    for requirements in Requirements::all(&suite.requirements, SuiteSide::Server)? {
        let folder = results.join(&requirements.revision);
        std::fs::create_dir_all(&folder)?;
        suite.run(server.url(), &requirements.revision, &folder)?;
        server.ensure_running().with_context(|| format!("while running {}", requirements.revision))?;
        for scenario in &requirements.scenarios {
            let checks = checks::read_checks(&folder, SuiteSide::Server, &scenario.name)?;
            report.add(ScenarioReport::new(scenario, &requirements.revision, checks));
        }
    }
    Ok(report)
}
