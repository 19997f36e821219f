//! Runs the command and the servers of the tests.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

/// Time until a process must be ready; long, because the machine may be busy.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The result of a command.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `mcp` with these arguments.
pub(crate) fn mcp(args: &[&str]) -> Run {
    run(&mut command(args))
}

/// Returns the command `mcp` with a configuration folder that does not exist.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcp"));
    // Printing a backtrace takes seconds in a debug build.
    command.args(args).env("MCP_HOME", "/nonexistent/mcp").env_remove("RUST_BACKTRACE").stdin(Stdio::null());
    // The variables of the cargo that runs the tests.
    command.env_remove("VIRTUAL_ENV");
    // Terminals that show images.
    command.env_remove("TERM_PROGRAM").env_remove("KITTY_WINDOW_ID").env_remove("TMUX");
    // The width of the help.
    command.env_remove("COLUMNS");
    command
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Run {
    to_run(command.output().expect("cannot start the command"))
}

/// Runs a command with this input.
pub(crate) fn run_with_input(command: &mut Command, input: &str) -> Run {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("cannot start");
    child.stdin.take().expect("stdin is piped").write_all(input.as_bytes()).expect("a few lines fit into a pipe");
    to_run(child.wait_with_output().expect("the command ends"))
}

fn to_run(output: Output) -> Run {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output must be UTF-8");
    Run { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Returns the path of the test server.
pub(crate) fn server() -> &'static str {
    static SERVER: LazyLock<String> = LazyLock::new(|| example("cli-test-server").display().to_string());
    &SERVER
}

/// Returns the path of an example.
pub(crate) fn example(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_mcp")).parent().expect("the program is in a folder").join("examples");
    let path = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(path.is_file(), "{} does not exist; run `cargo test -p ferromcp-cli`, which builds it", path.display());
    path
}

/// Runs a verb with the stdio server as its target.
pub(crate) fn on_stdio(args: &[&str]) -> Run {
    mcp(&[args, &["--", server(), "stdio"]].concat())
}

/// A server over HTTP. It is killed when it is dropped.
pub(crate) struct HttpServer {
    child: Child,
    port: u16,
    stderr: Arc<Mutex<Vec<String>>>,
}

impl HttpServer {
    /// Starts the server, `http` or `protected`, and waits until it accepts connections.
    pub(crate) fn start(kind: &str) -> Self {
        Self::spawn(&[kind], Stdio::inherit())
    }

    /// Starts a server with a fault, and waits until it accepts connections.
    pub(crate) fn start_faulty(kind: &str) -> Self {
        Self::spawn(&["faulty-http", kind], Stdio::inherit())
    }

    /// Starts the server like [`start`](Self::start), and collects the lines of its stderr.
    pub(crate) fn start_with_stderr(kind: &str) -> Self {
        let mut server = Self::spawn(&[kind], Stdio::piped());
        let (lines, stderr) = (Arc::clone(&server.stderr), server.child.stderr.take().expect("stderr is piped"));
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                lines.lock().expect("no panic while it is locked").push(line);
            }
        });
        server
    }

    fn spawn(kind: &[&str], stderr: Stdio) -> Self {
        let port = free_port();
        let mut command = Command::new(server());
        command.args(kind).arg(port.to_string()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
        let child = command.spawn().expect("cannot start the server");
        let server = Self { child, port, stderr: Arc::default() };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < TIMEOUT, "the server does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }

    /// Returns the lines of stderr so far.
    pub(crate) fn stderr(&self) -> &Arc<Mutex<Vec<String>>> {
        &self.stderr
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/mcp", self.port)
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns a port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port()
}

/// Writes a file of a test and returns its path.
pub(crate) fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("cannot write a file");
    path
}

/// Writes a program of a test and returns its path.
///
/// Another process writes it: a child of another test could inherit the open file, and prevent its start.
#[cfg(unix)]
pub(crate) fn program(folder: &Path, name: &str, script: &str) -> PathBuf {
    let (source, path) = (file(folder, &format!("{name}.source"), script), folder.join(name));
    let status = Command::new("install").args(["-m", "755"]).arg(source).arg(&path).status();
    assert!(status.expect("cannot start `install`").success());
    path
}

/// Waits until a condition is true.
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < TIMEOUT, "timeout: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
