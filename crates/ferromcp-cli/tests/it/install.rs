//! `mcp install`, `uninstall`, `status` and `sync`, in a temporary home directory.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::home::{Home, has};
use crate::process::{self, HttpServer, server};

#[test]
fn entry_is_installed_listed_and_removed() {
    let home = Home::new();
    let before = "{\r\n\t\"mcpServers\": {\"a\": {\"command\": \"/a\"}}\r\n}";
    home.write(".cursor/mcp.json", before);
    let install = ["install", "--host", "cursor", "--host", "codex", "--name", "demo", "-v", "KEY=s3cret"];
    let run = home.mcp(&[&install[..], &["--", server(), "stdio"]].concat());
    assert_eq!(run.code, 0, "{run:?}");
    assert!(has(&run.stderr, &["demo: ", "responds in", "tools: "]), "{run:?}");
    assert!(has(&run.stdout, &["Cursor: `demo` installed in ", "backup: ", "Codex: `demo` installed in "]), "{run:?}");
    let entry = json!({"command": server(), "args": ["stdio"], "env": {"KEY": "s3cret"}});
    assert_eq!(home.json(".cursor/mcp.json")["mcpServers"]["demo"], entry);
    assert!(has(&home.text(".codex/config.toml"), &["[mcp_servers.demo]\n", "env = { KEY = \"s3cret\" }\n"]));

    let again = home.mcp(&[&install[..], &["--", server(), "stdio"]].concat());
    assert!(again.code == 0 && again.stdout.contains("is installed already"), "{again:?}");
    let other = home.mcp(&["install", "--host", "cursor", "--name", "demo", "--", server(), "http", "1"]);
    assert!(other.code == 2 && has(&other.stderr, &["an entry `demo` with another content exists", "--force"]));

    let call = home.mcp(&["call", "cursor:demo", "add", "a=1"]);
    assert_eq!((call.code, call.stdout.as_str()), (0, "2\n"), "an entry of a host is a target: {call:?}");
    let unknown = home.mcp(&["ping", "codex:x"]);
    assert!(unknown.code == 2 && unknown.stderr.contains("the server `x` of Codex; it has demo"), "{unknown:?}");

    let status = home.mcp(&["status"]);
    assert!(status.code == 0 && has(&status.stdout, &["Cursor: ", "Codex: ", "demo  ", " stdio\n"]), "{status:?}");
    let status = home.mcp(&["status", "--json", "--host", "cursor"]);
    let rows: Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!(rows[0]["servers"]["demo"], json!({"command": server(), "args": ["stdio"], "env": ["KEY"]}));
    assert!(!status.stdout.contains("s3cret"), "values are not printed");

    let missing = home.mcp(&["uninstall", "demo"]);
    assert!(missing.code == 2 && has(&missing.stderr, &["it has no entry `demo`", "`--host cursor`, `--host codex`"]));
    let dry = home.mcp(&["uninstall", "demo", "--host", "cursor", "--dry-run"]);
    assert!(dry.code == 0 && dry.stdout.contains("\n-\t\"mcpServers\"") || dry.stdout.contains("\n- "), "{dry:?}");
    assert_eq!(home.json(".cursor/mcp.json")["mcpServers"]["demo"], entry);
    assert_eq!(home.mcp(&["uninstall", "demo", "--host", "cursor", "--host", "codex"]).code, 0);
    assert_eq!(home.text(".cursor/mcp.json"), before);
}

#[test]
fn nothing_is_written_when_the_server_does_not_respond() {
    let home = Home::new();
    let install = ["install", "--host", "codex", "--name", "demo"];
    let run = home.mcp(&[&install[..], &["--", server(), "nonsense"]].concat());
    assert_eq!(run.code, 3, "{run:?}");
    assert!(has(&run.stderr, &["cannot start `demo` as Codex does", "usage: cli-test-server", "nothing was written"]));
    assert!(!home.path(".codex").exists());
    let missing = home.mcp(&[&install[..], &["--", "not-a-program-anywhere"]].concat());
    assert!(missing.code == 2 && missing.stderr.contains("it is not in PATH; install it"), "{missing:?}");
    let forced = home.mcp(&[&install[..], &["--force", "--", server(), "nonsense"]].concat());
    assert!(forced.code == 0 && forced.stderr.contains("warning: cannot start `demo`"), "{forced:?}");
    assert!(home.text(".codex/config.toml").contains("\"nonsense\""));
}

#[cfg(unix)]
#[test]
fn cause_is_reported_when_the_server_needs_a_variable_of_the_terminal() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let script = format!("#!/bin/sh\n[ -n \"$ONLY_IN_THE_TERMINAL\" ] || exit 7\nexec '{}' stdio\n", server());
    home.write("project/server.sh", &script);
    fs::set_permissions(home.path("project/server.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    let install = ["install", "--host", "cursor"];
    let run = home.mcp(&[&install[..], &["--", "./server.sh"]].concat());
    assert!(run.code == 3 && has(&run.stderr, &["it starts with the variables", "`-v NAME=VALUE`"]), "{run:?}");
    home.write("project/.env", "# variables\nexport ONLY_IN_THE_TERMINAL='x'\n");
    let run = home.mcp(&[&install[..], &["-f", ".env", "--", "./server.sh"]].concat());
    assert_eq!(run.code, 0, "{run:?}");
    let entry = &home.json(".cursor/mcp.json")["mcpServers"]["server-sh"];
    let expected = fs::canonicalize(home.path("project/server.sh")).unwrap();
    assert_eq!(fs::canonicalize(entry["command"].as_str().unwrap()).unwrap(), expected);
    assert!(Path::new(entry["command"].as_str().unwrap()).is_absolute(), "{entry}");
    assert_eq!(entry["env"], json!({"ONLY_IN_THE_TERMINAL": "x"}));
}

#[test]
fn remote_server_is_installed_with_the_keys_of_each_host() {
    let home = Home::new();
    let http = HttpServer::start("http");
    let url = http.url();
    let hosts = ["--host", "windsurf", "--host", "gemini-cli", "--host", "cursor", "--host", "claude-code"];
    let run = home.mcp(&[&["install", &url, "--name", "web", "-H", "X-Key: k"], &hosts[..]].concat());
    assert_eq!(run.code, 0, "{run:?}");
    let headers = json!({"X-Key": "k"});
    let entry = |file: &str| home.json(file)["mcpServers"]["web"].clone();
    assert_eq!(entry(".codeium/windsurf/mcp_config.json"), json!({"serverUrl": url, "headers": headers}));
    assert_eq!(entry(".gemini/settings.json"), json!({"httpUrl": url, "headers": headers}));
    assert_eq!(entry(".cursor/mcp.json"), json!({"url": url, "headers": headers}));
    assert_eq!(entry(".claude.json"), json!({"type": "http", "url": url, "headers": headers}));
    let protected = HttpServer::start("protected");
    let run = home.mcp(&["install", &protected.url(), "--host", "cursor", "--name", "protected"]);
    assert!(run.code == 0 && run.stderr.contains("requires a login; the host logs in"), "{run:?}");
    let run = home.mcp(&["install", &url, "--host", "cursor", "-v", "A=b"]);
    assert!(run.code == 2 && run.stderr.contains("not to URLs"), "{run:?}");
}

#[test]
fn url_is_bridged_when_host_has_no_entries_for_urls() {
    let home = Home::new();
    let http = HttpServer::start("http");
    let run = home.mcp(&["install", &http.url(), "--name", "web", "-H", "X-Key: k"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains("web: Kitchen 1.2.3 responds"), "{run:?}");
    let status: Value =
        serde_json::from_str(&home.mcp(&["status", "--host", "claude-desktop", "--json"]).stdout).unwrap();
    assert!(status.to_string().contains(&http.url()), "{status}");
    let listed = home.mcp(&["call", "claude-desktop:web", "add", "a=2"]);
    assert_eq!((listed.code, listed.stdout.as_str()), (0, "3\n"), "{listed:?}");

    let protected = HttpServer::start("protected");
    let run = home.mcp(&["install", &protected.url(), "--name", "private"]);
    let remedy = format!("run `mcp login {}`", protected.url());
    assert!(run.code == 3 && has(&run.stderr, &["unauthorized", &remedy, "nothing was written"]), "{run:?}");
}

#[test]
fn entry_is_printed_when_requested() {
    let home = Home::new();
    let run = home.mcp(&["install", "--print", "--host", "goose", "https://mcp.example.com/mcp"]);
    assert_eq!(run.code, 0, "{run:?}");
    let expected = "extensions:\n  example:\n    name: example\n    type: streamable_http\n    enabled: true\n    \
                    uri: \"https://mcp.example.com/mcp\"\n    timeout: 300\n";
    assert_eq!(run.stdout, expected);
    for (option, host) in [("--print", "claude-desktop"), ("--dry-run", "junie")] {
        let run = home.mcp(&["install", option, "--host", host, "-H", "X-Key: k", "https://mcp.example.com/mcp"]);
        let parts =
            ["\"run\"", "\"X-Key: env:MCP_HEADER_1\"", "\"https://mcp.example.com/mcp\"", "\"MCP_HEADER_1\": \"k\""];
        assert!(run.code == 0 && has(&run.stdout, &parts), "{run:?}");
        assert!(run.stderr.contains("no entries for URLs; it starts `mcp run`"), "{run:?}");
    }
    let run = home.mcp(&["install", "--dry-run", "--host", "codex", "--name", "demo", "--", server(), "stdio"]);
    assert!(run.code == 0 && has(&run.stdout, &["--- /dev/null\n", "+[mcp_servers.demo]\n"]), "{run:?}");
    assert!(!home.path(".codex").exists() && !home.path(".config").exists(), "nothing is written");
}

#[test]
fn file_is_unchanged_when_it_cannot_be_edited() {
    let home = Home::new();
    let install =
        |args: &[&str]| home.mcp(&[&["install", "-v", "K=s3cret"], args, &["--", server(), "stdio"]].concat());
    for (text, parts) in [
        ("{\n  \"mcpServers\": []\n}", ["line 2: `mcpServers` is an array", "or write the entry"]),
        ("{\n  // c\n}", ["line 2: invalid JSON", "fix this line"]),
        ("{\"mcpServers\": {},\n \"mcpServers\": {}}", ["on lines 1 and 2", "merge them"]),
    ] {
        home.write(".cursor/mcp.json", text);
        let run = install(&["--host", "codex", "--host", "cursor"]);
        assert!(run.code == 2 && has(&run.stderr, &parts) && !run.stderr.contains("s3cret"), "{run:?}");
        assert_eq!(home.text(".cursor/mcp.json"), text);
        assert!(!home.path(".codex").exists(), "no host is changed");
        let status = home.mcp(&["status", "--host", "cursor"]);
        assert_eq!(status.code, i32::from(text.contains("//")) * 2, "{status:?}");
    }
    for (args, message) in [
        (&["--host", "emacs"][..], "unknown host `emacs`; use one of claude-desktop"),
        (&["--host", "windsurf", "--project"], "omit `--project`"),
        (&["--host", "cursor", "--name", "a b"], "cannot use the name `a b`"),
        (&["--host", "cursor", "--with", "pkg"], "not started by `uv run`"),
        (&["--host", "cursor", "-H", "A: b"], "apply to URLs"),
    ] {
        let run = install(args);
        assert!(run.code == 2 && run.stderr.contains(message), "{run:?}");
    }
}

#[test]
fn servers_of_a_file_are_synchronized() {
    let home = Home::new();
    home.write(".cursor/mcp.json", r#"{"mcpServers": {"keep": {"command": "/keep"}, "one": {"command": "/old"}}}"#);
    let one = json!({"command": server(), "args": ["stdio"], "env": {"A": "${ONLY_IN_THE_TERMINAL}"}});
    let off = json!({"command": "/off", "disabled": true});
    home.write("project/team.json", &json!({"mcpServers": {"one": one, "off": off}}).to_string());
    let run = home.mcp(&["sync", "team.json", "--host", "cursor"]);
    assert_eq!(run.code, 0, "{run:?}");
    let servers = &home.json(".cursor/mcp.json")["mcpServers"];
    assert_eq!(servers["one"], json!({"command": server(), "args": ["stdio"], "env": {"A": "1"}}));
    assert_eq!((servers["keep"]["command"].as_str(), servers.get("off")), (Some("/keep"), None));
    home.write("project/none.json", r#"{"mcpServers": {}}"#);
    assert_eq!(home.mcp(&["sync", "none.json", "--host", "cursor"]).code, 2);
}

#[test]
fn project_files_are_selected() {
    let home = Home::new();
    let install =
        |args: &[&str]| home.mcp(&[&["install", "--name", "demo"], args, &["--", server(), "stdio"]].concat());
    assert_eq!(install(&["--host", "claude-code", "--host", "vscode", "--project"]).code, 0);
    assert_eq!(home.json("project/.mcp.json")["mcpServers"]["demo"]["type"], "stdio");
    assert_eq!(home.json("project/.vscode/mcp.json")["servers"]["demo"]["type"], "stdio");
    assert_eq!(install(&["--host", "claude-code", "--local"]).code, 0);
    let projects = home.json(".claude.json")["projects"].clone();
    assert!(projects.as_object().unwrap().keys().all(|key| key.ends_with("/project")), "{projects}");
    assert_eq!(install(&["--host", "cursor", "--file", "custom.json"]).code, 0);
    assert_eq!(home.json("project/custom.json")["mcpServers"]["demo"]["args"], json!(["stdio"]));
    assert!(home.mcp(&["status"]).stdout.contains("Claude Code (local): "));
}

/// Writes a script `claude` that records its arguments, and runs `action`.
#[cfg(unix)]
fn write_claude(home: &Home, action: &str) {
    let (log, file) = (home.path("arguments"), home.path(".claude.json"));
    let script = format!("#!/bin/sh\necho \"$@\" >> '{}'\nFILE='{}'\n{action}\n", log.display(), file.display());
    fs::create_dir_all(home.path("bin")).unwrap();
    process::program(&home.path("bin"), "claude", &script);
}

#[cfg(unix)]
#[test]
fn program_of_the_host_is_preferred_when_in_path() {
    let home = Home::new();
    let add = r#"[ "$2" != add-json ] || printf '{"theme": 1, "mcpServers": {"%s": %s}}' "$3" "$4" > "$FILE""#;
    let remove = r#"[ "$2" != remove ] || printf '{"theme": 1, "mcpServers": {}}' > "$FILE""#;
    write_claude(&home, &format!("{add}\n{remove}"));
    home.write(".claude.json", "{\"theme\": 1}");
    let install = ["install", "--host", "claude-code", "--name", "demo"];
    let target = ["--", server(), "stdio"];
    let arguments = format!(r#"mcp add-json demo {{"type":"stdio","command":"{}","args":["stdio"]}}"#, server());
    let dry = home.mcp_with_bin(&[&install[..], &["--dry-run"], &target].concat());
    assert!(
        dry.code == 0 && has(&dry.stderr, &["Claude Code: `", "bin/claude mcp add-json demo '{\"type\""]),
        "{dry:?}"
    );
    assert!(dry.stdout.contains("\"demo\""), "{dry:?}");
    let print = home.mcp_with_bin(&[&install[..], &["--print"], &target].concat());
    assert!(print.code == 0 && has(&print.stderr, &["added by `", " mcp add-json demo '"]), "{print:?}");
    assert!(!home.path("arguments").exists(), "nothing runs");

    let run = home.mcp_with_bin(&[&install[..], &target].concat());
    assert!(run.code == 0 && has(&run.stdout, &[".claude.json by `claude mcp add-json`\n", "backup: "]), "{run:?}");
    assert_eq!(home.text("arguments"), format!("{arguments} --scope user\n"));
    assert_eq!(home.text(".claude.json.mcp-backup"), "{\"theme\": 1}");
    let again = home.mcp_with_bin(&[&install[..], &target].concat());
    assert!(again.code == 0 && again.stdout.contains("is installed already"), "{again:?}");

    let dry = home.mcp_with_bin(&["uninstall", "demo", "--host", "claude-code", "--dry-run"]);
    assert!(dry.code == 0 && dry.stderr.contains("bin/claude mcp remove demo --scope user` changes"), "{dry:?}");
    let run = home.mcp_with_bin(&["uninstall", "demo", "--host", "claude-code"]);
    assert!(run.code == 0 && run.stdout.contains(".claude.json by `claude mcp remove`\n"), "{run:?}");
    assert!(home.text("arguments").ends_with(" --scope user\nmcp remove demo --scope user\n"));
    assert_eq!(home.json(".claude.json"), json!({"theme": 1, "mcpServers": {}}));
    let missing = home.mcp_with_bin(&["uninstall", "demo", "--host", "claude-code"]);
    assert!(missing.code == 2 && missing.stderr.contains("it has no entry `demo`"), "{missing:?}");
}

#[cfg(unix)]
#[test]
fn file_is_edited_when_the_program_of_the_host_fails() {
    let home = Home::new();
    write_claude(&home, "echo 'not today' >&2; exit 1");
    home.write(".claude.json", "{\"theme\": 1}");
    let install = ["install", "--host", "claude-code", "--name", "demo"];
    let run = home.mcp_with_bin(&[&install[..], &["--", server(), "stdio"]].concat());
    assert!(
        run.code == 0 && has(&run.stderr, &["warning: `claude mcp add-json` failed: not today; editing"]),
        "{run:?}"
    );
    let entry = json!({"type": "stdio", "command": server(), "args": ["stdio"]});
    assert_eq!(home.json(".claude.json"), json!({"theme": 1, "mcpServers": {"demo": entry}}));
    let run = home.mcp_with_bin(&["uninstall", "demo", "--host", "claude-code"]);
    assert!(run.code == 0 && run.stderr.contains("`claude mcp remove` failed: not today; editing the file"), "{run:?}");
    assert_eq!(home.text(".claude.json"), "{\"theme\": 1}", "the previous bytes are restored");

    let secret = ["-v", "KEY=s3cret", "--", server(), "stdio"];
    fs::remove_file(home.path("arguments")).unwrap();
    for options in [&["--dry-run"][..], &["--print"], &[]] {
        let run = home.mcp_with_bin(&[&install[..], options, &secret].concat());
        assert!(run.code == 0 && !run.stderr.contains("add-json"), "{run:?}");
    }
    assert_eq!(home.json(".claude.json")["mcpServers"]["demo"]["env"], json!({"KEY": "s3cret"}));
    assert!(!home.path("arguments").exists(), "other processes could read the arguments");
}
