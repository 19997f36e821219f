//! The quickstart over HTTP, stream resumption, and host and origin validation.

use std::io::{Read, Write};

use ferromcp::core::Revision;
use serde_json::{Value, json};

use crate::web::{Client, Web};

const HTTP: &str = env!("CARGO_BIN_EXE_http");
const BOTH: [Revision; 2] = [Revision::LATEST_LEGACY, Revision::LATEST];

// M26-143, M26-153, S-125, S-135
#[test]
fn endpoint_serves_every_revision() {
    let web = Web::start(HTTP, &[]);
    for revision in Revision::ALL.iter().filter(|revision| **revision != Revision::V2024_11_05) {
        let client = Client::new(&web, *revision);
        let tools = client.ask("tools/list", json!({}));
        let names: Vec<_> = tools["tools"].as_array().expect("a list").iter().map(|tool| &tool["name"]).collect();
        assert_eq!(names, ["add", "report"], "{revision}");
        assert_eq!(client.call("add", &json!({ "a": 2, "b": -5 }))["content"][0]["text"], "-3");
        let read = client.ask("resources/read", json!({ "uri": "greeting://Ada" }));
        assert_eq!(read["contents"][0]["text"], "Hello, Ada!");
        let prompt = client.ask("prompts/get", json!({ "name": "review_code", "arguments": { "code": "x" } }));
        assert_eq!(prompt["messages"][0]["content"]["text"], "Please review this code:\n\nx");
    }
}

fn report() -> Value {
    json!({ "name": "report", "arguments": { "chapters": 5 }, "_meta": { "progressToken": "p" } })
}

// M26-158, M26-161, M26-166
#[test]
fn report_is_read_from_one_stream_when_modern() {
    let web = Web::start(HTTP, &[]);
    let events = Client::new(&web, Revision::LATEST).post("tools/call", report()).events();
    let progress: Vec<_> = events.iter().map(|(_, event)| event["params"]["progress"].as_f64()).collect();
    assert_eq!(progress, [Some(1.0), Some(2.0), Some(3.0), Some(4.0), Some(5.0), None]);
    assert_eq!(events[5].1["result"]["content"][0]["text"], "a report of 5 chapters");
    assert!(events.iter().all(|(id, _)| id.is_none()), "streams cannot be resumed on this revision");
}

// S-140, S-141, S-143, S-171
#[test]
fn session_resumes_stream_after_disconnect() {
    let web = Web::start(HTTP, &[]);
    let client = Client::new(&web, Revision::V2025_11_25);
    let mut heard = Vec::new();
    let mut response = client.post("tools/call", report());
    assert!(response.body.contains("retry: 100"), "{}", response.body);
    while heard.len() < 6 {
        let events = response.events();
        let last = events.iter().rev().find_map(|(id, _)| id.clone()).expect("an event id to resume from");
        heard.extend(events.into_iter().map(|(_, event)| event).filter(|event| !event.is_null()));
        assert!(heard.len() == 6 || heard.iter().all(|event| event["id"].is_null()), "{heard:?}");
        if heard.len() < 6 {
            response = client.send("GET", &[("Last-Event-ID", &last)], "");
        }
    }
    assert_eq!(heard[4]["params"]["progress"], 5.0);
    assert_eq!(heard[5]["result"]["content"][0]["text"], "a report of 5 chapters");
}

// M26-144, M26-145, S-127
#[test]
fn requests_are_accepted_when_host_and_origin_are_allowed() {
    let web = Web::start(HTTP, &[]);
    for (header, good, bad) in [
        ("Host", "mcp.example.com", "evil.example.com"),
        ("Origin", "https://app.example.com", "https://evil.example.com"),
    ] {
        for revision in BOTH {
            let client = Client::new(&web, revision);
            let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }).to_string();
            let response = client.send("POST", &[(header, good)], &ping);
            assert_ne!(response.status, 403, "{}", response.body);
            let refused = client.send("POST", &[(header, bad)], &ping);
            assert_eq!(refused.status, 403);
            assert!(refused.body.contains("HttpServerOptions"), "{}", refused.body);
        }
    }
    let asked = [("Origin", "https://app.example.com"), ("Access-Control-Request-Method", "POST")];
    let response = web.request("OPTIONS", "/mcp", &asked, "");
    assert_eq!(response.status, 204);
    assert_eq!(response.header("access-control-allow-origin"), Some("https://app.example.com"));
}

#[test]
fn body_is_rejected_when_larger_than_limit() {
    let web = Web::start(HTTP, &[]);
    let mut connection = web.connect();
    let (host, length) = (&web.address, (1 << 20) + 1);
    write!(connection, "POST /mcp HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n").expect("it reads");
    write!(connection, "Content-Length: {length}\r\n\r\n").expect("it reads");
    let mut response = String::new();
    connection.read_to_string(&mut response).expect("a response before the body is complete");
    assert!(response.starts_with("HTTP/1.1 413 "), "{response}");
    assert!(response.contains("HttpServerLimits::body_bytes"), "{response}");
}

#[cfg(unix)]
#[test]
fn server_exits_when_interrupted() {
    let web = Web::start(HTTP, &[]);
    assert_eq!(web.request("GET", "/elsewhere", &[], "").status, 404);
    assert_eq!(web.interrupt(), [] as [&str; 0]);
}
