//! Middleware, from without.

use ferromcp::core::Revision;
use ferromcp::core::meta::key;
use serde_json::json;

use crate::peer::Peer;

#[test]
fn middleware_identifies_times_and_rejects_callers() {
    for revision in [Revision::LATEST_LEGACY, Revision::LATEST] {
        let mut peer = Peer::start(env!("CARGO_BIN_EXE_middleware"), &[], revision);
        let name = if peer.is_modern() { "nobody" } else { "tests" }; // modern clients may keep their name to themselves
        let said = peer.call("who_am_i", json!({}));
        assert_eq!(said["content"][0]["text"], format!("{name}, in {revision}"));
        let plan = if peer.is_modern() { "free" } else { "paid" };
        assert_eq!(peer.call("my_plan", json!({}))["content"][0]["text"], plan);
        assert_eq!(peer.read("slow://answer")["text"], "42");
        if peer.is_modern() {
            let mallory = json!({ "name": "mallory", "version": "1" });
            let params = json!({ "name": "who_am_i", "arguments": {}, "_meta": { key::CLIENT_INFO: mallory } });
            let error = peer.fail("tools/call", params);
            assert_eq!(error, json!({ "code": -32600, "message": "Not you again" }));
        }
        let log = peer.end();
        assert!(log.contains("call completed") && log.contains("tools/call"), "{log}");
        assert!(log.contains("mcp.resource.uri=\"slow://answer\""), "{log}");
    }
}
