//! Questions of the server, answered in a terminal, and declined without one.

use crate::process::{on_stdio, server, wait_until};
use crate::terminal::Terminal;

#[test]
fn form_is_answered_field_by_field() {
    for era in ["legacy", "modern"] {
        let mut terminal = Terminal::start(&["call", "--era", era, "book", "--", server(), "stdio"], &[]);
        terminal.answer("Name (text): ", "\n");
        terminal.answer("Name (text): ", "Ada\n");
        terminal.answer("guests (integer) [2]: ", "9\n");
        terminal.answer("guests (integer) [2]: ", "\n");
        terminal.answer("place (number or value): ", "2\n");
        terminal.answer("Send this to the server? [Y/n] ", "\n");
        let (code, shown) = terminal.end();
        assert_eq!(code, 0, "{shown}");
        for part in [
            "The server asks for input: A table for whom?",
            "  Who the table is for",
            "a value is required",
            "By the window",
            r#"{"name":"Ada","guests":2,"place":"Garden"}"#,
        ] {
            assert!(shown.contains(part), "{part:?}: {shown}");
        }
    }
}

#[test]
fn form_is_declined_or_cancelled() {
    let start = || Terminal::start(&["call", "book", "--", server(), "stdio"], &[]);
    let mut declined = start();
    declined.answer("Name (text): ", "Ada\n");
    declined.answer("guests (integer) [2]: ", "3\n");
    declined.answer("place (number or value): ", "Window\n");
    declined.answer("Send this to the server? [Y/n] ", "n\n");
    let (code, shown) = declined.end();
    assert!(code != 0 && shown.contains("error: "), "{code} {shown}");
    let mut cancelled = start();
    cancelled.answer("Name (text): ", "\u{4}");
    let (code, shown) = cancelled.end();
    assert!(code != 0 && shown.contains("error: "), "{code} {shown}");
}

#[test]
fn url_is_opened_after_consent() {
    let folder = tempfile::tempdir().unwrap();
    let browser = folder.path().join("browser");
    std::fs::write(&browser, format!("#!/bin/sh\necho \"$1\" > {}/opened\n", folder.path().display())).unwrap();
    std::fs::set_permissions(&browser, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let variables = [("BROWSER", browser.to_str().unwrap())];
    let mut accepted = Terminal::start(&["call", "open", "--", server(), "stdio"], &variables);
    accepted.answer("Open it in a browser? [y/N] ", "y\n");
    let (code, shown) = accepted.end();
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("Sign in, please") && shown.contains("host: example.com"), "{shown}");
    assert!(shown.contains("https://example.com/sign-in?x=1") && shown.contains("opened"), "{shown}");
    wait_until("the browser", || folder.path().join("opened").exists());

    let mut refused = Terminal::start(&["call", "open", "--", server(), "stdio"], &variables);
    refused.answer("Open it in a browser? [y/N] ", "\n");
    assert_ne!(refused.end().0, 0);
}

#[test]
fn questions_are_declined_without_a_terminal() {
    for tool in ["book", "open"] {
        let run = on_stdio(&["call", tool]);
        assert_ne!(run.code, 0);
        let expected = "declined a question of the server, because stdin and stderr are not a terminal: ";
        assert!(run.stderr.starts_with(expected), "{run:?}");
    }
}

#[test]
fn progress_bar_is_drawn_and_removed() {
    let terminal = Terminal::start(&["call", "steps", "--", server(), "stdio"], &[]);
    let (code, shown) = terminal.end();
    assert_eq!(code, 0);
    assert!(shown.contains("[################........]  67% step 2"), "{shown:?}");
    assert!(shown.ends_with("\r\u{1b}[Kdone\r\n"), "{shown:?}");
}

#[test]
fn image_is_shown_when_the_terminal_supports_it() {
    let call = ["call", "picture", "--", server(), "stdio"];
    for (variables, expected) in [
        (&[("TERM_PROGRAM", "iTerm.app")][..], "\u{1b}]1337;File=inline=1;size="),
        (&[("KITTY_WINDOW_ID", "1")], "\u{1b}_Ga=T,f=100,m=0;"),
        (&[], ""),
    ] {
        let (code, shown) = Terminal::start(&call, variables).end();
        assert_eq!(code, 0, "{shown}");
        assert!(shown.contains("a pixel") && shown.contains("[image, image/png, "), "{shown}");
        assert_eq!(shown.contains('\u{1b}'), !expected.is_empty(), "{shown:?}");
        assert!(shown.contains(expected), "{shown:?}");
    }
}
