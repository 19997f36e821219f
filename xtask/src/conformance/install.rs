//! Installs the suite under `target/conformance` and runs it with Node.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::process;
use super::suite_side::SuiteSide;
use crate::{interop, shell};

/// The installed suite.
#[derive(Debug)]
pub(super) struct Suite {
    node: PathBuf,
    script: PathBuf,
    /// The folder with the lists of requirements, one file per revision.
    pub(super) requirements: PathBuf,
}

/// Returns the folder of the suite and its results.
pub(super) fn folder(root: &Path) -> PathBuf {
    root.join("target").join("conformance")
}

/// Returns the folder with the results of one side.
pub(super) fn results(root: &Path, side: SuiteSide) -> PathBuf {
    folder(root).join("results").join(side.name())
}

/// Clears the folder with the results of one side and returns it.
pub(super) fn fresh_results(root: &Path, side: SuiteSide) -> Result<PathBuf> {
    let results = results(root, side);
    if results.exists() {
        fs::remove_dir_all(&results).with_context(|| format!("clear {}", results.display()))?;
    }
    fs::create_dir_all(&results)?;
    Ok(results)
}

/// Installs the suite unless the installed version matches the pins.
pub(super) fn set_up(root: &Path) -> Result<Suite> {
    let node = interop::set_up_node(root)?;
    let (pins, home) = (root.join("xtask").join("conformance"), folder(root).join("suite"));
    let stamp = folder(root).join("suite.stamp");
    let lock = pins.join("package-lock.json");
    let wanted = fs::read_to_string(&lock).with_context(|| lock.display().to_string())?;
    let package = home.join("node_modules").join("@modelcontextprotocol").join("conformance");
    let suite =
        Suite { node, script: package.join("dist").join("index.js"), requirements: package.join("requirements") };
    if fs::read_to_string(&stamp).is_ok_and(|stamp| stamp == wanted) && suite.starts() {
        println!("conformance: the suite is up to date");
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
    // No package of the suite needs install scripts.
    let args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    shell::run(Command::new("npm").current_dir(&home).args(args))?;
    if !suite.starts() {
        bail!("cannot start the conformance suite installed in {}", home.display());
    }
    fs::write(&stamp, wanted)?;
    Ok(suite)
}

impl Suite {
    fn starts(&self) -> bool {
        shell::output(Command::new(&self.node).arg(&self.script).arg("--version")).is_ok()
    }

    /// Runs the scenarios of `revision` against the server at `url` and writes the results to `folder`.
    ///
    /// A failed scenario is not an error; it is part of the results.
    pub(super) fn run(&self, url: &str, revision: &str, folder: &Path) -> Result<()> {
        let mut command = Command::new(&self.node);
        let side = SuiteSide::Server.name();
        command.arg(&self.script).args([side, "--url", url, "--requirements", revision, "-o"]).arg(folder);
        process::run_within(&mut command, process::RUN_TIMEOUT, &folder.join("log.txt"))?;
        Ok(())
    }

    /// Returns the list of all scenarios of one side, as text.
    pub(super) fn list(&self, side: SuiteSide) -> Result<String> {
        shell::output(Command::new(&self.node).arg(&self.script).arg("list").arg(format!("--{}", side.name())))
    }

    /// Runs one scenario against the client `program`, writes the results to `folder` and returns whether the suite
    /// succeeded.
    ///
    /// When the suite runs several scenarios, it starts all clients at once and ignores their exit status.
    pub(super) fn run_alone(&self, program: &Path, scenario: &str, revision: &str, folder: &Path) -> Result<bool> {
        // The suite passes this text to a shell.
        let program = format!("\"{}\"", program.display());
        let mut command = Command::new(&self.node);
        command.arg(&self.script).args([SuiteSide::Client.name(), "--command", &program, "--scenario", scenario]);
        // Without `--force`, the suite skips extensions and succeeds.
        command.args(["--spec-version", revision, "--force", "-o"]).arg(folder);
        let log = folder.join(format!("{}.log", scenario.replace('/', "-")));
        Ok(process::run_within(&mut command, process::SCENARIO_TIMEOUT, &log)?.success())
    }

    /// Runs all scenarios of `revision` against the authorization server `issuer` of the MCP server `resource`, writes the
    /// results to `folder` and returns whether the suite succeeded. The suite prints the URL of an authorization page, which is
    /// then visited.
    pub(super) fn run_authorization(
        &self,
        issuer: &str,
        resource: &str,
        revision: &str,
        folder: &Path,
    ) -> Result<bool> {
        let port = process::free_port()?.to_string();
        let mut command = Command::new(&self.node);
        command.arg(&self.script).args([SuiteSide::AuthorizationServer.name(), "--url", issuer]);
        command.args(["--client-id", AUTHORIZATION_CLIENT, "--port", &port, "--resource", resource]);
        command.args(["--spec-version", revision, "-o"]).arg(folder);
        let log = folder.join("log.txt");
        let page = format!("{issuer}/");
        let mut visited = false;
        let visit = || {
            let url = if visited { None } else { printed_url(&fs::read_to_string(&log).unwrap_or_default(), &page) };
            if let Some(url) = url {
                visited = true;
                shell::output(Command::new(&self.node).args(["--eval", VISIT, &url]))
                    .with_context(|| format!("cannot visit {url}"))?;
            }
            Ok(())
        };
        Ok(process::run_polled(&mut command, process::SCENARIO_TIMEOUT, &log, visit)?.success())
    }
}

/// The ID of the client that the authorization server knows.
const AUTHORIZATION_CLIENT: &str = "conformance";

/// A program that visits a URL as a browser does: it follows redirects.
const VISIT: &str = "fetch(process.argv[1]).then((page) => process.exit(page.ok ? 0 : 1))";

/// Returns the complete line with a URL that begins with `page` and has a query, if the suite has printed one.
fn printed_url(output: &str, page: &str) -> Option<String> {
    let is_page = |line: &str| line.starts_with(page) && line.contains("?response_type=code&");
    let mut lines = output.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    lines.find(|line| is_page(line)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorization_page_is_found_when_its_line_is_complete() {
        let page = "http://127.0.0.1:1/authorize?response_type=code&state=x";
        let output = format!("Running against: http://127.0.0.1:1/\nhttp://127.0.0.1:1/\n{page}");
        assert_eq!(printed_url(&output, "http://127.0.0.1:1/"), None);
        assert_eq!(printed_url(&format!("{output}\n"), "http://127.0.0.1:1/").as_deref(), Some(page));
    }
}
