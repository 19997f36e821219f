//! Runs third-party programs in a network that contains only the loopback interface, on Linux.

use std::process::Command;

use anyhow::{Context, Result};

use crate::shell;

/// The argument of the process inside the network.
pub(crate) const INSIDE: &str = "--inside";

const UNSHARE: [&str; 7] = ["--map-root-user", "--net", "--", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh"];

/// Runs `cargo xtask COMMAND --inside` in the network. Returns whether it succeeded, or `None` if the machine cannot
/// create such a network.
///
/// # Errors
/// When xtask cannot be started.
pub(crate) fn run(command: &str) -> Result<Option<bool>> {
    if shell::output(Command::new("unshare").args(UNSHARE).arg("true")).is_err() {
        return Ok(None);
    }
    let this = std::env::current_exe().context("cannot find the path of xtask")?;
    let status = Command::new("unshare").args(UNSHARE).arg(this).args([command, INSIDE]).status()?;
    Ok(Some(status.success()))
}
