//! Our programs and the suite's runs as processes: each in a group of its own, so that it ends with all it started.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::shell;

/// How long the suite may take for one revision. A scenario has 30 s by the suite's own clock; two minutes are usual.
pub(super) const RUN_LIMIT: Duration = Duration::from_secs(600);

/// How long our server may take until it listens.
const START_LIMIT: Duration = Duration::from_secs(15);

/// How often we look whether something has happened.
const LOOK: Duration = Duration::from_millis(50);

/// How long the suite may take for one scenario of a client, which has 30 s by the suite's own clock.
pub(super) const SCENARIO_LIMIT: Duration = Duration::from_secs(60);

const PACKAGE: &str = "ferromcp-conformance";

/// Builds a program of ours and says where it lies.
pub(super) fn build(root: &Path, program: &str) -> Result<PathBuf> {
    shell::run(&mut shell::cargo(root, &["build", "--locked", "-p", PACKAGE, "--bin", program]))?;
    let metadata = shell::metadata(root)?;
    let target = metadata["target_directory"].as_str().context("cargo metadata names the target folder")?;
    Ok(Path::new(target).join("debug").join(program).with_extension(std::env::consts::EXE_EXTENSION))
}

/// Our server while it runs.
#[derive(Debug)]
pub(super) struct Fixture {
    group: Group,
    url: String,
    log: PathBuf,
}

impl Fixture {
    /// Starts it on a free port of this machine and waits until it listens.
    pub(super) fn start(program: &Path, log: &Path) -> Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = Command::new(program);
        command.args(["--port", &port.to_string(), "--path", "/mcp"]);
        let group = Group::start(&mut command, log)?;
        let url = format!("http://127.0.0.1:{port}/mcp");
        let mut fixture = Self { group, url, log: log.to_path_buf() };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let begun = Instant::now();
        while TcpStream::connect_timeout(&address, LOOK).is_err() {
            fixture.still_runs()?;
            if begun.elapsed() > START_LIMIT {
                bail!("the server does not listen after {} s", START_LIMIT.as_secs());
            }
            thread::sleep(LOOK);
        }
        Ok(fixture)
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// An error with its last words, if it has ended.
    pub(super) fn still_runs(&mut self) -> Result<()> {
        if let Some(status) = self.group.ended()? {
            let said = fs::read_to_string(&self.log).unwrap_or_default();
            bail!("the server ended with {status}\n{}", said.trim());
        }
        Ok(())
    }
}

/// Runs a command to its end and gives its status, with its output in `log`; after `limit` it is ended.
pub(super) fn run_within(command: &mut Command, limit: Duration, log: &Path) -> Result<ExitStatus> {
    println!("$ {}", shell::words(command));
    let mut group = Group::start(command, log)?;
    let begun = Instant::now();
    loop {
        if let Some(status) = group.ended()? {
            return Ok(status);
        }
        if begun.elapsed() > limit {
            bail!("`{}` does not end within {} s; see {}", shell::words(command), limit.as_secs(), log.display());
        }
        thread::sleep(LOOK);
    }
}

/// A process with all it starts; all of it ends when this is dropped.
#[derive(Debug)]
struct Group(Child);

impl Group {
    fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::create(log).with_context(|| log.display().to_string())?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let child = command.spawn().with_context(|| format!("`{}` does not start", shell::words(command)))?;
        Ok(Self(child))
    }

    fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.0.try_wait()?)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The group outlives its first process when that left others behind.
        let _ = shell::read(Command::new("kill").args(["-KILL", "--", &format!("-{}", self.0.id())]));
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn log(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("ferromcp-xtask-{}-{name}", std::process::id()))
    }

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_status_is_no_error_and_the_output_is_kept() {
        let log = log("output");
        let status = run_within(&mut sh("echo out; echo err >&2; exit 3"), Duration::from_secs(60), &log).unwrap();
        assert_eq!(status.code(), Some(3));
        assert_eq!(fs::read_to_string(&log).unwrap(), "out\nerr\n");
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn what_takes_too_long_is_ended_with_its_children() {
        let log = log("long");
        let error = run_within(&mut sh("sleep 600 & echo $!; wait"), Duration::from_millis(300), &log).unwrap_err();
        assert!(error.to_string().contains("does not end"), "{error}");
        let child = fs::read_to_string(&log).unwrap();
        let begun = Instant::now();
        while shell::read(Command::new("kill").args(["-0", child.trim()])).is_ok() {
            assert!(begun.elapsed() < Duration::from_secs(10), "the child lives");
            thread::sleep(LOOK);
        }
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn a_server_that_ends_says_why() {
        let log = log("dead");
        let error = Fixture::start(Path::new("false"), &log).unwrap_err();
        assert!(error.to_string().contains("the server ended"), "{error}");
        fs::remove_file(log).unwrap();
    }
}
