//! Child processes with timeouts. Each runs in a process group, so that its child processes are killed with it.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::shell;

/// The timeout for one revision. The suite limits each scenario to 30 s; a whole run usually takes two minutes.
pub(super) const RUN_TIMEOUT: Duration = Duration::from_secs(600);

/// The timeout for the server to start listening.
const START_TIMEOUT: Duration = Duration::from_secs(15);

/// The interval between two polls of a process or port.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The timeout for one client scenario, which the suite limits to 30 s.
pub(super) const SCENARIO_TIMEOUT: Duration = Duration::from_secs(60);

const PACKAGE: &str = "ferromcp-conformance";

/// Builds a binary of `ferromcp-conformance` and returns its path.
pub(super) fn build(root: &Path, program: &str) -> Result<PathBuf> {
    shell::run(&mut shell::cargo(root, &["build", "--locked", "-p", PACKAGE, "--bin", program]))?;
    let metadata = shell::metadata(root)?;
    let target = metadata["target_directory"].as_str().context("cargo metadata names the target folder")?;
    Ok(Path::new(target).join("debug").join(program).with_extension(std::env::consts::EXE_EXTENSION))
}

/// The running server under test.
#[derive(Debug)]
pub(super) struct ServerProcess {
    group: ProcessGroup,
    url: String,
    log: PathBuf,
}

impl ServerProcess {
    /// Starts the server on a free port and waits until it listens.
    pub(super) fn start(program: &Path, log: &Path) -> Result<Self> {
        let port = free_port()?;
        let mut command = Command::new(program);
        command.args(["--port", &port.to_string(), "--path", "/mcp"]);
        let group = ProcessGroup::start(&mut command, log)?;
        let url = format!("http://127.0.0.1:{port}/mcp");
        let mut server = Self { group, url, log: log.to_path_buf() };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let started = Instant::now();
        while TcpStream::connect_timeout(&address, POLL_INTERVAL).is_err() {
            server.ensure_running()?;
            if started.elapsed() > START_TIMEOUT {
                bail!("the server does not listen within {} s", START_TIMEOUT.as_secs());
            }
            thread::sleep(POLL_INTERVAL);
        }
        Ok(server)
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Returns an error with the output of the server if it has exited.
    pub(super) fn ensure_running(&mut self) -> Result<()> {
        if let Some(status) = self.group.try_wait()? {
            let output = fs::read_to_string(&self.log).unwrap_or_default();
            bail!("the server exited: {status}\n{}", output.trim());
        }
        Ok(())
    }
}

/// Returns a port of the loopback interface that is free now.
pub(super) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Runs a command, writes its output to `log` and returns its exit status. The command is killed after `limit`.
pub(super) fn run_within(command: &mut Command, limit: Duration, log: &Path) -> Result<ExitStatus> {
    run_polled(command, limit, log, || Ok(()))
}

/// As [`run_within`], and calls `on_poll` repeatedly while the command runs. The command is killed when `on_poll` fails.
pub(super) fn run_polled(
    command: &mut Command,
    limit: Duration,
    log: &Path,
    mut on_poll: impl FnMut() -> Result<()>,
) -> Result<ExitStatus> {
    println!("$ {}", shell::command_line(command));
    let mut group = ProcessGroup::start(command, log)?;
    let started = Instant::now();
    loop {
        if let Some(status) = group.try_wait()? {
            return Ok(status);
        }
        if started.elapsed() > limit {
            bail!(
                "`{}` does not exit within {} s; see {}",
                shell::command_line(command),
                limit.as_secs(),
                log.display()
            );
        }
        on_poll()?;
        thread::sleep(POLL_INTERVAL);
    }
}

/// A process group, killed when this is dropped.
#[derive(Debug)]
struct ProcessGroup(Child);

impl ProcessGroup {
    fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::create(log).with_context(|| log.display().to_string())?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let child = command.spawn().with_context(|| format!("cannot start `{}`", shell::command_line(command)))?;
        Ok(Self(child))
    }

    fn try_wait(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.0.try_wait()?)
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        // The group may contain child processes after its leader has exited.
        let _ = shell::output(Command::new("kill").args(["-KILL", "--", &format!("-{}", self.0.id())]));
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
    fn returns_exit_status_and_logs_output() {
        let log = log("output");
        let status = run_within(&mut sh("echo out; echo err >&2; exit 3"), Duration::from_secs(60), &log).unwrap();
        assert_eq!(status.code(), Some(3));
        assert_eq!(fs::read_to_string(&log).unwrap(), "out\nerr\n");
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn kills_process_group_when_timeout_expires() {
        let log = log("long");
        let error = run_within(&mut sh("sleep 600 & echo $!; wait"), Duration::from_millis(300), &log).unwrap_err();
        assert!(error.to_string().contains("does not exit"), "{error}");
        let child = fs::read_to_string(&log).unwrap();
        let started = Instant::now();
        while shell::output(Command::new("kill").args(["-0", child.trim()])).is_ok() {
            assert!(started.elapsed() < Duration::from_secs(10), "the child is still running");
            thread::sleep(POLL_INTERVAL);
        }
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn kills_command_when_poll_fails() {
        let log = log("polled");
        let mut polls = 0;
        let poll = || {
            polls += 1;
            anyhow::ensure!(polls < 3, "enough");
            Ok(())
        };
        let error = run_polled(&mut sh("sleep 600"), Duration::from_secs(60), &log, poll).unwrap_err();
        assert_eq!((error.to_string().as_str(), polls), ("enough", 3));
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn reports_output_when_server_exits_early() {
        let log = log("dead");
        let error = ServerProcess::start(Path::new("false"), &log).unwrap_err();
        assert!(error.to_string().contains("the server exited"), "{error}");
        fs::remove_file(log).unwrap();
    }
}
