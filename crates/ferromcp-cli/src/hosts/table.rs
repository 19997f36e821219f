//! The table of hosts, which `hosts.toml` contains.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::machine::System;

/// A host: an application that connects to MCP servers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Host {
    /// The name in arguments.
    pub(crate) id: String,
    /// The name in messages.
    pub(crate) name: String,
    /// Other names in arguments.
    #[serde(default)]
    pub(crate) aliases: Vec<String>,
    pub(crate) format: Format,
    /// Whether the host is an application of a desktop, which does not read the profile of a shell.
    #[serde(default)]
    pub(crate) gui: bool,
    /// The time that the host gives a server to start, in seconds, if it is short.
    pub(crate) start_timeout: Option<u64>,
    /// A note for users.
    pub(crate) remark: Option<String>,
    pub(crate) user: UserFiles,
    /// Files of a project, relative to its folder.
    #[serde(default)]
    pub(crate) project: Vec<String>,
    /// The path of the table of one project in the file of the user; `$project` is the folder. Empty without such a table.
    #[serde(default)]
    pub(crate) local: Vec<String>,
    /// The program of the host that changes the file of the user.
    pub(crate) command: Option<CommandTemplate>,
    /// Formats of the file, the default first.
    #[serde(rename = "shape")]
    pub(crate) shapes: Vec<Shape>,
}

/// The program of a host that adds and removes entries of the user.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommandTemplate {
    /// The name of the program in `PATH`.
    pub(crate) program: String,
    /// The arguments that add an entry. `$name` and `$entry`, its JSON, are replaced.
    pub(crate) add: Vec<String>,
    /// The arguments that remove an entry. `$name` is replaced.
    pub(crate) remove: Vec<String>,
}

/// The syntax of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// JSON without extensions.
    Json,
    /// JSON with comments and trailing commas.
    Jsonc,
    Toml,
    Yaml,
}

/// Files of a user, for each operating system.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct UserFiles {
    all: Vec<String>,
    macos: Vec<String>,
    windows: Vec<String>,
    linux: Vec<String>,
}

impl UserFiles {
    /// Returns the files for a system, in the order of preference.
    pub(crate) fn on(&self, system: System) -> &[String] {
        let files = match system {
            System::MacOs => &self.macos,
            System::Windows => &self.windows,
            System::Linux => &self.linux,
        };
        if files.is_empty() { &self.all } else { files }
    }
}

/// A format of the file of a host: the path of the table of servers, and templates of its entries.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shape {
    pub(crate) key: Vec<String>,
    pub(crate) stdio: Map<String, Value>,
    /// `None` if the host does not connect to remote servers by its file.
    pub(crate) http: Option<Map<String, Value>>,
    /// The key of the URL of a server over HTTP+SSE, if it is not that of `http`.
    pub(crate) sse_key: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    host: Vec<Host>,
}

static HOSTS: LazyLock<Vec<Host>> = LazyLock::new(|| {
    let table: Table = toml_edit::de::from_str(include_str!("hosts.toml")).expect("a test parses hosts.toml");
    table.host
});

/// Returns all hosts.
pub(crate) fn all() -> &'static [Host] {
    &HOSTS
}

/// Returns the host with this id, alias or name, in any case.
pub(crate) fn find(name: &str) -> Option<&'static Host> {
    let is_name = |other: &String| other.eq_ignore_ascii_case(name);
    all().iter().find(|host| is_name(&host.id) || host.aliases.iter().any(is_name) || is_name(&host.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACEHOLDERS: [&str; 7] = ["$command", "$args", "$argv", "$env", "$url", "$headers", "$name"];

    #[test]
    fn hosts_have_files_and_shapes_on_every_system() {
        assert!(all().len() >= 19);
        for host in all() {
            for system in [System::MacOs, System::Windows, System::Linux] {
                assert!(!host.user.on(system).is_empty(), "{}: no file on {system:?}", host.id);
            }
            assert!(!host.shapes.is_empty(), "{}", host.id);
            if let Some(command) = &host.command {
                let count = |args: &[String], word: &str| args.iter().filter(|arg| *arg == word).count();
                assert_eq!((count(&command.add, "$name"), count(&command.add, "$entry")), (1, 1), "{}", host.id);
                assert_eq!((count(&command.remove, "$name"), count(&command.remove, "$entry")), (1, 0), "{}", host.id);
                assert!(matches!(host.format, Format::Json | Format::Jsonc), "{}: the entry is JSON", host.id);
            }
            for shape in &host.shapes {
                assert!(!shape.key.is_empty(), "{}", host.id);
                let has = |entry: &Map<String, Value>, name: &str| entry.values().any(|value| value == name);
                assert!(has(&shape.stdio, "$argv") || (has(&shape.stdio, "$command") && has(&shape.stdio, "$args")));
                assert!(has(&shape.stdio, "$env"), "{}", host.id);
                assert!(
                    shape.http.as_ref().is_none_or(|http| has(http, "$url") && has(http, "$headers")),
                    "{}",
                    host.id
                );
                let entries = [Some(&shape.stdio), shape.http.as_ref()];
                let texts = entries.into_iter().flatten().flat_map(Map::values).filter_map(Value::as_str);
                for text in texts.filter(|text| text.starts_with('$')) {
                    assert!(PLACEHOLDERS.contains(&text), "{}: {text}", host.id);
                }
            }
        }
    }

    #[test]
    fn host_is_found_when_id_alias_or_name_is_given() {
        for (name, id) in
            [("claude", "claude-desktop"), ("VS Code", "vscode"), ("Gemini", "gemini-cli"), ("codex", "codex")]
        {
            assert_eq!(find(name).map(|host| host.id.as_str()), Some(id));
        }
        assert!(find("roo").is_none(), "the product is discontinued");
        let mut names: Vec<&String> = all().iter().flat_map(|host| host.aliases.iter().chain([&host.id])).collect();
        names.sort();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "names are unique");
    }
}
