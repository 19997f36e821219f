//! Tools that come and go, and middleware around all of them.

use ferromcp::prelude::Revision;
use serde_json::json;

use crate::peer::Peer;

#[test]
fn tools_come_and_go_and_calls_are_timed() {
    for revision in [Revision::LATEST_LEGACY, Revision::LATEST] {
        let mut peer = Peer::start(env!("CARGO_BIN_EXE_dynamic"), &[], revision);
        assert_eq!(peer.names("tools/list", "tools"), ["learn", "forget", "echo"]);
        peer.call("learn", json!({ "word": "hey" }));
        hears_of_tools(&mut peer);
        assert_eq!(peer.names("tools/list", "tools"), ["learn", "forget", "echo", "shout_hey"]);
        assert_eq!(peer.call("shout_hey", json!({ "times": 2 }))["content"][0]["text"], "HEYHEY");
        assert_eq!(peer.call("shout_hey", json!({}))["content"][0]["text"], "HEY");
        let words = peer.call_in_vain("learn", json!({ "word": "hey" }));
        assert!(words.starts_with("two tools are named `shout_hey`"), "{words}");
        assert_eq!(peer.call("forget", json!({ "word": "hey" }))["structuredContent"]["result"], true);
        hears_of_tools(&mut peer);
        let error = peer.fail("tools/call", json!({ "name": "shout_hey" }));
        assert_eq!(error["message"], "Unknown tool: shout_hey");
        let echo = peer.call("echo", json!({ "any": [1, null] }));
        assert_eq!(echo["content"][0]["text"], r#"{"any":[1,null]}"#);
        assert_eq!(peer.read("parrot://mood")["text"], "cheerful");

        let said = peer.end();
        assert_eq!(said.lines().filter(|line| line.starts_with("tools/call took ")).count(), 7, "{said}");
        assert!(said.contains("resources/read took "), "{said}");
    }
}

/// A session hears of changed lists without asking to; others would have to ask.
fn hears_of_tools(peer: &mut Peer) {
    // S-230, S-231
    if !peer.is_modern() {
        assert_eq!(peer.next()["method"], "notifications/tools/list_changed");
    }
}
