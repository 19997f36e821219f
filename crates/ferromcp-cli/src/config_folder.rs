//! The folder of saved names and credentials.

use std::env;
use std::path::PathBuf;

use crate::exit::Failure;

/// Returns `$MCP_HOME`, or the folder `mcp` in the configuration folder of the platform: `$XDG_CONFIG_HOME` or `~/.config`;
/// on macOS `~/Library/Application Support`; on Windows `%APPDATA%`.
///
/// # Errors
/// Fails if the variables are not set.
pub(crate) fn config_folder() -> Result<PathBuf, Failure> {
    if let Some(folder) = variable("MCP_HOME") {
        return Ok(folder);
    }
    let parent = if cfg!(windows) {
        variable("APPDATA")
    } else if cfg!(target_os = "macos") {
        variable("HOME").map(|home| home.join("Library").join("Application Support"))
    } else {
        // The XDG specification requires an absolute path.
        let xdg = variable("XDG_CONFIG_HOME").filter(|folder| folder.is_absolute());
        xdg.or_else(|| variable("HOME").map(|home| home.join(".config")))
    };
    parent.map(|parent| parent.join("mcp")).ok_or_else(|| {
        Failure::usage("cannot find the configuration folder: no home folder is set; set the variable MCP_HOME")
    })
}

fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
