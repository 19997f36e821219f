//! The Ferromcp client with servers of the Python SDKs and FastMCP, over all their transports.
//!
//! The servers are described in `crates/ferromcp/tests/interop/README.md`. The results must match the table in
//! `docs/interop/client-python.md`; `FERROMCP_WRITE_MATRIX=1` updates the table.

use std::fmt::{Debug, Display};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferromcp::client::accept;
use ferromcp::client::{Client, ClientBuilder, ClientError, ErrorKind, child};
use ferromcp::core::{Era, RawJson};
use ferromcp::model::LogLevel;
use ferromcp::transport::child::{Child, Stderr};
use serde_json::{Value, json};

use crate::interop::set_up_folder;
use crate::result_table::compare_with_page;
use crate::server_process::ServerProcess;

/// The timeout of a call with elicitation; it expires when the server cannot receive the response.
const TIMEOUT: Duration = Duration::from_secs(8);

/// The columns of a row.
const HEADER: [&str; 11] = [
    "server",
    "transport",
    "requested",
    "revision",
    "tools",
    "call",
    "read",
    "prompt",
    "progress and log",
    "question",
    "close",
];

/// A server: its name in the table, its folder below `FERROMCP_INTEROP`, and its pinned package.
#[derive(Clone, Copy)]
struct Server(&'static str, &'static str, &'static str);

const PYTHON_1: Server = Server("Python SDK", "py1", "mcp");
const PYTHON_2: Server = Server("Python SDK", "py2", "mcp");
const FASTMCP: Server = Server("FastMCP", "fastmcp", "fastmcp");

/// The transports: the script argument and the name in the table.
const TRANSPORTS: [(&str, &str); 4] =
    [("stdio", "stdio"), ("http", "HTTP"), ("stateless", "HTTP, stateless"), ("sse", "HTTP+SSE")];

impl Server {
    fn label(self, set_up: &Path) -> String {
        let Self(name, part, package) = self;
        let pins = fs::read_to_string(set_up.join(format!("{part}.stamp"))).expect("the stamp file exists");
        let version = pins.lines().find_map(|line| line.strip_prefix(package)?.strip_prefix("=="));
        format!("{name} {}", version.expect("the package is pinned"))
    }

    fn python(self, set_up: &Path) -> PathBuf {
        set_up.join(self.1).join("bin/python")
    }

    fn script(self) -> PathBuf {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/ferromcp/tests/interop");
        scripts.join(format!("server_{}.py", self.1))
    }

    async fn rows(self, set_up: PathBuf) -> Vec<String> {
        let mut rows = Vec::new();
        for transport in TRANSPORTS {
            rows.push(self.row(&set_up, transport, None).await);
            if self.1 != PYTHON_1.1 && transport.0 != "sse" {
                rows.push(self.row(&set_up, transport, Some(Era::Legacy)).await);
            }
        }
        rows
    }

    /// Connects, runs all requests and returns a table row.
    async fn row(self, set_up: &Path, transport: (&str, &str), era: Option<Era>) -> String {
        let received = Arc::<Mutex<Vec<String>>>::default();
        let builder = client(&received, era);
        let seen = if transport.0 == "stdio" {
            self.over_stdio(set_up, builder, &received).await
        } else {
            self.over_http(set_up, transport.0, builder, &received).await
        };
        let asked = if era.is_some() { "handshake" } else { "any" };
        let mut cells = vec![self.label(set_up), transport.1.to_owned(), asked.to_owned()];
        cells.extend(seen);
        format!("| {} |", cells.join(" | "))
    }

    async fn over_stdio(self, set_up: &Path, builder: ClientBuilder, received: &Received) -> Vec<String> {
        let mut command = Command::new(self.python(set_up));
        command.arg(self.script()).arg("stdio");
        let stderr = Arc::<Mutex<Vec<String>>>::default();
        let lines = Arc::clone(&stderr);
        let server = Child::new(command).stderr(Stderr::lines(move |line| lines.lock().unwrap().push(line.to_owned())));
        let client = match builder.connect(child(server)).await {
            Ok(client) => client,
            Err(error) => return vec![error_cell(&error)],
        };
        let mut seen = run_requests(&client, received).await;
        client.close().await;
        let stderr = stderr.lock().unwrap();
        let pid = stderr.iter().find_map(|line| line.strip_prefix("pid ")).expect("the server prints its process id");
        assert!(!is_running(pid), "{}: the server is still running: {stderr:?}", self.1);
        let alone = stderr.iter().any(|line| line == "exited after stdin closed");
        seen.push(if alone { "exits" } else { "terminated" }.to_owned());
        seen
    }

    async fn over_http(
        self,
        set_up: &Path,
        transport: &str,
        builder: ClientBuilder,
        received: &Received,
    ) -> Vec<String> {
        let (python, script) = (self.python(set_up), self.script());
        let server = ServerProcess::start(python.to_str().unwrap(), &[script.to_str().unwrap(), transport]);
        let client = match builder.connect(server.url()).await {
            Ok(client) => client,
            Err(error) => return vec![error_cell(&error)],
        };
        let mut seen = run_requests(&client, received).await;
        client.close().await;
        server.signal("TERM");
        let end = server.wait();
        assert!(end.status.success(), "{}: {}: {}", self.1, end.status, end.stderr);
        let deleted = end.rest.iter().any(|line| line.contains("\"DELETE /mcp HTTP/1.1\" 200"));
        let forced = end.stderr.contains("timeout graceful shutdown exceeded");
        assert!(!forced, "{}: requests were still in flight: {}", self.1, end.stderr);
        seen.push(if deleted { "session deleted" } else { "no session" }.to_owned());
        seen
    }
}

/// The received notifications, in order.
type Received = Arc<Mutex<Vec<String>>>;

fn client(received: &Received, era: Option<Era>) -> ClientBuilder {
    let logs = Arc::clone(received);
    let builder = Client::builder("ferromcp", "0")
        .on_form(|form| async move {
            assert_eq!(form.message, "Your name?");
            accept(&json!({ "name": "Ada" }))
        })
        .on_log(LogLevel::Info, move |log| logs.lock().unwrap().push(format!("log {}", text(&log.data))));
    match era {
        Some(era) => builder.only_era(era),
        None => builder,
    }
}

/// Returns the cells from the revision to the question.
async fn run_requests(client: &Client, received: &Received) -> Vec<String> {
    let mut cells = vec![client.revision().to_string()];
    let tools = client.tools().await.map(|tools| tools.iter().map(|tool| tool.name.clone()).collect::<Vec<_>>());
    cells.push(cell(tools, &["add", "ask", "steps"].map(str::to_owned).to_vec()));
    cells.push(cell(client.call_as::<i64>("add", json!({ "a": 2, "b": 3 })).await, &5));
    let read = client.read("greeting://Ada").await;
    let read = read.map(|read| read.contents.first().and_then(|first| first.as_text()).unwrap_or_default().to_owned());
    cells.push(cell(read, &"Hello, Ada!".to_owned()));
    let prompt = client.prompt("review", json!({ "code": "x = 1" })).await;
    let prompt = prompt.map(|prompt| prompt.messages[0].content.as_text().unwrap_or_default().to_owned());
    cells.push(cell(prompt, &"Please review: x = 1".to_owned()));
    cells.push(steps(client, received).await);
    cells.push(cell(client.call_as::<String>("ask", ()).time_limit(TIMEOUT).await, &"accept: Ada".to_owned()));
    cells
}

async fn steps(client: &Client, received: &Received) -> String {
    let listener = Arc::clone(received);
    let call = client.call_as::<String>("steps", ()).on_progress(move |progress| {
        let (done, total, text_of) = (progress.progress, progress.total, progress.message);
        listener.lock().unwrap().push(format!("{done} of {}, {}", total.unwrap_or(-1.0), text_of.unwrap_or_default()));
    });
    let answer = cell(call.await, &"there".to_owned());
    let mut received: Vec<String> = std::mem::take(&mut *received.lock().unwrap());
    if answer != "yes" {
        return answer;
    }
    let logged = received.len();
    received.retain(|what| what != "log on the way");
    let logged = logged == received.len() + 1;
    let progress = received == ["1 of 3, step 1", "2 of 3, step 2", "3 of 3, step 3"];
    match (progress, logged) {
        (true, true) => "yes".to_owned(),
        (true, false) => "progress only".to_owned(),
        (false, true) => format!("log only {received:?}"),
        (false, false) => format!("neither {received:?}"),
    }
}

/// Returns `yes` for the expected result, otherwise the result or the error.
fn cell<T: PartialEq + Debug>(found: Result<T, ClientError>, expected: &T) -> String {
    match found {
        Ok(found) if found == *expected => "yes".to_owned(),
        Ok(found) => error_cell(&format!("{found:?}")),
        Err(error) if error.kind() == ErrorKind::Timeout => {
            error_cell(&"timed out: the server cannot receive the answer")
        }
        Err(error) => error_cell(&error),
    }
}

/// Formats the first line of an error for a table cell.
fn error_cell(what: &impl Display) -> String {
    format!("no: {}", what.to_string().lines().next().unwrap_or_default().replace('|', "/"))
}

fn text(data: &RawJson) -> String {
    // The SDKs send a string; FastMCP sends an object that contains the text.
    let text_of = |data: &Value| data.as_str().or(data["msg"].as_str()).map(str::to_owned);
    data.decode().ok().as_ref().and_then(text_of).unwrap_or_else(|| data.as_str().to_owned())
}

/// Whether a process with this id exists.
fn is_running(pid: &str) -> bool {
    let script = format!("kill -0 {pid} 2>/dev/null");
    Command::new("sh").args(["-c", &script]).status().unwrap().success()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn matrix_matches_results_with_python_servers() {
    let Some(set_up) = set_up_folder("matrix_matches_results_with_python_servers") else { return };
    let mut rows = vec![format!("| {} |", HEADER.join(" | ")), format!("|{}", "---|".repeat(HEADER.len()))];
    // The interpreters start slowly, so the three servers run concurrently.
    let tasks = [PYTHON_1, PYTHON_2, FASTMCP].map(|server| tokio::spawn(server.rows(set_up.clone())));
    for task in tasks {
        rows.extend(task.await.unwrap());
    }
    compare_with_page("interop/client-python.md", "matrix", &rows.join("\n"));
}
