//! Tests of the files of every host on every operating system, in a temporary home directory.

use std::collections::BTreeMap;
use std::fs;

use super::super::file::{self, FileError};
use super::super::table::{self, Format};
use super::*;

const BOM: &str = "\u{FEFF}";

/// A host on an operating system.
struct Case {
    folder: tempfile::TempDir,
    installation: Installation,
}

/// Returns each host on each system, for its files of the user and of the project.
fn cases() -> impl Iterator<Item = Case> {
    let systems = [System::MacOs, System::Windows, System::Linux];
    let scopes = [Scope::User, Scope::Project, Scope::Local];
    let combinations = systems.into_iter().flat_map(move |system| scopes.map(|scope| (system, scope)));
    combinations.flat_map(|(system, scope)| table::all().iter().filter_map(move |host| Case::new(host, system, scope)))
}

fn machine(system: System, home: &Path) -> Machine {
    let project = home.join("work").join("demo");
    fs::create_dir_all(&project).unwrap();
    Machine { system, home: home.to_owned(), env: BTreeMap::new(), project }
}

fn server() -> Server {
    Server::Stdio {
        command: "/bin/demo".into(),
        args: vec!["--data".into(), "C:\\d \"x\"".into()],
        env: vec![("KEY".into(), "ü: #v".into())],
    }
}

fn remote() -> Server {
    Server::Http { url: "https://a.example/mcp".into(), headers: vec![("Authorization".into(), "Bearer t".into())] }
}

impl Case {
    /// `None` if the host has no file for this scope.
    fn new(host: &'static Host, system: System, scope: Scope) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let installation = Installation::new(host, &machine(system, folder.path()), scope, None).ok()?;
        Some(Self { folder, installation })
    }

    fn format(&self) -> Format {
        self.installation.host.format
    }

    fn write(&self, text: &str) {
        fs::create_dir_all(self.installation.path.parent().unwrap()).unwrap();
        fs::write(&self.installation.path, text).unwrap();
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.installation.path).unwrap()
    }

    fn add(&self, name: &str, server: &Server) -> Result<file::Change, FileError> {
        let locks = self.folder.path().join("locks");
        file::update(&self.installation.path, &locks, |text| self.installation.add(text, name, server, false))
    }

    fn remove(&self, name: &str) -> Result<file::Change, FileError> {
        let locks = self.folder.path().join("locks");
        let backup = fs::read_to_string(file::backup_path(&self.installation.path)).ok();
        file::update(&self.installation.path, &locks, |text| self.installation.remove(text, backup.as_deref(), name))
    }

    /// Adds servers to a text, and removes them again.
    fn round_trip(&self, text: &str) {
        for server in [server(), remote()].into_iter().filter(|server| self.installation.supports(server)) {
            let added = self.installation.add(text, "demo", &server, false);
            let added = added.unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert!(added.len() > text.len() && added.starts_with(BOM) == text.starts_with(BOM));
            let entries = self.installation.entries(&added).unwrap();
            let entry = entries.iter().find(|entry| entry.name == "demo").expect("the entry must be in the table");
            assert_eq!(entry.server.as_ref(), Some(&server), "{added}");
            assert_eq!(self.installation.add(&added, "demo", &server, false).as_deref(), Ok(added.as_str()));
            let removed = self.installation.remove(&added, Some(text), "demo");
            assert_eq!(removed.as_deref(), Ok(text), "{}", self.installation.host.id);
        }
    }

    /// Checks that a text is rejected and preserved. Returns the errors.
    fn rejected(&self, text: &str) -> String {
        self.write(text);
        let error = self.add("demo", &server()).expect_err(text).to_string();
        assert_eq!(self.text(), text);
        assert!(error.contains(&format!("`{}`", self.installation.path.display())) && error.contains(';'), "{error}");
        error
    }

    fn base(&self) -> &'static str {
        match self.format() {
            Format::Json | Format::Jsonc => "{\n    \"theme\": \"dark\",\n    \"n\": 1e400\n}\n",
            Format::Toml => "model = \"x\"\n\n[other]\na = 1\n",
            Format::Yaml => "theme: dark\nlist:\n- 1\n",
        }
    }

    /// Returns a file with another server.
    fn full(&self) -> String {
        self.installation.add(self.base(), "other", &server(), false).unwrap()
    }

    /// Returns a file with this value in the place of the table of servers, in JSON, or in TOML and YAML.
    fn with_table(&self, value: &str) -> String {
        let key = self.installation.key(&self.installation.host.shapes[0]);
        let last = key.len() - 1;
        match self.format() {
            Format::Json | Format::Jsonc => {
                let open: String = key[..last].iter().flat_map(|key| ["{\"", key, "\": "]).collect();
                format!("{open}{{\"{}\": {value}}}{}", key[last], "}".repeat(last))
            }
            Format::Toml => format!("{} = {value}\n", key[last]),
            Format::Yaml => format!("{}: {value}\n", key[last]),
        }
    }
}

#[test]
fn entry_is_installed_when_the_host_was_never_started() {
    assert!(cases().count() > 90);
    for case in cases() {
        case.add("demo", &server()).unwrap();
        let entries = case.installation.entries(&case.text()).unwrap();
        assert_eq!(entries.len(), 1, "{}", case.text());
        assert_eq!(entries[0].server, Some(server()));
        case.remove("demo").unwrap();
        assert!(case.installation.entries(&case.text()).unwrap().is_empty());
    }
}

#[test]
fn file_is_restored_when_it_had_other_content() {
    for case in cases() {
        for text in [case.base(), &case.full()] {
            case.round_trip(text);
            case.round_trip(&text.replace('\n', "\r\n"));
            case.round_trip(&format!("{BOM}{text}"));
            case.round_trip(text.trim_end());
        }
        case.round_trip("");
    }
}

#[test]
fn file_has_the_same_bytes_when_an_entry_was_removed() {
    for case in cases().step_by(3) {
        let text = format!("{BOM}{}", case.base().replace('\n', "\r\n"));
        case.write(&text);
        case.add("demo", &server()).unwrap();
        assert_ne!(case.text(), text);
        case.remove("demo").unwrap();
        assert_eq!(case.text(), text);
    }
}

#[test]
fn comments_are_kept_when_the_host_accepts_them() {
    for case in cases() {
        match case.format() {
            Format::Json => {
                let error = case.rejected("{\n  // mine\n}\n");
                assert!(error.contains("line 2: invalid JSON"), "{error}");
            }
            Format::Jsonc => {
                case.round_trip(&format!("// mine\n{}/* end */", case.full().replacen(",\n", ", // c\n", 2)));
            }
            Format::Toml | Format::Yaml => case.round_trip(&format!("# mine\n{}# end\n", case.full())),
        }
    }
}

#[test]
fn file_is_unchanged_when_broken() {
    for case in cases() {
        let broken = match case.format() {
            Format::Json | Format::Jsonc => "{\n\"a\": [1, }",
            Format::Toml => "a = 1\nb = [1\n",
            Format::Yaml => "a: 1\nb: [1\nc: 2\n",
        };
        let error = case.rejected(broken);
        assert!(error.contains("line 2: invalid ") || error.contains("line 3: invalid "), "{error}");
        assert!(error.contains("restore the file from a backup"), "{error}");
    }
}

#[test]
fn file_is_unchanged_when_the_table_is_an_array() {
    for case in cases() {
        let error = case.rejected(&case.with_table("[]"));
        assert!(error.contains("not a table of servers; move its content elsewhere"), "{error}");
    }
}

#[test]
fn file_is_unchanged_when_keys_are_duplicate() {
    for case in cases() {
        let table = case.with_table("{}");
        let text = match case.format() {
            Format::Json | Format::Jsonc => {
                let inner = &table[1..table.len() - 1];
                format!("{{{inner},\n{inner}}}")
            }
            Format::Toml | Format::Yaml => format!("{table}{table}"),
        };
        let error = case.rejected(&text);
        assert!(error.contains("lines 1 and 2") || error.contains("line 2: invalid TOML: duplicate key"), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn file_is_unchanged_when_read_only() {
    use std::os::unix::fs::PermissionsExt;
    for case in cases() {
        case.write(case.base());
        fs::set_permissions(&case.installation.path, fs::Permissions::from_mode(0o400)).unwrap();
        let error = case.add("demo", &server()).unwrap_err().to_string();
        assert!(error.contains("it is read-only"), "{error}");
        assert_eq!(case.text(), case.base());
    }
}

#[cfg(unix)]
#[test]
fn target_is_edited_when_the_file_is_a_symbolic_link() {
    for case in cases().step_by(3) {
        let real = case.folder.path().join("dotfiles");
        fs::write(&real, case.full()).unwrap();
        fs::create_dir_all(case.installation.path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(&real, &case.installation.path).unwrap();
        case.add("demo", &server()).unwrap();
        assert!(case.installation.path.is_symlink());
        assert_eq!(case.installation.entries(&fs::read_to_string(real).unwrap()).unwrap().len(), 2);
    }
}

#[test]
fn no_entry_is_lost_when_installed_concurrently() {
    for case in cases().step_by(7) {
        case.write(&case.full());
        std::thread::scope(|scope| {
            for index in 0..4 {
                let case = &case;
                scope.spawn(move || case.add(&format!("demo{index}"), &server()).unwrap());
            }
        });
        assert_eq!(case.installation.entries(&case.text()).unwrap().len(), 5, "{}", case.text());
    }
}

#[test]
fn later_changes_are_kept_when_an_entry_is_removed() {
    for case in cases().step_by(3) {
        case.write(&case.full());
        case.add("demo", &server()).unwrap();
        let later = if case.installation.supports(&remote()) { remote() } else { server() };
        case.add("later", &later).unwrap();
        case.remove("demo").unwrap();
        let names: Vec<String> = case.installation.entries(&case.text()).unwrap().into_iter().map(|e| e.name).collect();
        assert_eq!(names, ["other", "later"], "{}", case.text());
        let error = case.remove("demo").unwrap_err().to_string();
        assert!(error.contains("it has no entry `demo`"), "{error}");
    }
}

#[test]
fn second_version_is_written_when_the_file_of_opencode_has_it() {
    let case = Case::new(table::find("opencode").unwrap(), System::Linux, Scope::User).unwrap();
    case.write("{\n  \"mcp\": {\n    // all\n    \"servers\": {}\n  }\n}\n");
    case.add("demo", &server()).unwrap();
    let text = case.text();
    assert!(text.contains("\"disabled\": false") && !text.contains("\"enabled\""), "{text}");
    let file: Vec<String> = ["mcp", "servers", "demo", "command"].map(str::to_owned).into();
    let command = edit::value_at(Format::Jsonc, &text, &file).unwrap().unwrap();
    assert_eq!(command, serde_json::json!(["/bin/demo", "--data", "C:\\d \"x\""]));
}

#[test]
fn project_has_slashes_in_claude_code_when_on_windows() {
    let home = tempfile::tempdir().unwrap();
    let claude = table::find("claude-code").unwrap();
    let mut windows = machine(System::Windows, home.path());
    windows.project = PathBuf::from(r"C:\Users\ada\demo");
    let installation = Installation::new(claude, &windows, Scope::Local, None).unwrap();
    assert_eq!(installation.path, home.path().join(".claude.json"));
    let existing = r#"{"projects": {"C:/Users/ada/demo": {"allowedTools": []}}}"#;
    let text = installation.add(existing, "demo", &server(), false).unwrap();
    let parsed: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(parsed["projects"]["C:/Users/ada/demo"]["mcpServers"]["demo"]["type"], "stdio");
    assert_eq!(parsed["projects"].as_object().unwrap().len(), 1);
    let cursor = table::find("cursor").unwrap();
    assert!(Installation::new(cursor, &windows, Scope::Local, None).is_err());
}

#[test]
fn codex_entry_has_no_bearer_token() {
    let case = Case::new(table::find("codex").unwrap(), System::Linux, Scope::User).unwrap();
    case.add("demo", &remote()).unwrap();
    let expected = "[mcp_servers.demo]\nurl = \"https://a.example/mcp\"\n\
                    http_headers = { Authorization = \"Bearer t\" }\n";
    assert_eq!(case.text(), expected);
    assert_eq!(case.installation.host.start_timeout, Some(10));
}
