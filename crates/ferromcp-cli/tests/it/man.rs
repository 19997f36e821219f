//! The man pages, which `cargo xtask man` writes.

use std::fs;
use std::process::Command;

use crate::help::VERBS;
use crate::process::example;

#[test]
fn each_verb_has_a_man_page() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Command::new(example("cli-man")).arg(folder.path()).status().unwrap().success());
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), VERBS.len() + 1, "one page per verb, and an overview");
    let overview = read("mcp.1");
    assert!(overview.contains(".SH SUBCOMMANDS") && overview.contains("the server requires a login"), "{overview}");
    for verb in VERBS {
        let page = read(&format!("mcp-{verb}.1"));
        assert!(page.contains(&format!("mcp\\-{verb}")) && page.contains(".SH SYNOPSIS"), "{verb}: {page}");
        assert!(overview.contains(&format!("mcp\\-{verb}(1)")), "{verb}: {overview}");
    }
    assert!(read("mcp-call.1").contains("CONNECTION OPTIONS"));
    let usage = Command::new(example("cli-man")).output().unwrap();
    assert!(!usage.status.success());
}

#[test]
fn man_pages_are_rendered_without_warnings() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Command::new(example("cli-man")).arg(folder.path()).status().unwrap().success());
    for verb in VERBS {
        let page = folder.path().join(format!("mcp-{verb}.1"));
        let rendered = Command::new("man")
            .args(["--warnings", "-l"])
            .arg(page)
            .env("MANPAGER", "cat")
            .env("MANWIDTH", "120")
            .output();
        // Systems without `man`, or with one that only prints a message, do not render pages.
        let Ok(rendered) = rendered.map(|output| (output.stdout, output.stderr)) else { return };
        let (text, warnings) = (String::from_utf8_lossy(&rendered.0), String::from_utf8_lossy(&rendered.1));
        if text.contains("has been minimized") {
            return;
        }
        assert!(text.contains("SYNOPSIS") && text.contains(&format!("mcp {verb}")), "{verb}: {text}{warnings}");
        assert_eq!(warnings, "", "{verb}");
    }
}
