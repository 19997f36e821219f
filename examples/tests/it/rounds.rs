//! A number guessed in manual rounds.

use serde_json::json;

use crate::peer::{accept, asked_in_both_eras};

// M26-239, M26-240
#[test]
fn number_is_found_by_bisection() {
    asked_in_both_eras(env!("CARGO_BIN_EXE_rounds"), |peer| {
        let guess = |number: u32, lies: bool| {
            move |_: &str, params: &serde_json::Value| {
                let words = params["message"].as_str().expect("words");
                let guess: u32 = words.trim_matches(|letter: char| !letter.is_numeric()).parse().expect("a number");
                let is_it = match number.cmp(&guess) {
                    std::cmp::Ordering::Equal if !lies => "Right",
                    std::cmp::Ordering::Less => "Lower",
                    _ => "Higher",
                };
                accept(json!({ "is_it": is_it }))
            }
        };
        let found = peer.call_answering("guess", json!({}), guess(77, false));
        assert_eq!(found["content"][0]["text"], "77, in 7 questions");
        let lost = peer.call_answering("guess", json!({}), guess(100, true));
        assert_eq!(lost["content"][0]["text"], "there is no such number");
    });
}
