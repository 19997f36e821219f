//! The counter over stdio and HTTP.

use ferromcp::core::Revision;
use serde_json::json;

use crate::peer::in_both_eras;
use crate::web::{Client, Web};

const COUNTER: &str = env!("CARGO_BIN_EXE_counter");

#[test]
fn counter_counts_when_served_over_stdio() {
    in_both_eras(COUNTER, |peer| {
        assert_eq!(peer.names("tools/list", "tools"), ["increment", "decrement", "get", "sum"]);
        for (tool, value) in [("increment", 1), ("increment", 2), ("decrement", 1), ("get", 1)] {
            assert_eq!(peer.call(tool, json!({}))["structuredContent"]["result"], value, "{tool}");
        }
        assert_eq!(peer.read("counter://value")["text"], "1");
        assert_eq!(peer.call("sum", json!({ "a": 2, "b": 3 }))["structuredContent"]["result"], 5);
        let error = peer.call_in_vain("sum", json!({ "a": 2, "c": 3 }));
        assert!(error.contains("`c`"), "{error}");
        let prompt = peer.ask("prompts/get", json!({ "name": "say_hello", "arguments": { "name": "Ada" } }));
        let text = "Say hello to Ada, and mention that the counter is at 1.";
        assert_eq!(prompt["messages"][0]["content"]["text"], text);
    });
}

#[test]
fn counter_is_shared_by_clients_of_both_eras_when_served_over_http() {
    let web = Web::start(COUNTER, &[]);
    let [first, second] = [Revision::LATEST_LEGACY, Revision::LATEST].map(|revision| Client::new(&web, revision));
    assert_eq!(first.call("increment", &json!({}))["structuredContent"]["result"], 1);
    assert_eq!(second.call("increment", &json!({}))["structuredContent"]["result"], 2);
    assert_eq!(first.ask("resources/read", json!({ "uri": "counter://value" }))["contents"][0]["text"], "2");
    assert_eq!(second.call("sum", &json!({ "a": 2, "b": -3 }))["structuredContent"]["result"], -1);
}
