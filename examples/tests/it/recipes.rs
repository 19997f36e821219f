//! Middleware for results and load.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::peer::in_both_eras;

#[test]
fn result_is_redacted_and_cached_by_arguments() {
    in_both_eras(env!("CARGO_BIN_EXE_recipes"), |peer| {
        for (number, lookup) in [(7, 1), (8, 2), (7, 1)] {
            let found = peer.call("find_order", json!({ "number": number }));
            let expected = json!([format!("order {number}, lookup {lookup}"), "paid with [card]."]);
            assert_eq!(found["structuredContent"]["result"], expected);
            let text = found["content"][0]["text"].as_str().expect("a text");
            let same: Value = serde_json::from_str(text).expect("the text repeats the structured content");
            assert_eq!(same, expected);
        }
    });
}

#[test]
fn call_fails_when_it_exceeds_the_time_limit() {
    in_both_eras(env!("CARGO_BIN_EXE_recipes"), |peer| {
        let error = peer.fail("tools/call", json!({ "name": "export_orders", "arguments": { "millis": 30_000 } }));
        assert_eq!(error, json!({ "code": -32603, "message": "tool `export_orders` took longer than 500ms" }));
    });
}

#[test]
fn calls_run_one_after_another_when_limit_is_reached() {
    in_both_eras(env!("CARGO_BIN_EXE_recipes"), |peer| {
        let begin = Instant::now();
        let ids: Vec<_> = (0..3)
            .map(|_| peer.begin("tools/call", json!({ "name": "export_orders", "arguments": { "millis": 100 } })))
            .collect();
        for id in ids {
            let answer = peer.next();
            assert_eq!(answer["id"], id);
            assert_eq!(answer["result"]["content"][0]["text"], "exported", "{answer}");
        }
        assert!(begin.elapsed() >= Duration::from_millis(300));
    });
}
