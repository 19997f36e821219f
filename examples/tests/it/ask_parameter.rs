//! A deletion with confirmation.

use serde_json::json;

use crate::peer::{accept, asked_in_both_eras};

#[test]
fn file_is_deleted_when_user_accepts() {
    asked_in_both_eras(env!("CARGO_BIN_EXE_ask_parameter"), |peer| {
        let listed = peer.ask("tools/list", json!({}))["tools"][0].take();
        assert_eq!(listed["inputSchema"]["required"], json!(["path"]), "an answer is not an argument");
        for (path, answer, told, asked) in [
            ("/tmp/a", json!({}), "/tmp/a is gone; there are 1 files", 0),
            ("/home/ada/b", json!({ "delete": false }), "/home/ada/b stays", 1),
            ("/home/ada/b", json!({ "delete": true }), "/home/ada/b is gone, and a copy is kept; there are 1 files", 1),
            ("/home/ada/b", json!({ "delete": true }), "there is no /home/ada/b", 1),
        ] {
            let result = peer.call_answering("delete", json!({ "path": path }), |_, params| {
                assert_eq!(params["message"], "Delete /home/ada/b?");
                accept(answer.clone())
            });
            assert_eq!((result["content"][0]["text"].as_str(), peer.questions()), (Some(told), asked));
        }
    });
}
