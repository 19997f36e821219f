//! The behavior of a server process: input and output, signals and exit.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio>.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::schema_validator::SchemaValidator;
use crate::server_process::{EVERYTHING, QUICKSTART, ServerProcess, report_skipped};

const PING: &str = r#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#;
const PONG: &str = r#"{"jsonrpc":"2.0","id":"p","result":{}}"#;

/// Starts a server and initializes a session of a revision.
fn session(revision: &str, args: &[&str]) -> ServerProcess {
    let mut server = ServerProcess::start(EVERYTHING, args);
    let params =
        json!({ "protocolVersion": revision, "capabilities": {}, "clientInfo": { "name": "p", "version": "0" } });
    let initialize = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
    let answer: Value = serde_json::from_str(&server.request(initialize.to_string())).unwrap();
    assert_eq!(answer["result"]["protocolVersion"], revision);
    server.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    server
}

fn call(id: u32, tool: &str) -> String {
    let params = json!({ "name": tool, "_meta": { "progressToken": id } });
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }).to_string()
}

/// Returns the path of a new file, and the path as an argument.
fn log_file(owner: &str) -> (PathBuf, String) {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{owner}-{}", std::process::id()));
    let _ = fs::remove_file(&path);
    let argument = path.to_str().expect("the path is valid UTF-8").to_owned();
    (path, argument)
}

/// Reads and removes a file.
fn read_log(path: &PathBuf) -> String {
    let text = fs::read_to_string(path).unwrap();
    let _ = fs::remove_file(path);
    text
}

/// Waits until the lifespan is closed.
fn wait_for_close(path: &PathBuf) {
    let started = Instant::now();
    while !fs::read_to_string(path).is_ok_and(|text| text.ends_with("closed\n")) {
        assert!(started.elapsed() < Duration::from_secs(10), "the server is still serving");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn stray_output_goes_to_stderr() {
    // M26-124, M26-126, S-106, S-108
    let mut server = session("2025-11-25", &[]);
    let shouted = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"shouted"}]}}"#;
    assert_eq!(server.request(call(1, "shout")), shouted);
    server.wait_for_stderr("stray line\n");
    assert_eq!(server.request(PING), PONG);
    let end = server.close_and_wait();
    end.assert_clean_exit();
    assert!(end.stderr.contains("stray words without an end"), "{}", end.stderr);
}

#[test]
fn exits_promptly_when_stdin_closes() {
    // M26-134, M26-135, S-089
    let (path, file) = log_file("idle");
    let server = session("2025-11-25", &[&file]);
    server.close_and_wait().assert_clean_exit();
    assert_eq!(read_log(&path), "opened\nclosed\n");
    // The same without any input.
    ServerProcess::start(QUICKSTART, &[]).close_and_wait().assert_clean_exit();
}

#[test]
fn exit_waits_for_grace_period_when_call_in_flight() {
    // M26-134
    let (path, file) = log_file("waiting");
    let mut server = session("2025-11-25", &[&file]);
    server.request(call(1, "wait"));
    let end = server.close_and_wait();
    assert!(end.status.success(), "{}", end.status);
    assert!(end.took > Duration::from_secs(1) && end.took < Duration::from_secs(4), "{:?}", end.took);
    let [error] = &*end.rest else { panic!("expected one response: {:?}", end.rest) };
    assert!(error.contains("the server is shutting down: the call did not finish within"), "{error}"); // S13
    assert!(end.stderr.contains("wait was dropped"), "{}", end.stderr);
    assert_eq!(read_log(&path), "opened\nclosed\n");
}

#[test]
fn pending_responses_are_written_before_exit() {
    // M26-134
    let mut server = session("2025-11-25", &[]);
    let calls: Vec<String> = (1..=50).map(|id| call(id, "long_task")).collect();
    server.send(calls.join("\n"));
    let end = server.close_and_wait();
    assert!(end.status.success(), "{}", end.status);
    let answers = end.rest.iter().filter(|line| line.contains(r#""result":{"content""#)).count();
    assert_eq!(answers, 50);
}

#[test]
fn shuts_down_gracefully_on_signals() {
    // M26-135, S-089
    for (signal, busy) in [("TERM", false), ("INT", false), ("TERM", true)] {
        let (path, file) = log_file(&format!("{signal}-{busy}"));
        let mut server = session("2025-11-25", &[&file]);
        if busy {
            server.request(call(1, "wait"));
        }
        assert_eq!(server.request(PING), PONG);
        server.signal(signal);
        let end = server.wait();
        assert_eq!(end.status.code(), Some(0), "{signal}: {}", end.stderr);
        assert!(end.took < Duration::from_secs(if busy { 4 } else { 1 }), "{signal}: {:?}", end.took);
        assert_eq!(read_log(&path), "opened\nclosed\n", "{signal}");
    }
}

#[test]
fn second_signal_terminates_when_handler_blocks() {
    // M26-135, S-089
    let (path, file) = log_file("blocking");
    let mut server = session("2025-11-25", &[&file]);
    server.send(call(1, "block"));
    server.wait_for_stderr("block has begun\n");
    // The first signal shuts the server down gracefully; the second terminates the process although a handler blocks.
    server.signal("TERM");
    wait_for_close(&path);
    server.signal("TERM");
    let end = server.wait();
    assert_eq!(end.status.code(), Some(128 + 15), "{}", end.stderr);
    assert!(end.took < Duration::from_secs(1), "{:?}", end.took);
    let _ = fs::remove_file(path);
}

#[test]
fn signals_work_after_stdin_closed() {
    // M26-134, M26-135
    let (path, file) = log_file("deaf");
    let mut server = session("2025-11-25", &[&file]);
    server.send(call(1, "block"));
    server.wait_for_stderr("block has begun\n");
    server.close_stdin();
    wait_for_close(&path);
    let started = Instant::now();
    // The signal handler is installed shortly after the lifespan closes, so the signal is repeated.
    let end = loop {
        server.signal("INT");
        std::thread::sleep(Duration::from_millis(20));
        if server.has_exited() {
            break server.wait();
        }
        assert!(started.elapsed() < Duration::from_secs(10), "the server ignores signals");
    };
    assert_eq!(end.status.code(), Some(128 + 2), "{}", end.stderr);
    let _ = fs::remove_file(path);
}

#[test]
fn exits_cleanly_when_stdout_closed() {
    // M26-134
    let mut child = Command::new(QUICKSTART).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    writeln!(stdin, "{PING}").unwrap();
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line.trim_end(), PONG);
    drop(stdout);
    writeln!(stdin, "{PING}").unwrap();
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "the server does not exit after stdout is closed");
        std::thread::sleep(Duration::from_millis(2));
    };
    assert!(status.success(), "{status}");
}

#[test]
fn batch_gets_one_response_when_revision_supports_batches() {
    // S-023, S-026, S-027, S-111
    let mut server = session("2025-03-26", &[]);
    let broken = r#"{"jsonrpc":"1.0","id":"old","method":"ping"}"#;
    let add = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"add","arguments":{"a":2,"b":3}}}"#;
    let note = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}"#;
    let line = server.request(format!("[{PING},{note},{add},{broken}]"));
    let answers: Value = serde_json::from_str(&line).unwrap();
    if let Some(mut schema) = SchemaValidator::for_revision("2025-03-26") {
        schema.validate(&answers, None);
    }
    let of = |id: Value| answers.as_array().unwrap().iter().find(|answer| answer["id"] == id).cloned().unwrap();
    assert_eq!(answers.as_array().unwrap().len(), 3, "{line}");
    assert_eq!(of(json!("p"))["result"], json!({}));
    assert_eq!(of(json!(7))["result"]["content"][0]["text"], "5");
    assert_eq!(of(json!("old"))["error"]["code"], -32600);
    // Notifications of a call are sent before the batch response.
    server.send(format!("[{},{PING}]", call(8, "long_task")));
    let lines: Vec<Value> = (0..5).map(|_| serde_json::from_str(&server.receive()).unwrap()).collect();
    assert!(lines[..4].iter().all(|line| line["method"].is_string()), "{lines:?}");
    assert_eq!(lines[4].as_array().unwrap().len(), 2, "{lines:?}");
    // A batch of notifications has no response.
    server.send(format!("[{note},{note}]"));
    assert_eq!(server.request(PING), PONG);
    server.close_and_wait().assert_clean_exit();
}

#[test]
fn invalid_messages_get_error_responses() {
    // S-009, S-021, M26-014, M26-116
    let mut server = session("2025-11-25", &[]);
    let deep = "[".repeat(100_000);
    let lines: [(&[u8], i32); 8] = [
        (b"hello", -32700),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1", -32700),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"p\xff\xfeng\"}", -32700),
        (deep.as_bytes(), -32600),
        (b"[]", -32600),
        (b"17", -32600),
        (b"{}", -32600),
        (b"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", -32600),
    ];
    for (line, code) in lines {
        let shown = String::from_utf8_lossy(&line[..line.len().min(60)]).into_owned();
        let answer: Value = serde_json::from_str(&server.request(line)).unwrap();
        assert_eq!(answer["error"]["code"], code, "{shown}: {answer}");
        assert!(answer.get("id").is_none(), "{shown}: {answer}");
    }
    // A line that exceeds the limit is rejected as a whole.
    server.write(&vec![b'x'; 17 << 20]);
    let answer: Value = serde_json::from_str(&server.request("")).unwrap();
    assert_eq!(answer["error"]["code"], -32600, "{answer}");
    // Notifications and responses are never answered, even if invalid.
    server.send(r#"{"jsonrpc":"2.0","method":"notifications/unknown"}"#);
    server.send(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":7}"#);
    server.send(r#"{"jsonrpc":"2.0","id":12,"result":{}}"#);
    assert_eq!(server.request(PING), PONG);
    server.close_and_wait().assert_clean_exit();
}

#[test]
fn parses_lines_split_across_reads() {
    // M26-123, S-105
    let mut server = session("2025-11-25", &[]);
    server.write(format!("\n\r\n{PING}\r\n").as_bytes());
    assert_eq!(server.receive(), PONG);
    for byte in format!("{PING}\n").bytes() {
        server.write(&[byte]);
    }
    assert_eq!(server.receive(), PONG);
    let ping = |id: u32| format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"ping\"}}\n");
    let many = (0..2000).map(ping).collect::<Vec<_>>().concat();
    server.write(many.as_bytes());
    for id in 0..2000 {
        assert_eq!(server.receive(), format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{}}}}"));
    }
    server.close_and_wait().assert_clean_exit();
}

#[test]
fn calls_run_concurrently_up_to_limit() {
    // M26-036, M26-131, M26-132, M26-298, S-216, S-217, S-220
    const LIMIT: u32 = 1024;
    let mut server = session("2025-11-25", &[]);
    for id in 1..=LIMIT {
        // A call is running once it reports progress.
        assert!(server.request(call(id, "wait")).contains("notifications/progress"));
    }
    let refused: Value = serde_json::from_str(&server.request(call(LIMIT + 1, "wait"))).unwrap();
    assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!(LIMIT + 1), &json!(-32603)), "{refused}");
    // A request with the id of a call in flight is rejected, and the call continues.
    let duplicate: Value = serde_json::from_str(&server.request(call(1, "add"))).unwrap();
    assert_eq!(duplicate["error"]["code"], -32600, "{duplicate}");
    for id in 1..=LIMIT {
        let params = json!({ "requestId": id });
        server.send(json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params }).to_string());
    }
    assert!(
        server.request(call(1, "long_task")).contains("\"begun\""),
        "cancelled calls free their slots and send no response"
    );
    let rest: Vec<String> = (0..4).map(|_| server.receive()).collect();
    assert_eq!(rest[3], r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"done"}]}}"#);
    let end = server.close_and_wait();
    end.assert_clean_exit();
    assert_eq!(end.stderr.matches("wait was dropped").count(), LIMIT as usize);
}

/// Starts `argv[1]` on a terminal, waits for `"mcpServers"` on stderr, types a line, then Ctrl-D.
const ON_A_TERMINAL: &str = r#"
import json, os, pty, subprocess, sys
master, slave = pty.openpty()
server = subprocess.Popen([sys.argv[1]], stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
os.close(slave)
hint = b""
while b"Ctrl-D" not in hint:
    piece = os.read(server.stderr.fileno(), 65536)
    if not piece:
        break
    hint += piece
os.write(master, sys.argv[2].encode() + b"\n")
answer = server.stdout.readline()
os.write(master, b"\x04")
code = server.wait(timeout=10)
print(json.dumps({"hint": hint.decode(), "answer": answer.decode(), "code": code}))
"#;

#[test]
fn prints_usage_hint_when_stdin_is_terminal() {
    // M26-124, M26-126, S-106, S-108
    let python = Command::new("python3").args(["-c", ON_A_TERMINAL, EVERYTHING, PING]).output();
    let Ok(output) = python else {
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "cannot find python3, which CI requires");
        report_skipped("prints_usage_hint_when_stdin_is_terminal: cannot find python3");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    let hint = seen["hint"].as_str().unwrap();
    assert!(hint.starts_with("Everything 1.0.0 is an MCP server on stdin and stdout"), "{hint}");
    for words in ["\"mcpServers\"", EVERYTHING, "@modelcontextprotocol/inspector", "Ctrl-D"] {
        assert!(hint.contains(words), "missing {words} in: {hint}");
    }
    assert_eq!(seen["answer"], format!("{PONG}\n"));
    assert_eq!(seen["code"], 0);
}

#[test]
fn prints_no_hint_when_stdin_is_piped() {
    // M26-124
    let mut server = ServerProcess::start(QUICKSTART, &[]);
    assert_eq!(server.request(PING), PONG);
    let end = server.close_and_wait();
    end.assert_clean_exit();
    assert_eq!(end.stderr, "");
}

#[test]
fn reads_stdin_from_file() {
    // S-105, M26-123
    let (path, _) = log_file("input");
    fs::write(&path, format!("{PING}\n{PING}\n")).unwrap();
    let mut command = Command::new(QUICKSTART);
    let mut child = command.stdin(fs::File::open(&path).unwrap()).stdout(Stdio::piped()).spawn().unwrap();
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(text, format!("{PONG}\n{PONG}\n"));
    let _ = fs::remove_file(path);
}
