//! Nested arguments, and words for the model.

use serde_json::json;

use crate::peer::in_both_eras;

#[test]
fn nested_arguments_and_tool_errors() {
    in_both_eras(env!("CARGO_BIN_EXE_orders"), |peer| {
        let lines = json!([{ "article": "tea" }, { "article": "tea", "count": 2 }]);
        let done = peer.call("order", json!({ "name": "Ada", "lines": lines, "gift": true }));
        assert_eq!(done["content"][0]["text"], "3 tea for Ada, wrapped");
        let done = peer.call("order", json!({ "name": "Ada", "lines": lines, "note": "quick" }));
        assert_eq!(done["content"][0]["text"], "3 tea for Ada (quick)");
        let words = peer.call_in_vain("order", json!({ "name": "", "lines": [] }));
        assert!(words.contains("`name` must be 1 to 20 long"), "{words}");
        let words = peer.call_in_vain("order", json!({ "name": "Ada", "lines": [{ "article": "milk" }] }));
        assert_eq!(words, "there is no `milk`, only `tea`");
        let words = peer.call_in_vain("order", json!({ "name": "Ada", "lines": [{ "article": "tea", "count": -1 }] }));
        assert!(words.contains("`lines[0].count` must be an integer"), "{words}");
    });
}
