//! A table that is booked with elicitations.

use serde_json::{Value, json};

use crate::peer::{Peer, accept, asked_in_both_eras, in_both_eras};

const ASK: &str = env!("CARGO_BIN_EXE_ask");
const ASKING: &str = env!("CARGO_BIN_EXE_asking");

fn book(peer: &mut Peer, sure: &Value) -> String {
    let result = peer.call_answering("book", json!({}), |method, params| {
        assert_eq!(method, "elicitation/create");
        if params["message"] == "A table for whom?" {
            let form = &params["requestedSchema"];
            assert_eq!(form["required"], json!(["name", "place"]));
            assert_eq!(form["properties"]["guests"]["default"], 2);
            assert_eq!(form["properties"]["place"]["oneOf"][1]["title"], "In the garden");
            return accept(json!({ "name": "Ada", "guests": 4, "place": "Garden" }));
        }
        let words = params["message"].as_str().expect("words");
        assert!(words.ends_with("for 4, Garden. Shall I book it?"), "{words}");
        sure.clone()
    });
    assert_eq!(peer.questions(), 2);
    result["content"][0]["text"].as_str().expect("text").to_owned()
}

// M26-233
#[test]
fn table_is_reserved_once_per_call_and_booked_when_user_accepts() {
    asked_in_both_eras(ASKING, |peer| {
        assert_eq!(book(peer, &accept(json!({ "value": true }))), "Table 1 is booked for Ada");
        assert_eq!(book(peer, &accept(json!({ "value": false }))), "Table 2 is free again");
        assert_eq!(book(peer, &json!({ "action": "decline" })), "Table 3 is free again");
        assert_eq!(book(peer, &json!({ "action": "cancel" })), "Table 4 is kept until Ada decides");
    });
}

#[test]
fn fallible_effect_runs_once_per_call_and_its_error_is_returned() {
    asked_in_both_eras(ASKING, |peer| {
        for number in [1, 2] {
            let result = peer.call_answering("wait", json!({}), |_, params| {
                assert_eq!(params["message"], format!("You are number {number}. What is your name?"));
                accept(json!({ "value": "Ada" }))
            });
            assert_eq!(result["content"][0]["text"], format!("Ada is number {number} of the waiting list"));
        }
        let words = tool_error(peer, "wait", &json!({ "action": "decline" }));
        assert_eq!(words, "the waiting list is full; try another day");
    });
}

/// Returns the tool error for the answer.
fn tool_error(peer: &mut Peer, tool: &str, answer: &Value) -> String {
    let result = peer.call_answering(tool, json!({}), |_, _| answer.clone());
    assert_eq!(result["isError"], true, "{result}");
    result["content"][0]["text"].as_str().expect("text").to_owned()
}

// M26-523
#[test]
fn form_answer_is_rejected_when_invalid() {
    asked_in_both_eras(ASKING, |peer| {
        let words = tool_error(peer, "book", &accept(json!({ "name": "", "guests": 9 })));
        assert!(words.starts_with("invalid answer to \"A table for whom?\": `name` must be"), "{words}");
        assert!(words.contains("`guests` must be a whole number from 1 to 8, got 9; `place` is missing"), "{words}");
    });
}

#[test]
fn elicitation_returns_text_or_error_when_declined() {
    asked_in_both_eras(ASK, |peer| {
        let words = tool_error(peer, "note", &json!({ "action": "decline" }));
        assert_eq!(words, "the user declined to answer: What should I write down?");
        let noted = peer.call_answering("note", json!({}), |_, _| accept(json!({ "value": "milk" })));
        assert_eq!(noted["content"][0]["text"], "Noted: milk");
    });
}

// M26-249, S-423
#[test]
fn error_names_capability_when_client_lacks_elicitation() {
    in_both_eras(ASK, |peer| {
        let error = peer.fail("tools/call", json!({ "name": "note", "arguments": {} }));
        let code = if peer.is_modern() { -32021 } else { -32602 }; // earlier revisions do not define this code
        assert_eq!(error["code"], code);
        assert_eq!(error["data"]["requiredCapabilities"], json!({ "elicitation": { "form": {} } }));
    });
}
