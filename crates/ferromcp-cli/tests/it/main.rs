//! Tests of the command as a process.

mod revisions;

use std::process::{Command, Output};

/// Runs `mcp` with these arguments.
fn mcp(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mcp")).args(args).output().expect("cannot start `mcp`")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output must be UTF-8")
}

#[test]
fn prints_version_and_help() {
    let version = mcp(&["--version"]);
    assert!(version.status.success());
    assert_eq!(text(&version.stdout), format!("mcp {}\n", env!("CARGO_PKG_VERSION")));
    let help = mcp(&["--help"]);
    assert!(help.status.success());
    let help = text(&help.stdout);
    assert!(help.contains("revisions") && help.contains("newest first"), "{help}");
}

#[test]
fn prints_usage_to_stderr_when_arguments_are_invalid() {
    for args in [&["inspekt"][..], &["revisions", "--all"], &[]] {
        let output = mcp(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
        assert!(text(&output.stderr).contains("Usage: mcp"), "{args:?}");
    }
}
