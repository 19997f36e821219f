//! `cargo xtask hosts`: installs entries with `mcp install`, and lists them with real hosts from npm. Then one of them stays
//! connected to `mcp dev` while its server is rebuilt.
//!
//! The hosts run in a temporary home directory. On Linux, they also run in a network that contains only the loopback
//! interface, so that they cannot send data. Their versions are pinned by `xtask/hosts/package.json`.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::isolation::{self, INSIDE};
use crate::outcome::Outcome;
use crate::shell;

/// The port of the HTTP server. No other process uses the network.
const PORT: u16 = 8765;
/// Time until the HTTP server must listen.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// The number of builds during which Claude Code must stay connected.
const BUILDS: usize = 20;

/// A host, and the words of each line of `HOST mcp list` that proves an entry.
struct Host {
    id: &'static str,
    program: &'static str,
    expected: &'static str,
    /// Whether the host connects to HTTP servers when it lists them.
    connects: bool,
    /// The command of the host that `mcp install` runs, instead of an edit of the file.
    command: Option<&'static str>,
}

const HOSTS: [Host; 4] = [
    Host {
        id: "claude-code",
        program: "claude",
        expected: "Connected",
        connects: true,
        command: Some("claude mcp add-json"),
    },
    Host { id: "opencode", program: "opencode", expected: "connected", connects: true, command: None },
    Host { id: "gemini-cli", program: "gemini", expected: "Connected", connects: true, command: None },
    Host { id: "codex", program: "codex", expected: "enabled", connects: false, command: None },
];

/// Runs the check as a step of the tests.
///
/// # Errors
/// When a host does not list an entry, and like [`run`].
pub(crate) fn check(root: &Path) -> Result<Outcome> {
    if run(root, &[])? {
        return Ok(Outcome::Passed);
    }
    bail!("a host does not list or remove an entry; see the lines with FAILED")
}

/// Runs the check; returns `false` if a host does not list an entry.
///
/// # Errors
/// When the hosts cannot be installed, or the tool cannot be built.
pub fn run(root: &Path, args: &[String]) -> Result<bool> {
    let folder = root.join("target").join("hosts");
    let target = PathBuf::from(shell::metadata(root)?["target_directory"].as_str().context("a target directory")?);
    let programs = Programs {
        hosts: folder.join("node_modules").join(".bin"),
        mcp: target.join("debug").join(format!("mcp{}", std::env::consts::EXE_SUFFIX)),
        server: target.join("debug").join("examples").join(format!("cli-test-server{}", std::env::consts::EXE_SUFFIX)),
    };
    if args.first().is_some_and(|arg| arg == INSIDE) {
        return programs.check();
    }
    if !args.is_empty() {
        bail!("unknown arguments; run `cargo xtask hosts`");
    }
    install(root, &folder)?;
    let build = ["build", "--package", "ferromcp-cli", "--bin", "mcp", "--example", "cli-test-server"];
    shell::run(&mut shell::cargo(root, &build))?;
    if let Some(succeeded) = isolation::run("hosts")? {
        return Ok(succeeded);
    }
    println!("hosts: `unshare` is not available, so the hosts can reach the network");
    programs.check()
}

/// Installs the hosts from npm, unless they are up to date.
fn install(root: &Path, folder: &Path) -> Result<()> {
    let package = root.join("xtask").join("hosts").join("package.json");
    let stamp = folder.join("stamp");
    let pins = fs::read_to_string(&package).with_context(|| package.display().to_string())?;
    if fs::read_to_string(&stamp).is_ok_and(|old| old == pins) {
        return Ok(());
    }
    if !shell::is_installed("npm") {
        bail!("cannot find npm on PATH; install Node (Debian: apt-get install nodejs npm)");
    }
    fs::create_dir_all(folder)?;
    fs::copy(&package, folder.join("package.json"))?;
    // `npm ci` rejects lock files without the optional packages of other platforms.
    let args = ["install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"];
    shell::run(Command::new("npm").current_dir(folder).args(args))?;
    Ok(fs::write(stamp, pins)?)
}

/// The programs of the check.
struct Programs {
    /// The folder of the hosts.
    hosts: PathBuf,
    mcp: PathBuf,
    server: PathBuf,
}

impl Programs {
    /// Installs a stdio and an HTTP entry in each host, and lists them.
    fn check(&self) -> Result<bool> {
        let home = self.hosts.join("..").join("..").join("home");
        let _ = fs::remove_dir_all(&home);
        let work = home.join("work");
        fs::create_dir_all(&work)?;
        let (home, work) = (fs::canonicalize(home)?, fs::canonicalize(work)?);
        let _server = HttpServer::start(&self.server)?;
        let url = format!("http://127.0.0.1:{PORT}/mcp");
        let mut succeeded = true;
        let environment = Environment { home, work, hosts: fs::canonicalize(&self.hosts)? };
        for host in &HOSTS {
            let (passed, report) = self.check_host(host, &environment, &url);
            print!("{report}");
            succeeded &= passed;
        }
        Ok(self.check_hot_reload()? && succeeded)
    }

    /// Connects Claude Code to `mcp dev` while the server is rebuilt. A local program answers in place of the model.
    fn check_hot_reload(&self) -> Result<bool> {
        let claude = fs::canonicalize(self.hosts.join("claude"))?;
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("hosts").join("model.py");
        let mut command = Command::new("python3");
        command.arg(model).arg(claude).arg(&self.mcp).arg(&self.server).arg(BUILDS.to_string());
        let output = command.stdin(Stdio::null()).output().context("cannot start python3")?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        let (report, passed) = (text(&output.stdout), output.status.success());
        let result = if passed { "stays connected" } else { "FAILED to stay connected" };
        println!("claude: {result} while `mcp dev` replaces the server: {report}");
        if !passed {
            println!("{}", text(&output.stderr));
        }
        Ok(passed)
    }

    /// Installs both entries in a host, lists them, and removes one. Returns whether that succeeded, and a report.
    fn check_host(&self, host: &Host, environment: &Environment, url: &str) -> (bool, String) {
        let program = self.hosts.join(host.program);
        let list = || environment.output(Command::new(&program).args(["mcp", "list"]));
        let mcp = |args: &[&str]| environment.output(Command::new(&self.mcp).args(args).args(["--host", host.id]));
        let version = environment.output(Command::new(&program).arg("--version"));
        let server = self.server.display().to_string();
        let mut install = Command::new(&self.mcp);
        install.args(["install", "--host", host.id, "--name", "local-entry", "--", &server, "stdio"]);
        let installed = environment.output(&mut install);
        mcp(&["install", "--name", "web-entry", url]);
        let listed = list();
        let removed = mcp(&["uninstall", "web-entry"]);
        let mut results = Vec::new();
        for name in ["local-entry", "web-entry"] {
            let line = listed.lines().find(|line| line.contains(name)).unwrap_or("not listed").trim();
            let kind = if host.connects { "connects" } else { "lists" };
            results.push((line.contains(name) && line.contains(host.expected), kind, line.to_owned()));
        }
        let after = list();
        let is_removed = after.contains("local-entry") && !after.contains("web-entry");
        results.push((is_removed, "removes", "web-entry".to_owned()));
        if let Some(command) = host.command {
            results.push((installed.contains(command), "installs", format!("by `{command}`")));
            let remove = command.replace("add-json", "remove");
            results.push((removed.contains(&remove), "removes", format!("by `{remove}`")));
        }
        let name = format!("{} {}", host.program, version.lines().next().unwrap_or_default().trim());
        let line = |(passed, kind, detail): &(bool, &str, String)| {
            format!("{name}: {} {detail}\n", if *passed { kind } else { "FAILED" })
        };
        (results.iter().all(|result| result.0), results.iter().map(line).collect())
    }
}

/// The home directory and the working directory of the hosts, and the folder of their programs.
struct Environment {
    home: PathBuf,
    work: PathBuf,
    hosts: PathBuf,
}

impl Environment {
    /// Runs a program. Returns stdout and stderr, without escape sequences.
    fn output(&self, command: &mut Command) -> String {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(self.hosts.clone()).chain(std::env::split_paths(&path)));
        command
            .env_clear()
            .env("PATH", path.unwrap_or_default())
            .env("HOME", &self.home)
            .env("NO_COLOR", "1")
            .env("GEMINI_CLI_TRUST_WORKSPACE", "true");
        match command.current_dir(&self.work).stdin(Stdio::null()).output() {
            Ok(output) => {
                let text = [output.stdout, output.stderr].concat();
                let text = String::from_utf8_lossy(&text).into_owned();
                text.split('\u{1b}')
                    .enumerate()
                    .map(|(index, part)| if index == 0 { part } else { after_escape(part) })
                    .collect()
            }
            Err(error) => format!("cannot start: {error}"),
        }
    }
}

/// Returns the text after an escape sequence that selects a color.
fn after_escape(part: &str) -> &str {
    part.find(|c: char| c.is_ascii_alphabetic()).map_or("", |end| &part[end + 1..])
}

/// The HTTP server. It is killed when it is dropped.
struct HttpServer(Child);

impl HttpServer {
    fn start(program: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(["http", &PORT.to_string()]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let server = Self(command.spawn().with_context(|| format!("cannot start {}", program.display()))?);
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", PORT)).is_err() {
            if start.elapsed() > START_TIMEOUT {
                bail!("the HTTP server does not listen on port {PORT}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
