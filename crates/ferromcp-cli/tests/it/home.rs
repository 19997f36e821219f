//! A temporary home directory, with the files of hosts.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::process::{self, Run, file};

/// A home directory, with a project in `project`.
pub(crate) struct Home(tempfile::TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("project")).unwrap();
        Self(home)
    }

    /// Runs `mcp` in the project.
    pub(crate) fn mcp(&self, args: &[&str]) -> Run {
        self.run(args, None)
    }

    /// Runs `mcp` with the folder `bin` in `PATH`.
    #[cfg(unix)]
    pub(crate) fn mcp_with_bin(&self, args: &[&str]) -> Run {
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap_or_default());
        self.run(args, Some(&path))
    }

    fn run(&self, args: &[&str], path: Option<&str>) -> Run {
        let mut command = process::command(args);
        for name in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "CODEX_HOME", "CLAUDE_CONFIG_DIR", "OPENCODE_CONFIG"] {
            command.env_remove(name);
        }
        command.envs(path.map(|path| ("PATH", path)));
        command.env("HOME", self.0.path()).env("USERPROFILE", self.0.path()).env("ONLY_IN_THE_TERMINAL", "1");
        process::run(command.env("MCP_HOME", self.path("mcp")).current_dir(self.path("project")))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        file(self.0.path(), name, text);
    }
}

/// Returns whether a text contains all parts.
pub(crate) fn has(text: &str, parts: &[&str]) -> bool {
    parts.iter().all(|part| text.contains(part))
}
