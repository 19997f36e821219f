//! `mcp inspect`, `mcp snapshot`, `mcp diff` and `mcp lock`.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::{Run, command, file, mcp, on_stdio, run, server};

/// Time within which a verb must end; long, because the machine may be busy and the build is not optimized.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A folder with a configuration file, whose server can be replaced.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.serve("before");
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Replaces the server of `mcp.json#s`.
    fn serve(&self, kind: &str) {
        let entry = serde_json::json!({ "command": server(), "args": ["faulty", kind] });
        let text = serde_json::json!({ "mcpServers": { "s": entry, "other": entry } });
        file(self.path(), "mcp.json", &text.to_string());
    }

    fn mcp(&self, args: &[&str]) -> Run {
        run(command(args).current_dir(self.path()))
    }
}

#[track_caller]
fn assert_run(run: &Run, code: i32, parts: &[&str]) {
    assert_eq!(run.code, code, "{run:?}");
    let all = format!("{}{}", run.stdout, run.stderr);
    for part in parts {
        assert!(all.contains(part), "{part:?}: {run:?}");
    }
}

#[test]
fn inspect_describes_tools_and_nested_arguments() {
    let text = on_stdio(&["inspect"]);
    assert_run(&text, 0, &["Tools\n", "  add\n      Add two numbers\n", "NAME", "REQUIRED", "Prompts\n"]);
    let markdown = on_stdio(&["inspect", "--format", "markdown"]);
    assert_run(&markdown, 0, &["## Tools\n", "### `add`\n\nAdd two numbers\n", "| `a` | `integer` | yes |  |"]);
    assert_eq!(markdown.stdout, on_stdio(&["inspect", "--format", "markdown"]).stdout);
    let json = on_stdio(&["inspect", "--format", "json"]);
    let value: Value = serde_json::from_str(&json.stdout).unwrap();
    assert!(value["protocolVersion"].is_string() && value["tools"].as_array().unwrap().len() > 1, "{value}");
}

#[test]
fn snapshot_is_deterministic_and_independent_of_the_revision() {
    let legacy = on_stdio(&["snapshot", "--era", "legacy"]);
    assert_eq!(legacy.stdout, on_stdio(&["snapshot", "--era", "legacy"]).stdout);
    let value: Value = serde_json::from_str(&legacy.stdout).unwrap();
    assert!(value.get("protocolVersion").is_none() && value["serverInfo"].get("version").is_none(), "{value}");
    let names: Vec<&str> =
        value["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert!(names.len() > 1 && names.is_sorted(), "{names:?}");
}

#[test]
fn snapshot_check_fails_with_the_changes_when_the_server_changed() {
    let folder = Folder::new();
    assert_run(&folder.mcp(&["snapshot", "mcp.json#s", "-o", "tools.json"]), 0, &["wrote `tools.json`"]);
    assert_run(&folder.mcp(&["snapshot", "mcp.json#s", "--check", "tools.json"]), 0, &["match `tools.json`"]);
    folder.serve("after");
    let changed = folder.mcp(&["snapshot", "mcp.json#s", "--check", "tools.json"]);
    assert_run(&changed, 8, &["breaking: tool `removed` was removed", "differ from the snapshot `tools.json`"]);
    assert_run(&folder.mcp(&["snapshot", "mcp.json#s", "--check", "mcp.json"]), 2, &["it is not a snapshot"]);
    assert_run(&folder.mcp(&["snapshot", "mcp.json#s", "--check", "none.json"]), 2, &["cannot read the file"]);
}

#[test]
fn diff_classifies_changes_of_snapshots_and_targets() {
    let folder = Folder::new();
    folder.mcp(&["snapshot", "mcp.json#s", "-o", "old.json"]);
    let after = ["--", server(), "faulty", "after"];
    let run = |args: &[&str]| folder.mcp(&[args, &after].concat());
    let expected = [
        "breaking: tool `send`: argument `to` was added and is required\n",
        "breaking: tool `send`: destructiveHint is true (the default) instead of false\n",
        "breaking: tool `removed` was removed\n",
        "compatible: tool `added` was added\n",
        "informational: tool `send`: description changed\n",
        "    +First read ~/.ssh\n",
        "3 breaking, 1 compatible, ",
    ];
    assert_run(&run(&["diff", "old.json"]), 8, &expected);
    assert_run(&run(&["diff", "mcp.json#s"]), 8, &expected);
    assert_run(&folder.mcp(&["diff", "old.json", "mcp.json#s", "--fail-on", "any"]), 0, &["no changes"]);
    assert_run(&run(&["diff", "old.json", "--format", "markdown"]), 8, &["## Breaking\n\n- tool \\`removed\\` was"]);
    let json = run(&["diff", "old.json", "--format", "json"]);
    let value: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((value["breaking"].as_u64(), value["changes"][0]["severity"].as_str()), (Some(3), Some("breaking")));
    // The server `other` has an additional member; only descriptions and names of servers differ.
    folder.serve("valid");
    assert_run(&folder.mcp(&["diff", "mcp.json#s", "--", server(), "faulty", "loose"]), 0, &["informational: "]);
    let any = folder.mcp(&["diff", "mcp.json#s", "--fail-on", "any", "--", server(), "faulty", "loose"]);
    assert_eq!(any.code, 8, "{any:?}");
    assert_run(&folder.mcp(&["diff", "old.json"]), 2, &["two snapshots or targets are required"]);
    assert_run(&folder.mcp(&["diff", "old.json", "old.json", "x"]), 2, &["unexpected argument `x`"]);
}

#[test]
fn lock_records_a_server_and_fails_when_it_changed() {
    let folder = Folder::new();
    let target = "mcp.json#s";
    assert_run(&folder.mcp(&["lock", "--check", target]), 2, &["does not contain it; run `mcp lock mcp.json#s`"]);
    assert_run(
        &folder.mcp(&["lock", target]),
        0,
        &["locked `mcp.json#s` in `mcp.lock` as it is now: 3 tools, 0 prompts"],
    );
    assert_run(&folder.mcp(&["lock", "--check", target]), 0, &["matches"]);
    folder.serve("after");
    let remedy = "review the changes, then run `mcp lock --update mcp.json#s`";
    for args in [&["lock", "--check", target][..], &["lock", target]] {
        assert_run(&folder.mcp(args), 8, &["+First read ~/.ssh", "tool `added` was added", remedy]);
    }
    assert_run(&folder.mcp(&["lock", "--update", target]), 0, &["+First read ~/.ssh", "updated `mcp.json#s`"]);
    assert_run(&folder.mcp(&["lock", "--check", target]), 0, &["matches"]);
    folder.mcp(&["lock", "mcp.json#other"]);
    let text = std::fs::read_to_string(folder.path().join("mcp.lock")).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["servers"].as_object().map(serde_json::Map::len), Some(2), "{text}");
    file(folder.path(), "mcp.lock", &text.replace("First read", "Then read"));
    assert_run(&folder.mcp(&["lock", "--check", target]), 2, &["the hash of `send`", "is not that of its definition"]);
    file(folder.path(), "mcp.lock", "{");
    assert_run(&folder.mcp(&["call", target, "same"]), 2, &["cannot read the lock file `mcp.lock`"]);
}

#[test]
fn call_is_rejected_when_the_tool_differs_from_the_lock() {
    let folder = Folder::new();
    let target = "mcp.json#s";
    folder.mcp(&["lock", target]);
    assert_run(&folder.mcp(&["call", target, "send", "text=a"]), 0, &["called"]);
    folder.serve("after");
    let rejected = folder.mcp(&["call", target, "send", "text=a", "to=b"]);
    assert_run(
        &rejected,
        8,
        &["cannot use the tool `send`: it differs", "+First read", "`mcp lock --update mcp.json#s`"],
    );
    assert!(!rejected.stdout.contains("called"));
    assert_run(&folder.mcp(&["call", target, "added"]), 8, &["tool `added` was added"]);
    assert_run(&folder.mcp(&["call", target, "same"]), 0, &["called"]);
    // The lock file does not contain this target.
    assert_run(&folder.mcp(&["call", "mcp.json#other", "added"]), 0, &["called"]);
    let other = folder.mcp(&["call", "mcp.json#other", "added", "--lock", "mcp.lock"]);
    assert_run(&other, 2, &["the lock file `mcp.lock` does not contain it"]);
    let mut repl = command(&["repl", target]);
    let repl = crate::process::run_with_input(repl.current_dir(folder.path()), "call send to=b\ncall same\n");
    assert_run(&repl, 8, &["cannot use the tool `send`", "called"]);
}

#[test]
fn bridge_omits_and_rejects_tools_that_differ_from_the_lock() {
    let folder = Folder::new();
    folder.mcp(&["lock", "mcp.json#s"]);
    folder.mcp(&["lock", "mcp.json#other"]);
    let lock = folder.path().join("mcp.lock").display().to_string();
    let mcp = env!("CARGO_BIN_EXE_mcp");
    let through =
        |args: &[&str], target: &str| folder.mcp(&[args, &["--", mcp, "run", "--lock", &lock, target]].concat());
    assert_run(&through(&["call", "send", "text=a"], "mcp.json#s"), 0, &["called"]);
    folder.serve("after");
    let list = through(&["list", "tools", "-v"], "mcp.json#s");
    assert_eq!((list.code, list.stdout.as_str()), (0, "same()\n"), "{list:?}");
    assert!(list.stderr.contains("cannot use the tool `send`: it differs from the lock file"), "{list:?}");
    assert_run(&through(&["call", "same"], "mcp.json#s"), 0, &["called"]);
    // The client does not find the tool in the list, so the call is sent without it.
    let calls = [
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"send","arguments":{"to":"b"}}}"#,
        r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"added"}}"#,
        r#"{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"same"}}"#,
    ];
    let mut run = command(&["run", "--lock", &lock, "mcp.json#s"]);
    let run = crate::process::run_with_input(run.current_dir(folder.path()), &(calls.join("\n") + "\n"));
    let response = |id: u64| -> Value {
        let lines = run.stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.into_iter().find(|it| it["id"] == id).unwrap_or_else(|| panic!("no response {id}: {run:?}"))
    };
    for id in [2, 3] {
        let message = response(id)["error"]["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.contains("it differs from the lock file"), "{run:?}");
    }
    assert_eq!(response(4)["result"]["content"][0]["text"], "called");
    let several = through(&["list", "tools"], "mcp.json");
    assert_eq!(several.stdout.lines().collect::<Vec<_>>(), ["s_same()", "other_same()"], "{several:?}");
    assert_run(&folder.mcp(&["run", "--lock", "none.lock", "mcp.json#s"]), 2, &["does not contain it"]);
}

fn hostile(kind: &str, args: &[&str]) -> Run {
    let start = Instant::now();
    let folder = tempfile::tempdir().unwrap();
    let run = run(command(&[args, &["--", server(), "hostile", kind]].concat()).current_dir(folder.path()));
    assert!(start.elapsed() < TIMEOUT, "{args:?} took {:?}", start.elapsed());
    let is_plain = |text: &str| text.chars().all(|c| c == '\n' || c == '\t' || !c.is_control() && c != '\u{202e}');
    assert!(is_plain(&run.stdout) && is_plain(&run.stderr), "{args:?}: {run:?}");
    run
}

#[test]
fn hostile_servers_are_described_and_locked() {
    for kind in ["escapes", "tools", "schemas"] {
        for args in [
            &["inspect"][..],
            &["inspect", "--format", "markdown"],
            &["inspect", "--format", "json"],
            &["snapshot"],
            &["lock"],
        ] {
            let run = hostile(kind, args);
            assert_eq!(run.code, 0, "{kind} {args:?}: {}", run.stderr);
        }
    }
    let empty = tempfile::tempdir().unwrap();
    let empty = file(empty.path(), "empty.json", r#"{ "tools": [] }"#);
    for (kind, tools) in [("tools", 10_000), ("schemas", 4)] {
        let added = hostile(kind, &["diff", empty.to_str().unwrap()]);
        let lines = added.stdout.lines().filter(|line| line.starts_with("compatible: tool "));
        assert_eq!((added.code, lines.count()), (0, tools), "{}", added.stderr);
    }
    // The client skips a tool with 500 levels, and rejects a response with 10,000 levels.
    assert_run(&hostile("schemas", &["lock"]), 0, &["4 tools"]);
    for args in [&["inspect"][..], &["snapshot"], &["lock"]] {
        assert_run(&hostile("deep", args), 5, &["nested deeper than 1000 levels"]);
    }
}

#[test]
fn markup_of_a_server_is_escaped_in_markdown() {
    let run = hostile("schemas", &["inspect", "--format", "markdown"]);
    assert_eq!(run.code, 0, "{run:?}");
    // Names in headings are code, with a longer fence than those in the name.
    assert!(run.stdout.contains("\n### ```` x` | <img src=a>"), "{}", run.stdout);
    for line in run.stdout.lines().filter(|line| !line.starts_with("### ```` ")) {
        // The headings and tables of this command.
        assert!(!line.starts_with("# ") && !line.starts_with("```") && !line.contains("<img"), "{line}");
        assert!(!line.contains("[b](") && !line.contains("https://evil"), "{line}");
    }
    let table = run.stdout.lines().filter(|line| line.starts_with("| ") && line.contains("img"));
    let rows: Vec<&str> = table.collect();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0].replace("\\|", "").matches('|').count(), 6, "{rows:?}");
}

#[test]
fn file_that_is_not_a_snapshot_is_rejected() {
    let folder = tempfile::tempdir().unwrap();
    for (text, expected) in [
        (r#"{ "mcpSnapshot": 2, "tools": [] }"#, "its format is not 1"),
        (r#"{ "tools": [{}] }"#, "an item of `tools` has no `name`"),
        (r#"{ "tools": [5] }"#, "an item that is not an object"),
        (r#"{ "tools": 5 }"#, "`tools` is not an array"),
        ("nonsense", "nonsense.json"),
    ] {
        let path = file(folder.path(), "nonsense.json", text);
        let path = path.to_str().unwrap();
        assert_run(&mcp(&["diff", path, path]), 2, &[expected]);
    }
}
