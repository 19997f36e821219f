//! `mcp dev`: hot reload behind an endpoint, and the API of the inspector.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferromcp_client::{Change, ChangeFilter, Client, ClientLimits};
use ferromcp_core::Era;
use reqwest::header::{AUTHORIZATION, HOST, ORIGIN};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::timeout;

use crate::process::{HttpServer, command, server, wait_until};

/// Time limit of a step.
const LIMIT: Duration = Duration::from_secs(60);

/// `mcp dev` with a script as its server. It is killed when it is dropped.
struct Dev {
    child: Child,
    folder: TempDir,
    endpoint: String,
    token: String,
    stderr: Arc<Mutex<Vec<String>>>,
}

impl Dev {
    /// Starts a server with this script of the shell.
    fn start(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("server.sh"), script).unwrap();
        Self::start_in(folder, &["--", "sh", "server.sh"])
    }

    fn start_in(folder: TempDir, target: &[&str]) -> Self {
        let words = [&["dev", "--port", "0", "--no-open"], target].concat();
        let mut command = command(&words);
        command.current_dir(folder.path()).env("MCP_HOME", folder.path().join("home"));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (stderr, reader) = (Arc::<Mutex<Vec<String>>>::default(), BufReader::new(child.stderr.take().unwrap()));
        let lines = Arc::clone(&stderr);
        std::thread::spawn(move || {
            reader.lines().map_while(Result::ok).for_each(|line| lines.lock().unwrap().push(line));
        });
        let mut dev = Self { child, folder, endpoint: String::new(), token: String::new(), stderr };
        wait_until("the addresses", || {
            assert!(dev.child.try_wait().unwrap().is_none(), "it exited: {:?}", dev.stderr);
            let lines = dev.stderr.lock().unwrap().clone();
            let find = |prefix: &str| lines.iter().find_map(|line| line.strip_prefix(prefix).map(str::to_owned));
            if let (Some(page), Some(endpoint)) = (find("inspector: "), find("endpoint:  ")) {
                endpoint.trim_end_matches(" (for hosts)").clone_into(&mut dev.endpoint);
                page.split_once("#token=").unwrap().1.clone_into(&mut dev.token);
            }
            !dev.token.is_empty()
        });
        dev
    }

    fn wait_for(&self, text: &str) {
        wait_until(text, || self.stderr.lock().unwrap().iter().any(|line| line.contains(text)));
    }

    /// Replaces the script, and waits for the report of this build.
    fn edit(&self, script: &str, report: &str) {
        fs::write(self.folder.path().join("server.sh"), script).unwrap();
        self.wait_for(report);
    }

    async fn client(&self, era: Era) -> Client {
        let limits = ClientLimits::new().request_timeout(LIMIT);
        Client::builder("test", "1.0.0").only_era(era).limits(limits).connect(self.endpoint.as_str()).await.unwrap()
    }

    /// Returns the address of the service.
    fn origin(&self) -> &str {
        self.endpoint.trim_end_matches("/mcp")
    }

    /// Sends a request of the page.
    async fn api(&self, name: &str, body: Value) -> (u16, Value) {
        let url = format!("{}/api/{name}", self.origin());
        let request = http().post(url).header(AUTHORIZATION, format!("Bearer {}", self.token)).body(body.to_string());
        let response = request.send().await.unwrap();
        (response.status().as_u16(), serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
    }

    async fn events(&self) -> Events {
        let url = format!("{}/api/events", self.origin());
        let request = http().get(url).header(AUTHORIZATION, format!("Bearer {}", self.token));
        Events { response: request.send().await.unwrap(), buffer: String::new() }
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The events of a page.
struct Events {
    response: reqwest::Response,
    buffer: String,
}

impl Events {
    async fn next(&mut self) -> Value {
        loop {
            if let Some(end) = self.buffer.find("\n\n") {
                let event: String = self.buffer.drain(..end + 2).collect();
                match event.strip_prefix("data: ") {
                    Some(json) => return serde_json::from_str(json.trim_end()).unwrap(),
                    None => continue,
                }
            }
            let chunk = timeout(LIMIT, self.response.chunk()).await.expect("an event").unwrap().expect("more events");
            self.buffer.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// Returns the next event for which the condition is true.
    async fn find(&mut self, condition: impl Fn(&Value) -> bool) -> Value {
        loop {
            let event = self.next().await;
            if condition(&event) {
                return event;
            }
        }
    }

    async fn open(&mut self, dev: &Dev, connection: &str) -> Value {
        dev.api("connect", json!({ "connection": connection })).await;
        let is_open = |event: &Value| {
            event["type"] == "connection"
                && event["connection"]["id"] == connection
                && event["connection"]["status"] != "connecting"
        };
        self.find(is_open).await["connection"].clone()
    }
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// Returns a script that starts the test server in this mode.
fn mode(mode: &str) -> String {
    format!("exec '{}' {mode}\n", server())
}

async fn names(client: &Client) -> Vec<String> {
    client.tools().await.unwrap().into_iter().map(|tool| tool.name).collect()
}

#[tokio::test]
async fn clients_stay_connected_when_the_server_is_replaced() {
    let dev = Dev::start(&mode("demo"));
    for era in [Era::Legacy, Era::Modern] {
        dev.edit(&mode("demo"), "running `Demo`");
        let client = dev.client(era).await;
        assert_eq!(names(&client).await, ["add", "divide"], "{era:?}");
        let mut changes = client.subscribe(ChangeFilter::new().tools().resource("note://today")).await.unwrap();
        dev.stderr.lock().unwrap().clear();
        dev.edit(&mode("stdio"), "running `Kitchen`");
        let mut seen = Vec::new();
        while !seen.contains(&Change::Tools) || !seen.contains(&Change::Resource("note://today".to_owned())) {
            seen.push(timeout(LIMIT, changes.next()).await.expect("a change").unwrap().unwrap());
        }
        let tools = names(&client).await;
        assert!(tools.contains(&"touch".to_owned()), "{era:?}: {tools:?}");
        // The subscription to the resource is that of the new server.
        client.call("touch", ()).await.unwrap();
        let resource = Change::Resource("note://today".to_owned());
        while timeout(LIMIT, changes.next()).await.expect("a change").unwrap().unwrap() != resource {}
        dev.stderr.lock().unwrap().clear();
    }
}

#[tokio::test]
async fn requests_wait_for_the_first_build() {
    let dev = Dev::start(&format!("sleep 1\n{}", mode("demo")));
    let client = dev.client(Era::Legacy).await;
    assert_eq!(names(&client).await, ["add", "divide"]);
    let modern = dev.client(Era::Modern).await;
    assert_eq!(modern.call("add", json!({ "a": 1 })).await.unwrap().text_content(), "2");
}

#[tokio::test]
async fn previous_server_runs_when_the_next_one_cannot_start() {
    let dev = Dev::start(&mode("demo"));
    let client = dev.client(Era::Modern).await;
    assert_eq!(names(&client).await, ["add", "divide"]);
    let mut events = dev.events().await;
    events.next().await;
    dev.edit("echo 'syntax error near line 7' >&2; exit 3\n", "the previous build still runs");
    let failed = events.find(|event| event["state"]["status"] == "failed").await;
    assert!(failed["state"]["error"].as_str().unwrap().contains("syntax error near line 7"), "{failed}");
    assert_eq!(client.call("add", json!({ "a": 2 })).await.unwrap().text_content(), "3");
    dev.edit(&mode("stdio"), "running `Kitchen`");
    let running = events.find(|event| event["state"]["status"] == "running").await;
    assert_eq!((&running["state"]["error"], &running["state"]["generation"]), (&json!(null), &json!(3)));
    assert!(names(&client).await.contains(&"steps".to_owned()));
}

#[tokio::test]
async fn calls_in_flight_finish_on_the_previous_server() {
    let dev = Dev::start(&mode("stdio"));
    let (legacy, modern) = (dev.client(Era::Legacy).await, dev.client(Era::Modern).await);
    names(&legacy).await;
    for client in [legacy, modern] {
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let client = client.clone();
            calls.spawn(async move { client.call("steps", ()).await });
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        dev.stderr.lock().unwrap().clear();
        dev.edit(&mode("stdio"), "running `Kitchen`");
        while let Some(result) = calls.join_next().await {
            assert_eq!(result.unwrap().unwrap().text_content(), "done");
        }
    }
}

#[tokio::test]
async fn page_calls_tools_with_progress_logs_and_cancellation() {
    let dev = Dev::start(&mode("stdio"));
    dev.wait_for("running `Kitchen`");
    let mut events = dev.events().await;
    let snapshot = events.next().await;
    assert_eq!((&snapshot["type"], &snapshot["state"]["status"]), (&json!("snapshot"), &json!("running")));
    for (connection, revision) in [("auto", "2026-07-28"), ("legacy", "2025-11-25"), ("modern", "2026-07-28")] {
        let open = events.open(&dev, connection).await;
        assert_eq!((&open["status"], &open["revision"]), (&json!("open"), &json!(revision)), "{open}");
        dev.api("log-level", json!({ "connection": connection, "level": "info" })).await;
        let call = format!("{connection}-1");
        let params = json!({ "name": "steps" });
        let (status, outcome) = dev.api("request", request(connection, &call, params)).await;
        assert_eq!((status, &outcome["result"]["content"][0]["text"]), (200, &json!("done")), "{outcome}");
        assert!(outcome["duration"].as_f64().unwrap() > 50.0, "{outcome}");
        let log = events.find(|event| event["type"] == "log" && event["entry"]["source"] == "server").await;
        assert_eq!((&log["entry"]["data"], &log["entry"]["connection"]), (&json!("on the way"), &json!(connection)));
        let progress = events.find(|event| event["type"] == "progress" && event["progress"] == 2.0).await;
        assert_eq!((&progress["call"], &progress["message"]), (&json!(call), &json!("step 2")));
        let is_response =
            |event: &Value| event["message"]["kind"] == "response" && event["message"]["method"] == "tools/call";
        let message = events.find(is_response).await["message"].clone();
        assert_eq!((&message["call"], &message["connection"]), (&json!(call), &json!(connection)), "{message}");
        assert_eq!(message["payload"]["result"]["content"][0]["text"], "done");

        let call = format!("{connection}-2");
        let sleeping = dev.api("request", request(connection, &call, json!({ "name": "sleep" })));
        let cancelling = async {
            wait_until_async(|| dev.stderr.lock().unwrap().iter().any(|line| line.contains("sleeping"))).await;
            dev.api("cancel", json!({ "call": call })).await
        };
        let ((_, outcome), (status, _)) = tokio::join!(sleeping, cancelling);
        assert_eq!((status, &outcome["error"]["message"]), (200, &json!("cancelled")));
        wait_until_async(|| dev.stderr.lock().unwrap().iter().any(|line| line.contains("cancelled"))).await;
        dev.stderr.lock().unwrap().clear();
    }
}

#[tokio::test]
async fn page_answers_questions_and_roots() {
    let dev = Dev::start(&mode("stdio"));
    dev.wait_for("running `Kitchen`");
    let mut events = dev.events().await;
    let roots = json!({ "roots": [{ "uri": "file:///srv/data", "name": "Data" }] });
    assert_eq!(dev.api("roots", roots).await.0, 200);
    for connection in ["legacy", "modern"] {
        events.open(&dev, connection).await;
        let (_, folders) = dev.api("request", request(connection, "roots", json!({ "name": "folders" }))).await;
        assert_eq!(folders["result"]["content"][0]["text"], "file:///srv/data", "{folders}");
        let booking = dev.api("request", request(connection, "book", json!({ "name": "book" })));
        let answering = async {
            let asked = events.find(|event| event["type"] == "question").await["question"].clone();
            assert_eq!((&asked["kind"], &asked["connection"]), (&json!("form"), &json!(connection)), "{asked}");
            assert_eq!(asked["params"]["message"], "A table for whom?");
            assert_eq!(asked["params"]["requestedSchema"]["properties"]["guests"]["default"], 2);
            let content = json!({ "name": "Ada", "guests": 3, "place": "Garden" });
            let answer = json!({ "question": asked["id"], "result": { "action": "accept", "content": content } });
            let (status, _) = dev.api("answer", answer.clone()).await;
            let closed = events.find(|event| event["type"] == "questionClosed").await;
            assert_eq!((status, &closed["id"]), (200, &asked["id"]));
            dev.api("answer", answer).await
        };
        let ((_, booked), (repeated, _)) = tokio::join!(booking, answering);
        assert_eq!(repeated, 400, "a question is answered once");
        let text = r#"{"name":"Ada","guests":3,"place":"Garden"}"#;
        assert_eq!(booked["result"]["content"][0]["text"], text, "{booked}");
    }
}

#[tokio::test]
async fn connections_of_the_page_follow_the_builds() {
    let dev = Dev::start(&mode("stdio"));
    dev.wait_for("running `Kitchen`");
    let mut events = dev.events().await;
    events.open(&dev, "auto").await;
    let uri = json!({ "connection": "auto", "uri": "note://today" });
    assert_eq!(dev.api("subscribe", uri.clone()).await, (200, json!({})));
    dev.api("request", request("auto", "t1", json!({ "name": "touch" }))).await;
    let change = events.find(|event| event["type"] == "change" && event["what"] == "resource").await;
    assert_eq!(change["uri"], "note://today");
    dev.api("restart", json!({})).await;
    let is_second = |event: &Value| event["connection"]["status"] == "open" && event["connection"]["generation"] == 2;
    events.find(is_second).await;
    events.find(|event| event["type"] == "change" && event["what"] == "resource").await;
    dev.api("request", request("auto", "t2", json!({ "name": "touch" }))).await;
    events.find(|event| event["type"] == "change" && event["what"] == "resource").await;
    assert_eq!(dev.api("unsubscribe", uri).await.0, 200);
    assert_eq!(dev.api("disconnect", json!({ "connection": "auto" })).await.0, 200);
    let (status, error) = dev.api("request", request("auto", "t3", json!({ "name": "touch" }))).await;
    assert_eq!((status, error["message"].as_str().unwrap().contains("is closed")), (400, true), "{error}");
}

#[tokio::test]
async fn page_logs_in_step_by_step() {
    let protected = HttpServer::start("protected");
    let dev = Dev::start_in(tempfile::tempdir().unwrap(), &[&protected.url()]);
    dev.wait_for("cannot start build 1");
    let mut events = dev.events().await;
    let connection = events.open(&dev, "auto").await;
    assert_eq!(connection["status"], "login", "{connection}");
    assert_eq!(dev.api("login", json!({ "connection": "auto" })).await.0, 200);
    let page = events.find(|event| event["step"]["url"].is_string()).await["step"].clone();
    assert_eq!((&page["number"], &page["status"]), (&json!(4), &json!("running")), "{page}");
    assert!(http().get(page["url"].as_str().unwrap()).send().await.unwrap().status().is_success());
    let last = events.find(|event| event["step"]["number"] == 6 && event["step"]["status"] == "done").await;
    assert_eq!(last["step"]["title"], "Connect with the token");
    let (_, user) = dev.api("request", request("auto", "u", json!({ "name": "user" }))).await;
    assert_eq!(user["result"]["content"][0]["text"], "ada", "{user}");
    let history = Events::next(&mut dev.events().await).await;
    let text = history.to_string();
    assert!(text.contains(r#"["mcp-name","user"]"#) && text.contains(r#"["authorization","[hidden]"]"#), "{text}");
    assert!(!text.contains("Bearer ey") && !text.contains("access_token"), "{text}");
    assert_eq!(dev.api("logout", json!({ "connection": "auto" })).await.0, 200);
    events.find(|event| event["connection"]["status"] == "login").await;
}

#[tokio::test]
async fn requests_are_rejected_without_token_or_from_other_origins() {
    let dev = Dev::start(&mode("demo"));
    let (client, url) = (http(), format!("{}/api/restart", dev.origin()));
    let bearer = format!("Bearer {}", dev.token);
    let status = async |request: reqwest::RequestBuilder| request.body("{}").send().await.unwrap().status().as_u16();
    assert_eq!(status(client.post(&url)).await, 401);
    assert_eq!(status(client.post(&url).header(AUTHORIZATION, format!("{bearer}0"))).await, 401);
    let authorized = || client.post(&url).header(AUTHORIZATION, &bearer);
    assert_eq!(status(authorized().header(ORIGIN, "http://evil.example")).await, 403);
    assert_eq!(status(authorized().header(ORIGIN, "null")).await, 403);
    assert_eq!(status(authorized().header(HOST, "evil.example")).await, 403);
    assert_eq!(status(authorized().header(ORIGIN, dev.origin())).await, 200);
    assert_eq!(status(client.put(&url).header(AUTHORIZATION, &bearer)).await, 405);
    let page = client.get(dev.origin()).header(HOST, "evil.example").send().await.unwrap();
    assert_eq!(page.status().as_u16(), 403);
    let endpoint = client.post(&dev.endpoint).header(ORIGIN, "http://evil.example").body("{}").send().await.unwrap();
    assert_eq!(endpoint.status().as_u16(), 403);
    let missing = client.get(format!("{}/missing.js", dev.origin())).send().await.unwrap();
    let policy = missing.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(missing.status().as_u16() == 404 && policy.contains("default-src 'none'"), "{policy}");
}

#[tokio::test]
async fn invalid_requests_of_the_page_name_the_problem() {
    let dev = Dev::start(&mode("demo"));
    for (name, body, problem) in [
        ("nope", json!({}), "unknown request"),
        ("connect", json!({ "connection": "other" }), "unknown connection"),
        ("request", request("auto", "c", json!({})), "is closed"),
        ("cancel", json!({ "call": "c" }), "has ended already"),
        ("answer", json!({ "question": "q9", "result": {} }), "was answered or cancelled"),
        ("answer", json!({ "question": "q9" }), "either a result or an error"),
        ("login", json!({ "connection": "auto" }), "has no OAuth login"),
        ("clear", json!([]), "the request is invalid"),
    ] {
        let (status, error) = dev.api(name, body).await;
        let message = error["message"].as_str().unwrap();
        assert!(status == 400 && message.contains(problem), "{name}: {error}");
    }
}

#[tokio::test]
async fn a_host_that_starts_the_command_is_served_on_stdio() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("server.sh"), mode("demo")).unwrap();
    let mut process = std::process::Command::new(env!("CARGO_BIN_EXE_mcp"));
    process.args(["dev", "--stdio", "--no-open", "--port", "0", "--", "sh", "server.sh"]).current_dir(folder.path());
    let client = Client::builder("test", "1.0.0").connect(process).await.unwrap();
    let mut changes = client.subscribe(ChangeFilter::new().tools()).await.unwrap();
    assert_eq!(names(&client).await, ["add", "divide"]);
    write(folder.path(), &mode("stdio"));
    while !names(&client).await.contains(&"touch".to_owned()) {
        timeout(LIMIT, changes.next()).await.expect("a change of the tools").unwrap().unwrap();
    }
    client.close().await;
}

fn write(folder: &Path, script: &str) {
    fs::write(folder.join("server.sh"), script).unwrap();
}

fn request(connection: &str, call: &str, params: impl Into<Value>) -> Value {
    let params: Value = params.into();
    json!({ "connection": connection, "call": call, "method": "tools/call", "params": params, "timeout": 60 })
}

/// Waits until a condition is true, while other futures run.
async fn wait_until_async(mut condition: impl FnMut() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LIMIT, waiting).await.expect("timeout");
}

#[test]
fn python_client_stays_connected_over_20_builds() {
    let Some(interop) = crate::interop::folder("python_client_stays_connected_over_20_builds") else { return };
    let python = interop.join("py1").join("bin").join("python");
    let python = python.to_str().unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/hot_reload.py");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.py");
    let file = file.to_str().unwrap().to_owned();
    let peer = |args: &[&str]| std::process::Command::new(python).arg(script).args(args).output().unwrap();
    assert!(peer(&["", &file, "0", "write"]).status.success());
    let dev = Dev::start_in(folder, &["--python", python, "server.py"]);
    let output = peer(&[&dev.endpoint, &file, "20"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}\n{:?}", String::from_utf8_lossy(&output.stderr), dev.stderr);
    let report: Value = serde_json::from_str(&text).unwrap();
    eprintln!("from the change of the file to the list of tools: {report}");
    assert_eq!((&report["answered"], &report["failed"]), (&json!(20), &json!(0)), "{report}");
}

#[tokio::test]
async fn server_over_http_is_restarted_at_its_url() {
    let folder = tempfile::tempdir().unwrap();
    let port = crate::process::free_port();
    let url = format!("http://127.0.0.1:{port}/mcp");
    write(folder.path(), &mode(&format!("http {port}")));
    let dev = Dev::start_in(folder, &["--url", &url, "--", "sh", "server.sh"]);
    let client = dev.client(Era::Legacy).await;
    assert!(names(&client).await.contains(&"touch".to_owned()));
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.call("steps", ()).await }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    dev.edit(&mode(&format!("http {port}")), "build 2");
    assert_eq!(call.await.unwrap().unwrap().text_content(), "done");
    assert_eq!(client.call("add", json!({ "a": 1 })).await.unwrap().text_content(), "2");
    dev.edit("exit 4\n", "the process exited (exit status: 4)");
    let report = dev.stderr.lock().unwrap().join("\n");
    assert!(!report.contains("still runs"), "{report}");
}
