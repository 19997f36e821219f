//! Registration at run time, and middleware.

use ferromcp::core::Revision;
use serde_json::json;

use crate::peer::Peer;

#[test]
fn tools_list_changes_when_tools_are_added_and_removed() {
    for revision in [Revision::LATEST_LEGACY, Revision::LATEST] {
        let mut peer = Peer::start(env!("CARGO_BIN_EXE_dynamic"), &[], revision);
        assert_eq!(peer.names("tools/list", "tools"), ["learn", "forget", "echo"]);
        peer.call("learn", json!({ "word": "hey" }));
        expect_list_changed(&mut peer);
        assert_eq!(peer.names("tools/list", "tools"), ["learn", "forget", "echo", "shout_hey"]);
        assert_eq!(peer.call("shout_hey", json!({ "times": 2 }))["content"][0]["text"], "HEYHEY");
        assert_eq!(peer.call("shout_hey", json!({}))["content"][0]["text"], "HEY");
        let words = peer.call_in_vain("learn", json!({ "word": "hey" }));
        assert!(words.starts_with("two tools are named `shout_hey`"), "{words}");
        assert_eq!(peer.call("forget", json!({ "word": "hey" }))["structuredContent"]["result"], true);
        expect_list_changed(&mut peer);
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

/// Expects `tools/list_changed`, which sessions receive without a subscription.
fn expect_list_changed(peer: &mut Peer) {
    // S-230, S-231
    if !peer.is_modern() {
        assert_eq!(peer.next()["method"], "notifications/tools/list_changed");
    }
}
