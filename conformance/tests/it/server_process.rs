//! A server as a child process, with its input and output.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The timeout of each operation; long, because the machine may be busy.
const TIMEOUT: Duration = Duration::from_secs(20);

pub(crate) const QUICKSTART: &str = env!("CARGO_BIN_EXE_conformance-quickstart");
pub(crate) const EVERYTHING: &str = env!("CARGO_BIN_EXE_conformance-everything");
pub(crate) const MANY_TOOLS: &str = env!("CARGO_BIN_EXE_conformance-many-tools");
pub(crate) const HOST_TYPES: &str = env!("CARGO_BIN_EXE_conformance-host-types");
pub(crate) const HTTP: &str = env!("CARGO_BIN_EXE_conformance-http");
pub(crate) const CLIENT_REQUESTS: &str = env!("CARGO_BIN_EXE_conformance-client-requests");

/// The running server.
pub(crate) struct ServerProcess {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    stderr: Arc<Mutex<String>>,
    stderr_ended: Option<JoinHandle<()>>,
}

/// The exit of a server.
pub(crate) struct Exit {
    pub(crate) status: ExitStatus,
    pub(crate) took: Duration,
    /// The lines on stdout that were not read before.
    pub(crate) rest: Vec<String>,
    pub(crate) stderr: String,
}

impl ServerProcess {
    pub(crate) fn start(program: &str, args: &[&str]) -> Self {
        Self::start_with(program, args, &[])
    }

    /// Starts the server with additional environment variables.
    pub(crate) fn start_with(program: &str, args: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(program);
        // Printing a backtrace takes seconds in a debug build.
        command.args(args).env_remove("RUST_BACKTRACE").envs(variables.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {program}: {error}"));
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
        let shared = Arc::clone(&stderr);
        let stderr_ended = thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(count @ 1..) = errors.read(&mut piece) {
                shared.lock().unwrap().push_str(&String::from_utf8_lossy(&piece[..count]));
            }
        });
        Self { stdin: child.stdin.take(), child, lines, stderr, stderr_ended: Some(stderr_ended) }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Writes one line.
    pub(crate) fn send(&mut self, line: impl AsRef<[u8]>) {
        let mut bytes = line.as_ref().to_vec();
        bytes.push(b'\n');
        self.write(&bytes);
    }

    /// Writes bytes unchanged.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        stdin.write_all(bytes).and_then(|()| stdin.flush()).expect("the server reads stdin");
    }

    /// Reads the next line, without the newline.
    pub(crate) fn receive(&mut self) -> String {
        match self.lines.recv_timeout(TIMEOUT) {
            Ok(line) => without_newline(line),
            Err(RecvTimeoutError::Timeout) => panic!("no line received within {TIMEOUT:?}"),
            Err(RecvTimeoutError::Disconnected) => {
                panic!("the server closed its stdout; on stderr: {}", self.stderr.lock().unwrap());
            }
        }
    }

    /// Writes one line and reads one.
    pub(crate) fn request(&mut self, line: impl AsRef<[u8]>) -> String {
        self.send(line);
        self.receive()
    }

    /// Waits until stderr contains a text.
    pub(crate) fn wait_for_stderr(&self, text: &str) {
        let started = Instant::now();
        while !self.stderr.lock().unwrap().contains(text) {
            assert!(started.elapsed() < TIMEOUT, "no `{text}` in: {}", self.stderr.lock().unwrap());
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Returns the rest of the complete line on stderr that starts with a prefix: the one at `index`, if it exists yet.
    pub(crate) fn stderr_line(&self, prefix: &str, index: usize) -> Option<String> {
        let text = self.stderr.lock().unwrap();
        let lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        lines.filter_map(|line| line.strip_prefix(prefix)).nth(index).map(str::to_owned)
    }

    /// Returns the URL that an HTTP server prints as the first line on stderr.
    pub(crate) fn url(&self) -> String {
        self.wait_for_stderr("\n");
        let text = self.stderr.lock().unwrap();
        let url = text.lines().next().unwrap_or_default();
        assert!(url.starts_with("http://"), "expected a URL on stderr, got: {text}");
        url.to_owned()
    }

    /// Sends a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let script = format!("kill -{name} {}", self.pid());
        assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success(), "{script}");
    }

    /// Closes stdin.
    pub(crate) fn close_stdin(&mut self) {
        drop(self.stdin.take());
    }

    /// Closes stdin and waits for the exit.
    pub(crate) fn close_and_wait(mut self) -> Exit {
        self.close_stdin();
        self.wait()
    }

    /// Whether the server has exited.
    pub(crate) fn has_exited(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for the exit without closing stdin.
    pub(crate) fn wait(mut self) -> Exit {
        let started = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(started.elapsed() < TIMEOUT, "the server does not exit");
            thread::sleep(Duration::from_millis(1));
        };
        let took = started.elapsed();
        let rest = self.lines.iter().map(without_newline).collect();
        self.stderr_ended.take().map(JoinHandle::join);
        let stderr = std::mem::take(&mut *self.stderr.lock().unwrap());
        Exit { status, took, rest, stderr }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Exit {
    /// Asserts a prompt exit with code 0 and without unread output.
    pub(crate) fn assert_clean_exit(&self) {
        assert!(self.status.success(), "{}: {}", self.status, self.stderr);
        assert_eq!(self.rest, [""; 0], "unread output");
        assert!(self.took < Duration::from_secs(1), "the exit took {:?}", self.took);
    }
}

/// Reports that a test did not run. Writes to stderr directly, because the test harness captures `eprintln!`.
pub(crate) fn report_skipped(what: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {what}");
}

/// Removes the newline from a line.
fn without_newline(mut line: String) -> String {
    assert_eq!(line.pop(), Some('\n'), "missing newline after the last line: {line}");
    line
}
