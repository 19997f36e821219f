//! The dependencies: licences, bans, sources and advisories, by `cargo deny` and the rules in `deny.toml`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::outcome::Outcome;
use crate::shell;

/// Pinned: a newer one may judge anew, and then somebody should look.
const VERSION: &str = "0.20.2";

/// Runs `cargo deny`, installing it under `target/tools` where the machine has none.
pub fn check(root: &Path) -> Result<Outcome> {
    let program = match find(root) {
        Some(program) => program,
        None => install(root)?,
    };
    let deny = |args: &[&str]| {
        let mut command = Command::new(&program);
        command.current_dir(root).args(args);
        command
    };
    let mut checks = vec!["--workspace", "check", "--hide-inclusion-graph", "licenses", "bans", "sources"];
    let fetched = shell::read(deny(&["fetch", "db"]).env("GIT_TERMINAL_PROMPT", "0"));
    if let Err(error) = &fetched {
        println!("{error}");
    } else {
        checks.push("advisories");
    }
    shell::run(&mut deny(&checks))?;
    Ok(match fetched {
        Ok(_) => Outcome::Passed,
        Err(_) => {
            Outcome::Noted("advisories were NOT checked: the advisory database cannot be fetched here".to_owned())
        }
    })
}

fn find(root: &Path) -> Option<PathBuf> {
    [PathBuf::from("cargo-deny"), installed(root)].into_iter().find(|program| shell::has(program))
}

fn installed(root: &Path) -> PathBuf {
    tools(root).join("bin").join("cargo-deny")
}

fn tools(root: &Path) -> PathBuf {
    root.join("target").join("tools")
}

/// A debug build: it compiles in a third of the time and checks in seconds all the same.
fn install(root: &Path) -> Result<PathBuf> {
    println!("cargo-deny is not installed; it is built once into target/tools");
    let tools = tools(root);
    let args = ["install", "--locked", "--quiet", "--debug", "cargo-deny", "--version", VERSION, "--root"];
    let mut command = shell::cargo(root, &args);
    command.arg(&tools).env("CARGO_TARGET_DIR", tools.join("build"));
    shell::run(&mut command)?;
    // Only the program is kept: the pieces are a gigabyte.
    let _ = std::fs::remove_dir_all(tools.join("build"));
    Ok(installed(root))
}
