//! `cargo xtask man`: writes the man pages of the `mcp` command.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::shell;

/// Writes the pages to `--output FOLDER`, else to `target/man`.
///
/// # Errors
/// When the arguments are unknown, or the generator cannot be built or run.
pub fn run(root: &Path, args: &[String]) -> Result<()> {
    let folder = match args {
        [] => root.join("target").join("man"),
        [option, folder] if option == "--output" => std::env::current_dir()?.join(PathBuf::from(folder)),
        _ => bail!("unknown arguments; run `cargo xtask man [--output FOLDER]`"),
    };
    let generate = ["run", "--quiet", "--package", "ferromcp-cli", "--example", "cli-man", "--"];
    shell::run(shell::cargo(root, &generate).arg(&folder))?;
    println!("wrote the man pages to {}", folder.display());
    Ok(())
}
