//! Tests of the command as a process.

mod arguments;
mod bridge;
mod cargo_targets;
mod config_files;
#[cfg(unix)]
mod dev;
mod doctor;
mod everything;
mod exit_codes;
mod help;
mod home;
mod hostile;
mod inspector;
mod install;
mod interop;
#[cfg(unix)]
mod interrupt;
mod lint;
mod login;
mod man;
mod new;
mod pack;
mod process;
mod python;
#[cfg(unix)]
mod questions;
mod repl;
mod revisions;
mod run;
mod saved_names;
mod secrets;
#[cfg(unix)]
mod sessions;
mod surface;
#[cfg(unix)]
mod terminal;
mod verbs;

use process::mcp;

#[test]
fn prints_version_and_help() {
    let version = mcp(&["--version"]);
    assert_eq!((version.code, version.stdout), (0, format!("mcp {}\n", env!("CARGO_PKG_VERSION"))));
    let version = mcp(&["version"]);
    assert!(version.stdout.contains("protocol 2026-07-28, 2025-11-25"), "{version:?}");
    let help = mcp(&["--help"]);
    assert_eq!(help.code, 0);
    assert!(help.stdout.contains("Call a tool") && help.stdout.contains("the server requires a login"), "{help:?}");
}

#[test]
fn prints_usage_to_stderr_when_arguments_are_invalid() {
    for args in [&["inspekt"][..], &["revisions", "--all"], &[], &["call", "--era", "old"], &["ping", "--timeout", "0"]]
    {
        let run = mcp(args);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{args:?}");
        assert!(run.stderr.contains("Usage: mcp") || run.stderr.contains("--help"), "{run:?}");
    }
}
