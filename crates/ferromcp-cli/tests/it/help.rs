//! The help of each verb.

use crate::process::{mcp, run};

/// All verbs.
pub(crate) const VERBS: [&str; 25] = [
    "run",
    "dev",
    "list",
    "call",
    "read",
    "prompt",
    "complete",
    "watch",
    "discover",
    "ping",
    "repl",
    "doctor",
    "add",
    "remove",
    "names",
    "install",
    "uninstall",
    "status",
    "sync",
    "login",
    "logout",
    "whoami",
    "completions",
    "version",
    "revisions",
];

#[test]
fn help_of_each_verb() {
    let overview = mcp(&["--help"]).stdout;
    insta::assert_snapshot!("mcp", overview);
    for verb in VERBS {
        assert!(overview.contains(&format!("\n  {verb}")), "{verb}");
        let help = run(&mut crate::process::command(&[verb, "--help"]));
        assert_eq!(help.code, 0);
        insta::assert_snapshot!(verb, help.stdout);
    }
}
