//! How a server behaves as a process: what reaches the wire, what does not, and how it ends.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio>.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::official::Official;
use crate::peer::{EVERYTHING, Peer, QUICKSTART, skipped};

const PING: &str = r#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#;
const PONG: &str = r#"{"jsonrpc":"2.0","id":"p","result":{}}"#;

/// A server with a session of that revision.
fn session(revision: &str, args: &[&str]) -> Peer {
    let mut peer = Peer::start(EVERYTHING, args);
    let params =
        json!({ "protocolVersion": revision, "capabilities": {}, "clientInfo": { "name": "p", "version": "0" } });
    let hello = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
    let answer: Value = serde_json::from_str(&peer.ask(hello.to_string())).unwrap();
    assert_eq!(answer["result"]["protocolVersion"], revision);
    peer.say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    peer
}

fn call(id: u32, tool: &str) -> String {
    let params = json!({ "name": tool, "_meta": { "progressToken": id } });
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }).to_string()
}

/// A file of this test's own, not there yet, and its path as an argument.
fn marker(owner: &str) -> (PathBuf, String) {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{owner}-{}", std::process::id()));
    let _ = fs::remove_file(&path);
    let argument = path.to_str().expect("paths of tests are UTF-8").to_owned();
    (path, argument)
}

/// What the marker says; it is cleared away.
fn noted(path: &PathBuf) -> String {
    let text = fs::read_to_string(path).unwrap();
    let _ = fs::remove_file(path);
    text
}

/// Waits until the lifespan is closed.
fn wait_for_close(path: &PathBuf) {
    let started = Instant::now();
    while !fs::read_to_string(path).is_ok_and(|text| text.ends_with("closed\n")) {
        assert!(started.elapsed() < Duration::from_secs(10), "serving does not end");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn stray_output_does_not_reach_the_wire() {
    // M26-124, M26-126, S-106, S-108
    let mut peer = session("2025-11-25", &[]);
    let shouted = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"shouted"}]}}"#;
    assert_eq!(peer.ask(call(1, "shout")), shouted);
    peer.complains("stray line\n");
    assert_eq!(peer.ask(PING), PONG);
    let end = peer.hang_up();
    end.is_clean();
    assert!(end.stderr.contains("stray words without an end"), "{}", end.stderr);
}

#[test]
fn an_idle_server_ends_promptly_with_its_input() {
    // M26-134, M26-135, S-089
    let (path, file) = marker("idle");
    let peer = session("2025-11-25", &[&file]);
    peer.hang_up().is_clean();
    assert_eq!(noted(&path), "opened\nclosed\n");
    // Also one that was never spoken to.
    Peer::start(QUICKSTART, &[]).hang_up().is_clean();
}

#[test]
fn a_call_under_way_delays_the_end_by_the_grace_time_at_most() {
    // M26-134
    let (path, file) = marker("waiting");
    let mut peer = session("2025-11-25", &[&file]);
    peer.ask(call(1, "wait"));
    let end = peer.hang_up();
    assert!(end.status.success(), "{}", end.status);
    assert!(end.took > Duration::from_secs(1) && end.took < Duration::from_secs(4), "{:?}", end.took);
    assert_eq!(end.rest, [""; 0]);
    assert!(end.stderr.contains("wait was dropped"), "{}", end.stderr);
    assert_eq!(noted(&path), "opened\nclosed\n");
}

#[test]
fn answers_that_are_due_are_written_before_the_end() {
    // M26-134
    let mut peer = session("2025-11-25", &[]);
    let calls: Vec<String> = (1..=50).map(|id| call(id, "long_task")).collect();
    peer.say(calls.join("\n"));
    let end = peer.hang_up();
    assert!(end.status.success(), "{}", end.status);
    let answers = end.rest.iter().filter(|line| line.contains(r#""result":{"content""#)).count();
    assert_eq!(answers, 50);
}

#[test]
fn signals_end_a_server_in_good_order() {
    // M26-135, S-089
    for (signal, busy) in [("TERM", false), ("INT", false), ("TERM", true)] {
        let (path, file) = marker(&format!("{signal}-{busy}"));
        let mut peer = session("2025-11-25", &[&file]);
        if busy {
            peer.ask(call(1, "wait"));
        }
        assert_eq!(peer.ask(PING), PONG);
        peer.signal(signal);
        let end = peer.end();
        assert_eq!(end.status.code(), Some(0), "{signal}: {}", end.stderr);
        assert!(end.took < Duration::from_secs(if busy { 4 } else { 1 }), "{signal}: {:?}", end.took);
        assert_eq!(noted(&path), "opened\nclosed\n", "{signal}");
    }
}

#[test]
fn a_call_that_nothing_can_stop_does_not_keep_a_signal_from_ending_the_process() {
    // M26-135, S-089
    let (path, file) = marker("blocking");
    let mut peer = session("2025-11-25", &[&file]);
    peer.say(call(1, "block"));
    peer.complains("block has begun\n");
    // Serving ends in good order at the first one; at the second the process does, whatever still blocks.
    peer.signal("TERM");
    wait_for_close(&path);
    peer.signal("TERM");
    let end = peer.end();
    assert_eq!(end.status.code(), Some(128 + 15), "{}", end.stderr);
    assert!(end.took < Duration::from_secs(1), "{:?}", end.took);
    let _ = fs::remove_file(path);
}

#[test]
fn a_process_whose_input_ended_hears_signals_still() {
    // M26-134, M26-135
    let (path, file) = marker("deaf");
    let mut peer = session("2025-11-25", &[&file]);
    peer.say(call(1, "block"));
    peer.complains("block has begun\n");
    peer.close();
    wait_for_close(&path);
    let started = Instant::now();
    // It may come a moment before anybody listens again, as the lifespan closes first.
    let end = loop {
        peer.signal("INT");
        std::thread::sleep(Duration::from_millis(20));
        if peer.has_ended() {
            break peer.end();
        }
        assert!(started.elapsed() < Duration::from_secs(10), "it is deaf");
    };
    assert_eq!(end.status.code(), Some(128 + 2), "{}", end.stderr);
    let _ = fs::remove_file(path);
}

#[test]
fn a_client_that_stops_reading_ends_a_server_without_a_fuss() {
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
        assert!(started.elapsed() < Duration::from_secs(10), "it goes on though nobody reads");
        std::thread::sleep(Duration::from_millis(2));
    };
    assert!(status.success(), "{status}");
}

#[test]
fn batches_are_answered_as_one_in_the_revision_that_had_them() {
    // S-023, S-026, S-027, S-111
    let mut peer = session("2025-03-26", &[]);
    let broken = r#"{"jsonrpc":"1.0","id":"old","method":"ping"}"#;
    let add = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"add","arguments":{"a":2,"b":3}}}"#;
    let note = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}"#;
    let line = peer.ask(format!("[{PING},{note},{add},{broken}]"));
    let answers: Value = serde_json::from_str(&line).unwrap();
    if let Some(mut official) = Official::of("2025-03-26") {
        official.hold(&answers, None);
    }
    let of = |id: Value| answers.as_array().unwrap().iter().find(|answer| answer["id"] == id).cloned().unwrap();
    assert_eq!(answers.as_array().unwrap().len(), 3, "{line}");
    assert_eq!(of(json!("p"))["result"], json!({}));
    assert_eq!(of(json!(7))["result"]["content"][0]["text"], "5");
    assert_eq!(of(json!("old"))["error"]["code"], -32600);
    // Notifications of a call under way do not wait for the batch.
    peer.say(format!("[{},{PING}]", call(8, "long_task")));
    let lines: Vec<Value> = (0..5).map(|_| serde_json::from_str(&peer.hear()).unwrap()).collect();
    assert!(lines[..4].iter().all(|line| line["method"].is_string()), "{lines:?}");
    assert_eq!(lines[4].as_array().unwrap().len(), 2, "{lines:?}");
    // Notifications alone bring nothing; the next line is the next answer.
    peer.say(format!("[{note},{note}]"));
    assert_eq!(peer.ask(PING), PONG);
    peer.hang_up().is_clean();
}

#[test]
fn lines_that_are_no_messages_are_answered_and_survived() {
    // S-009, S-021, M26-014, M26-116
    let mut peer = session("2025-11-25", &[]);
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
        let answer: Value = serde_json::from_str(&peer.ask(line)).unwrap();
        assert_eq!(answer["error"]["code"], code, "{shown}: {answer}");
        assert!(answer.get("id").is_none(), "{shown}: {answer}");
    }
    // A line beyond the limit is skipped as a whole.
    peer.write(&vec![b'x'; 17 << 20]);
    let answer: Value = serde_json::from_str(&peer.ask("")).unwrap();
    assert_eq!(answer["error"]["code"], -32600, "{answer}");
    // What only says something is never answered, however odd.
    peer.say(r#"{"jsonrpc":"2.0","method":"notifications/unheard_of"}"#);
    peer.say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":7}"#);
    peer.say(r#"{"jsonrpc":"2.0","id":12,"result":{}}"#);
    assert_eq!(peer.ask(PING), PONG);
    peer.hang_up().is_clean();
}

#[test]
fn lines_come_in_any_pieces() {
    // M26-123, S-105
    let mut peer = session("2025-11-25", &[]);
    peer.write(format!("\n\r\n{PING}\r\n").as_bytes());
    assert_eq!(peer.hear(), PONG);
    for byte in format!("{PING}\n").bytes() {
        peer.write(&[byte]);
    }
    assert_eq!(peer.hear(), PONG);
    let ping = |id: u32| format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"ping\"}}\n");
    let many = (0..2000).map(ping).collect::<Vec<_>>().concat();
    peer.write(many.as_bytes());
    for id in 0..2000 {
        assert_eq!(peer.hear(), format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{}}}}"));
    }
    peer.hang_up().is_clean();
}

#[test]
fn calls_run_side_by_side_up_to_a_limit() {
    // M26-036, M26-131, M26-132, M26-298, S-216, S-217, S-220
    const LIMIT: u32 = 1024;
    let mut peer = session("2025-11-25", &[]);
    for id in 1..=LIMIT {
        // Each has begun once it has reported.
        assert!(peer.ask(call(id, "wait")).contains("notifications/progress"));
    }
    let refused: Value = serde_json::from_str(&peer.ask(call(LIMIT + 1, "wait"))).unwrap();
    assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!(LIMIT + 1), &json!(-32603)), "{refused}");
    // A twin of a call under way is refused, and the call goes on.
    let twin: Value = serde_json::from_str(&peer.ask(call(1, "add"))).unwrap();
    assert_eq!(twin["error"]["code"], -32600, "{twin}");
    for id in 1..=LIMIT {
        let params = json!({ "requestId": id });
        peer.say(json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params }).to_string());
    }
    assert!(
        peer.ask(call(1, "long_task")).contains("\"begun\""),
        "there is room again, and nothing came of the others"
    );
    let rest: Vec<String> = (0..4).map(|_| peer.hear()).collect();
    assert_eq!(rest[3], r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"done"}]}}"#);
    let end = peer.hang_up();
    end.is_clean();
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
fn a_person_at_a_terminal_is_told_what_this_is() {
    // M26-124, M26-126, S-106, S-108
    let python = Command::new("python3").args(["-c", ON_A_TERMINAL, EVERYTHING, PING]).output();
    let Ok(output) = python else {
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "no python3, which will not do in CI");
        skipped("a_person_at_a_terminal_is_told_what_this_is: it needs python3");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    let hint = seen["hint"].as_str().unwrap();
    assert!(hint.starts_with("Everything 1.0.0 is an MCP server that speaks over stdin and stdout"), "{hint}");
    for words in ["\"mcpServers\"", EVERYTHING, "@modelcontextprotocol/inspector", "Ctrl-D"] {
        assert!(hint.contains(words), "{words} is not in: {hint}");
    }
    assert_eq!(seen["answer"], format!("{PONG}\n"));
    assert_eq!(seen["code"], 0);
}

#[test]
fn nobody_else_is_told() {
    // M26-124
    let mut peer = Peer::start(QUICKSTART, &[]);
    assert_eq!(peer.ask(PING), PONG);
    let end = peer.hang_up();
    end.is_clean();
    assert_eq!(end.stderr, "");
}

#[test]
fn input_may_come_from_a_file() {
    // S-105, M26-123
    let (path, _) = marker("input");
    fs::write(&path, format!("{PING}\n{PING}\n")).unwrap();
    let mut command = Command::new(QUICKSTART);
    let mut child = command.stdin(fs::File::open(&path).unwrap()).stdout(Stdio::piped()).spawn().unwrap();
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(text, format!("{PONG}\n{PONG}\n"));
    let _ = fs::remove_file(path);
}
