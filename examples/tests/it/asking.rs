//! A table that is booked in the middle of a conversation.

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
fn a_table_is_reserved_once_a_call_and_booked_if_the_user_agrees() {
    asked_in_both_eras(ASKING, |peer| {
        assert_eq!(book(peer, &accept(json!({ "value": true }))), "Table 1 is booked for Ada");
        assert_eq!(book(peer, &accept(json!({ "value": false }))), "Table 2 is free again");
        assert_eq!(book(peer, &json!({ "action": "decline" })), "Table 3 is free again");
        assert_eq!(book(peer, &json!({ "action": "cancel" })), "Table 4 is kept until Ada decides");
    });
}

/// What the model hears of an answer that is none.
fn told(peer: &mut Peer, tool: &str, answer: &Value) -> String {
    let result = peer.call_answering(tool, json!({}), |_, _| answer.clone());
    assert_eq!(result["isError"], true, "{result}");
    result["content"][0]["text"].as_str().expect("text").to_owned()
}

// M26-523
#[test]
fn a_form_is_held_to_its_rules() {
    asked_in_both_eras(ASKING, |peer| {
        let words = told(peer, "book", &accept(json!({ "name": "", "guests": 9 })));
        assert!(words.starts_with("the answer to \"A table for whom?\" does not fit: `name` must be"), "{words}");
        assert!(words.contains("`guests` must be a whole number from 1 to 8, got 9; `place` is missing"), "{words}");
    });
}

#[test]
fn an_answer_is_noted_and_declining_is_told() {
    asked_in_both_eras(ASK, |peer| {
        let words = told(peer, "note", &json!({ "action": "decline" }));
        assert_eq!(words, "the user declined to answer: What is to be noted?");
        let noted = peer.call_answering("note", json!({}), |_, _| accept(json!({ "value": "milk" })));
        assert_eq!(noted["content"][0]["text"], "Noted: milk");
    });
}

// M26-249, S-423
#[test]
fn who_cannot_be_asked_is_told_what_is_missing() {
    in_both_eras(ASK, |peer| {
        let error = peer.fail("tools/call", json!({ "name": "note", "arguments": {} }));
        let code = if peer.is_modern() { -32021 } else { -32602 }; // older revisions have no such code
        assert_eq!(error["code"], code);
        assert_eq!(error["data"]["requiredCapabilities"], json!({ "elicitation": { "form": {} } }));
    });
}
