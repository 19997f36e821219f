//! The Ferromcp client with third-party proxies in front of a Ferromcp server, mostly one over stdio.
//!
//! Every proxy must carry lists, calls and results. The tests also assert which of progress, logs and elicitation each
//! one carries. The server writes all of them to the proxy, and the client declares elicitation, so anything that is
//! missing is lost inside the proxy. The proxies are described in `crates/ferromcp/tests/interop/README.md`.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ferromcp::client::{Client, accept, child};
use ferromcp::core::{Era, Revision};
use ferromcp::model::LogLevel;
use ferromcp::transport::child::{Child, Stderr};
use serde_json::json;

use crate::client_requests::new_file;
use crate::interop::set_up_folder;
use crate::server_process::{CLIENT_REQUESTS, ServerProcess};

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/ferromcp/tests/interop");
/// The timeout of a request.
const TIMEOUT: Duration = Duration::from_secs(15);
/// The timeout for a log notification, which may arrive after the response.
const LOG_TIMEOUT: Duration = Duration::from_millis(500);
/// A pause after each step, for proxies that lose progress that the server sends shortly before the response.
const PAUSE: u64 = 300;

/// The negotiated revision, and the notifications and requests that a proxy carries from the server to the client.
#[derive(Debug, PartialEq)]
struct Carries {
    revision: Revision,
    progress: bool,
    logs: bool,
    elicitation: bool,
}

const EVERYTHING: Carries =
    Carries { revision: Revision::LATEST_LEGACY, progress: true, logs: true, elicitation: true };
const EVERYTHING_MODERN: Carries = Carries { revision: Revision::LATEST, ..EVERYTHING };
const NOTHING: Carries = Carries { progress: false, logs: false, elicitation: false, ..EVERYTHING };

/// A running proxy.
struct Proxy(ServerProcess);

impl Proxy {
    /// Runs a Node program of the npm packages.
    fn node(folder: &Path, program: &str, args: &[&str]) -> Self {
        let modules = folder.join("node/node_modules");
        let (node, program) = (modules.join(".bin/node"), modules.join(program));
        let listen = format!("{SCRIPTS}/listen_loopback.cjs");
        let node_args = ["--require", &listen, program.to_str().unwrap()];
        Self(ServerProcess::start(node.to_str().unwrap(), &[&node_args, args].concat()))
    }

    /// Connects, with the revisions of one era if it is given, and calls tools.
    async fn carries(&self, path: &str, era: Option<Era>, pause: u64) -> Carries {
        let (progress, logs) = (Arc::<Mutex<Vec<f64>>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let (received_progress, received_logs) = (Arc::clone(&progress), Arc::clone(&logs));
        let mut builder = Client::builder("ferromcp", "0")
            .on_form(|_| async { accept(&json!({ "value": true })) })
            .on_log(LogLevel::Debug, move |log| received_logs.lock().unwrap().push(log.data.as_str().to_owned()));
        if let Some(era) = era {
            builder = builder.only_era(era);
        }
        let connecting = builder.connect(format!("{}{path}", self.0.url()));
        let client = tokio::time::timeout(TIMEOUT, connecting).await.expect("no timeout").expect("a client");
        let tools = client.tools().await.unwrap();
        assert!(tools.iter().any(|tool| tool.name == "steps"), "{tools:?}");

        let steps = client.call("steps", json!({ "pause": pause })).timeout(TIMEOUT);
        let steps = steps.on_progress(move |step| received_progress.lock().unwrap().push(step.progress)).await.unwrap();
        assert_eq!(text(&steps.content), "done");
        let progress = std::mem::take(&mut *progress.lock().unwrap());
        let started = Instant::now();
        while !logs.lock().unwrap().contains(&"\"begun\"".to_owned()) && started.elapsed() < LOG_TIMEOUT {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let logs = logs.lock().unwrap().contains(&"\"begun\"".to_owned());

        let answer = match client.call("delete", json!({})).timeout(TIMEOUT).await {
            Ok(result) => text(&result.content),
            Err(error) => error.to_string(),
        };
        let elicitation = answer == "deleted";
        let undeclared = "The client did not declare the capability `elicitation`";
        assert!(elicitation || answer.contains(undeclared), "{answer}");
        let revision = client.revision();
        client.close().await;
        Carries { revision, progress: progress == [1.0, 2.0, 3.0], logs, elicitation }
    }
}

/// Connects, and calls a tool that reports three steps without a pause. Returns the progress of each call.
async fn progress_without_pause(proxy: &Proxy, path: &str, era: Era) -> Vec<Vec<f64>> {
    let connecting = Client::builder("ferromcp", "0").only_era(era).connect(format!("{}{path}", proxy.0.url()));
    let client = tokio::time::timeout(TIMEOUT, connecting).await.expect("no timeout").expect("a client");
    let mut all = Vec::new();
    for _ in 0..10 {
        let progress = Arc::<Mutex<Vec<f64>>>::default();
        let received = Arc::clone(&progress);
        let steps = client.call("steps", json!({})).timeout(TIMEOUT);
        let result = steps.on_progress(move |step| received.lock().unwrap().push(step.progress)).await.unwrap();
        assert_eq!(text(&result.content), "done");
        all.push(std::mem::take(&mut *progress.lock().unwrap()));
    }
    client.close().await;
    all
}

/// Runs supergateway as a child process of the client, in front of an HTTP server with sessions, and calls tools. Returns the
/// negotiated revision.
async fn call_over_supergateway(test: &str, package: &str, era: Option<Era>) -> Option<Revision> {
    let folder = set_up_folder(test)?;
    let effects = new_file(&format!("{test}-effects"));
    let server = ServerProcess::start(CLIENT_REQUESTS, &["--http", effects.to_str().unwrap()]);
    let modules = folder.join("node/node_modules");
    let mut command = Command::new(modules.join(".bin/node"));
    command.arg(modules.join(package).join("dist/index.js")).args(["--streamableHttp", &server.url()]);
    let stderr = Arc::<Mutex<String>>::default();
    let lines = Arc::clone(&stderr);
    let proxy = Child::new(command).stderr(Stderr::lines(move |line| {
        let mut all = lines.lock().unwrap();
        all.push_str(line);
        all.push('\n');
    }));
    let mut builder = Client::builder("ferromcp", "0");
    if let Some(era) = era {
        builder = builder.only_era(era);
    }
    let connected = tokio::time::timeout(TIMEOUT, builder.connect(child(proxy))).await.expect("no timeout");
    let client = connected.unwrap_or_else(|error| panic!("{error}; stderr: {}", stderr.lock().unwrap()));
    let tools = client.tools().await.unwrap();
    assert!(tools.iter().any(|tool| tool.name == "steps"), "{tools:?}");
    for _ in 0..2 {
        let steps = client.call("steps", json!({})).timeout(TIMEOUT).await.unwrap();
        assert_eq!(steps.text_content(), "done");
    }
    let error = client.call_as::<String>("none", ()).timeout(TIMEOUT).await.unwrap_err();
    assert!(error.to_string().contains("Unknown tool: none"), "{error}");
    let revision = client.revision();
    client.close().await;
    Some(revision)
}

/// Returns the text of the first content block.
fn text(content: &impl serde::Serialize) -> String {
    serde_json::to_value(content).unwrap()[0]["text"].as_str().unwrap_or_default().to_owned()
}

/// Runs supergateway with an output mode. The npm package `supergateway3` is its version 3.
fn supergateway(test: &str, package: &str, mode: &[&str]) -> Option<Proxy> {
    let folder = set_up_folder(test)?;
    let server = format!("'{CLIENT_REQUESTS}' '{}'", new_file(&format!("{test}-effects")).display());
    let program = format!("{package}/dist/index.js");
    Some(Proxy::node(&folder, &program, &[&["--stdio", &server], mode].concat()))
}

const STATELESS: [&str; 2] = ["--outputTransport", "streamableHttp"];
const SESSIONS: [&str; 3] = ["--outputTransport", "streamableHttp", "--stateful"];

#[tokio::test]
async fn supergateway_3_sse() {
    let Some(proxy) = supergateway("supergateway_3_sse", "supergateway3", &[]) else { return };
    assert_eq!(proxy.carries("/sse", None, 0).await, EVERYTHING);
}

#[tokio::test]
async fn supergateway_3_stateless() {
    // It starts a server for each POST request and initializes it at 2024-11-05 without the client's capabilities.
    // It sends notifications only to a GET stream, which it does not support in this mode.
    let Some(proxy) = supergateway("supergateway_3_stateless", "supergateway3", &STATELESS) else { return };
    assert_eq!(proxy.carries("/mcp", None, 0).await, NOTHING);
}

#[tokio::test]
async fn supergateway_3_sessions() {
    // It sends progress to the GET stream, where it may arrive after the response.
    let Some(proxy) = supergateway("supergateway_3_sessions", "supergateway3", &SESSIONS) else { return };
    assert_eq!(proxy.carries("/mcp", None, PAUSE).await, EVERYTHING);
}

#[tokio::test]
async fn supergateway_4_sse() {
    let Some(proxy) = supergateway("supergateway_4_sse", "supergateway", &[]) else { return };
    assert_eq!(proxy.carries("/sse", None, 0).await, EVERYTHING);
}

#[tokio::test]
async fn supergateway_4_stateless() {
    let Some(proxy) = supergateway("supergateway_4_stateless", "supergateway", &STATELESS) else { return };
    assert_eq!(proxy.carries("/mcp", None, 0).await, EVERYTHING_MODERN);
    // Without sessions it removes the capabilities of a legacy client.
    let without_elicitation = Carries { elicitation: false, ..EVERYTHING };
    assert_eq!(proxy.carries("/mcp", Some(Era::Legacy), 0).await, without_elicitation);
}

#[tokio::test]
async fn supergateway_4_sessions() {
    let Some(proxy) = supergateway("supergateway_4_sessions", "supergateway", &SESSIONS) else { return };
    assert_eq!(proxy.carries("/mcp", None, 0).await, EVERYTHING_MODERN);
    assert_eq!(proxy.carries("/mcp", Some(Era::Legacy), 0).await, EVERYTHING);
}

#[tokio::test]
async fn supergateway_3_with_http_server() {
    // It exits on a request before `initialize` (it answers with the result of a request that it did not send), so the client
    // restarts it.
    for era in [None, Some(Era::Legacy)] {
        let revision = call_over_supergateway("supergateway_3_with_http_server", "supergateway3", era).await;
        assert!(revision.is_none_or(|revision| revision == Revision::LATEST_LEGACY), "{revision:?}");
    }
}

#[tokio::test]
async fn supergateway_4_with_http_server() {
    // It starts a session with the server on any request, and forwards `initialize` to this session, which rejects it. The
    // client restarts it for the handshake.
    for era in [None, Some(Era::Legacy)] {
        let revision = call_over_supergateway("supergateway_4_with_http_server", "supergateway", era).await;
        assert!(revision.is_none_or(|revision| revision == Revision::LATEST_LEGACY), "{revision:?}");
    }
}

/// Runs the mcp-proxy of npm.
fn mcp_proxy_npm(test: &str, args: &[&str]) -> Option<Proxy> {
    let folder = set_up_folder(test)?;
    let effects = new_file(&format!("{test}-effects"));
    let server = ["--", CLIENT_REQUESTS, effects.to_str().unwrap()];
    Some(Proxy::node(&folder, "mcp-proxy/dist/bin/mcp-proxy.mjs", &[args, &server].concat()))
}

#[tokio::test]
async fn mcp_proxy_npm_with_legacy_server() {
    // It connects to the server without capabilities, so it cannot carry elicitation. Its SDK processes a response
    // before progress that arrives in the same chunk, and then drops the progress.
    let Some(proxy) = mcp_proxy_npm("mcp_proxy_npm_with_legacy_server", &[]) else { return };
    let without_elicitation = Carries { elicitation: false, ..EVERYTHING };
    assert_eq!(proxy.carries("/mcp", Some(Era::Legacy), PAUSE).await, without_elicitation);
    assert_eq!(proxy.carries("/sse", None, PAUSE).await, without_elicitation);
    // It does not forward logs to modern clients.
    let only_progress = Carries { revision: Revision::LATEST, progress: true, ..NOTHING };
    assert_eq!(proxy.carries("/mcp", None, PAUSE).await, only_progress);
}

#[tokio::test]
async fn mcp_proxy_npm_without_pause() {
    // The server writes the progress before the response, as the tests of supergateway without a pause show. The SDK of the
    // proxy (`Protocol` of the TypeScript SDK) handles notifications in a later microtask than responses, and removes the
    // progress handler with the response, so it drops the progress that arrives in the same chunk. The results are complete,
    // and the rest of the progress is in order.
    let Some(proxy) = mcp_proxy_npm("mcp_proxy_npm_without_pause", &[]) else { return };
    for (path, era) in [("/mcp", Era::Legacy), ("/sse", Era::Legacy), ("/mcp", Era::Modern)] {
        for progress in progress_without_pause(&proxy, path, era).await {
            assert!([1.0, 2.0, 3.0].starts_with(&progress), "{path} {era:?}: {progress:?}");
        }
    }
}

#[tokio::test]
async fn mcp_proxy_npm_with_modern_server() {
    // It does not request logs from a modern server.
    let args = ["--upstreamProtocol", "modern"];
    let Some(proxy) = mcp_proxy_npm("mcp_proxy_npm_with_modern_server", &args) else { return };
    let only_progress = Carries { revision: Revision::LATEST, progress: true, ..NOTHING };
    assert_eq!(proxy.carries("/mcp", None, PAUSE).await, only_progress);
}

#[tokio::test]
async fn mcp_proxy_pypi() {
    // It connects to the server without capabilities, and ignores its logs.
    let Some(folder) = set_up_folder("mcp_proxy_pypi") else { return };
    let python = folder.join("hosts/bin/python");
    let effects = new_file("mcp_proxy_pypi-effects");
    let script = format!("{SCRIPTS}/mcp_proxy_py.py");
    let args = [&script, "--", CLIENT_REQUESTS, effects.to_str().unwrap()];
    let proxy = Proxy(ServerProcess::start(python.to_str().unwrap(), &args));
    let only_progress = Carries { progress: true, ..NOTHING };
    assert_eq!(proxy.carries("/sse", None, 0).await, only_progress);
    // Its Streamable HTTP responses are JSON, which cannot contain progress.
    assert_eq!(proxy.carries("/mcp", None, 0).await, NOTHING);
}
