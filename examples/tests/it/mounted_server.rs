//! Two servers mounted in a third one.

use serde_json::json;

use crate::peer::in_both_eras;

#[test]
fn mounted_servers_have_separate_state() {
    in_both_eras(env!("CARGO_BIN_EXE_mounted_server"), |peer| {
        assert_eq!(peer.names("tools/list", "tools"), ["books_price", "games_price"]);
        for (tool, text) in [("books_price", "Dune: 4 EUR"), ("games_price", "Dune: 4 USD")] {
            assert_eq!(peer.call(tool, json!({ "item": "Dune" }))["content"][0]["text"], text);
        }
        assert_eq!(peer.read("shop://games/terms")["text"], "No refunds.");
        peer.fail("resources/read", json!({ "uri": "shop://terms" }));
    });
}
