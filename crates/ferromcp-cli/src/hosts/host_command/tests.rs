//! Tests with scripts in place of the program of a host.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::super::locate::Scope;
use super::super::machine::System;
use super::super::table;
use super::*;

/// Claude Code in a temporary home directory, with a script `claude` in `PATH`.
struct Host {
    folder: tempfile::TempDir,
    machine: Machine,
    installation: Installation,
}

impl Host {
    /// `script` runs in `sh`, with the file of the host as `$FILE`.
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("claude");
        let file = folder.path().join(".claude.json");
        // Another process writes the program: a child of another test could inherit the open file, and prevent its start.
        let source = folder.path().join("source");
        fs::write(&source, format!("#!/bin/sh\nFILE='{}'\n{script}\n", file.display())).unwrap();
        let install = std::process::Command::new("install").args(["-m", "755"]).arg(source).arg(path).status();
        assert!(install.unwrap().success());
        fs::write(&file, r#"{"mcpServers": {"other": {"command": "/other"}}}"#).unwrap();
        let env = BTreeMap::from([("PATH".to_owned(), folder.path().display().to_string())]);
        let home = folder.path().to_owned();
        let machine = Machine { system: System::Linux, home, env, project: folder.path().join("work") };
        let host = table::find("claude-code").unwrap();
        let installation = Installation::new(host, &machine, Scope::User, None).unwrap();
        assert_eq!(installation.path, file);
        Self { folder, machine, installation }
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.installation.path).unwrap()
    }

    fn backup(&self) -> PathBuf {
        file::backup_path(&self.installation.path)
    }

    fn commands(&self, entries: &[(String, Server)]) -> Option<Vec<HostCommand>> {
        HostCommand::add(&self.installation, &self.machine, &self.text(), entries)
    }

    async fn add(&self, timeout: Duration) -> Outcome {
        let entries = entries("demo", &[]);
        let commands = self.commands(&entries).unwrap();
        let (name, server) = &entries[0];
        let edit = |text: &str| self.installation.add(text, name, server, false);
        let planned = file::plan(&self.installation.path, edit).unwrap();
        add(&commands, &self.installation, &planned, &entries, timeout).await
    }
}

fn entries(name: &str, env: &[(&str, &str)]) -> Vec<(String, Server)> {
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let server = Server::Stdio { command: "/bin/demo".into(), args: vec!["it's".into(), "x y".into()], env };
    vec![(name.to_owned(), server)]
}

fn remote(url: &str) -> Vec<(String, Server)> {
    vec![("web".to_owned(), Server::Http { url: url.to_owned(), headers: Vec::new() })]
}

const WRITE: &str = r#"printf '{"mcpServers": {"other": {"command": "/other"}, "%s": %s}}' "$3" "$4" > "$FILE""#;

#[test]
fn command_line_can_be_pasted_when_displayed() {
    let host = Host::new("");
    let command = host.commands(&entries("demo", &[])).unwrap().remove(0);
    let program = host.folder.path().join("claude");
    let expected =
        r#" mcp add-json demo '{"type":"stdio","command":"/bin/demo","args":["it'\''s","x y"]}' --scope user"#;
    assert_eq!(command.to_string(), format!("{}{expected}", program.display()));
    assert_eq!(command.verb(), "claude mcp add-json");
    let remove = HostCommand::remove(&host.installation, &host.machine, "a b").unwrap();
    assert_eq!(remove.to_string(), format!("{} mcp remove 'a b' --scope user", program.display()));
}

#[test]
fn file_is_edited_when_the_command_is_unsuitable() {
    let host = Host::new("");
    assert!(
        host.commands(&entries("demo", &[])).is_some() && host.commands(&remote("https://a.example/mcp")).is_some()
    );
    assert_eq!(host.commands(&entries("demo", &[("KEY", "s3cret")])), None, "a variable is visible to other processes");
    assert_eq!(host.commands(&entries("other", &[])), None, "the entry exists");
    assert_eq!(host.commands(&entries("--demo", &[])), None, "the name is an option");
    for url in ["https://a.example/mcp?key=1", "https://ada:pw@a.example/mcp", "https://a.example/mcp#k"] {
        assert_eq!(host.commands(&remote(url)), None, "{url}");
    }
    let http = |headers| vec![("web".to_owned(), Server::Http { url: "https://a.example/@me".into(), headers })];
    assert!(host.commands(&http(Vec::new())).is_some());
    assert_eq!(host.commands(&http(vec![("X-Key".into(), "s3cret".into())])), None);
    let claude = host.installation.host;
    for (scope, file) in [(Scope::Project, None), (Scope::Local, None), (Scope::User, Some(Path::new("x.json")))] {
        let installation = Installation::new(claude, &host.machine, scope, file).unwrap();
        assert_eq!(HostCommand::add(&installation, &host.machine, "", &entries("demo", &[])), None);
        assert_eq!(HostCommand::remove(&installation, &host.machine, "demo"), None);
    }
    let mut machine = host.machine.clone();
    machine.env.insert("PATH".into(), "/nonexistent".into());
    assert_eq!(HostCommand::remove(&host.installation, &machine, "demo"), None, "the program is not installed");
}

#[tokio::test]
async fn change_is_done_when_the_file_has_the_entry() {
    for script in [WRITE, &format!("{WRITE}\nexit 3"), &format!("sleep 60 2>&1 &\n{WRITE}")] {
        let host = Host::new(script);
        let before = host.text();
        let start = Instant::now();
        let outcome = host.add(Duration::from_secs(30)).await;
        assert!(start.elapsed() < Duration::from_secs(20), "a process in the background is not awaited");
        let Outcome::Done(change) = outcome else { panic!("{outcome:?}") };
        assert_eq!((change.before.as_deref(), change.after.as_str()), (Some(before.as_str()), host.text().as_str()));
        assert_eq!(fs::read_to_string(host.backup()).unwrap(), before);
    }
}

#[tokio::test]
async fn cause_is_returned_when_the_command_fails() {
    let long = "i=0; while [ $i -lt 3000 ]; do echo xxxxxxxxxxxxxxxxxxxx >&2; i=$((i+1)); done; exit 1";
    for (script, expected) in [
        ("echo first >&2; echo 'cannot write' >&2; exit 1", "cannot write"),
        ("exit 9", "exit status: 9"),
        ("true", "it did not change the file"),
        ("echo '{' > \"$FILE\"", "invalid JSON"),
        ("exec sleep 60", "it did not exit within 0.3 s"),
        (long, "x"),
    ] {
        let host = Host::new(script);
        let before = host.text();
        let start = Instant::now();
        let outcome = host.add(Duration::from_millis(if script.contains("sleep") { 300 } else { 20_000 })).await;
        assert!(start.elapsed() < Duration::from_secs(15), "{script}");
        let Outcome::Failed(cause) = outcome else { panic!("{script}: {outcome:?}") };
        assert!(cause.contains(expected), "{script}: {cause}");
        assert_eq!(fs::read_to_string(host.backup()).unwrap(), before);
    }
}

#[tokio::test]
async fn lost_entries_are_reported_when_the_command_removes_them() {
    let host = Host::new(r#"printf '{"mcpServers": {"%s": %s}}' "$3" "$4" > "$FILE""#);
    let before = host.text();
    let outcome = host.add(Duration::from_secs(30)).await;
    assert!(matches!(&outcome, Outcome::Lost(names) if *names == ["other"]), "{outcome:?}");
    assert_eq!(fs::read_to_string(host.backup()).unwrap(), before);
}

#[tokio::test]
async fn program_has_no_input_and_no_output_when_it_runs() {
    let host = Host::new("cat; echo noise; exit 1");
    let outcome = host.add(Duration::from_secs(30)).await;
    assert!(matches!(&outcome, Outcome::Failed(cause) if cause == "exit status: 1"), "{outcome:?}");
}
