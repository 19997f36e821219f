//! State of single clients.

use serde_json::json;

use crate::peer::in_both_eras;

#[test]
fn carts_are_found_by_handle() {
    in_both_eras(env!("CARGO_BIN_EXE_per_client_state"), |peer| {
        let mut open =
            || peer.call("open_cart", json!({}))["content"][0]["text"].as_str().expect("a handle").to_owned();
        let (first, second) = (open(), open());
        let mut add = |cart: &str, article: &str| {
            peer.call("add_article", json!({ "cart": cart, "article": article }))["structuredContent"]["result"].take()
        };
        assert_eq!(add(&first, "tea"), json!(["tea"]));
        assert_eq!(add(&second, "rum"), json!(["rum"]));
        assert_eq!(add(&first, "milk"), json!(["tea", "milk"]));
        let error = peer.call_in_vain("add_article", json!({ "cart": "1", "article": "tea" }));
        assert_eq!(error, "unknown or expired cart; call `open_cart` and use the handle that it returns");
        let error = peer.call_in_vain("like", json!({ "article": "tea" }));
        assert_eq!(error, "favorites require an authenticated user");
    });
}
