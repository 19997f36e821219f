//! An argument that is repeated in an HTTP header.

use serde_json::json;

use crate::peer::in_both_eras;

// M26-191, M26-198, M26-205
#[test]
fn header_annotation_is_published_and_ignored_over_stdio() {
    in_both_eras(env!("CARGO_BIN_EXE_header"), |peer| {
        let listed = peer.ask("tools/list", json!({}))["tools"][0].take();
        let region = json!({
            "type": "string",
            "enum": ["eu", "us"],
            "description": "Where the orders were placed",
            "x-mcp-header": "Region",
        });
        assert_eq!(listed["inputSchema"]["properties"]["region"], region);
        let counted = peer.call("count_orders", json!({ "region": "eu" }));
        assert_eq!(counted["content"][0]["text"], "no orders in Eu, 0 days ago");
    });
}
