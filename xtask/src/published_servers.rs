//! `cargo xtask published-servers`: checks and compares published servers, and writes `docs/published-servers.md`.
//!
//! `mcp lint` checks each server, `mcp diff` compares it with an earlier version, and `mcp lock --check` starts it again and
//! compares it with a lock. The servers come from npm and PyPI, with the versions of `xtask/published-servers`. They run without
//! a network.

use std::ffi::OsString;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::isolation::{self, INSIDE};
use crate::shell;

/// The folder of the versions, below `xtask`, and that of the installed servers, below `target`.
const PINS: &str = "published-servers";
/// The folder of the earlier versions, below both.
const PREVIOUS: &str = "previous";
/// Seconds until a server must respond.
const TIMEOUT: &str = "60";
/// Exit code of `mcp diff` if definitions have changed.
const CHANGED: i32 = 8;
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
    previous: String,
    /// The report of `mcp diff --format json` from the earlier version, or the error text.
    diff: Result<Value, String>,
    /// Size of the snapshot in bytes.
    snapshot: usize,
    /// Whether the definitions are the same after another start.
    lock: Result<(), String>,
}

/// A column: its heading, and the cell of a server.
type Column = (&'static str, fn(&Row) -> String);

const LINT_COLUMNS: [Column; 8] = [
    ("server", |row| format!("`{}`", row.package)),
    ("version", |row| row.version.clone()),
    ("tools", |row| number(&row.lint, "/tools")),
    ("estimated tokens", |row| number(&row.lint, "/estimatedTokens")),
    ("errors", |row| number(&row.lint, "/counts/error")),
    ("warnings", |row| number(&row.lint, "/counts/warning")),
    ("remarks", |row| number(&row.lint, "/counts/info")),
    ("commonest rules", common_rules),
];

const DIFF_COLUMNS: [Column; 8] = [
    ("server", |row| format!("`{}`", row.package)),
    ("from", |row| row.previous.clone()),
    ("to", |row| row.version.clone()),
    ("breaking", |row| number(&row.diff, "/breaking")),
    ("compatible", |row| number(&row.diff, "/compatible")),
    ("informational", |row| number(&row.diff, "/informational")),
    ("snapshot", |row| format!("{} KiB", row.snapshot.div_ceil(1024))),
    ("lock after a restart", |row| if row.lock.is_ok() { "unchanged".to_owned() } else { "changed".to_owned() }),
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
    let pins = root.join("xtask").join(PINS);
    install(&pins, &folder)?;
    install(&pins.join(PREVIOUS), &folder.join(PREVIOUS))?;
    shell::run(&mut shell::cargo(root, &["build", "--package", "ferromcp-cli", "--bin", "mcp"]))?;
    let inside = isolation::run("published-servers")?;
    inside.context("cannot isolate the servers from the network: `unshare` is not available; run this on Linux")
}

/// Installs the servers of a folder of versions, unless they are up to date.
fn install(pins: &Path, folder: &Path) -> Result<()> {
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

/// Checks the servers, and writes the tables.
fn check(root: &Path, folder: &Path) -> Result<bool> {
    let target = PathBuf::from(shell::metadata(root)?["target_directory"].as_str().context("a target directory")?);
    let mcp = target.join("debug").join(format!("mcp{}", std::env::consts::EXE_SUFFIX));
    let pins = root.join("xtask").join(PINS);
    let (versions, earlier) = (Versions::read(&pins)?, Versions::read(&pins.join(PREVIOUS))?);
    let tool = Tool { mcp, folder: folder.to_owned(), work: folder.join("work") };
    fs::create_dir_all(&tool.work)?;
    let mut rows = Vec::new();
    for server in &SERVERS {
        let row = tool.row(server, versions.of(server)?, earlier.of(server)?);
        let errors = [row.lint.as_ref().err(), row.diff.as_ref().err(), row.lock.as_ref().err()];
        for error in errors.into_iter().flatten() {
            println!("published-servers: {} failed: {}", server.package, error.trim());
        }
        rows.push(row);
    }
    let path = root.join("docs").join("published-servers.md");
    fs::write(&path, page(&rows)).with_context(|| path.display().to_string())?;
    println!("published-servers: wrote {}", path.display());
    Ok(rows.iter().all(|row| row.lint.is_ok() && row.diff.is_ok()))
}

/// The pinned versions of a folder.
struct Versions {
    package: Value,
    python: String,
}

impl Versions {
    fn read(pins: &Path) -> Result<Self> {
        let package = serde_json::from_str(&fs::read_to_string(pins.join("package.json"))?)?;
        Ok(Self { package, python: fs::read_to_string(pins.join("python.txt"))? })
    }

    /// Returns the version of a server.
    fn of(&self, server: &Server) -> Result<String> {
        let found = match server.registry {
            Registry::Npm => self.package["dependencies"][server.package].as_str(),
            Registry::PyPi => {
                self.python.lines().find_map(|line| line.strip_prefix(server.package)?.strip_prefix("=="))
            }
        };
        found.map(str::to_owned).with_context(|| format!("xtask/{PINS} has no version of {}", server.package))
    }
}

/// The command `mcp`, and the folders of the installed servers and of their files.
struct Tool {
    mcp: PathBuf,
    folder: PathBuf,
    work: PathBuf,
}

impl Tool {
    fn row(&self, server: &'static Server, version: String, previous: String) -> Row {
        let current = self.command(&self.folder, server);
        let earlier = self.command(&self.folder.join(PREVIOUS), server);
        let json = |text: String| serde_json::from_str(&text).map_err(|error| error.to_string());
        let run = |args: &[&str], command: &[OsString]| {
            let args = args.iter().map(OsString::from).chain(["--timeout", TIMEOUT, "--"].map(OsString::from));
            self.mcp(args.chain(command.iter().cloned()).collect())
        };
        let lint = run(&["lint", "--format", "json", "--fail-on", "never"], &current).and_then(json);
        let snapshot = run(&["snapshot"], &current).map_or(0, |text| text.len());
        let before = "earlier.json";
        let diff = run(&["snapshot", "-o", before], &earlier)
            .and_then(|_| run(&["diff", "--format", "json", before], &current))
            .and_then(json);
        let lock = "mcp.lock";
        let _ = fs::remove_file(self.work.join(lock));
        let lock =
            run(&["lock", "--file", lock], &current).and_then(|_| run(&["lock", "--check", "--file", lock], &current));
        Row { package: server.package, version, lint, previous, diff, snapshot, lock: lock.map(drop) }
    }

    /// Returns the words that start a server.
    fn command(&self, folder: &Path, server: &Server) -> Vec<OsString> {
        let programs = match server.registry {
            Registry::Npm => folder.join("node_modules").join(".bin"),
            Registry::PyPi => folder.join("python").join("bin"),
        };
        let args =
            server.args.iter().map(|arg| if *arg == "$work" { self.work.clone().into() } else { OsString::from(arg) });
        std::iter::once(programs.join(server.program).into()).chain(args).collect()
    }

    /// Runs `mcp`. Returns its output, or the error text. Changes of definitions are not an error of `diff`.
    fn mcp(&self, args: Vec<OsString>) -> Result<String, String> {
        let is_diff = args.first().is_some_and(|verb| verb == "diff");
        let mut command = Command::new(&self.mcp);
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.args(args).env_clear().env("PATH", path).env("HOME", &self.work).env("MCP_HOME", self.work.join("mcp"));
        let output =
            command.current_dir(&self.work).stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
        if output.status.success() || (is_diff && output.status.code() == Some(CHANGED)) {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Returns a number of the report.
fn number(report: &Result<Value, String>, pointer: &str) -> String {
    let value = report.as_ref().ok().and_then(|report| report.pointer(pointer));
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

/// Returns the page with the tables.
fn page(rows: &[Row]) -> String {
    let lint = table(&LINT_COLUMNS, rows);
    let diff = table(&DIFF_COLUMNS, rows);
    format!(
        "# Published servers\n\nThis page lists the results of the verbs for tool surfaces on ten published servers. The command\n\
         `cargo xtask published-servers` installs them from npm and PyPI, runs them without a network and writes this page.\n\n\
         ## Checks\n\nResults of [`mcp lint`](guide/lint.md) without `--host`:\n\n{lint}\n\
         ## Changes\n\nResults of [`mcp snapshot`, `mcp diff` and `mcp lock`](guide/tool-surface.md): the changes since an earlier \
         version, the\nsize of a snapshot, and whether the definitions are the same when the server is started again:\n\n{diff}"
    )
}

fn table(columns: &[Column], rows: &[Row]) -> String {
    let mut table = String::new();
    let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let headings = columns.iter().map(|(heading, _)| (*heading).to_owned()).collect();
    // Writing to a string cannot fail.
    let _ = writeln!(table, "{}\n|{}", line(headings), "---|".repeat(columns.len()));
    for row in rows {
        let _ = writeln!(table, "{}", line(columns.iter().map(|(_, cell)| cell(row)).collect()));
    }
    table
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_list_counts_and_commonest_rules() {
        let lint = json!({
            "tools": 2, "estimatedTokens": 90, "counts": { "error": 1, "warning": 2, "info": 3 },
            "rules": { "a": 1, "b": 5, "c": 5, "d": 2 },
        });
        let diff = json!({ "breaking": 4, "compatible": 0, "informational": 7 });
        let row = |package, lint, diff, lock| {
            let (version, previous) = ("2".to_owned(), "1".to_owned());
            Row { package, version, lint, previous, diff, snapshot: 1500, lock }
        };
        let failed = || Err("no".to_owned());
        let rows =
            [row("x", Ok(lint), Ok(diff), Ok(())), row("y", failed(), Err("no".to_owned()), Err("no".to_owned()))];
        let page = page(&rows);
        assert!(page.contains("| `x` | 2 | 2 | 90 | 1 | 2 | 3 | `b` (5), `c` (5), `d` (2) |\n"), "{page}");
        assert!(page.contains("| `y` | 2 | – | – | – | – | – | does not start |\n"), "{page}");
        assert!(page.contains("| `x` | 1 | 2 | 4 | 0 | 7 | 2 KiB | unchanged |\n"), "{page}");
        assert!(page.ends_with("| `y` | 1 | 2 | – | – | – | 2 KiB | changed |\n"), "{page}");
    }

    #[test]
    fn each_server_has_two_pinned_versions() {
        let pins = Path::new(env!("CARGO_MANIFEST_DIR")).join(PINS);
        let (versions, earlier) = (Versions::read(&pins).unwrap(), Versions::read(&pins.join(PREVIOUS)).unwrap());
        for server in &SERVERS {
            assert_ne!(versions.of(server).unwrap(), earlier.of(server).unwrap());
        }
    }
}
