//! The suite against our server: each revision's list as a whole.

use std::path::Path;

use anyhow::{Context, Result};

use super::leg::Leg;
use super::process::{self, Fixture};
use super::report::{Line, Report};
use super::requirements::Requirements;
use super::{checks, install};

/// Runs every scenario for servers.
pub(super) fn run(root: &Path) -> Result<Report> {
    let suite = install::set_up(root)?;
    let program = process::build(root, "conformance-server")?;
    let results = install::fresh_results(root, Leg::Server)?;
    let mut fixture = Fixture::start(&program, &results.join("server.log"))?;
    println!("the server is at {}", fixture.url());
    let mut report = Report::default();
    for requirements in Requirements::all(&suite.requirements, Leg::Server)? {
        let folder = results.join(&requirements.revision);
        std::fs::create_dir_all(&folder)?;
        suite.run(fixture.url(), &requirements.revision, &folder)?;
        fixture.still_runs().with_context(|| format!("during the run of {}", requirements.revision))?;
        for scenario in &requirements.scenarios {
            let checks = checks::of(&folder, Leg::Server, &scenario.name)?;
            report.add(Line::new(scenario, &requirements.revision, checks));
        }
    }
    Ok(report)
}
