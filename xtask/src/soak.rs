//! `cargo xtask soak`: builds the soak and its server in release mode, and runs it.
//!
//! All load is bounded in count and time, and sent to the loopback interface only.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::shell;

/// The binaries of the soak: the load, and the programs under load.
const BINARIES: [&str; 3] = ["soak", "soak-server", "soak-client"];

/// Runs the soak with these arguments; returns `false` when a check failed.
///
/// # Errors
/// When the machine is not supported, or a program cannot be built or started.
pub fn run(root: &Path, args: &[String]) -> Result<bool> {
    if !cfg!(target_os = "linux") {
        bail!("cannot measure the server: `/proc` requires Linux");
    }
    let mut build = shell::cargo(root, &["build", "--release", "--locked", "--package", "ferromcp-bench"]);
    shell::run(build.args(BINARIES.iter().flat_map(|name| ["--bin", name])))?;
    let metadata = shell::metadata(root)?;
    let target = metadata["target_directory"].as_str().context("cargo metadata has a target directory")?;
    let soak = Path::new(target).join("release").join(BINARIES[0]);
    let status = Command::new(&soak).args(args).status().with_context(|| format!("cannot start {}", soak.display()))?;
    Ok(status.success())
}
