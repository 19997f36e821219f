//! The command as a shell runs it.

mod revisions;

use std::process::{Command, Output};

/// Runs `mcp` with these arguments.
fn mcp(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mcp")).args(args).output().expect("the command starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

#[test]
fn it_says_its_version_and_what_it_can_do() {
    let version = mcp(&["--version"]);
    assert!(version.status.success());
    assert_eq!(text(&version.stdout), format!("mcp {}\n", env!("CARGO_PKG_VERSION")));
    let help = mcp(&["--help"]);
    assert!(help.status.success());
    let help = text(&help.stdout);
    assert!(help.contains("revisions") && help.contains("newest first"), "{help}");
}

#[test]
fn what_it_cannot_do_is_refused_on_stderr() {
    for args in [&["inspekt"][..], &["revisions", "--all"], &[]] {
        let refused = mcp(args);
        assert_eq!(refused.status.code(), Some(2), "{args:?}");
        assert!(refused.stdout.is_empty(), "{args:?}");
        assert!(text(&refused.stderr).contains("Usage: mcp"), "{args:?}");
    }
}
