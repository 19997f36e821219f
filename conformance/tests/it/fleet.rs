//! Two processes behind one address: each round of a conversation lands on the other one, and it goes on all the same,
//! since what it remembers travels with it, sealed by keys that both know.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::asking::{fresh, lines};
use crate::peer::{CONVERSATION, Peer};

const PATIENCE: Duration = Duration::from_secs(20);
const ONE: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const OTHER: &str = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff0f0e0d0c0b0a09080706050403020100";

/// Two servers, a proxy that gives each connection to the other of them, and what they note.
struct Fleet {
    servers: [Peer; 2],
    address: SocketAddr,
    /// Both note their effects here.
    effects: PathBuf,
    /// Where each notes that a handler begins.
    runs: [PathBuf; 2],
}

impl Fleet {
    fn start(name: &str, keys: [&str; 2]) -> Self {
        let effects = fresh(&format!("{name}-effects"));
        let runs = ["left", "right"].map(|side| fresh(&format!("{name}-{side}")));
        let start = |runs: &PathBuf, keys: &str| {
            let args = ["--http", effects.to_str().unwrap(), runs.to_str().unwrap()];
            Peer::start_with(CONVERSATION, &args, &[("FERROMCP_KEYS", keys)])
        };
        let servers = [start(&runs[0], keys[0]), start(&runs[1], keys[1])];
        let places = servers.each_ref().map(|server| {
            let url = server.url();
            url.trim_start_matches("http://").trim_end_matches("/mcp").parse().unwrap()
        });
        Self { servers, address: in_turns(places).unwrap(), effects, runs }
    }

    /// Which server ran a handler how often.
    fn runs(&self) -> [usize; 2] {
        self.runs.each_ref().map(|runs| lines(runs).len())
    }

    /// Sends one request on a connection of its own.
    fn post(&self, id: usize, params: &Value) -> (u16, Value) {
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }).to_string();
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
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

    /// The parameters of a call by a client that can fill in forms.
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
            server.end().is_clean();
        }
    }
}

/// Answers the questions of a round.
fn answer(params: &mut Value, asked: &Value, answer: impl Fn(&str) -> Value) {
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

/// A TCP proxy that gives the connections to its servers in turns.
fn in_turns(servers: [SocketAddr; 2]) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    // Ends with the test's process.
    thread::spawn(move || {
        for (client, server) in listener.incoming().zip(servers.into_iter().cycle()) {
            let (Ok(client), Ok(server)) = (client, TcpStream::connect(server)) else { continue };
            let (Ok(asks), Ok(is_asked)) = (client.try_clone(), server.try_clone()) else { continue };
            thread::spawn(move || pass(asks, is_asked));
            thread::spawn(move || pass(server, client));
        }
    });
    Ok(address)
}

/// Passes on what one says to the other, until it ends.
fn pass(mut from: TcpStream, mut to: TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

/// Holds the conversation of a tool; gives its text, and which server ran each round.
fn converse(fleet: &Fleet, tool: &str, answers: impl Fn(&str, usize) -> Value) -> (String, Vec<usize>) {
    let mut params = Fleet::call(tool);
    let mut sides = Vec::new();
    loop {
        let before = fleet.runs();
        let (status, message) = fleet.post(sides.len() + 1, &params);
        assert_eq!(status, 200, "{message}");
        let after = fleet.runs();
        match [after[0] - before[0], after[1] - before[1]] {
            [1, 0] => sides.push(0),
            [0, 1] => sides.push(1),
            ran => panic!("one server runs the handler, once: {ran:?}"),
        }
        let result = &message["result"];
        if result["resultType"] == "complete" {
            return (result["content"][0]["text"].as_str().unwrap().to_owned(), sides);
        }
        assert_eq!(result["resultType"], "input_required", "{message}");
        answer(&mut params, result, |question| answers(question, sides.len()));
    }
}

/// What is answered to the questions of `book`.
fn booking(question: &str, _round: usize) -> Value {
    match question {
        "Name?" => json!("Ada"),
        "How many seats, Ada?" => json!(3),
        "3 seats for Ada, sure?" => json!(true),
        other => panic!("{other}"),
    }
}

#[test]
fn a_conversation_goes_on_in_another_process_each_round() {
    // M26-236, M26-239, M26-250, M26-251
    let fleet = Fleet::start("fleet", [ONE, ONE]);
    let (text, sides) = converse(&fleet, "book", booking);
    assert_eq!((&*text, &*sides), ("3 seats for Ada: true", &[0, 1, 0, 1][..]));
    let booked = ["book: reserved", "book: greeted Ada", "book: seated 3", "book: paid true"];
    assert_eq!(lines(&fleet.effects), booked, "each once over both");
    let guesses = |_: &str, round: usize| json!([1, 5, 7][round - 1]);
    let (text, sides) = converse(&fleet, "guess", guesses);
    assert_eq!((&*text, &*sides), ("right after 3", &[0, 1, 0, 1][..]));
    let looked = ["guess: looked at 1", "guess: looked at 5", "guess: looked at 7"];
    assert_eq!(lines(&fleet.effects)[4..], looked, "each once over both");
    let (text, sides) = converse(&fleet, "both", |question, _| json!(question.len()));
    assert_eq!((&*text, &*sides), ("26 28", &[0, 1, 0][..]));
    fleet.end();
}

#[test]
fn keys_may_be_rolled_over_one_process_after_the_other() {
    let both = |first: &str, second: &str| format!("{first},{second}");
    let fleet = Fleet::start("rolled", [&both(ONE, OTHER), &both(OTHER, ONE)]);
    let (text, sides) = converse(&fleet, "book", booking);
    assert_eq!((&*text, &*sides), ("3 seats for Ada: true", &[0, 1, 0, 1][..]));
    fleet.end();
}

#[test]
fn a_process_with_another_key_refuses_and_says_why_in_its_log() {
    // M26-241, M26-242, M26-243
    let fleet = Fleet::start("strangers", [ONE, OTHER]);
    let mut params = Fleet::call("book");
    let (_, asked) = fleet.post(1, &params);
    answer(&mut params, &asked["result"], |question| booking(question, 0));
    let (status, refused) = fleet.post(2, &params);
    assert_eq!(status, 200, "{refused}");
    let error = &refused["error"];
    assert_eq!((&refused["id"], &error["code"]), (&json!(2), &json!(-32602)), "{refused}");
    let told = error["message"].as_str().unwrap();
    assert!(told.contains("`requestState` is not valid here"), "{told}");
    assert!(error.get("data").is_none() && !told.contains("key"), "the peer hears nothing of why: {refused}");
    fleet.servers[1].complains("a request state is refused reason=it is sealed with the key");
    fleet.servers[1].complains("which is not in the ring");
    assert_eq!(fleet.runs(), [1, 0], "nothing ran there");
    assert_eq!(lines(&fleet.effects), ["book: reserved"]);
    // The server that asked goes on, with the same answers.
    let (_, asked) = fleet.post(3, &params);
    assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
    assert_eq!(lines(&fleet.effects), ["book: reserved", "book: greeted Ada"]);
    fleet.end();
}
