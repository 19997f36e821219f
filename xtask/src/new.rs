//! `cargo xtask new`: builds and tests each template of `mcp new`. The tests of the tool build one in each run.

use std::path::Path;

use anyhow::Result;

use crate::shell;

/// Runs the tests of the templates.
///
/// # Errors
/// When a test fails.
pub fn run(root: &Path) -> Result<()> {
    let test = ["test", "--package", "ferromcp-cli", "--all-features", "--test", "it", "new::", "--", "--nocapture"];
    shell::run(shell::cargo(root, &test).env("FERROMCP_TEMPLATE", "all"))
}
