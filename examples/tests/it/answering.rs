//! A client that answers server requests on the terminal.

use crate::terminal::typed;

const ANSWERING: &str = env!("CARGO_BIN_EXE_answering");

fn book(lines: &[&str]) -> String {
    let shown = typed(ANSWERING, &["book", "{}", env!("CARGO_BIN_EXE_asking")], lines);
    assert!(shown.starts_with("A table for whom?"), "{shown}");
    assert!(shown.contains("place: Window|Garden\n"), "{shown}");
    shown.lines().last().expect("a line").to_owned()
}

#[test]
fn form_is_accepted_declined_or_cancelled_when_user_answers() {
    assert_eq!(book(&["Ada", "4", "Garden", "true"]), "Table 1 is booked for Ada");
    assert_eq!(book(&["Ada", "", "Window", "-"]), "Table 1 is free again"); // two guests by default
    assert_eq!(book(&["Ada", "", "Window"]), "Table 1 is kept until Ada decides");
}

#[test]
fn sampling_returns_user_text_when_handler_is_set() {
    let args = ["summarize", r#"{"text": "Much."}"#, env!("CARGO_BIN_EXE_asking_model")];
    let shown = typed(ANSWERING, &args, &["A lot."]);
    assert_eq!(shown, "What does a model say to this? Much.\nA lot.\n");
}
