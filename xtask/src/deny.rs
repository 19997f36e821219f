//! Checks licenses, bans, sources and advisories of the dependencies with `cargo deny` and `deny.toml`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::outcome::Outcome;
use crate::shell;

/// The pinned version; a newer version may report other problems.
const VERSION: &str = "0.20.2";

/// Runs `cargo deny`; installs it under `target/tools` if it is missing.
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
    let fetched = shell::output(deny(&["fetch", "db"]).env("GIT_TERMINAL_PROMPT", "0"));
    if let Err(error) = &fetched {
        println!("{error}");
    } else {
        checks.push("advisories");
    }
    shell::run(&mut deny(&checks))?;
    Ok(match fetched {
        Ok(_) => Outcome::Passed,
        Err(_) => Outcome::Noted("advisories were NOT checked: cannot fetch the advisory database".to_owned()),
    })
}

fn find(root: &Path) -> Option<PathBuf> {
    [PathBuf::from("cargo-deny"), installed_path(root)].into_iter().find(|program| shell::is_installed(program))
}

fn installed_path(root: &Path) -> PathBuf {
    tools(root).join("bin").join("cargo-deny")
}

fn tools(root: &Path) -> PathBuf {
    root.join("target").join("tools")
}

/// Installs a debug build, which compiles in a third of the time and is fast enough.
fn install(root: &Path) -> Result<PathBuf> {
    println!("cargo-deny is not installed; building it into target/tools");
    let tools = tools(root);
    let args = ["install", "--locked", "--quiet", "--debug", "cargo-deny", "--version", VERSION, "--root"];
    let mut command = shell::cargo(root, &args);
    command.arg(&tools).env("CARGO_TARGET_DIR", tools.join("build"));
    shell::run(&mut command)?;
    // The build directory takes about 1 GB and is not used again.
    let _ = std::fs::remove_dir_all(tools.join("build"));
    Ok(installed_path(root))
}
