//! Two values of a component under two namespaces.

use serde_json::json;

use crate::peer::in_both_eras;

#[test]
fn mounted_components_have_separate_state() {
    in_both_eras(env!("CARGO_BIN_EXE_component"), |peer| {
        assert_eq!(peer.names("tools/list", "tools"), ["todo_add", "shopping_add"]);
        assert_eq!(peer.names("prompts/list", "prompts"), ["todo_sort", "shopping_sort"]);
        for (count, text) in [(1, "sleep"), (2, "eat")] {
            assert_eq!(peer.call("todo_add", json!({ "text": text }))["structuredContent"]["result"], count);
        }
        assert_eq!(peer.call("shopping_add", json!({ "text": "milk" }))["structuredContent"]["result"], 1);
        assert_eq!(peer.read("list://todo/1")["text"], "eat");
        assert_eq!(peer.read("list://shopping/0")["text"], "milk");
        peer.fail("resources/read", json!({ "uri": "list://shopping/1" }));
        let prompt = peer.ask("prompts/get", json!({ "name": "todo_sort" }));
        assert_eq!(prompt["messages"][0]["content"]["text"], "What should I do first?\n- sleep\n- eat");
    });
}
