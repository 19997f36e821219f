//! A server as a child process, and what a client sees of it.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The longest any single thing may take. Generous: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const QUICKSTART: &str = env!("CARGO_BIN_EXE_conformance-quickstart");
pub(crate) const EVERYTHING: &str = env!("CARGO_BIN_EXE_conformance-everything");
pub(crate) const MANY: &str = env!("CARGO_BIN_EXE_conformance-many");
pub(crate) const HTTP: &str = env!("CARGO_BIN_EXE_conformance-http");
pub(crate) const CONVERSATION: &str = env!("CARGO_BIN_EXE_conformance-conversation");

/// A server under test.
pub(crate) struct Peer {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    stderr: Arc<Mutex<String>>,
    stderr_ended: Option<JoinHandle<()>>,
}

/// How a server ended.
pub(crate) struct End {
    pub(crate) status: ExitStatus,
    pub(crate) took: Duration,
    /// What it still wrote to stdout.
    pub(crate) rest: Vec<String>,
    pub(crate) stderr: String,
}

impl Peer {
    pub(crate) fn start(program: &str, args: &[&str]) -> Self {
        Self::start_with(program, args, &[])
    }

    /// The same in an environment that has these variables.
    pub(crate) fn start_with(program: &str, args: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(program);
        // A backtrace takes a debug build seconds to write.
        command.args(args).env_remove("RUST_BACKTRACE").envs(variables.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{program} does not start: {error}"));
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let mut line = Vec::new();
            while stdout.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
                let line = String::from_utf8(std::mem::take(&mut line)).expect("stdout is UTF-8");
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let stderr = Arc::<Mutex<String>>::default();
        let heap = Arc::clone(&stderr);
        let stderr_ended = thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(count @ 1..) = errors.read(&mut piece) {
                heap.lock().unwrap().push_str(&String::from_utf8_lossy(&piece[..count]));
            }
        });
        Self { stdin: child.stdin.take(), child, lines, stderr, stderr_ended: Some(stderr_ended) }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Writes one line.
    pub(crate) fn say(&mut self, line: impl AsRef<[u8]>) {
        let mut bytes = line.as_ref().to_vec();
        bytes.push(b'\n');
        self.write(&bytes);
    }

    /// Writes bytes as they are.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        stdin.write_all(bytes).and_then(|()| stdin.flush()).expect("the server reads");
    }

    /// The next line, without its end.
    pub(crate) fn hear(&mut self) -> String {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => whole(line),
            Err(RecvTimeoutError::Timeout) => panic!("no line within {PATIENCE:?}"),
            Err(RecvTimeoutError::Disconnected) => {
                panic!("the server closed its stdout; on stderr: {}", self.stderr.lock().unwrap());
            }
        }
    }

    /// Writes one line and reads one.
    pub(crate) fn ask(&mut self, line: impl AsRef<[u8]>) -> String {
        self.say(line);
        self.hear()
    }

    /// Waits until these words stand on stderr.
    pub(crate) fn complains(&self, words: &str) {
        let started = Instant::now();
        while !self.stderr.lock().unwrap().contains(words) {
            assert!(started.elapsed() < PATIENCE, "no `{words}` in: {}", self.stderr.lock().unwrap());
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// The URL that a server over HTTP says on stderr, as its first line.
    pub(crate) fn url(&self) -> String {
        self.complains("\n");
        let said = self.stderr.lock().unwrap();
        let url = said.lines().next().unwrap_or_default();
        assert!(url.starts_with("http://"), "no URL: {said}");
        url.to_owned()
    }

    /// Sends a signal by its name, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let script = format!("kill -{name} {}", self.pid());
        assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success(), "{script}");
    }

    /// Closes stdin.
    pub(crate) fn close(&mut self) {
        drop(self.stdin.take());
    }

    /// Closes stdin, and waits for the end.
    pub(crate) fn hang_up(mut self) -> End {
        self.close();
        self.end()
    }

    /// Whether the server has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for the end; stdin stays open if it is.
    pub(crate) fn end(mut self) -> End {
        let started = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(started.elapsed() < PATIENCE, "the server does not end");
            thread::sleep(Duration::from_millis(1));
        };
        let took = started.elapsed();
        let rest = self.lines.iter().map(whole).collect();
        self.stderr_ended.take().map(JoinHandle::join);
        let stderr = std::mem::take(&mut *self.stderr.lock().unwrap());
        End { status, took, rest, stderr }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl End {
    /// Insists on an end in good order: nothing more said, exit code 0, promptly.
    pub(crate) fn is_clean(&self) {
        assert!(self.status.success(), "{}: {}", self.status, self.stderr);
        assert_eq!(self.rest, [""; 0], "it still said something");
        assert!(self.took < Duration::from_secs(1), "it took {:?} to end", self.took);
    }
}

/// Says that a test did not run. Not by `eprintln!`, which the harness keeps to itself for tests that pass.
pub(crate) fn skipped(what: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {what}");
}

/// A line without its end, which it must have.
fn whole(mut line: String) -> String {
    assert_eq!(line.pop(), Some('\n'), "the last line has no end: {line}");
    line
}
