//! The process under load: starts it, measures it, and limits its memory.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::json;

use crate::connection::Http1;
use crate::events::Messages;
use crate::message;
use crate::target::Target;

/// The memory of the process under load, after which it is killed, so that a failed test does not use the whole machine.
pub(crate) const MEMORY_CEILING: usize = 4 << 30;

/// How often the memory is measured.
const MEASURE_INTERVAL: Duration = Duration::from_millis(20);

/// A process under load. Killed when dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) memory: Arc<Memory>,
}

/// The memory of a process.
#[derive(Debug)]
pub(crate) struct Memory {
    id: u32,
    peak: AtomicUsize,
    exceeded: AtomicBool,
    stopped: AtomicBool,
}

/// The resources that the server uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Resources {
    pub(crate) descriptors: usize,
    pub(crate) tasks: usize,
    pub(crate) sessions: usize,
}

/// A server under load.
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) target: Target,
}

impl Process {
    /// Starts a process with piped stdout.
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let child = child.with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
        let memory = Arc::new(Memory {
            id: child.id(),
            peak: AtomicUsize::new(0),
            exceeded: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
        });
        let measured = Arc::clone(&memory);
        std::thread::Builder::new().name("memory".into()).spawn(move || measured.measure())?;
        Ok(Self { child, memory })
    }

    /// Reads the first line of stdout.
    pub(crate) fn first_line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        let stdout = self.child.stdout.take().context("stdout was read already")?;
        BufReader::new(stdout).read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    /// Returns whether the process has exited.
    pub(crate) fn has_exited(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.memory.stopped.store(true, Ordering::Release);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Memory {
    /// Returns the memory in bytes, or 0 if the process has exited.
    pub(crate) fn current(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id)).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: Option<usize> = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        kib.unwrap_or_default() << 10
    }

    /// Returns the most memory since the last call.
    pub(crate) fn take_peak(&self) -> usize {
        self.peak.swap(0, Ordering::AcqRel).max(self.current())
    }

    /// Returns whether the process was killed because it used too much memory.
    pub(crate) fn is_exceeded(&self) -> bool {
        self.exceeded.load(Ordering::Acquire)
    }

    /// Measures until the process is dropped, and kills it at the ceiling.
    fn measure(&self) {
        while !self.stopped.load(Ordering::Acquire) {
            let current = self.current();
            self.peak.fetch_max(current, Ordering::AcqRel);
            if current > MEMORY_CEILING && !self.exceeded.swap(true, Ordering::AcqRel) {
                let _ = Command::new("kill").args(["-KILL", &self.id.to_string()]).status();
            }
            std::thread::sleep(MEASURE_INTERVAL);
        }
    }

    fn descriptors(&self) -> anyhow::Result<usize> {
        Ok(std::fs::read_dir(format!("/proc/{}/fd", self.id)).context("the server has exited")?.count())
    }
}

impl Server {
    /// Starts the server.
    pub(crate) fn start(program: &Path, args: &[&str]) -> anyhow::Result<Self> {
        let mut process = Process::start(Command::new(program).args(args))?;
        let line = process.first_line()?;
        let address = line.parse().with_context(|| format!("the server printed no address, but {line:?}"))?;
        Ok(Self { process, target: Target::new(address) })
    }

    /// Measures the resources. Uses a connection.
    pub(crate) async fn resources(&self) -> anyhow::Result<Resources> {
        let mut http = Http1::connect(&self.target).await?;
        let response = http.send(message::call(self.target.address, "stats", &json!({}))).await?;
        let result = Messages::of(response).await?.result().await?;
        let text = result["content"][0]["text"].as_str().context("no text")?;
        let (tasks, ended) = text.split_once(' ').context("two numbers")?;
        let (started, ended) = (self.target.started_sessions(), ended.parse::<usize>()?);
        ensure!(ended <= started, "{ended} sessions have ended, but only {started} were started");
        Ok(Resources {
            descriptors: self.process.memory.descriptors()?,
            tasks: tasks.parse()?,
            sessions: started - ended,
        })
    }
}

impl Resources {
    /// Returns whether no count is above that of the start.
    pub(crate) fn is_back_to(&self, start: &Self) -> bool {
        self.descriptors <= start.descriptors && self.tasks <= start.tasks && self.sessions <= start.sessions
    }
}
