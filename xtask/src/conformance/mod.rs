//! The official conformance suite, run against a server of ours that offers all the suite asks for.
//!
//! The suite is pinned by `xtask/conformance` and installed under `target/conformance`. Each revision it has a list of
//! requirements for is run as a whole; the lists name what is required, and what is run beside that and never scored.
//!
//! | file | what |
//! |---|---|
//! | `install` | the suite, and the Node that runs it |
//! | `requirements` | what a revision requires |
//! | `process` | our server, the suite's runs, their time limits |
//! | `checks` | what a scenario found |
//! | `report` | the table, and what is wrong |
//!
//! Suite: <https://github.com/modelcontextprotocol/conformance>.

mod checks;
mod install;
mod process;
mod report;
mod requirements;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::outcome::Outcome;
use process::Fixture;
use report::{Line, Report};
use requirements::Requirements;

/// Runs every scenario for servers, prints the table, and fails when a required scenario does not pass.
pub fn server(root: &Path) -> Result<Outcome> {
    let suite = install::set_up(root)?;
    let program = process::build(root)?;
    let results = install::folder(root).join("results");
    if results.exists() {
        fs::remove_dir_all(&results).with_context(|| format!("clear {}", results.display()))?;
    }
    fs::create_dir_all(&results)?;
    let mut fixture = Fixture::start(&program, &results.join("server.log"))?;
    println!("the server is at {}", fixture.url());
    let mut report = Report::default();
    for requirements in Requirements::all(&suite.requirements)? {
        let folder = results.join(&requirements.revision);
        fs::create_dir_all(&folder)?;
        suite.run(fixture.url(), &requirements.revision, &folder)?;
        fixture.still_runs().with_context(|| format!("during the run of {}", requirements.revision))?;
        for scenario in &requirements.scenarios {
            let checks = checks::of(&folder, &scenario.name)?;
            report.add(Line::new(scenario, &requirements.revision, checks));
        }
    }
    println!("\n{report}");
    let faults = report.faults();
    if !faults.is_empty() {
        println!("\n{}", faults.join("\n"));
        bail!("conformance: {}; everything is in {}", told(faults.len()), results.display());
    }
    Ok(Outcome::Noted(report.summary()))
}

fn told(faults: usize) -> String {
    if faults == 1 {
        "1 scenario is not as it should be".into()
    } else {
        format!("{faults} scenarios are not as they should be")
    }
}
