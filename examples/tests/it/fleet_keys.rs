//! A call that is continued by another server process.

use std::process::Command;

use ferromcp::core::Revision;
use serde_json::{Value, json};

use crate::peer::{Peer, accept};

fn server(keys: &str) -> Peer {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fleet_keys"));
    Peer::asked(command.env("STATE_KEYS", keys), Revision::LATEST)
}

fn retry(peer: &mut Peer, state: &Value) -> Value {
    let answers = json!({ "q1": accept(json!({ "value": "Ada" })) });
    peer.begin("tools/call", json!({ "name": "greet", "inputResponses": answers, "requestState": state }));
    peer.next()
}

// M26-241, M26-243
#[test]
fn call_continues_in_other_process_when_keys_are_shared() {
    let (old, new, foreign) = ("0a".repeat(32), "0b".repeat(32), "0c".repeat(32));
    let mut first = server(&old);
    let asked = first.ask("tools/call", json!({ "name": "greet" }));
    let mut rotated = server(&format!("{new},{old}"));
    let greeted = retry(&mut rotated, &asked["requestState"]);
    assert_eq!(greeted["result"]["content"][0]["text"], "Hello, Ada!");
    let mut stranger = server(&foreign);
    let refused = retry(&mut stranger, &asked["requestState"]);
    let words = "Invalid params: `requestState` is invalid or expired; retry without it";
    assert_eq!(refused["error"], json!({ "code": -32602, "message": words }));
    for peer in [first, rotated, stranger] {
        assert_eq!(peer.end(), "");
    }
}
