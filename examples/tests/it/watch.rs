//! Subscriptions to notes and a file in both eras.

use std::fs;
use std::time::Duration;

use ferromcp::core::Revision;
use ferromcp::core::meta::key;
use serde_json::json;

use crate::peer::Peer;

#[test]
fn subscriber_is_notified_when_resource_changes() {
    // M26-266, M26-361, S-272
    let log = std::env::temp_dir().join(format!("ferromcp-watch-{}.log", std::process::id()));
    for revision in [Revision::LATEST_LEGACY, Revision::LATEST] {
        fs::write(&log, "first\n").unwrap();
        let mut peer = Peer::start(env!("CARGO_BIN_EXE_watch"), &[log.as_os_str()], revision);
        let uris = ["note:///", "log://today"]; // all notes
        let mut listen = None;
        if peer.is_modern() {
            let filter = json!({ "notifications": { "resourceSubscriptions": uris } });
            listen = Some(peer.begin("subscriptions/listen", filter));
            let first = peer.next();
            assert_eq!(first["params"]["notifications"]["resourceSubscriptions"], json!(uris));
        } else {
            for uri in uris {
                assert_eq!(peer.ask("resources/subscribe", json!({ "uri": uri })), json!({}));
            }
        }
        let call = peer.begin("tools/call", json!({ "name": "write", "arguments": { "name": "a", "text": "A" } }));
        // The response and the notification may arrive in either order.
        let mut both = [peer.next(), peer.next()];
        both.sort_by_key(|message| message.get("method").is_some());
        assert_eq!(both[0]["id"], call);
        assert_eq!(both[1]["params"]["uri"], "note:///a");
        assert_eq!(both[1]["params"]["_meta"].get(key::SUBSCRIPTION_ID), listen.map(|id| json!(id)).as_ref());
        assert_eq!(peer.read("note:///a")["text"], "A");

        std::thread::sleep(Duration::from_millis(500)); // until the file was polled once
        fs::write(&log, "first\nsecond\n").unwrap();
        assert_eq!(peer.next()["params"]["uri"], "log://today");
        assert_eq!(peer.read("log://today")["text"], "first\nsecond\n");
        assert_eq!(peer.end(), "");
    }
    fs::remove_file(&log).unwrap();
}
