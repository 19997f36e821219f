//! Spans sent to a stub of an OpenTelemetry collector.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use ferromcp::core::Revision;
use serde_json::{Value, json};

use crate::peer::Peer;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// Starts a collector and returns its address and the requests that it receives, as path and body.
fn collector() -> (String, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let (sender, requests) = channel();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = BufReader::new(connection.expect("a connection"));
            let mut head = Vec::new();
            let mut line = String::new();
            while connection.read_line(&mut line).expect("a request in text") > 2 {
                head.push(std::mem::take(&mut line));
            }
            let length = head
                .iter()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned));
            let mut body = vec![0; length.map_or(0, |length| length.trim().parse().expect("a length"))];
            connection.read_exact(&mut body).expect("the body");
            let path = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
            let answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
            connection.get_mut().write_all(answer).expect("the exporter reads");
            if sender.send((path, serde_json::from_slice(&body).expect("JSON"))).is_err() {
                return;
            }
        }
    });
    (address, requests)
}

/// Returns all spans of the requests, and checks their resource.
fn spans(requests: &Receiver<(String, Value)>) -> Vec<Value> {
    let mut spans = Vec::new();
    while let Ok((path, body)) = requests.recv_timeout(Duration::from_millis(500)) {
        assert_eq!(path, "/v1/traces");
        for resource in body["resourceSpans"].as_array().expect("resources") {
            assert_eq!(attribute(&resource["resource"], "service.name"), "forecast");
            let scopes = resource["scopeSpans"].as_array().expect("scopes").iter();
            spans.extend(scopes.flat_map(|scope| scope["spans"].as_array().expect("spans").clone()));
        }
    }
    spans
}

fn attribute(of: &Value, name: &str) -> Value {
    let mut attributes = of["attributes"].as_array().into_iter().flatten();
    attributes.find(|attribute| attribute["key"] == name).map_or(Value::Null, |it| it["value"]["stringValue"].clone())
}

#[test]
fn spans_are_exported_in_the_trace_of_the_client() {
    for revision in [Revision::LATEST_LEGACY, Revision::LATEST] {
        let (address, requests) = collector();
        let mut command = Command::new(env!("CARGO_BIN_EXE_telemetry"));
        let mut peer = Peer::with(command.env("OTEL_EXPORTER_OTLP_ENDPOINT", address).env_remove("RUST_LOG"), revision);
        let trace = json!({ "traceparent": format!("00-{TRACE}-{CALLER}-01") });
        let arguments = json!({ "city": "Oslo" });
        peer.ask("tools/call", json!({ "name": "forecast", "arguments": arguments, "_meta": trace }));
        peer.call_in_vain("forecast", json!({ "city": "" }));
        assert_eq!(peer.end(), "", "only errors are logged without RUST_LOG");

        let spans = spans(&requests);
        let calls: Vec<_> = spans.iter().filter(|span| span["name"] == "tools/call forecast").collect();
        let [call, failed] = calls[..] else { panic!("two calls: {spans:?}") };
        assert_eq!((&call["traceId"], &call["parentSpanId"]), (&json!(TRACE), &json!(CALLER)), "{call}");
        assert_eq!(attribute(call, "gen_ai.tool.name"), "forecast");
        assert_eq!(attribute(call, "mcp.protocol.version"), revision.as_str());
        let query = spans.iter().find(|span| span["name"] == "query" && span["traceId"] == TRACE).expect("a query");
        assert_eq!(query["parentSpanId"], call["spanId"]);
        assert_ne!(failed["traceId"], TRACE, "a call without trace context starts a trace");
        assert_eq!(attribute(failed, "error.type"), "tool_error");
        assert_eq!(failed["status"]["code"], 2, "{failed}");
    }
}

#[test]
fn logs_are_written_when_rust_log_is_set() {
    let (address, _requests) = collector();
    let mut command = Command::new(env!("CARGO_BIN_EXE_telemetry"));
    let logs = "ferromcp=info,ferromcp_server=debug";
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", address).env("RUST_LOG", logs);
    let mut peer = Peer::with(&mut command, Revision::LATEST);
    peer.send(&json!({ "jsonrpc": "2.0", "id": 7, "method": 1 }));
    assert_eq!(peer.next()["error"]["code"], -32600);
    let log = peer.end();
    assert!(log.contains("DEBUG") && log.contains("ferromcp_server::serve::pipe"), "{log}");
}
