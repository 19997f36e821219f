//! The examples of the guide. Each is a program in `src/bin` with a test in `tests`. This library contains the helpers
//! that the client examples share.

use std::io;
use std::process::Command;

use ferromcp::model::CallToolResult;

/// Runs the examples of the README as tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// Builds the example server of that name and returns the command that starts it.
///
/// # Errors
/// Fails if the build fails.
pub fn example(name: &str) -> io::Result<Command> {
    build(name, &[])
}

/// Builds an example server that requires the Cargo feature of the same name, and returns the command that starts it.
///
/// # Errors
/// Fails if the build fails.
pub fn example_with_feature(name: &str) -> io::Result<Command> {
    build(name, &["--features", name])
}

fn build(name: &str, features: &[&str]) -> io::Result<Command> {
    if cargo("build", name).args(features).status()?.success() {
        let mut run = cargo("run", name);
        run.args(features).arg("--"); // arguments after this are those of the example
        return Ok(run);
    }
    Err(io::Error::other(format!("cannot build the example `{name}`; see the output of Cargo")))
}

fn cargo(verb: &str, name: &str) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    cargo.args([verb, "--quiet", "--manifest-path", manifest, "--bin", name]);
    cargo
}

/// Returns the text content of a tool result.
pub fn text(result: &CallToolResult) -> String {
    let texts: Vec<_> = result.content.iter().map(|block| block.as_text().unwrap_or("(no text)")).collect();
    texts.join("\n")
}
