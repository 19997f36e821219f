//! Finds the file of a host.

use std::fmt;
use std::path::PathBuf;

use super::machine::{Machine, glob};
use super::table::Host;

/// The projects for which a host starts a server, which determine the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All projects of the user.
    User,
    /// One project, in its files.
    Project,
    /// One project, in a file of the user.
    Local,
}

/// The reason why a host has no file for an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LocateError {
    /// The host has no file for this scope.
    NoFile { host: String, scope: Scope },
    /// Several installations exist, and each reads a separate file.
    Ambiguous { host: String, files: Vec<PathBuf> },
}

impl fmt::Display for LocateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFile { host, scope } => {
                let option = if *scope == Scope::Local { "--local" } else { "--project" };
                write!(
                    f,
                    "cannot select a project: {host} has no servers of single projects in this form; omit `{option}`"
                )
            }
            Self::Ambiguous { host, files } => {
                let files: Vec<String> = files.iter().map(|file| format!("`{}`", file.display())).collect();
                write!(
                    f,
                    "cannot choose the file of {host}: {} installations exist; add `--file` with one of {}",
                    files.len(),
                    files.join(", ")
                )
            }
        }
    }
}

impl std::error::Error for LocateError {}

/// Returns the file of a host, which may not exist yet.
///
/// A host that is installed but was never started has no file and no folder.
pub(crate) fn locate(host: &Host, machine: &Machine, scope: Scope) -> Result<PathBuf, LocateError> {
    let templates: &[String] = match scope {
        Scope::Local if host.local.is_empty() => &[],
        Scope::User | Scope::Local => host.user.on(machine.system),
        Scope::Project => &host.project,
    };
    let mut plain = Vec::new();
    for template in templates {
        let Some(path) = machine.expand(template) else { continue };
        if is_override(template) {
            return Ok(path);
        }
        if !template.contains('*') {
            plain.push(path);
            continue;
        }
        let mut matches = glob(&path);
        match matches.len() {
            0 => {}
            1 => return Ok(matches.remove(0)),
            _ => return Err(LocateError::Ambiguous { host: host.name.clone(), files: matches }),
        }
    }
    let has_folder = |path: &&PathBuf| path.parent().is_some_and(std::path::Path::is_dir);
    let found = plain.iter().find(|path| path.is_file()).or_else(|| plain.iter().find(has_folder));
    let none = || LocateError::NoFile { host: host.name.clone(), scope };
    found.or(plain.first()).cloned().ok_or_else(none)
}

/// Returns existing files that the host does not read, because it is installed in a form that reads another one.
pub(crate) fn unread(host: &Host, machine: &Machine) -> Vec<PathBuf> {
    let templates = host.user.on(machine.system);
    let chosen = locate(host, machine, Scope::User).ok();
    if !templates.iter().any(|template| template.contains('*')) {
        return Vec::new();
    }
    let others = templates.iter().filter(|template| !template.contains('*')).filter_map(|it| machine.expand(it));
    others.filter(|path| path.is_file() && Some(path) != chosen.as_ref()).collect()
}

/// Returns other existing files of the user at places where the host or an older version of it reads its servers.
pub(crate) fn others(host: &Host, machine: &Machine) -> Vec<PathBuf> {
    let Ok(chosen) = locate(host, machine, Scope::User) else { return Vec::new() };
    let files = host.user.on(machine.system).iter().filter_map(|it| machine.expand(it)).flat_map(|path| glob(&path));
    files.filter(|path| path.is_file() && *path != chosen).collect()
}

/// Returns whether a variable of the host replaces its default file.
fn is_override(template: &str) -> bool {
    template.strip_prefix("${").and_then(|rest| rest.split_once('}')).is_some_and(|(name, _)| !name.contains(":-"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use super::super::machine::System;
    use super::super::table;
    use super::*;

    fn machine(system: System, home: &std::path::Path) -> Machine {
        Machine { system, home: home.to_owned(), env: BTreeMap::new(), project: home.join("project") }
    }

    #[test]
    fn msix_package_is_preferred_when_its_folder_exists() {
        let home = tempfile::tempdir().unwrap();
        let windows = machine(System::Windows, home.path());
        let claude = table::find("claude-desktop").unwrap();
        let roaming = home.path().join("AppData/Roaming/Claude/claude_desktop_config.json");
        assert_eq!(
            locate(claude, &windows, Scope::User),
            Ok(roaming.clone()),
            "no package: the file of the old installer"
        );
        fs::create_dir_all(roaming.parent().unwrap()).unwrap();
        fs::write(&roaming, "{}").unwrap();
        let package = home.path().join("AppData/Local/Packages/Claude_pzs8sxrjxfjjc");
        fs::create_dir_all(&package).unwrap();
        let inner = "LocalCache/Roaming/Claude/claude_desktop_config.json";
        assert_eq!(locate(claude, &windows, Scope::User), Ok(package.join(inner)), "without the folder of the app");
        assert_eq!(unread(claude, &windows), [roaming], "the file of the old installer is not read");
        fs::create_dir_all(home.path().join("AppData/Local/Packages/Claude_second")).unwrap();
        let error = locate(claude, &windows, Scope::User).unwrap_err();
        assert!(matches!(&error, LocateError::Ambiguous { files, .. } if files.len() == 2), "{error}");
        assert!(error.to_string().contains("Claude_second") && error.to_string().contains("--file"), "{error}");
    }

    #[test]
    fn file_is_chosen_by_system_when_nothing_exists() {
        let home = tempfile::tempdir().unwrap();
        let file = |id: &str, system| {
            let path = locate(table::find(id).unwrap(), &machine(system, home.path()), Scope::User).unwrap();
            path.strip_prefix(home.path()).unwrap().to_string_lossy().into_owned()
        };
        assert_eq!(
            file("claude-desktop", System::MacOs),
            "Library/Application Support/Claude/claude_desktop_config.json"
        );
        assert_eq!(file("claude-desktop", System::Linux), ".config/Claude/claude_desktop_config.json");
        assert_eq!(file("vscode", System::Windows), "AppData/Roaming/Code/User/mcp.json");
        assert_eq!(file("goose", System::Windows), "AppData/Roaming/Block/goose/config/config.yaml");
        assert_eq!(file("crush", System::Windows), "AppData/Local/crush/crush.json");
        assert_eq!(file("zed", System::MacOs), ".config/zed/settings.json");
        assert_eq!(file("antigravity", System::Linux), ".gemini/config/mcp_config.json");
    }

    #[test]
    fn existing_file_is_preferred_when_a_host_has_several() {
        let home = tempfile::tempdir().unwrap();
        let linux = machine(System::Linux, home.path());
        let old = home.path().join(".cache/lm-studio/mcp.json");
        fs::create_dir_all(home.path().join(".lmstudio")).unwrap();
        fs::create_dir_all(old.parent().unwrap()).unwrap();
        fs::write(&old, "{}").unwrap();
        assert_eq!(locate(table::find("lm-studio").unwrap(), &linux, Scope::User), Ok(old));
    }

    #[test]
    fn variable_of_the_host_overrides_its_file_when_set() {
        let home = tempfile::tempdir().unwrap();
        let mut linux = machine(System::Linux, home.path());
        linux.env.insert("CODEX_HOME".into(), "/elsewhere".into());
        linux.env.insert("OPENCODE_CONFIG".into(), "/etc/opencode.json".into());
        linux.env.insert("XDG_CONFIG_HOME".into(), "/xdg".into());
        linux.env.insert("CLAUDE_CONFIG_DIR".into(), String::new());
        let file = |id: &str| locate(table::find(id).unwrap(), &linux, Scope::User).unwrap();
        assert_eq!(file("codex"), PathBuf::from("/elsewhere/config.toml"));
        assert_eq!(file("opencode"), PathBuf::from("/etc/opencode.json"));
        assert_eq!(file("zed"), PathBuf::from("/xdg/zed/settings.json"));
        assert_eq!(file("claude-code"), home.path().join(".claude.json"), "an empty variable is not set");
    }

    #[test]
    fn project_file_is_rejected_when_the_host_has_none() {
        let home = tempfile::tempdir().unwrap();
        let linux = machine(System::Linux, home.path());
        let project = |id: &str| locate(table::find(id).unwrap(), &linux, Scope::Project);
        assert_eq!(project("claude-code"), Ok(home.path().join("project/.mcp.json")));
        assert!(project("claude-desktop").unwrap_err().to_string().contains("omit `--project`"));
    }
}
