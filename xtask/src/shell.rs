//! Running other programs: each call is printed before it runs, and its failure names the command.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The folder that holds the workspace's `Cargo.toml`.
pub fn workspace_root() -> Result<PathBuf> {
    let here =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    let root = here.parent().context("xtask lies inside the workspace")?;
    if !root.join("Cargo.toml").is_file() {
        bail!("{} holds no Cargo.toml; run `cargo xtask` inside the checkout", root.display());
    }
    Ok(root.to_path_buf())
}

/// A call of the `cargo` that runs us, from the workspace root.
pub fn cargo(root: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root).args(args);
    command
}

/// Prints the command, runs it with our own stdout and stderr, and fails when it fails.
pub fn run(command: &mut Command) -> Result<()> {
    println!("$ {}", words(command));
    let status = command.status().with_context(|| format!("`{}` does not start", words(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", words(command));
    }
    Ok(())
}

/// Runs the command silently and gives its stdout; a failure carries its stderr.
pub fn read(command: &mut Command) -> Result<String> {
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("`{}` does not start", words(command)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` ended with {}\n{}", words(command), output.status, said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program answers `--version`, which is how we learn that it is there.
pub fn has(program: impl AsRef<std::ffi::OsStr>) -> bool {
    read(Command::new(program).arg("--version")).is_ok()
}

/// Whether a machine looks at us, and not a person.
pub fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|ci| ci == "true")
}

/// What `cargo metadata` says about the workspace, without looking at dependencies.
pub fn metadata(root: &Path) -> Result<serde_json::Value> {
    let text = read(&mut cargo(root, &["metadata", "--no-deps", "--format-version", "1", "--offline"]))?;
    serde_json::from_str(&text).context("cargo metadata is JSON")
}

/// The command as a person would write it, without the folders of the program.
pub(crate) fn words(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    std::iter::once(name).chain(command.get_args()).map(std::ffi::OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
