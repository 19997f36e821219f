//! Messages, and values for their arguments.

use serde_json::{Value, json};

use crate::peer::{Peer, in_both_eras};

const PROMPTS: &str = env!("CARGO_BIN_EXE_prompts");

fn messages(peer: &mut Peer, name: &str, arguments: &Value) -> Vec<(String, String)> {
    let result = peer.ask("prompts/get", json!({ "name": name, "arguments": arguments }));
    let messages = result["messages"].as_array().expect("messages").iter();
    let word = |value: &Value| value.as_str().expect("a text").to_owned();
    messages.map(|message| (word(&message["role"]), word(&message["content"]["text"]))).collect()
}

#[test]
fn prompt_arguments_are_listed_and_filled_in() {
    in_both_eras(PROMPTS, |peer| {
        let listed = peer.ask("prompts/list", json!({}))["prompts"][0].take();
        assert_eq!(listed["description"], "Ask for a review of some code");
        assert_eq!(listed["arguments"][0]["required"], true);
        assert_eq!(listed["arguments"][1]["name"], "language");
        assert_ne!(listed["arguments"][1]["required"], true);
        let said = messages(peer, "review_code", &json!({ "code": "let x;" }));
        assert_eq!(said, [("user".to_owned(), "Please review this rust code:\n\nlet x;".to_owned())]);
    });
}

#[test]
fn prompt_returns_messages_of_both_roles() {
    in_both_eras(PROMPTS, |peer| {
        let said = messages(peer, "debug_error", &json!({ "error": "E0308", "tried": "a cast" }));
        let roles: Vec<&str> = said.iter().map(|(role, _)| role.as_str()).collect();
        assert_eq!(roles, ["user", "user", "assistant", "user"]);
        assert_eq!((said[1].1.as_str(), said[3].1.as_str()), ("E0308", "a cast"));
        assert_eq!(messages(peer, "debug_error", &json!({ "error": "E0308" })).len(), 3);
        let error = peer.fail("prompts/get", json!({ "name": "debug_error", "arguments": {} }));
        assert_eq!(error["code"], -32602);
        assert!(error["message"].as_str().is_some_and(|words| words.contains("`error` is missing")), "{error}");
    });
}

#[test]
fn argument_is_completed() {
    in_both_eras(PROMPTS, |peer| {
        let reference = json!({ "type": "ref/prompt", "name": "review_code" });
        let mut values = |argument: &str, typed: &str| {
            let argument = json!({ "name": argument, "value": typed });
            peer.ask("completion/complete", json!({ "ref": reference, "argument": argument }))["completion"]["values"]
                .take()
        };
        assert_eq!(values("language", "ru"), json!(["ruby", "rust"]));
        assert_eq!(values("language", "x"), json!([]));
        assert_eq!(values("code", "x"), json!([]), "no completion for this one");
    });
}
