//! `mcp run`: servers over another transport, for clients and servers of both eras.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferromcp_client::{
    CallOutcome, Change, ChangeFilter, Client, ClientBuilder, ClientLimits, InputAnswers, accept, accept_url,
};
use ferromcp_core::model::{CallToolResult, FormParams, LogLevel, Reference, Root};
use ferromcp_core::{Era, ErrorCode};
use ferromcp_transport::child::Stderr;
use serde_json::json;
use tokio::time::timeout;

use crate::interop;
use crate::process::{HttpServer, command, file, mcp, server, wait_until};

const ERAS: [(&str, Era); 2] = [("legacy", Era::Legacy), ("modern", Era::Modern)];

/// Time limit of a step.
const LIMIT: Duration = Duration::from_secs(60);

type Lines = Arc<Mutex<Vec<String>>>;

fn has_line(lines: &Lines, text: &str) -> bool {
    lines.lock().unwrap().iter().any(|line| line.contains(text))
}

/// `mcp run --transport http`. It is killed when it is dropped.
struct Bridge {
    child: Child,
    url: String,
    stderr: Lines,
}

impl Bridge {
    fn start(args: &[&str]) -> Self {
        let mut words = vec!["run", "--port", "0"];
        if !args.contains(&"--transport") {
            words.extend(["--transport", "http"]);
        }
        words.extend(args);
        let mut child = command(&words).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (stderr, reader) = (Lines::default(), BufReader::new(child.stderr.take().unwrap()));
        let lines = Arc::clone(&stderr);
        std::thread::spawn(move || {
            reader.lines().map_while(Result::ok).for_each(|line| lines.lock().unwrap().push(line));
        });
        let mut bridge = Self { child, url: String::new(), stderr };
        wait_until("the address of the bridge", || {
            let lines = bridge.stderr.lock().unwrap();
            let address =
                lines.iter().find_map(|line| line.strip_prefix("serving at ")?.split(';').next().map(str::to_owned));
            drop(lines);
            assert!(bridge.child.try_wait().unwrap().is_none(), "the bridge exited: {:?}", bridge.stderr);
            address.is_some_and(|address| {
                bridge.url = address;
                true
            })
        });
        bridge
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a client has received.
#[derive(Default)]
struct Received {
    logs: Lines,
    questions: Lines,
    completions: Lines,
}

fn builder(era: Era, received: &Received) -> ClientBuilder {
    let (logs, questions, urls) =
        (Arc::clone(&received.logs), Arc::clone(&received.questions), Arc::clone(&received.questions));
    let completions = Arc::clone(&received.completions);
    Client::builder("test", "1.0.0")
        .only_era(era)
        .limits(ClientLimits::new().request_timeout(LIMIT))
        .on_log(LogLevel::Info, move |message| logs.lock().unwrap().push(message.data.as_str().to_owned()))
        .on_form(move |form: FormParams| {
            questions.lock().unwrap().push(form.message);
            std::future::ready(accept(&json!({ "name": "Ada", "place": "Garden" })))
        })
        .on_url(move |url| {
            urls.lock().unwrap().push(url.url);
            std::future::ready(accept_url())
        })
        .on_url_complete(move |id| completions.lock().unwrap().push(id))
        .on_roots(|| std::future::ready(vec![Root::new("file:///srv")]))
}

/// Uses everything that a bridge forwards. `stderr` is that of the bridge.
async fn check(client: &Client, received: &Received, stderr: &Lines, cell: &str) {
    let text = async |tool: &str, args: serde_json::Value| client.call(tool, args).await.unwrap().text_content();
    assert_eq!(client.server_info().unwrap().name, "Kitchen", "{cell}");
    assert!(client.instructions().unwrap().starts_with("Use `add`"), "{cell}");
    assert_eq!(text("add", json!({ "a": 2, "b": 3 })).await, "5", "{cell}");
    assert_eq!(text("book", json!({})).await, r#"{"name":"Ada","guests":2,"place":"Garden"}"#, "{cell}");
    assert!(has_line(&received.questions, "A table for whom?"), "{cell}");
    assert_eq!(text("open", json!({})).await, "opened", "{cell}");
    if cell == "legacy client, legacy server" {
        // Only 2025-11-25 has this notification.
        until("the completion of the URL elicitation", || !received.completions.lock().unwrap().is_empty()).await;
    }
    assert!(has_line(&received.questions, "https://example.com/sign-in?x=1"), "{cell}");
    assert_eq!(text("folders", json!({})).await, "file:///srv", "{cell}");

    let progress = Lines::default();
    let steps = Arc::clone(&progress);
    let request = client.call("steps", ()).on_progress(move |progress| {
        let message = progress.message.unwrap_or_default();
        steps.lock().unwrap().push(format!("{message} of {:?}", progress.total));
    });
    assert_eq!(request.await.unwrap().text_content(), "done", "{cell}");
    let expected = [1, 2, 3].map(|step| format!("step {step} of Some(3.0)"));
    assert_eq!(*progress.lock().unwrap(), expected, "{cell}");
    assert!(has_line(&received.logs, "on the way"), "{cell}");

    let failed = client.call("fail", ()).await.unwrap();
    assert!(failed.is_error(), "{cell}");
    let unknown = client.call("fly", ()).await.unwrap_err();
    assert_eq!(unknown.rpc().unwrap().message, "Unknown tool: fly", "{cell}");
    assert!(client.read("note://gone").await.unwrap_err().is_resource_not_found(), "{cell}");
    assert_eq!(client.read_text("greeting://Ada").await.unwrap(), "Hello, Ada!", "{cell}");
    assert_eq!(client.tools().await.unwrap().len(), 12, "{cell}");
    assert_eq!(client.resource_templates().await.unwrap().len(), 1, "{cell}");
    assert_eq!(client.prompts().await.unwrap()[0].name, "review", "{cell}");
    let review = client.prompt("review", json!({ "code": "x" })).await.unwrap();
    assert!(review.messages[0].content.as_text().unwrap().ends_with("C code:\n\nx"), "{cell}");
    let values = client.complete(Reference::prompt("review"), "language", "r", [("code", "x")]).await.unwrap().values;
    assert_eq!(values, ["ruby", "rust"], "{cell}");

    let mut changes = client.subscribe(ChangeFilter::new().tools().resource("note://today")).await.unwrap();
    assert_eq!(text("touch", json!({})).await, "touched", "{cell}");
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let change = timeout(LIMIT, changes.next()).await.expect(cell).unwrap().unwrap();
        seen.extend((!seen.contains(&change)).then_some(change));
    }
    assert!(
        seen.contains(&Change::Tools) && seen.contains(&Change::Resource("note://today".into())),
        "{cell}: {seen:?}"
    );

    assert!(!has_line(stderr, "cancelled"), "{cell}");
    let sleeping = tokio::spawn(client.call("sleep", ()).into_future());
    until("the call of `sleep`", || has_line(stderr, "sleeping")).await;
    sleeping.abort();
    until("the cancellation", || has_line(stderr, "cancelled")).await;
}

async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let found = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LIMIT, found).await.unwrap_or_else(|_| panic!("timeout: {what}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn stdio_server_is_served_over_http_when_eras_differ() {
    for (server_era, _) in ERAS {
        for (name, era) in ERAS {
            let bridge = Bridge::start(&["--era", server_era, "--", server(), "stdio"]);
            let received = Received::default();
            let client = builder(era, &received).connect(bridge.url.as_str()).await.unwrap();
            check(&client, &received, &bridge.stderr, &format!("{name} client, {server_era} server")).await;
            client.close().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn http_server_is_served_on_stdio_when_eras_differ() {
    for (server_era, _) in ERAS {
        for (name, era) in ERAS {
            let http = HttpServer::start_with_stderr("http");
            let received = Received::default();
            let command = command(&["run", "--era", server_era, &http.url()]);
            let target = ferromcp_transport::child::Child::new(command).inherit_env();
            let target = ferromcp_client::child(target.stderr(Stderr::lines(|line| eprintln!("{line}"))));
            let client = builder(era, &received).connect(target).await.unwrap();
            check(&client, &received, http.stderr(), &format!("{name} client, {server_era} server")).await;
            client.close().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn question_is_an_error_when_client_has_no_capability() {
    let bridge = Bridge::start(&["--", server(), "stdio"]);
    for (name, era) in ERAS {
        let client = Client::builder("test", "1.0.0").only_era(era).connect(bridge.url.as_str()).await.unwrap();
        let result = client.call("book", ()).await;
        let text = result.map_or_else(|error| error.to_string(), |result| result.text_content());
        assert!(text.contains("did not declare") || text.contains("capability"), "{name}: {text}");
        assert_eq!(client.call("add", json!({ "a": 1 })).await.unwrap().text_content(), "2", "{name}");
        client.close().await;
    }
}

// M26-504
#[tokio::test(flavor = "multi_thread")]
async fn call_continues_only_with_its_own_request_state() {
    let bridge = Bridge::start(&["--era", "legacy", "--", server(), "stdio"]);
    let received = Received::default();
    let client = builder(Era::Modern, &received).connect(bridge.url.as_str()).await.unwrap();
    let pending = async |client: &Client| match client.call("book", ()).manual().await.unwrap() {
        CallOutcome::InputRequired(pending) => pending,
        CallOutcome::Complete(result) => panic!("no question: {result:?}"),
    };
    let first = pending(&client).await;
    let key = first.input_requests()[0].0.clone();
    let answers =
        || InputAnswers::new().elicitation(&key, &accept(&json!({ "name": "Eve", "place": "Window" })).unwrap());

    // Without answers, the question is returned again, with a new state.
    let resumed = client.resume::<CallToolResult>(first.clone(), InputAnswers::new()).manual().await.unwrap();
    let CallOutcome::InputRequired(second) = resumed else { panic!("no question: {resumed:?}") };
    assert_eq!(second.input_requests(), first.input_requests());
    let result = client.resume::<CallToolResult>(second.clone(), answers()).await.unwrap();
    assert_eq!(result.text_content(), r#"{"name":"Eve","guests":2,"place":"Window"}"#);

    // The states of finished rounds are unknown, and so is the state of another tool.
    for over in [first, second] {
        let error = client.resume::<CallToolResult>(over, answers()).await.unwrap_err();
        assert_eq!(error.rpc().unwrap().code, ErrorCode::INVALID_PARAMS, "{error}");
    }
    let third = serde_json::to_string(&pending(&client).await).unwrap();
    let other = serde_json::from_str(&third.replace("\"book\"", "\"open\"")).unwrap();
    let error = client.resume::<CallToolResult>(other, answers()).await.unwrap_err();
    assert_eq!(error.rpc().unwrap().code, ErrorCode::INVALID_PARAMS, "{error}");
    let result = client.resume::<CallToolResult>(serde_json::from_str(&third).unwrap(), answers()).await.unwrap();
    assert_eq!(result.text_content(), r#"{"name":"Eve","guests":2,"place":"Window"}"#);
    client.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_of_a_file_are_combined_and_failing_ones_are_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let http = HttpServer::start("http");
    let servers = json!({ "mcpServers": {
        "kitchen": { "command": server(), "args": ["stdio"] },
        "demo": { "command": server(), "args": ["demo"] },
        "remote": { "url": http.url() },
        "gone": { "command": "/nonexistent/server" },
        "off": { "command": "/nonexistent/off", "disabled": true },
    } });
    let path = file(folder.path(), "all.json", &servers.to_string());
    let bridge = Bridge::start(&[path.to_str().unwrap()]);
    assert!(has_line(&bridge.stderr, "warning: skipped the server `gone`: "), "{:?}", bridge.stderr);
    assert!(!has_line(&bridge.stderr, "off"), "{:?}", bridge.stderr);
    let received = Received::default();
    for (name, era) in ERAS {
        let client = builder(era, &received).connect(bridge.url.as_str()).await.unwrap();
        let tools: Vec<String> = client.tools().await.unwrap().into_iter().map(|tool| tool.name).collect();
        assert_eq!(tools.len(), 12 + 2 + 12, "{name}");
        assert!(tools.contains(&"kitchen_add".to_owned()) && tools.contains(&"demo_divide".to_owned()), "{tools:?}");
        let divided = client.call("demo_divide", json!({ "a": 1, "b": 4 })).await.unwrap();
        assert_eq!(divided.text_content(), "0.25", "{name}");
        let booked = client.call("remote_book", ()).await.unwrap();
        assert_eq!(booked.text_content(), r#"{"name":"Ada","guests":2,"place":"Garden"}"#, "{name}");
        let error = client.call("add", json!({ "a": 1 })).await.unwrap_err();
        assert_eq!(error.rpc().unwrap().message, "Unknown tool: add", "{name}");
        assert_eq!(client.read_text("note://today").await.unwrap(), "Buy cheese\r\nand bread\n", "{name}");
        assert_eq!(client.read_text("greeting://Bob").await.unwrap(), "Hello, Bob!", "{name}");
        assert!(client.read("none://x").await.unwrap_err().is_resource_not_found(), "{name}");
        let review = client.prompt("demo_review_code", json!({ "code": "x" })).await.unwrap();
        assert!(review.messages[0].content.as_text().unwrap().contains("this Rust code"), "{name}");
        let known: [(&str, &str); 0] = [];
        let values = client.complete(Reference::prompt("kitchen_review"), "language", "r", known).await.unwrap().values;
        assert_eq!(values, ["ruby", "rust"], "{name}");
        client.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn http_endpoint_is_protected() {
    let folder = tempfile::tempdir().unwrap();
    let token = file(folder.path(), "token", "s3cret\n");
    let bridge = Bridge::start(&[
        "--token",
        &format!("file:{}", token.display()),
        "--path",
        "/kitchen",
        "--",
        server(),
        "stdio",
    ]);
    assert!(bridge.url.ends_with("/kitchen"), "{}", bridge.url);
    assert!(!has_line(&bridge.stderr, "s3cret"));
    let with = |header: &str| mcp(&["call", "-H", header, &bridge.url, "add", "a=1"]);
    assert_eq!(with("Authorization: Bearer s3cret").stdout, "2\n");
    for header in ["Authorization: Bearer other", "X-Token: s3cret"] {
        let rejected = with(header);
        assert_eq!(rejected.code, 4, "{rejected:?}");
    }
    let forged = with("Host: evil.example");
    assert!(forged.code != 0 && forged.stderr.contains("403"), "{forged:?}");
    let port = bridge.url.rsplit(':').next().unwrap().split('/').next().unwrap().to_owned();
    let second = mcp(&["run", "--transport", "http", "--port", &port, "--", server(), "stdio"]);
    assert_eq!(second.code, 3, "{second:?}");
    assert!(second.stderr.contains("error: ") && second.stderr.contains(&port), "{second:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn http_sse_client_is_served_with_the_transport_sse() {
    let bridge = Bridge::start(&["--transport", "sse", "--", server(), "stdio"]);
    assert!(bridge.url.ends_with("/sse"), "{}", bridge.url);
    let received = Received::default();
    let client = builder(Era::Legacy, &received).connect(bridge.url.as_str()).await.unwrap();
    assert_eq!(client.call("add", json!({ "a": 1 })).await.unwrap().text_content(), "2");
    client.close().await;
}

/// A server with a tool that asks a question, for the packages `mcp` 1.x and 2.x.
const PYTHON: &str = r#"
from pydantic import BaseModel

class Person(BaseModel):
    name: str

@mcp.tool()
def add(a: int, b: int = 1) -> int:
    return a + b

@mcp.tool()
async def greet(ctx: Context) -> str:
    answer = await ctx.elicit(message="A table for whom?", schema=Person)
    return f"Hello, {answer.data.name}" if answer.action == "accept" else answer.action
"#;

#[tokio::test(flavor = "multi_thread")]
async fn python_servers_are_served_to_clients_of_both_eras() {
    let Some(interop) = interop::folder("python_servers_are_served_to_clients_of_both_eras") else { return };
    let folder = tempfile::tempdir().unwrap();
    for (part, head) in [
        ("py1", "from mcp.server.fastmcp import Context, FastMCP\nmcp = FastMCP('python')\n"),
        ("py2", "from mcp.server.mcpserver import Context, MCPServer\nmcp = MCPServer('python')\n"),
    ] {
        let path = file(folder.path(), &format!("{part}.py"), &format!("{head}{PYTHON}"));
        let python = interop.join(part).join("bin/python");
        for server_era in if part == "py1" { &["legacy"][..] } else { &["legacy", "modern"] } {
            let bridge =
                Bridge::start(&["--era", server_era, "--python", python.to_str().unwrap(), path.to_str().unwrap()]);
            for (name, era) in ERAS {
                let cell = format!("{part} {server_era}, {name} client: {:?}", bridge.stderr);
                let received = Received::default();
                let client = builder(era, &received).connect(bridge.url.as_str()).await.unwrap();
                let sum = client.call("add", json!({ "a": 2 })).await.expect(&cell);
                assert_eq!(sum.text_content(), "3", "{cell}");
                // In 2.x, `elicit` sends a request, which 2026-07-28 does not have.
                if *server_era == "legacy" {
                    let greeting = client.call("greet", ()).await.expect(&cell);
                    assert_eq!(greeting.text_content(), "Hello, Ada", "{cell}");
                    assert!(has_line(&received.questions, "A table for whom?"), "{cell}");
                }
                client.close().await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn server_everything_is_served_to_clients_of_both_eras() {
    let Some(interop) = interop::folder("server_everything_is_served_to_clients_of_both_eras") else { return };
    let bin = interop.join("node/node_modules/.bin");
    let program = |name: &str| bin.join(name).display().to_string();
    let bridge = Bridge::start(&["--", &program("node"), &program("mcp-server-everything")]);
    for (name, era) in ERAS {
        let received = Received::default();
        let client = builder(era, &received).connect(bridge.url.as_str()).await.unwrap();
        let echo = client.call("echo", json!({ "message": "hi" })).await.unwrap();
        assert_eq!(echo.text_content(), "Echo: hi", "{name}");
        assert!(client.tools().await.unwrap().len() > 5, "{name}");
        assert!(!client.resources().await.unwrap().is_empty(), "{name}");
        assert!(!client.prompts().await.unwrap().is_empty(), "{name}");
        client.close().await;
    }
}

/// Sends lines to `mcp run --bridge` as a host does, and returns the messages until a condition is true.
struct Host {
    child: Child,
    messages: std::sync::mpsc::Receiver<serde_json::Value>,
}

impl Host {
    fn start(args: &[&str]) -> Self {
        let mut child = command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (sender, messages) = std::sync::mpsc::channel();
        let reader = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in reader.lines().map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).expect("a JSON-RPC message"));
            }
        });
        let mut host = Self { child, messages };
        let capabilities = json!({ "elicitation": {}, "roots": {} });
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": capabilities,
            "clientInfo": { "name": "t", "version": "1" } });
        host.send(&json!({ "id": 1, "method": "initialize", "params": params }));
        assert_eq!(host.next()["id"], 1);
        host.send(&json!({ "method": "notifications/initialized" }));
        host
    }

    fn send(&mut self, message: &serde_json::Value) {
        let mut message = message.clone();
        message["jsonrpc"] = "2.0".into();
        writeln!(self.child.stdin.as_mut().unwrap(), "{message}").unwrap();
    }

    fn next(&mut self) -> serde_json::Value {
        self.messages.recv_timeout(LIMIT).expect("a message")
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn question_stays_open_when_a_parallel_call_ends() {
    let mut host = Host::start(&["run", "--bridge", "--era", "legacy", "--", server(), "stdio"]);
    let call = |id: u32, tool: &str| json!({ "id": id, "method": "tools/call", "params": { "name": tool } });
    // `steps` ends after `book` has asked.
    host.send(&call(2, "steps"));
    host.send(&call(3, "book"));
    let mut question = None;
    let mut has_ended = false;
    while question.is_none() || !has_ended {
        let message = host.next();
        assert_ne!(message["method"], "notifications/cancelled", "{message}");
        has_ended |= message["id"] == 2 && message.get("result").is_some();
        if message["method"] == "elicitation/create" {
            question = Some(message["id"].clone());
        }
    }
    let content = json!({ "name": "Ada", "guests": 2, "place": "Garden" });
    host.send(&json!({ "id": question, "result": { "action": "accept", "content": content } }));
    let answer = host.next();
    assert_eq!(answer["id"], 3, "{answer}");
    assert_eq!(answer["result"]["content"][0]["text"], r#"{"name":"Ada","guests":2,"place":"Garden"}"#, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn question_reaches_its_client_when_another_client_has_a_suspended_call() {
    let bridge = Bridge::start(&["--era", "legacy", "--", server(), "stdio"]);
    let received = [Received::default(), Received::default()];
    let [abandoned, other] = [builder(Era::Modern, &received[0]), builder(Era::Modern, &received[1])]
        .map(|it| it.connect(bridge.url.as_str()));
    let (abandoned, other) = (abandoned.await.unwrap(), other.await.unwrap());
    let pending = abandoned.call("book", ()).manual().await.unwrap();
    assert!(matches!(pending, CallOutcome::InputRequired(_)), "{pending:?}");
    let booked = other.call("book", ()).await.unwrap();
    assert_eq!(booked.text_content(), r#"{"name":"Ada","guests":2,"place":"Garden"}"#);
    // Abandoned calls do not accumulate.
    for _ in 0..70 {
        let pending = abandoned.call("book", ()).manual().await.unwrap();
        assert!(matches!(pending, CallOutcome::InputRequired(_)), "{pending:?}");
    }
    assert_eq!(other.call("add", json!({ "a": 1 })).await.unwrap().text_content(), "2");
    assert_eq!(other.call("book", ()).await.unwrap().text_content(), r#"{"name":"Ada","guests":2,"place":"Garden"}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn question_is_rejected_when_several_clients_have_calls_in_flight() {
    let bridge = Bridge::start(&["--era", "legacy", "--", server(), "stdio"]);
    for (name, era) in ERAS {
        let received = [Received::default(), Received::default()];
        let one = builder(era, &received[0]).connect(bridge.url.as_str()).await.unwrap();
        let two = builder(era, &received[1]).connect(bridge.url.as_str()).await.unwrap();
        bridge.stderr.lock().unwrap().clear();
        let sleeping = tokio::spawn(one.call("sleep", ()).into_future());
        until("the call of `sleep`", || has_line(&bridge.stderr, "sleeping")).await;
        let result = two.call("book", ()).await;
        let text = result.map_or_else(|error| error.to_string(), |result| result.text_content());
        assert!(text.contains("calls of several clients are in flight"), "{name}: {text}");
        let asked = received.iter().any(|received| !received.questions.lock().unwrap().is_empty());
        assert!(!asked, "{name}: a question reached a client that may not be the one that is meant");
        sleeping.abort();
        until("the cancellation", || has_line(&bridge.stderr, "cancelled")).await;
        assert_eq!(two.call("book", ()).await.unwrap().text_content(), r#"{"name":"Ada","guests":2,"place":"Garden"}"#);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_are_freed_when_sessions_end() {
    let bridge = Bridge::start(&["--era", "legacy", "--", server(), "stdio"]);
    let received = Received::default();
    for (round, (name, era)) in ERAS.into_iter().chain(ERAS).enumerate() {
        let client = builder(era, &received).connect(bridge.url.as_str()).await.unwrap();
        let uris = |number: usize| format!("note://{round}/{number}");
        let filter = (0..50).fold(ChangeFilter::new(), |filter, number| filter.resource(uris(number)));
        let subscribe = async {
            // A disconnected client may be noticed a few seconds later.
            loop {
                let subscribed = client.subscribe(filter.clone()).await;
                let count = subscribed
                    .as_ref()
                    .map_or(0, |it| it.acknowledged_filter().resource_subscriptions.as_ref().map_or(0, Vec::len));
                if count == 50 {
                    return subscribed;
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        let subscription =
            timeout(LIMIT, subscribe).await.unwrap_or_else(|_| panic!("no subscription: {name}")).unwrap();
        // The session ends without `resources/unsubscribe`.
        std::mem::forget(subscription);
        client.close().await;
    }
}
