//! The machine on which hosts are installed: its operating system, home directory and environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// An operating system, as far as it determines the files of hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    MacOs,
    Windows,
    Linux,
}

impl System {
    /// Returns the system of this process. Other Unix systems have the files of Linux.
    pub(crate) fn current() -> Self {
        if cfg!(target_os = "macos") {
            Self::MacOs
        } else if cfg!(windows) {
            Self::Windows
        } else {
            Self::Linux
        }
    }
}

/// The environment in which the files of hosts are searched. Tests replace it.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) system: System,
    pub(crate) home: PathBuf,
    pub(crate) env: BTreeMap<String, String>,
    /// The folder of the project.
    pub(crate) project: PathBuf,
}

impl Machine {
    /// Returns the machine of this process.
    ///
    /// # Errors
    /// Fails without a home directory or a working directory.
    pub(crate) fn current() -> Result<Self, String> {
        let env: BTreeMap<String, String> =
            std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect();
        let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
        let (Some(home), Ok(project)) = (home, std::env::current_dir()) else {
            let cause = "no home directory or working directory exists; set `HOME`";
            return Err(format!("cannot find the files of hosts: {cause}"));
        };
        Ok(Self { system: System::current(), home, env, project })
    }

    /// Returns a variable that is set and not empty.
    pub(crate) fn var(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Returns the folder for locks of this tool.
    pub(crate) fn state_folder(&self) -> PathBuf {
        let template = match self.system {
            System::MacOs => "~/Library/Application Support/ferromcp",
            System::Windows => "${LOCALAPPDATA:-~/AppData/Local}/ferromcp",
            System::Linux => "${XDG_STATE_HOME:-~/.local/state}/ferromcp",
        };
        self.expand(template).unwrap_or_else(|| self.home.join(".ferromcp"))
    }

    /// Expands `~` and variables of a path. Returns `None` if a variable without a default is not set.
    pub(crate) fn expand(&self, template: &str) -> Option<PathBuf> {
        let (root, rest) = match template.strip_prefix("${") {
            None => (None, template),
            Some(variable) => {
                let (variable, rest) = variable.split_once('}')?;
                let (name, default) = variable.split_once(":-").map_or((variable, None), |(n, d)| (n, Some(d)));
                let value = match (self.var(name), default) {
                    (Some(value), _) => PathBuf::from(value),
                    (None, Some(default)) => self.expand(default)?,
                    (None, None) => return None,
                };
                (Some(value), rest.trim_start_matches('/'))
            }
        };
        let (root, rest) = match (root, rest.strip_prefix("~/")) {
            (Some(root), _) => (root, rest),
            (None, Some(rest)) => (self.home.clone(), rest),
            (None, None) => (self.project.clone(), rest),
        };
        let parts = rest.split('/').filter(|part| !part.is_empty());
        Some(parts.fold(root, |path, part| path.join(part)))
    }
}

/// Returns the existing paths that match a path with `*` in the names of folders, sorted; the path itself without `*`.
pub(crate) fn glob(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    let mut has_star = false;
    for part in pattern.components() {
        let name = part.as_os_str().to_string_lossy().into_owned();
        let Some((before, after)) = name.split_once('*').filter(|_| matches!(part, std::path::Component::Normal(_)))
        else {
            for path in &mut found {
                path.push(part);
            }
            continue;
        };
        has_star = true;
        found = found.iter().flat_map(|folder| matching_folders(folder, before, after)).collect();
    }
    if has_star {
        found.sort();
    }
    found
}

/// Maximum number of folders that are compared with a pattern.
const MAX_FOLDERS: usize = 10_000;

fn matching_folders(folder: &Path, before: &str, after: &str) -> Vec<PathBuf> {
    let Ok(children) = std::fs::read_dir(folder) else { return Vec::new() };
    let matches = |name: &str| name.strip_prefix(before).is_some_and(|rest| rest.ends_with(after));
    let children = children.take(MAX_FOLDERS).flatten().map(|child| child.path());
    children
        .filter(|path| path.file_name().is_some_and(|name| matches(&name.to_string_lossy())) && path.is_dir())
        .collect()
}
