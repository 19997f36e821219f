//! `cargo xtask published-servers`: runs `mcp lint` on published servers, and writes `docs/published-servers.md`.
//!
//! The servers come from npm and PyPI, with the versions of `xtask/published-servers`. They run without a network.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::isolation::{self, INSIDE};
use crate::shell;

/// The folder of the versions, below `xtask`.
const PINS: &str = "published-servers";
/// Seconds until a server must respond.
const TIMEOUT: &str = "60";
/// Number of rules in a row of the table.
const COMMON_RULES: usize = 3;

/// The registry of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Registry {
    Npm,
    PyPi,
}

/// A published server. `$work` in the arguments is the working directory.
struct Server {
    package: &'static str,
    registry: Registry,
    program: &'static str,
    args: &'static [&'static str],
}

const fn npm(package: &'static str, program: &'static str, args: &'static [&'static str]) -> Server {
    Server { package, registry: Registry::Npm, program, args }
}

const fn pypi(package: &'static str) -> Server {
    Server { package, registry: Registry::PyPi, program: package, args: &[] }
}

/// Servers that start without keys and without a network.
const SERVERS: [Server; 10] = [
    npm("@modelcontextprotocol/server-everything", "mcp-server-everything", &[]),
    npm("@modelcontextprotocol/server-filesystem", "mcp-server-filesystem", &["$work"]),
    npm("@modelcontextprotocol/server-memory", "mcp-server-memory", &[]),
    npm("@modelcontextprotocol/server-sequential-thinking", "mcp-server-sequential-thinking", &[]),
    npm("@playwright/mcp", "playwright-mcp", &["--headless"]),
    npm("@upstash/context7-mcp", "context7-mcp", &[]),
    npm("chrome-devtools-mcp", "chrome-devtools-mcp", &["--headless", "--isolated"]),
    pypi("mcp-server-fetch"),
    pypi("mcp-server-git"),
    pypi("mcp-server-time"),
];

/// The results for a server.
#[derive(Debug)]
struct Row {
    package: &'static str,
    version: String,
    /// The report of `mcp lint --format json`, or the error text.
    lint: Result<Value, String>,
}

/// A column: its heading, and the cell of a server. Further verbs add a field to [`Row`] and columns here.
type Column = (&'static str, fn(&Row) -> String);

const COLUMNS: [Column; 8] = [
    ("server", |row| format!("`{}`", row.package)),
    ("version", |row| row.version.clone()),
    ("tools", |row| number(row, "/tools")),
    ("estimated tokens", |row| number(row, "/estimatedTokens")),
    ("errors", |row| number(row, "/counts/error")),
    ("warnings", |row| number(row, "/counts/warning")),
    ("remarks", |row| number(row, "/counts/info")),
    ("commonest rules", common_rules),
];

/// Installs the servers, checks them and writes the table. Returns `false` if a server does not start.
///
/// # Errors
/// When the servers cannot be installed, or the machine cannot isolate them from the network.
pub fn run(root: &Path, args: &[String]) -> Result<bool> {
    let folder = root.join("target").join("published-servers");
    if args.first().is_some_and(|arg| arg == INSIDE) {
        return check(root, &folder);
    }
    if !args.is_empty() {
        bail!("unknown arguments; run `cargo xtask published-servers`");
    }
    install(root, &folder)?;
    shell::run(&mut shell::cargo(root, &["build", "--package", "ferromcp-cli", "--bin", "mcp"]))?;
    let inside = isolation::run("published-servers")?;
    inside.context("cannot isolate the servers from the network: `unshare` is not available; run this on Linux")
}

/// Installs the servers, unless they are up to date.
fn install(root: &Path, folder: &Path) -> Result<()> {
    let pins = root.join("xtask").join(PINS);
    let (package, python) = (pins.join("package.json"), pins.join("python.txt"));
    let text = fs::read_to_string(&package)? + &fs::read_to_string(&python)?;
    let stamp = folder.join("stamp");
    if fs::read_to_string(&stamp).is_ok_and(|old| old == text) {
        return Ok(());
    }
    for program in ["npm", "python3"] {
        if !shell::is_installed(program) {
            bail!(
                "cannot find {program} on PATH; install it (Debian: apt-get install nodejs npm python3 python3-venv)"
            );
        }
    }
    fs::create_dir_all(folder)?;
    fs::copy(&package, folder.join("package.json"))?;
    // Scripts of packages would download browsers.
    let args = ["install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"];
    shell::run(Command::new("npm").current_dir(folder).args(args))?;
    let venv = folder.join("python");
    shell::run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    let mut pip = Command::new(venv.join("bin").join("python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r"]);
    shell::run(pip.arg(&python))?;
    Ok(fs::write(stamp, text)?)
}

/// Checks the servers, and writes the table.
fn check(root: &Path, folder: &Path) -> Result<bool> {
    let target = PathBuf::from(shell::metadata(root)?["target_directory"].as_str().context("a target directory")?);
    let mcp = target.join("debug").join(format!("mcp{}", std::env::consts::EXE_SUFFIX));
    let pins = root.join("xtask").join(PINS);
    let package: Value = serde_json::from_str(&fs::read_to_string(pins.join("package.json"))?)?;
    let python = fs::read_to_string(pins.join("python.txt"))?;
    let mut rows = Vec::new();
    for server in &SERVERS {
        let version = version(server, &package, &python)?;
        let lint = lint(&mcp, folder, server);
        if let Err(error) = &lint {
            println!("published-servers: {} failed: {}", server.package, error.trim());
        }
        rows.push(Row { package: server.package, version, lint });
    }
    let path = root.join("docs").join("published-servers.md");
    fs::write(&path, page(&rows)).with_context(|| path.display().to_string())?;
    println!("published-servers: wrote {}", path.display());
    Ok(rows.iter().all(|row| row.lint.is_ok()))
}

/// Returns the pinned version of a server.
fn version(server: &Server, package: &Value, python: &str) -> Result<String> {
    let found = match server.registry {
        Registry::Npm => package["dependencies"][server.package].as_str(),
        Registry::PyPi => python.lines().find_map(|line| line.strip_prefix(server.package)?.strip_prefix("==")),
    };
    found.map(str::to_owned).with_context(|| format!("xtask/{PINS} has no version of {}", server.package))
}

/// Runs `mcp lint` on a server. Returns its report, or the error text.
fn lint(mcp: &Path, folder: &Path, server: &Server) -> Result<Value, String> {
    let failed = |error: &dyn std::fmt::Display| error.to_string();
    let work = folder.join("work");
    fs::create_dir_all(&work).map_err(|error| failed(&error))?;
    let programs = match server.registry {
        Registry::Npm => folder.join("node_modules").join(".bin"),
        Registry::PyPi => folder.join("python").join("bin"),
    };
    let mut command = Command::new(mcp);
    command.args(["lint", "--format", "json", "--fail-on", "never", "--timeout", TIMEOUT, "--"]);
    command.arg(programs.join(server.program));
    for arg in server.args {
        command.arg(if *arg == "$work" { work.as_os_str() } else { arg.as_ref() });
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).env("HOME", &work).env("MCP_HOME", work.join("mcp"));
    let output = command.current_dir(&work).stdin(Stdio::null()).output().map_err(|error| failed(&error))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| failed(&error))
}

/// Returns a number of the report.
fn number(row: &Row, pointer: &str) -> String {
    let value = row.lint.as_ref().ok().and_then(|report| report.pointer(pointer));
    value.map_or_else(|| "–".to_owned(), Value::to_string)
}

/// Returns the rules with the most findings.
fn common_rules(row: &Row) -> String {
    let Ok(report) = &row.lint else { return "does not start".to_owned() };
    let rules = report["rules"].as_object().into_iter().flatten();
    let mut counts: Vec<(&str, u64)> =
        rules.map(|(id, count)| (id.as_str(), count.as_u64().unwrap_or_default())).collect();
    counts.sort_by_key(|(id, count)| (std::cmp::Reverse(*count), *id));
    let shown = counts.iter().take(COMMON_RULES).map(|(id, count)| format!("`{id}` ({count})"));
    shown.collect::<Vec<String>>().join(", ")
}

/// Returns the page with the table.
fn page(rows: &[Row]) -> String {
    let mut page = String::from(
        "# Published servers\n\nThis page lists the results of [`mcp lint`](guide/lint.md) for ten published servers, without \
         `--host`. The command\n`cargo xtask published-servers` installs them from npm and PyPI, runs them without a network \
         and writes this page.\n\n",
    );
    let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let headings = COLUMNS.iter().map(|(heading, _)| (*heading).to_owned()).collect();
    // Writing to a string cannot fail.
    let _ = writeln!(page, "{}\n|{}", line(headings), "---|".repeat(COLUMNS.len()));
    for row in rows {
        let _ = writeln!(page, "{}", line(COLUMNS.iter().map(|(_, cell)| cell(row)).collect()));
    }
    page
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn row_lists_counts_and_commonest_rules() {
        let report = json!({
            "tools": 2, "estimatedTokens": 90, "counts": { "error": 1, "warning": 2, "info": 3 },
            "rules": { "a": 1, "b": 5, "c": 5, "d": 2 },
        });
        let rows = [
            Row { package: "x", version: "1.2".to_owned(), lint: Ok(report) },
            Row { package: "y", version: "3".to_owned(), lint: Err("no".to_owned()) },
        ];
        let page = page(&rows);
        assert!(page.contains("| `x` | 1.2 | 2 | 90 | 1 | 2 | 3 | `b` (5), `c` (5), `d` (2) |\n"), "{page}");
        assert!(page.ends_with("| `y` | 3 | – | – | – | – | – | does not start |\n"), "{page}");
    }

    #[test]
    fn each_server_has_a_pinned_version() {
        let pins = Path::new(env!("CARGO_MANIFEST_DIR")).join(PINS);
        let package = serde_json::from_str(&fs::read_to_string(pins.join("package.json")).unwrap()).unwrap();
        let python = fs::read_to_string(pins.join("python.txt")).unwrap();
        for server in &SERVERS {
            assert!(!version(server, &package, &python).unwrap().is_empty());
        }
    }
}
