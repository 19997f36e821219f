//! Runs other programs. Errors name the command.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Returns the folder of the workspace's `Cargo.toml`.
pub fn workspace_root() -> Result<PathBuf> {
    let here =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    let root = here.parent().context("xtask is inside the workspace")?;
    if !root.join("Cargo.toml").is_file() {
        bail!("cannot find Cargo.toml in {}; run `cargo xtask` inside the checkout", root.display());
    }
    Ok(root.to_path_buf())
}

/// Returns a command that runs the current `cargo` in the workspace root.
pub fn cargo(root: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root).args(args);
    command
}

/// Prints the command and runs it with inherited stdout and stderr.
///
/// # Errors
/// When the command cannot be started or exits with a failure.
pub fn run(command: &mut Command) -> Result<()> {
    println!("$ {}", command_line(command));
    let status = command.status().with_context(|| format!("cannot start `{}`", command_line(command)))?;
    if !status.success() {
        bail!("`{}` failed: {status}", command_line(command));
    }
    Ok(())
}

/// Runs the command without printing it and returns its stdout.
///
/// # Errors
/// When the command cannot be started or exits with a failure; the error contains its stderr.
pub fn output(command: &mut Command) -> Result<String> {
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("cannot start `{}`", command_line(command)))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` failed: {}\n{}", command_line(command), output.status, stderr.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether `program --version` succeeds.
pub fn is_installed(program: impl AsRef<std::ffi::OsStr>) -> bool {
    output(Command::new(program).arg("--version")).is_ok()
}

/// Whether `CI=true` is set.
pub fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|ci| ci == "true")
}

/// Returns the output of `cargo metadata` for the workspace, without dependencies.
pub fn metadata(root: &Path) -> Result<serde_json::Value> {
    let text = output(&mut cargo(root, &["metadata", "--no-deps", "--format-version", "1", "--offline"]))?;
    serde_json::from_str(&text).context("cargo metadata is JSON")
}

/// Formats the command for messages, without the directory of the program.
pub(crate) fn command_line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    std::iter::once(name).chain(command.get_args()).map(std::ffi::OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
