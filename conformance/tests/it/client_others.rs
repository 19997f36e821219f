//! The Ferromcp client with servers of the TypeScript SDKs and rmcp, over all their transports.
//!
//! The servers are described in `crates/ferromcp/tests/interop/README.md`. The results must match the table in
//! `docs/interop/client-others.md`; `FERROMCP_WRITE_MATRIX=1` updates the table.

use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ferromcp::client::accept;
use ferromcp::client::{Client, ClientError};
use ferromcp::core::Era;
use ferromcp::model::LogLevel;
use serde_json::{Value, json};

use crate::interop::set_up_folder;
use crate::server_process::ServerProcess;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/interop/client-others.md");
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const HEADER: &str = "\
| server | version | transport | revision | tools | call | read | prompt | progress | log | question | close |
|---|---|---|---|---|---|---|---|---|---|---|---|
";
/// The timeout of a request.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The timeout of a request with elicitation.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(4);
/// The timeout for a log notification, which may arrive after the response.
const LOG_TIMEOUT: Duration = Duration::from_secs(2);
/// A server that exits only after a second signal takes longer.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// A server, its mode, and the era the client may use.
struct Target {
    server: &'static str,
    version: String,
    program: PathBuf,
    args: Vec<String>,
    mode: &'static str,
    era: Option<Era>,
}

impl Target {
    fn transport(&self) -> &'static str {
        match self.mode {
            "stdio" => "stdio",
            "sessions" => "Streamable HTTP, sessions",
            "stateless" => "Streamable HTTP, stateless",
            _ => "HTTP+SSE",
        }
    }

    /// Connects, runs all requests, closes the connection and returns a table row.
    async fn row(&self) -> String {
        let logs = Arc::<Mutex<Vec<String>>>::default();
        let received = Arc::clone(&logs);
        let mut builder = Client::builder("ferromcp", "0")
            .on_form(|_| async { accept(&json!({ "name": "Ada" })) })
            .on_log(LogLevel::Debug, move |log| received.lock().unwrap().push(log.data.as_str().to_owned()));
        if let Some(era) = self.era {
            builder = builder.only_era(era);
        }
        let args: Vec<&str> = self.args.iter().map(String::as_str).chain([self.mode]).collect();
        let server;
        let connected = if self.mode == "stdio" {
            let mut command = Command::new(&self.program);
            command.args(args);
            tokio::time::timeout(TIMEOUT, builder.connect(command)).await
        } else {
            server = ServerProcess::start(self.program.to_str().unwrap(), &args);
            tokio::time::timeout(TIMEOUT, builder.connect(server.url())).await
        };
        let (revision, cells) = match connected {
            Ok(Ok(client)) => {
                let can_elicit = self.mode != "stateless" || client.revision().is_modern();
                (client.revision().to_string(), cells(client, &logs, can_elicit).await)
            }
            Ok(Err(error)) => ("none".to_owned(), vec![one_line(&error)]),
            Err(_) => ("none".to_owned(), vec!["connection timed out".to_owned()]),
        };
        format!("| {} | {} | {} | {revision} | {} |", self.server, self.version, self.transport(), cells.join(" | "))
    }
}

/// Runs all requests. A stateless server of a legacy revision cannot send requests to the client; it may return an error or
/// not respond.
async fn cells(client: Client, logs: &Mutex<Vec<String>>, can_elicit: bool) -> Vec<String> {
    let mut cells = Vec::new();
    let tools = async { client.tools().await.map(|tools| names(tools.iter().map(|tool| tool.name.as_str()))) };
    cells.push(cell(tools, "add, ask, steps").await);
    let sum = async { client.call_as::<f64>("add", json!({ "a": 2, "b": 3 })).await.map(|sum| sum.to_string()) };
    cells.push(cell(sum, "5").await);
    let read = client.read("greeting://Ada");
    cells.push(cell(async { Ok(text(&read.await?.contents)) }, "Hello, Ada!").await);
    let prompt = client.prompt("review", json!({ "code": "x = 1" }));
    cells.push(cell(async { Ok(text(&prompt.await?.messages)) }, "Please review: x = 1").await);
    let progress = Arc::<Mutex<Vec<String>>>::default();
    let received = Arc::clone(&progress);
    let steps = client.call("steps", json!({})).on_progress(move |progress| {
        received.lock().unwrap().push(progress.message.unwrap_or_default());
    });
    let steps = async {
        let done = text(&steps.await?.content);
        Ok(format!("{}, {done}", progress.lock().unwrap().join(", ")))
    };
    cells.push(cell(steps, "step 1, step 2, step 3, done").await);
    cells.push(cell(async { Ok(log(logs).await) }, "\"begun\"").await);
    let ask = client.call("ask", json!({}));
    let asked = cell(async { Ok(text(&ask.timeout(QUESTION_TIMEOUT).await?.content)) }, "Hello, Ada!").await;
    cells.push(if can_elicit || asked == "yes" { asked } else { "cannot ask".to_owned() });
    let started = Instant::now();
    client.close().await;
    cells.push(if started.elapsed() < CLOSE_TIMEOUT { "yes" } else { "late" }.to_owned());
    cells
}

/// Returns `yes` for the expected result, otherwise the result or the error.
async fn cell(seen: impl Future<Output = Result<String, ClientError>>, expected: &str) -> String {
    match tokio::time::timeout(TIMEOUT, seen).await {
        Ok(Ok(seen)) if seen == expected => "yes".to_owned(),
        Ok(Ok(seen)) => format!("no: {}", seen.replace('\n', " ")),
        Ok(Err(error)) => format!("no: {}", one_line(&error)),
        Err(_) => "no: timed out".to_owned(),
    }
}

fn one_line(error: &ClientError) -> String {
    error.to_string().replace('\n', " ").replace('|', "\\|")
}

async fn log(logs: &Mutex<Vec<String>>) -> String {
    let started = Instant::now();
    while logs.lock().unwrap().is_empty() && started.elapsed() < LOG_TIMEOUT {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let received = logs.lock().unwrap().join(", ");
    if received.is_empty() { "none".to_owned() } else { received }
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.join(", ")
}

/// Returns the first text of a result.
fn text(sent: &impl serde::Serialize) -> String {
    let sent = serde_json::to_value(sent).unwrap();
    let first = &sent[0];
    let text = first["text"].as_str().or_else(|| first["content"]["text"].as_str());
    text.map_or_else(|| sent.to_string(), str::to_owned)
}

/// Returns all targets, in the order of the table.
fn targets(folder: &Path) -> Vec<Target> {
    let pins: Value = serde_json::from_str(&fs::read_to_string(format!("{ROOT}/xtask/interop/package.json")).unwrap())
        .expect("package.json is valid");
    let pinned = |package: &str| pins["dependencies"][package].as_str().unwrap().to_owned();
    let scripts = Path::new(ROOT).join("crates/ferromcp/tests/interop");
    let node = |server, package: &str, script: &str, mode, era| Target {
        server,
        version: pinned(package),
        program: folder.join("node/node_modules/.bin/node"),
        args: vec![scripts.join(script).to_str().unwrap().to_owned()],
        mode,
        era,
    };
    let ts1 = |mode| node("TypeScript SDK", "@modelcontextprotocol/sdk", "server_ts1.mjs", mode, None);
    let ts2 = |mode, era| node("TypeScript SDK", "@modelcontextprotocol/server", "server_ts2.mjs", mode, era);
    let locked = fs::read_to_string(format!("{ROOT}/xtask/interop/rmcp/Cargo.lock")).unwrap();
    let version = locked.split_once("name = \"rmcp\"\nversion = \"").and_then(|(_, rest)| rest.split_once('"'));
    let version = version.expect("Cargo.lock contains rmcp").0;
    let rmcp = |mode, era| Target {
        server: "rmcp",
        version: version.to_owned(),
        program: folder.join("rmcp/debug/interop-rmcp"),
        args: Vec::new(),
        mode,
        era,
    };
    vec![
        ts1("stdio"),
        ts1("sessions"),
        ts1("stateless"),
        ts1("sse"),
        ts2("stdio", None),
        ts2("stdio", Some(Era::Legacy)),
        ts2("stateless", None),
        ts2("stateless", Some(Era::Legacy)),
        ts2("sessions", None),
        rmcp("stdio", None),
        rmcp("stdio", Some(Era::Legacy)),
        rmcp("stateless", None),
        rmcp("stateless", Some(Era::Legacy)),
        rmcp("sessions", Some(Era::Legacy)),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn matrix_matches_results_with_other_servers() {
    // M26-076, S-063, S-070
    let Some(folder) = set_up_folder("client_others") else { return };
    let mut matrix = HEADER.to_owned();
    for target in targets(&folder) {
        matrix.push_str(&target.row().await);
        matrix.push('\n');
    }
    let page = fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once("<!-- matrix -->\n").expect("the page contains the start marker of the table");
    let (written, after) = rest.split_once("<!-- /matrix -->").expect("the page contains the end marker of the table");
    if std::env::var_os("FERROMCP_WRITE_MATRIX").is_some_and(|yes| yes == "1") {
        fs::write(PAGE, format!("{before}<!-- matrix -->\n{matrix}<!-- /matrix -->{after}")).unwrap();
    } else {
        assert_eq!(written, matrix, "the table does not match the results; update it with FERROMCP_WRITE_MATRIX=1");
    }
}
