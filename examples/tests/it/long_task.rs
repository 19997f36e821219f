//! Progress, logs, and a call that is cancelled midway.

use std::time::Duration;

use ferromcp::core::meta::key;
use serde_json::{Value, json};

use crate::peer::{Peer, in_both_eras};

const LONG_TASK: &str = env!("CARGO_BIN_EXE_long_task");

fn begin(peer: &mut Peer, steps: u32) -> u64 {
    let meta = json!({ "progressToken": "here", key::LOG_LEVEL: "info" });
    peer.begin("tools/call", json!({ "name": "long_task", "arguments": { "steps": steps }, "_meta": meta }))
}

fn assert_progress(message: &Value, step: u32, of: u32) {
    assert_eq!(message["method"], "notifications/progress", "{message}");
    let params = &message["params"];
    assert_eq!(params["progressToken"], "here");
    assert_eq!((params["progress"].as_f64(), params["total"].as_f64()), (Some(f64::from(step)), Some(f64::from(of))));
    assert_eq!(params["message"], format!("step {step} done"));
}

// M26-023, M26-282, M26-285, M26-417, S-200, S-203
#[test]
fn progress_is_sent_when_requested() {
    in_both_eras(LONG_TASK, |peer| {
        let id = begin(peer, 3);
        let log = peer.next();
        assert_eq!(log["method"], "notifications/message", "{log}");
        assert_eq!(log["params"]["level"], "info");
        assert_eq!(log["params"]["data"], "3 steps, 20ms each");
        for step in 1..=3 {
            assert_progress(&peer.next(), step, 3);
        }
        let answer = peer.next();
        assert_eq!(answer["id"], id);
        assert_eq!(answer["result"]["content"][0]["text"], "all 3 steps done");
    });
}

#[test]
fn progress_is_sent_when_tool_is_blocking() {
    in_both_eras(LONG_TASK, |peer| {
        let meta = json!({ "progressToken": "here" });
        let params = json!({ "name": "count_primes", "arguments": { "max": 2500 }, "_meta": meta });
        let id = peer.begin("tools/call", params);
        for number in [1000, 2000] {
            let message = peer.next();
            assert_eq!(message["method"], "notifications/progress", "{message}");
            assert_eq!(message["params"]["progress"].as_f64(), Some(f64::from(number)));
            assert_eq!(message["params"]["total"].as_f64(), Some(2500.0));
        }
        let answer = peer.next();
        assert_eq!(answer["id"], id);
        assert_eq!(answer["result"]["content"][0]["text"], "367");
    });
}

// M26-416
#[test]
fn no_notifications_are_sent_when_not_requested() {
    in_both_eras(LONG_TASK, |peer| {
        if !peer.is_modern() {
            peer.ask("logging/setLevel", json!({ "level": "error" })); // in the modern era no log messages is the default
        }
        assert_eq!(peer.call("long_task", json!({ "steps": 2 }))["content"][0]["text"], "all 2 steps done");
    });
}

// M26-131, M26-132, M26-295, S-217
#[test]
fn no_response_is_sent_when_cancelled() {
    in_both_eras(LONG_TASK, |peer| {
        let id = begin(peer, 1000);
        peer.next(); // the log
        assert_progress(&peer.next(), 1, 1000);
        peer.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": id } }));
        // Messages sent before the cancellation arrive before the response to a later request.
        let sentinel = peer.begin("tools/list", json!({}));
        let answer = loop {
            let message = peer.next();
            if message["method"] != "notifications/progress" {
                break message;
            }
        };
        assert_eq!(answer["id"], sentinel, "a cancelled call receives no response: {answer}");
        assert!(peer.is_silent(Duration::from_millis(200)), "ten steps would be complete by now");
    });
}
