//! Checks that the benchmark server responds correctly over each transport.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

const INITIALIZE: &str = concat!(
    r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","#,
    r#""capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#
);

/// A running server, killed when dropped.
struct ServerProcess(Child);

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl ServerProcess {
    fn start(args: &[&str], more: usize) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench-server"));
        command.args(args).env("BENCH_TOOLS", more.to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    /// Starts the server over HTTP on a free port and returns its `host:port`.
    fn http(mode: &str, tools: usize) -> (Self, String) {
        let mut running = Self::start(&[mode, "0"], tools);
        let mut text = String::new();
        BufReader::new(running.0.stderr.take().unwrap()).read_line(&mut text).unwrap();
        let addr = text.trim().strip_prefix("http://").and_then(|rest| rest.strip_suffix("/mcp"));
        let addr = addr.unwrap_or_else(|| panic!("expected a URL on stderr, got: {text:?}")).to_owned();
        (running, addr)
    }
}

/// The stdin and stdout of a server.
struct Pipe(ChildStdin, BufReader<ChildStdout>);

impl Pipe {
    fn request(&mut self, message: &str) -> Value {
        writeln!(self.0, "{message}").unwrap();
        let mut line = String::new();
        self.1.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

/// Posts one message on a new connection; returns the head and the body.
fn post(addr: &str, headers: &str, message: &str) -> (String, Value) {
    let mut tcp = TcpStream::connect(addr).unwrap();
    write!(
        tcp,
        "POST /mcp HTTP/1.1\r\nHost: {addr}\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Accept: application/json, text/event-stream\r\n{headers}Content-Length: {}\r\n\r\n{message}",
        message.len()
    )
    .unwrap();
    let mut response = String::new();
    tcp.read_to_string(&mut response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), serde_json::from_str(body).unwrap_or_else(|_| panic!("invalid JSON: {response}")))
}

fn call(id: u32, method: &str, params: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()
}

fn add(id: u32) -> String {
    call(id, "tools/call", &json!({"name": "add", "arguments": {"a": 2, "b": 3}}))
}

#[test]
fn serves_all_components_over_stdio() {
    let mut running = ServerProcess::start(&["stdio"], 3);
    let mut pipe = Pipe(running.0.stdin.take().unwrap(), BufReader::new(running.0.stdout.take().unwrap()));
    assert_eq!(pipe.request(INITIALIZE)["result"]["serverInfo"]["name"], "Bench");
    assert_eq!(pipe.request(&add(1))["result"]["content"][0]["text"], "5");
    let echo = call(2, "tools/call", &json!({"name": "echo", "arguments": {"text": "hi"}}));
    assert_eq!(pipe.request(&echo)["result"]["content"][0]["text"], "hi");
    let read = call(3, "resources/read", &json!({"uri": "greeting://Ada"}));
    assert_eq!(pipe.request(&read)["result"]["contents"][0]["text"], "Hello, Ada!");
    let get = call(4, "prompts/get", &json!({"name": "review_code", "arguments": {"code": "1 + 1"}}));
    let text = pipe.request(&get)["result"]["messages"][0]["content"]["text"].clone();
    assert!(text.as_str().unwrap().ends_with("1 + 1"), "{text}");
    let list = pipe.request(&call(5, "tools/list", &json!({})));
    assert_eq!(list["result"]["tools"].as_array().unwrap().len(), 5);
}

#[test]
fn http_requires_session_for_legacy_revisions() {
    let (_running, addr) = ServerProcess::http("http", 0);
    let (head, _) = post(&addr, "", INITIALIZE);
    let session = head.lines().find_map(|line| line.strip_prefix("mcp-session-id: ")).unwrap();
    let headers = format!("Mcp-Session-Id: {session}\r\nMCP-Protocol-Version: 2025-11-25\r\n");
    let (_, answer) = post(&addr, &headers, &add(1));
    assert_eq!(answer["result"]["content"][0]["text"], "5");
    let (head, _) = post(&addr, "", &add(2));
    assert!(head.starts_with("HTTP/1.1 400"), "{head}");
}

#[test]
fn http_serves_modern_requests_without_session() {
    let (_running, addr) = ServerProcess::http("http", 0);
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {}});
    let params = json!({"name": "add", "arguments": {"a": 2, "b": 3}, "_meta": meta});
    let headers = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: add\r\n";
    let (_, answer) = post(&addr, headers, &call(1, "tools/call", &params));
    assert_eq!(answer["result"]["content"][0]["text"], "5");
}

#[test]
fn stateless_http_serves_legacy_calls_without_session() {
    let (_running, addr) = ServerProcess::http("http-stateless", 0);
    let (head, answer) = post(&addr, "MCP-Protocol-Version: 2025-11-25\r\n", &add(1));
    assert_eq!(answer["result"]["content"][0]["text"], "5");
    assert!(!head.contains("mcp-session-id"), "{head}");
}
