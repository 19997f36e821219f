//! `mcp doctor`: each finding with its fix and exit code.

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::home::{Home, has};
use crate::process::{HttpServer, Run, mcp, on_stdio, server};

fn faulty(kind: &str) -> Run {
    mcp(&["doctor", "--", server(), "faulty", kind])
}

/// Returns the line of a check, with the lines below it.
#[track_caller]
fn finding<'a>(run: &'a Run, check: &str) -> &'a str {
    let mark = format!(" {check}: ");
    let start = run.stdout.lines().find(|line| !line.starts_with(' ') && line.contains(&mark));
    let start = start.unwrap_or_else(|| panic!("no finding of {check}: {run:?}")).as_ptr() as usize;
    let rest = &run.stdout[start - run.stdout.as_ptr() as usize..];
    let end = rest.match_indices('\n').find(|(at, _)| !rest[at + 1..].starts_with(' ')).map_or(rest.len(), |it| it.0);
    &rest[..end]
}

#[track_caller]
fn assert_problem(run: &Run, code: i32, check: &str, parts: &[&str]) {
    let found = finding(run, check);
    assert_eq!(run.code, code, "{run:?}");
    assert!(found.starts_with("problem  ") && found.contains("\n         fix: ") && has(found, parts), "{run:?}");
}

#[test]
fn checks_are_ok_when_the_server_is_valid() {
    let http = HttpServer::start("http");
    for run in [on_stdio(&["doctor"]), mcp(&["doctor", &http.url()])] {
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
        assert!(run.stdout.lines().all(|line| line.starts_with("ok ")), "{run:?}");
        assert!(
            has(&run.stdout, &["connect: Kitchen 1.2.3 responds in ", "revision: 2026-07-28", "12 tools"]),
            "{run:?}"
        );
    }
    let run = on_stdio(&["doctor", "--json"]);
    let findings: Value = serde_json::from_str(&run.stdout).unwrap();
    let stdout = json!({"result": "ok", "check": "stdout", "text": "all lines are JSON-RPC messages"});
    assert!(findings.as_array().unwrap().contains(&stdout), "{findings}");
}

#[test]
fn stray_output_is_shown_when_a_server_logs_to_stdout() {
    let run = faulty("noisy");
    let expected =
        ["not JSON-RPC messages", "| listening \\u{1b}[31mon stdio\n", "write logs and other output to stderr"];
    assert_problem(&run, 5, "stdout", &expected);
    assert!(!run.stdout.contains('\u{1b}'), "{run:?}");
    assert!(finding(&run, "connect").starts_with("ok "), "{run:?}");
}

#[test]
fn status_and_stderr_are_shown_when_a_server_exits() {
    let run = faulty("exits");
    let expected = ["exited before it responded", "3", "| loading\n", "| cannot open the \\u{1b}[31mdatabase\n"];
    assert_problem(&run, 3, "connect", &expected);
}

#[test]
fn cause_is_reported_when_a_process_does_not_start_or_respond() {
    let missing = mcp(&["doctor", "--", "/does/not/exist"]);
    assert_problem(&missing, 3, "connect", &["cannot start `/does/not/exist`", "check that it is installed"]);
    let mute = mcp(&["doctor", "--timeout", "0.3", "--", server(), "hostile", "mute"]);
    assert_problem(&mute, 7, "connect", &["timed out", "raise `--timeout`"]);
    // The connection is accepted by the kernel, and never answered.
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = mcp(&["doctor", "--timeout", "0.3", &format!("http://{}/mcp", socket.local_addr().unwrap())]);
    assert_problem(&silent, 7, "connect", &["timed out", "raise `--timeout`"]);
    let unknown = mcp(&["doctor", "nonsense"]);
    assert!(unknown.code == 2 && unknown.stderr.contains("cannot find the target `nonsense`"), "{unknown:?}");
}

#[test]
fn note_names_the_newest_revision_when_an_older_one_is_used() {
    let run = faulty("old-revision");
    assert_eq!(run.code, 0, "{run:?}");
    let revision = finding(&run, "revision");
    assert!(has(revision, &["ok ", "2025-03-26; the newest revision is 2026-07-28\n", "         note: "]), "{run:?}");
}

#[test]
fn tools_are_reported_when_definitions_are_invalid() {
    let run = faulty("bad-tools");
    assert_eq!(run.code, 5, "{run:?}");
    for line in [
        "problem  tool: `twice`: its name is not unique, so one of the tools cannot be called\n         fix: rename it\n",
        "problem  tool: `text`: its `inputSchema` does not have the type `object`",
        "warning  tool: `a name`: some clients reject the name\n",
        "warning  tool: `pattern`: clients may not be able to use its `inputSchema`: ",
    ] {
        assert!(run.stdout.contains(line), "{line}: {run:?}");
    }
    let loose = faulty("loose");
    assert_eq!((loose.code, loose.stderr.as_str()), (0, ""), "{loose:?}");
    let warning = finding(&loose, "protocol");
    assert!(has(warning, &["warning ", "result.tools[0].description", "fix: "]), "{loose:?}");
}

#[test]
fn allowed_hosts_are_named_when_a_server_rejects_host_or_origin() {
    let expected = ["rejects the host of the URL or the origin", "allow_host", "allowed_hosts"];
    let misdirected = HttpServer::start_faulty("misdirected");
    let run = mcp(&["doctor", &misdirected.url()]);
    assert_problem(&run, 3, "host", &[&expected[..], &["(HTTP status 421)"]].concat());
    let http = HttpServer::start("http");
    let run = mcp(&["doctor", &http.url(), "-H", "Origin: https://evil.example.com"]);
    assert_problem(&run, 3, "host", &[&expected[..], &["(HTTP status 403)"]].concat());
}

#[test]
fn login_is_named_when_a_token_is_missing_or_invalid() {
    let protected = HttpServer::start("protected");
    let url = protected.url();
    let run = mcp(&["doctor", &url]);
    assert_problem(&run, 4, "login", &["HTTP status 401", &format!("fix: run `mcp login {url}`")]);
    let run = mcp(&["doctor", &url, "-H", "Authorization: Bearer s3cret"]);
    assert_problem(&run, 4, "login", &["check the header `Authorization`"]);
    assert!(!run.stdout.contains("s3cret"), "{run:?}");
}

#[test]
fn session_is_reported_when_a_server_forgets_it() {
    for kind in ["forgets-sessions", "restarts"] {
        let http = HttpServer::start_faulty(kind);
        let run = mcp(&["doctor", &http.url()]);
        assert_problem(&run, 5, "session", &["session", "route them to one process"]);
    }
}

#[test]
fn cause_is_reported_when_a_url_cannot_be_reached() {
    let refused = mcp(&["doctor", "http://127.0.0.1:1/mcp"]);
    assert_problem(
        &refused,
        3,
        "connect",
        &["cannot reach `http://127.0.0.1:1/mcp`", "start the server, and check the port"],
    );
    let unknown = mcp(&["doctor", "http://no-such-host.invalid/mcp"]);
    assert_problem(&unknown, 3, "connect", &["the host name has no address"]);
    let http = HttpServer::start("http");
    let plain = mcp(&["doctor", &http.url().replace("http://", "https://")]);
    assert_problem(&plain, 3, "connect", &["the port does not use TLS: use `http://`"]);
    let closes = HttpServer::start_faulty("closes");
    let run = mcp(&["doctor", &closes.url()]);
    assert_problem(&run, 3, "connect", &["connection lost", "if it uses TLS, write `https://`"]);
    let http = HttpServer::start_faulty("not-found");
    let path = mcp(&["doctor", &http.url()]);
    assert_problem(&path, 5, "connect", &["HTTP status 404", "check the path of the URL"]);
}

#[cfg(unix)]
#[test]
fn checks_are_ok_when_no_host_is_installed() {
    let home = Home::new();
    let run = home.mcp(&["doctor"]);
    let expected = "ok       hosts: no host has a file on this machine\nok       saved names: 0 names\nok       logins: 0 logins\n";
    assert_eq!((run.code, run.stdout.as_str()), (0, expected), "{run:?}");
}

#[cfg(unix)]
#[test]
fn files_of_hosts_are_checked() {
    let home = Home::new();
    home.write(".cursor/mcp.json", "{\n  \"mcpServers\": {\n    \"a\": [}\n}");
    home.write(".codex/config.toml", "[mcp_servers.a]\ncommand = '/bin/sh'\nargs = [\n");
    home.write(".config/goose/config.yaml", "extensions:\n  a: [\n");
    let run = home.mcp(&["doctor"]);
    assert_problem(&run, 2, "Cursor", &["mcp.json: line 3, column 11: invalid JSON", "fix: fix this line"]);
    assert_problem(&run, 2, "Codex", &["config.toml: line ", ", column ", "invalid TOML"]);
    assert_problem(&run, 2, "Goose", &["config.yaml: line ", ", column ", "invalid YAML"]);

    let home = Home::new();
    home.write(".cursor/mcp.json", "{\"mcpServers\": {\"a\": {\"command\": \"/bin/sh\"},\n\"a\": {\"command\": \"/bin/sh\",\n\"command\": \"/bin/ls\"}}}");
    home.write(
        ".config/goose/config.yaml",
        "extensions:\n  a:\n    cmd: /bin/sh\n    type: stdio\n  a:\n    cmd: /bin/sh\n    type: stdio\n",
    );
    let run = home.mcp(&["doctor"]);
    for text in [
        "`a` occurs more than once, on lines 1 and 2; hosts read only the last one",
        "`command` occurs more than once, on lines 2 and 3",
    ] {
        assert!(run.code == 2 && run.stdout.contains(text), "{text}: {run:?}");
    }
    assert!(run.stdout.contains("config.yaml: line 2: `a` occurs more than once, on lines 2 and 5"), "{run:?}");
}

#[cfg(unix)]
#[test]
fn second_file_is_reported_when_a_host_may_not_read_it() {
    let home = Home::new();
    for file in [".lmstudio/mcp.json", ".cache/lm-studio/mcp.json"] {
        home.write(file, r#"{"mcpServers": {}}"#);
    }
    home.write(".config/opencode/opencode.json", "{}");
    home.write(".config/opencode/opencode.jsonc", "{}");
    let run = home.mcp(&["doctor"]);
    assert_eq!(run.code, 0, "{run:?}");
    for (host, used, other) in [
        ("LM Studio", ".lmstudio/mcp.json", ".cache/lm-studio/mcp.json"),
        ("opencode", "opencode.json", "opencode.jsonc"),
    ] {
        let line = format!("warning  {host}: two files exist, ");
        let found = run.stdout.lines().find(|found| found.starts_with(&line)).unwrap_or_default();
        assert!(has(found, &[used, other]), "{run:?}");
    }
}

#[cfg(unix)]
#[test]
fn entries_are_checked() {
    let home = Home::new();
    let write = |file: &str, servers: Value| home.write(file, &json!({"mcpServers": servers}).to_string());
    write(
        ".cursor/mcp.json",
        json!({
            "gone": {"command": "/does/not/exist"},
            "absent": {"command": "no-such-program"},
            "path": {"command": "sh"},
            "relative": {"command": "./server.sh"},
            "unset": {"command": "/bin/sh", "env": {"A": "${DOCTOR_UNSET}", "B": "${env:doctor_unset}"}, "cwd": "${workspaceFolder}"},
            "off": {"command": "/does/not/exist", "disabled": true},
            "empty": {"timeout": 1},
            "types": {"command": "/bin/sh", "args": ["-p", 80], "env": {"PORT": 80}},
            "fine": {"command": "/bin/sh", "args": ["-c"], "env": {"PORT": "80"}},
        }),
    );
    write(".codeium/windsurf/mcp_config.json", json!({"web": {"url": "https://example.com/mcp"}}));
    write(".gemini/settings.json", json!({"web": {"url": "https://example.com/mcp"}}));
    write(".claude.json", json!({"web": {"url": "https://example.com/mcp"}}));
    write(".junie/mcp/mcp.json", json!({"web": {"url": "https://example.com/mcp"}}));
    let run = home.mcp(&["doctor"]);
    assert_problem(&run, 3, "junie:web", &["has no entries for URLs", "`mcp install --force URL`"]);
    assert_problem(&run, 3, "cursor:gone", &["the file does not exist or is not executable", "check the path"]);
    assert_problem(&run, 3, "cursor:absent", &["it is not in PATH", "install it"]);
    assert_problem(&run, 3, "cursor:empty", &["neither `command` nor a URL"]);
    assert_problem(&run, 3, "cursor:types", &["`args` is not an array of strings", "`\"1\"` instead of `1`"]);
    assert!(run.stdout.contains("cursor:types: `env` is not an object of strings"), "{run:?}");
    assert_problem(&run, 3, "windsurf:web", &["Windsurf does not read `url`", "rename `url` to `serverUrl`"]);
    for (check, parts) in [
        ("cursor:path", ["is not an absolute path", "fix: write `/"]),
        ("cursor:relative", ["is a relative path; the folder is /", "write its absolute path"]),
        ("cursor:unset", ["the variable `DOCTOR_UNSET` is not set", "where Cursor starts"]),
        ("gemini-cli:web", ["selects the deprecated transport HTTP+SSE", "rename `url` to `httpUrl`"]),
        ("claude-code:web", ["`type` is missing", "add `type` with the value `http`"]),
    ] {
        let found = finding(&run, check);
        assert!(found.starts_with("warning  ") && has(found, &parts), "{check}: {run:?}");
    }
    assert!(
        has(&run.stdout, &["the variable `doctor_unset`", "cursor:off: disabled", "cursor:fine: valid"]),
        "{run:?}"
    );
    assert!(!run.stdout.contains("workspaceFolder"), "{run:?}");
}

#[cfg(unix)]
#[test]
fn permissions_are_reported_when_others_can_read_secrets() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let mode = |name: &str, mode: u32| {
        std::fs::set_permissions(home.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    home.write(".cursor/mcp.json", r#"{"mcpServers": {"a": {"command": "/bin/sh", "env": {"TOKEN": "s3cret"}}}}"#);
    home.write(".kiro/settings/mcp.json", r#"{"mcpServers": {"a": {"command": "/bin/sh"}}}"#);
    home.write("mcp/targets.json", "{}");
    mode(".cursor/mcp.json", 0o644);
    mode(".kiro/settings/mcp.json", 0o644);
    mode("mcp/targets.json", 0o640);
    let run = home.mcp(&["doctor"]);
    let has_line = |check: &str| run.stdout.lines().any(|line| line.starts_with(&format!("warning  {check}: ")));
    assert!(run.code == 0 && has_line("Cursor") && has_line("saved names") && !has_line("Kiro"), "{run:?}");
    assert!(has(&run.stdout, &["and other users can read it\n         fix: run `chmod 600 '"]), "{run:?}");
    assert!(!run.stdout.contains("s3cret"), "{run:?}");
    mode(".cursor/mcp.json", 0o600);
    assert!(!home.mcp(&["doctor"]).stdout.contains("warning  Cursor"));
}

#[test]
fn stored_files_are_reported_when_they_cannot_be_read() {
    let home = Home::new();
    home.write("mcp/targets.json", "{\n  s3cret");
    home.write("mcp/credentials/abc.json", "s3cret");
    let run = home.mcp(&["doctor"]);
    assert_problem(&run, 2, "saved names", &["invalid content in line 2, column 3", "repair or remove it"]);
    assert_problem(&run, 2, "logins", &["abc.json: invalid content in line 1", "log in again with `mcp login URL`"]);
    assert!(!run.stdout.contains("s3cret"), "{run:?}");
}

#[test]
fn entry_is_started_when_a_host_and_a_name_are_given() {
    let home = Home::new();
    let command = server();
    let servers = json!({
        "good": {"command": command, "args": ["stdio"]},
        "bad": {"command": command, "args": ["faulty", "exits"]},
        "unset": {"command": command, "args": ["stdio"], "env": {"A": "${DOCTOR_UNSET}"}},
        "loose": {"command": command, "args": ["faulty", "loose"]},
        "noisy": {"command": command, "args": ["faulty", "noisy"]},
    });
    home.write(".cursor/mcp.json", &json!({"mcpServers": servers}).to_string());
    let good = home.mcp(&["doctor", "cursor:good"]);
    let expected = ["ok       cursor:good: Kitchen 1.2.3 responds in ", "revision 2026-07-28, 12 tools\n"];
    assert!(good.code == 0 && has(&good.stdout, &expected), "{good:?}");
    let bad = home.mcp(&["doctor", "cursor:bad"]);
    let expected = ["problem  cursor:bad: cannot start as Cursor does: ", "| loading\n", "fix: run `"];
    assert!(bad.code == 3 && has(&bad.stdout, &expected), "{bad:?}");
    let unset = home.mcp(&["doctor", "cursor:unset"]);
    assert!(
        unset.code == 2 && unset.stdout.contains("needs the variable `DOCTOR_UNSET`, which is not set"),
        "{unset:?}"
    );
    let loose = home.mcp(&["doctor", "cursor:loose"]);
    assert!(loose.code == 0 && loose.stdout.contains("warning  protocol: "), "{loose:?}");
    let noisy = home.mcp(&["doctor", "cursor:noisy"]);
    assert_problem(&noisy, 5, "stdout", &["not JSON-RPC messages", "write logs and other output to stderr"]);
    for args in [&["doctor", "cursor:good", "-e", "A=b"][..], &["doctor", "--timeout", "1"]] {
        let options = home.mcp(args);
        assert!(
            options.code == 2 && options.stderr.contains("connection options do not apply to hosts"),
            "{options:?}"
        );
    }
    let missing = home.mcp(&["doctor", "cursor:x"]);
    assert!(missing.code == 2 && missing.stderr.contains("cannot find the server `x` of Cursor"), "{missing:?}");
}
