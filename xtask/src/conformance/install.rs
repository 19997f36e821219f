//! The suite under `target/conformance`, and the Node that runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::leg::Leg;
use super::process;
use crate::{interop, shell};

/// The suite, ready to run.
#[derive(Debug)]
pub(super) struct Suite {
    node: PathBuf,
    script: PathBuf,
    /// The folder of the lists of requirements, one file a revision.
    pub(super) requirements: PathBuf,
}

/// Where everything lies.
pub(super) fn folder(root: &Path) -> PathBuf {
    root.join("target").join("conformance")
}

/// Where the results of one side lie.
pub(super) fn results(root: &Path, leg: Leg) -> PathBuf {
    folder(root).join("results").join(leg.name())
}

/// The same, emptied.
pub(super) fn fresh_results(root: &Path, leg: Leg) -> Result<PathBuf> {
    let results = results(root, leg);
    if results.exists() {
        fs::remove_dir_all(&results).with_context(|| format!("clear {}", results.display()))?;
    }
    fs::create_dir_all(&results)?;
    Ok(results)
}

/// Installs the suite unless what is there fits the pins.
pub(super) fn set_up(root: &Path) -> Result<Suite> {
    let node = interop::node_alone(root)?;
    let (pins, home) = (root.join("xtask").join("conformance"), folder(root).join("suite"));
    let stamp = folder(root).join("suite.stamp");
    let lock = pins.join("package-lock.json");
    let wanted = fs::read_to_string(&lock).with_context(|| lock.display().to_string())?;
    let package = home.join("node_modules").join("@modelcontextprotocol").join("conformance");
    let suite =
        Suite { node, script: package.join("dist").join("index.js"), requirements: package.join("requirements") };
    if fs::read_to_string(&stamp).is_ok_and(|stamp| stamp == wanted) && suite.starts() {
        println!("conformance: the suite is there");
        return Ok(suite);
    }
    let _ = fs::remove_file(&stamp);
    if home.exists() {
        fs::remove_dir_all(&home).with_context(|| format!("clear {}", home.display()))?;
    }
    fs::create_dir_all(&home)?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(pins.join(file), home.join(file))?;
    }
    // Nothing in the suite needs a script of its own to be installed.
    let args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    shell::run(Command::new("npm").current_dir(&home).args(args))?;
    if !suite.starts() {
        bail!("the conformance suite is installed in {} and does not start", home.display());
    }
    fs::write(&stamp, wanted)?;
    Ok(suite)
}

impl Suite {
    fn starts(&self) -> bool {
        shell::read(Command::new(&self.node).arg(&self.script).arg("--version")).is_ok()
    }

    /// Runs what `revision` requires against the server at `url`; the results lie in `folder` then.
    ///
    /// That some scenario fails is no error here: the results say it better.
    pub(super) fn run(&self, url: &str, revision: &str, folder: &Path) -> Result<()> {
        let mut command = Command::new(&self.node);
        let leg = Leg::Server.name();
        command.arg(&self.script).args([leg, "--url", url, "--requirements", revision, "-o"]).arg(folder);
        process::run_within(&mut command, process::RUN_LIMIT, &folder.join("log.txt"))?;
        Ok(())
    }

    /// Runs one scenario against the client `program`, and gives the suite's verdict on it; the results lie in `folder`
    /// then.
    ///
    /// Alone, since the suite starts all clients at once otherwise, and is less strict about how they end.
    pub(super) fn run_alone(&self, program: &Path, scenario: &str, revision: &str, folder: &Path) -> Result<bool> {
        // The suite splits this at blanks and gives the pieces, joined again, to a shell.
        let program = format!("\"{}\"", program.display());
        let mut command = Command::new(&self.node);
        command.arg(&self.script).args([Leg::Client.name(), "--command", &program, "--scenario", scenario]);
        command.args(["--spec-version", revision, "-o"]).arg(folder);
        let log = folder.join(format!("{}.log", scenario.replace('/', "-")));
        Ok(process::run_within(&mut command, process::SCENARIO_LIMIT, &log)?.success())
    }
}
