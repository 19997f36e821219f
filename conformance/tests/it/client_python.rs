//! Our client at servers made with the Python SDKs and with FastMCP, over every way they serve.
//!
//! The servers are described in `crates/ferromcp/tests/interop/README.md`. What comes of each pair is a row of the table
//! in `docs/guide/client-interop-python.md`, which is held to it; with `FERROMCP_WRITE_MATRIX=1` it is written anew.

use std::fmt::{Debug, Display};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{env, fs};

use ferromcp::client::{Client, ClientBuilder, ClientError, ErrorKind, child};
use ferromcp::core::{Era, RawJson};
use ferromcp::model::LogLevel;
use ferromcp::prelude::accept;
use ferromcp::transport::child::{Child, Stderr};
use serde_json::{Value, json};

use crate::interop::folder;
use crate::peer::Peer;

/// How long a question may take, there and back; where there is no way back it is the time that is waited for nothing.
const PATIENCE: Duration = Duration::from_secs(8);

/// The columns of a row.
const HEAD: [&str; 11] = [
    "server",
    "transport",
    "asked for",
    "revision",
    "tools",
    "call",
    "read",
    "prompt",
    "progress and log",
    "question",
    "close",
];

/// A server: its name in the table, its folder in the set-up, and the package that is pinned there.
#[derive(Clone, Copy)]
struct Server(&'static str, &'static str, &'static str);

const PYTHON_1: Server = Server("Python SDK", "py1", "mcp");
const PYTHON_2: Server = Server("Python SDK", "py2", "mcp");
const FASTMCP: Server = Server("FastMCP", "fastmcp", "fastmcp");

/// How it serves: the word for its script, and for the table.
const WAYS: [(&str, &str); 4] =
    [("stdio", "stdio"), ("http", "HTTP"), ("stateless", "HTTP, stateless"), ("sse", "HTTP+SSE")];

impl Server {
    fn named(self, set_up: &Path) -> String {
        let Self(name, part, package) = self;
        let pins = fs::read_to_string(set_up.join(format!("{part}.stamp"))).expect("the set-up has its pins");
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

    async fn visited_in_all_ways(self, set_up: PathBuf) -> Vec<String> {
        let mut rows = Vec::new();
        for way in WAYS {
            rows.push(self.visited(&set_up, way, None).await);
            if self.1 != PYTHON_1.1 && way.0 != "sse" {
                rows.push(self.visited(&set_up, way, Some(Era::Legacy)).await);
            }
        }
        rows
    }

    /// What our client finds there.
    async fn visited(self, set_up: &Path, way: (&str, &str), era: Option<Era>) -> String {
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let builder = client(&heard, era);
        let seen = if way.0 == "stdio" {
            self.over_stdio(set_up, builder, &heard).await
        } else {
            self.over_http(set_up, way.0, builder, &heard).await
        };
        let asked = if era.is_some() { "a handshake" } else { "anything" };
        let mut cells = vec![self.named(set_up), way.1.to_owned(), asked.to_owned()];
        cells.extend(seen);
        format!("| {} |", cells.join(" | "))
    }

    async fn over_stdio(self, set_up: &Path, builder: ClientBuilder, heard: &Heard) -> Vec<String> {
        let mut command = Command::new(self.python(set_up));
        command.arg(self.script()).arg("stdio");
        let said = Arc::<Mutex<Vec<String>>>::default();
        let lines = Arc::clone(&said);
        let server = Child::new(command).stderr(Stderr::lines(move |line| lines.lock().unwrap().push(line.to_owned())));
        let client = match builder.connect(child(server)).await {
            Ok(client) => client,
            Err(error) => return vec![worded(&error)],
        };
        let mut seen = conversation(&client, heard).await;
        client.close().await;
        let said = said.lock().unwrap();
        let pid = said.iter().find_map(|line| line.strip_prefix("pid ")).expect("it tells its process id");
        assert!(!lives(pid), "{}: the server is still there: {said:?}", self.1);
        let alone = said.iter().any(|line| line == "ended by itself");
        seen.push(if alone { "ends by itself" } else { "had to be pressed" }.to_owned());
        seen
    }

    async fn over_http(self, set_up: &Path, way: &str, builder: ClientBuilder, heard: &Heard) -> Vec<String> {
        let (python, script) = (self.python(set_up), self.script());
        let server = Peer::start(python.to_str().unwrap(), &[script.to_str().unwrap(), way]);
        let client = match builder.connect(server.url()).await {
            Ok(client) => client,
            Err(error) => return vec![worded(&error)],
        };
        let mut seen = conversation(&client, heard).await;
        client.close().await;
        server.signal("TERM");
        let end = server.end();
        assert!(end.status.success(), "{}: {}: {}", self.1, end.status, end.stderr);
        let deleted = end.rest.iter().any(|line| line.contains("\"DELETE /mcp HTTP/1.1\" 200"));
        let pressed = end.stderr.contains("timeout graceful shutdown exceeded");
        assert!(!pressed, "{}: something was still going on: {}", self.1, end.stderr);
        seen.push(if deleted { "session deleted" } else { "nothing open" }.to_owned());
        seen
    }
}

/// What was heard besides answers, in its order.
type Heard = Arc<Mutex<Vec<String>>>;

fn client(heard: &Heard, era: Option<Era>) -> ClientBuilder {
    let logs = Arc::clone(heard);
    let builder = Client::new("ferromcp", "0")
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

/// The cells from the revision on, except for the last one.
async fn conversation(client: &Client, heard: &Heard) -> Vec<String> {
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
    cells.push(steps(client, heard).await);
    cells.push(cell(client.call_as::<String>("ask", ()).time_limit(PATIENCE).await, &"accept: Ada".to_owned()));
    cells
}

async fn steps(client: &Client, heard: &Heard) -> String {
    let listener = Arc::clone(heard);
    let call = client.call_as::<String>("steps", ()).on_progress(move |progress| {
        let (done, total, words) = (progress.progress, progress.total, progress.message);
        listener.lock().unwrap().push(format!("{done} of {}, {}", total.unwrap_or(-1.0), words.unwrap_or_default()));
    });
    let answer = cell(call.await, &"there".to_owned());
    let mut heard: Vec<String> = std::mem::take(&mut *heard.lock().unwrap());
    if answer != "yes" {
        return answer;
    }
    let logged = heard.len();
    heard.retain(|what| what != "log on the way");
    let logged = logged == heard.len() + 1;
    let progress = heard == ["1 of 3, step 1", "2 of 3, step 2", "3 of 3, step 3"];
    match (progress, logged) {
        (true, true) => "yes".to_owned(),
        (true, false) => "progress only".to_owned(),
        (false, true) => format!("log only {heard:?}"),
        (false, false) => format!("neither {heard:?}"),
    }
}

/// `yes` where all is as it should be, else what is there instead.
fn cell<T: PartialEq + Debug>(found: Result<T, ClientError>, expected: &T) -> String {
    match found {
        Ok(found) if found == *expected => "yes".to_owned(),
        Ok(found) => worded(&format!("{found:?}")),
        Err(error) if error.kind() == ErrorKind::Timeout => worded(&"the server waits for an answer that finds no way"),
        Err(error) => worded(&error),
    }
}

/// The first line of what went wrong, fit for a table.
fn worded(what: &impl Display) -> String {
    format!("no: {}", what.to_string().lines().next().unwrap_or_default().replace('|', "/"))
}

fn text(data: &RawJson) -> String {
    // Some say a text, and FastMCP an object with the text in it.
    let words = |data: &Value| data.as_str().or(data["msg"].as_str()).map(str::to_owned);
    data.decode().ok().as_ref().and_then(words).unwrap_or_else(|| data.as_str().to_owned())
}

/// Whether there is such a process.
fn lives(pid: &str) -> bool {
    let script = format!("kill -0 {pid} 2>/dev/null");
    Command::new("sh").args(["-c", &script]).status().unwrap().success()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn our_client_works_with_python_servers() {
    let Some(set_up) = folder("our_client_works_with_python_servers") else { return };
    let mut rows = vec![format!("| {} |", HEAD.join(" | ")), format!("|{}", "---|".repeat(HEAD.len()))];
    // Interpreters take their time to start; three do so at once.
    let visits = [PYTHON_1, PYTHON_2, FASTMCP].map(|server| tokio::spawn(server.visited_in_all_ways(set_up.clone())));
    for visit in visits {
        rows.extend(visit.await.unwrap());
    }
    held(&rows.join("\n"));
}

/// Holds the page's table to what was found, or writes it.
fn held(found: &str) {
    const BEGIN: &str = "<!-- matrix -->";
    const END: &str = "<!-- /matrix -->";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/client-interop-python.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has a place for the table");
    let (table, after) = rest.split_once(END).expect("the table ends");
    if env::var_os("FERROMCP_WRITE_MATRIX").is_some_and(|yes| yes == "1") {
        fs::write(&path, format!("{before}{BEGIN}\n\n{found}\n\n{END}{after}")).unwrap();
        return;
    }
    assert_eq!(table.trim(), found, "the table is not what was found; FERROMCP_WRITE_MATRIX=1 writes it anew");
}
