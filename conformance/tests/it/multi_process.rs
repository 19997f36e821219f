//! Two server processes behind a load balancer: each round of a multi-round-trip call reaches the other process, which
//! resumes the call from the encrypted request state with a shared key.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::client_requests::{new_file, read_lines};
use crate::server_process::{CLIENT_REQUESTS, ServerProcess};

const TIMEOUT: Duration = Duration::from_secs(20);
const KEY_1: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const KEY_2: &str = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff0f0e0d0c0b0a09080706050403020100";

/// Two servers behind a round-robin proxy, and their logs.
struct Cluster {
    servers: [ServerProcess; 2],
    address: SocketAddr,
    /// The side effects of both servers.
    effects: PathBuf,
    /// The handler runs of each server.
    runs: [PathBuf; 2],
}

impl Cluster {
    fn start(name: &str, keys: [&str; 2]) -> Self {
        let effects = new_file(&format!("{name}-effects"));
        let runs = ["left", "right"].map(|side| new_file(&format!("{name}-{side}")));
        let start = |runs: &PathBuf, keys: &str| {
            let args = ["--http", effects.to_str().unwrap(), runs.to_str().unwrap()];
            ServerProcess::start_with(CLIENT_REQUESTS, &args, &[("FERROMCP_KEYS", keys)])
        };
        let servers = [start(&runs[0], keys[0]), start(&runs[1], keys[1])];
        let addresses = servers.each_ref().map(|server| {
            let url = server.url();
            url.trim_start_matches("http://").trim_end_matches("/mcp").parse().unwrap()
        });
        Self { servers, address: round_robin_proxy(addresses).unwrap(), effects, runs }
    }

    /// Returns the number of handler runs of each server.
    fn runs(&self) -> [usize; 2] {
        self.runs.each_ref().map(|runs| read_lines(runs).len())
    }

    /// Sends one request on a new connection.
    fn post(&self, id: usize, params: &Value) -> (u16, Value) {
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }).to_string();
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        let (name, length) = (params["name"].as_str().unwrap(), message.len());
        let head = format!(
            "POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\n\
             Mcp-Method: tools/call\r\nMcp-Name: {name}\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all((head + &message).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.strip_prefix("HTTP/1.1 ").unwrap()[..3].parse().unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        (status, serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}")))
    }

    /// Returns the parameters of a call by a client with form elicitation.
    fn call(tool: &str) -> Value {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": { "elicitation": { "form": {} } },
        });
        json!({ "name": tool, "arguments": {}, "_meta": meta })
    }

    fn end(self) {
        for server in self.servers {
            server.signal("TERM");
            server.wait().assert_clean_exit();
        }
    }
}

/// Answers the questions of a round.
fn answer_questions(params: &mut Value, asked: &Value, answer: impl Fn(&str) -> Value) {
    let questions = asked["inputRequests"].as_object().unwrap_or_else(|| panic!("no questions: {asked}"));
    let answers: Map<String, Value> = questions
        .iter()
        .map(|(key, question)| {
            let content = json!({ "value": answer(question["params"]["message"].as_str().unwrap()) });
            (key.clone(), json!({ "action": "accept", "content": content }))
        })
        .collect();
    (params["inputResponses"], params["requestState"]) = (json!(answers), asked["requestState"].clone());
}

/// Starts a TCP proxy that alternates between the servers.
fn round_robin_proxy(servers: [SocketAddr; 2]) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    // Runs until the test process exits.
    thread::spawn(move || {
        for (client, server) in listener.incoming().zip(servers.into_iter().cycle()) {
            let (Ok(client), Ok(server)) = (client, TcpStream::connect(server)) else { continue };
            let (Ok(client_reader), Ok(server_writer)) = (client.try_clone(), server.try_clone()) else { continue };
            thread::spawn(move || forward(client_reader, server_writer));
            thread::spawn(move || forward(server, client));
        }
    });
    Ok(address)
}

/// Forwards bytes until the sender closes.
fn forward(mut from: TcpStream, mut to: TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

/// Calls a tool until it completes; returns its text and the server of each round.
fn run_to_completion(cluster: &Cluster, tool: &str, answers: impl Fn(&str, usize) -> Value) -> (String, Vec<usize>) {
    let mut params = Cluster::call(tool);
    let mut servers_used = Vec::new();
    loop {
        let before = cluster.runs();
        let (status, message) = cluster.post(servers_used.len() + 1, &params);
        assert_eq!(status, 200, "{message}");
        let after = cluster.runs();
        match [after[0] - before[0], after[1] - before[1]] {
            [1, 0] => servers_used.push(0),
            [0, 1] => servers_used.push(1),
            ran => panic!("expected one handler run, got {ran:?}"),
        }
        let result = &message["result"];
        if result["resultType"] == "complete" {
            return (result["content"][0]["text"].as_str().unwrap().to_owned(), servers_used);
        }
        assert_eq!(result["resultType"], "input_required", "{message}");
        answer_questions(&mut params, result, |question| answers(question, servers_used.len()));
    }
}

/// Returns the answers to the questions of `book`.
fn book_answers(question: &str, _round: usize) -> Value {
    match question {
        "Name?" => json!("Ada"),
        "How many seats, Ada?" => json!(3),
        "3 seats for Ada, sure?" => json!(true),
        other => panic!("{other}"),
    }
}

#[test]
fn call_resumes_in_another_process_each_round() {
    // M26-236, M26-239, M26-250, M26-251
    let cluster = Cluster::start("cluster", [KEY_1, KEY_1]);
    let (text, servers_used) = run_to_completion(&cluster, "book", book_answers);
    assert_eq!((&*text, &*servers_used), ("3 seats for Ada: true", &[0, 1, 0, 1][..]));
    let booked = ["book: reserved", "book: greeted Ada", "book: seated 3", "book: paid true"];
    assert_eq!(read_lines(&cluster.effects), booked, "each side effect happens once across both servers");
    let guesses = |_: &str, round: usize| json!([1, 5, 7][round - 1]);
    let (text, servers_used) = run_to_completion(&cluster, "guess", guesses);
    assert_eq!((&*text, &*servers_used), ("right after 3", &[0, 1, 0, 1][..]));
    let looked = ["guess: looked at 1", "guess: looked at 5", "guess: looked at 7"];
    assert_eq!(read_lines(&cluster.effects)[4..], looked, "each side effect happens once across both servers");
    let (text, servers_used) = run_to_completion(&cluster, "both", |question, _| json!(question.len()));
    assert_eq!((&*text, &*servers_used), ("26 28", &[0, 1, 0][..]));
    cluster.end();
}

#[test]
fn call_resumes_during_key_rotation() {
    let both = |first: &str, second: &str| format!("{first},{second}");
    let cluster = Cluster::start("rolled", [&both(KEY_1, KEY_2), &both(KEY_2, KEY_1)]);
    let (text, servers_used) = run_to_completion(&cluster, "book", book_answers);
    assert_eq!((&*text, &*servers_used), ("3 seats for Ada: true", &[0, 1, 0, 1][..]));
    cluster.end();
}

#[test]
fn rejects_and_logs_request_state_when_key_unknown() {
    // M26-241, M26-242, M26-243
    let cluster = Cluster::start("strangers", [KEY_1, KEY_2]);
    let mut params = Cluster::call("book");
    let (_, asked) = cluster.post(1, &params);
    answer_questions(&mut params, &asked["result"], |question| book_answers(question, 0));
    let (status, rejected) = cluster.post(2, &params);
    assert_eq!(status, 200, "{rejected}");
    let error = &rejected["error"];
    assert_eq!((&rejected["id"], &error["code"]), (&json!(2), &json!(-32602)), "{rejected}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("`requestState` is invalid or expired"), "{message}");
    assert!(
        error.get("data").is_none() && !message.contains("key"),
        "the response does not contain the cause: {rejected}"
    );
    cluster.servers[1].wait_for_stderr("rejected a request state reason=it was sealed with the unknown key");
    cluster.servers[1].wait_for_stderr("it was sealed with the unknown key");
    assert_eq!(cluster.runs(), [1, 0], "the second server runs no handler");
    assert_eq!(read_lines(&cluster.effects), ["book: reserved"]);
    // The first server accepts the same answers.
    let (_, asked) = cluster.post(3, &params);
    assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
    assert_eq!(read_lines(&cluster.effects), ["book: reserved", "book: greeted Ada"]);
    cluster.end();
}
