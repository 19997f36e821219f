//! `mcp lint`: formats, exit codes, and hostile servers and snapshots.

use std::fmt::Write;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::{Run, file, mcp, on_stdio, server};

/// Time for 10,000 tools. The build is not optimized and the machine may be busy; an optimized one takes less than 2 seconds.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Runs `mcp lint` on a snapshot.
fn on_snapshot(snapshot: &str, args: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "server.json", snapshot);
    mcp(&[&["lint", path.to_str().unwrap()], args].concat())
}

/// A snapshot with an error, a warning and a remark, and text that the formats must escape.
fn snapshot() -> String {
    let tool = json!({
        "name": "a<b>&\"c\"'\u{1b}",
        "description": "Adds \u{202e} two numbers, and returns the sum",
        "inputSchema": { "type": "object", "properties": {} },
        "annotations": { "readOnlyHint": true },
    });
    json!({ "serverInfo": { "name": "<demo>", "version": "1" }, "tools": [tool] }).to_string()
}

fn json_of(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

#[test]
fn formats_of_lint() {
    let text = on_snapshot(&snapshot(), &[]);
    insta::assert_snapshot!("lint-text", text.stdout);
    let json = on_snapshot(&snapshot(), &["--format", "json"]);
    insta::assert_snapshot!("lint-json", json.stdout);
    let junit = on_snapshot(&snapshot(), &["--format", "junit"]);
    insta::assert_snapshot!("lint-junit", junit.stdout);
    for run in [&text, &json, &junit] {
        assert!(run.code == 1 && run.stderr.is_empty(), "{run:?}");
        assert!(!run.stdout.contains(['\u{1b}', '\u{202e}']), "{run:?}");
    }
}

#[test]
fn sarif_has_required_members() {
    let run = on_snapshot(&snapshot(), &["--format", "sarif"]);
    let log = json_of(&run);
    assert_eq!((log["version"].as_str(), log["runs"].as_array().map(Vec::len)), (Some("2.1.0"), Some(1)));
    let (driver, results) = (&log["runs"][0]["tool"]["driver"], log["runs"][0]["results"].as_array().unwrap());
    assert_eq!(driver["name"], "mcp lint");
    assert!(results.len() > 3, "{run:?}");
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(driver["rules"][index]["id"], result["ruleId"]);
        assert!(result["message"]["text"].is_string());
        assert!(["note", "warning", "error"].contains(&result["level"].as_str().unwrap()));
        let location = &result["locations"][0];
        assert!(location["logicalLocations"][0]["fullyQualifiedName"].as_str().unwrap().starts_with('/'));
        assert!(location["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap().ends_with("server.json"));
        assert_eq!(location["physicalLocation"]["region"]["startLine"], 1);
    }
}

#[test]
fn exit_code_depends_on_fail_on() {
    let warning = r#"{ "tools": [{ "name": "a", "inputSchema": { "type": "object" } }] }"#;
    for (args, code) in [
        (&[][..], 0),
        (&["--fail-on", "warning"], 1),
        (&["--fail-on", "warning", "--allow", "tool-description-missing"], 0),
        (&["--deny", "tool-description-missing"], 1),
        (&["--deny", "tool-description-missing", "--fail-on", "never"], 0),
        (&["--host", "openai-strict"], 1),
        (&["--host", "vscode"], 0),
        (&["--host", "nonsense"], 2),
        (&["--allow", "nonsense"], 2),
        (&["extra"], 2),
    ] {
        let run = on_snapshot(warning, args);
        assert_eq!(run.code, code, "{args:?}: {run:?}");
    }
}

#[test]
fn server_is_checked_over_stdio() {
    let run = on_stdio(&["lint", "--format", "json", "--fail-on", "never"]);
    let report = json_of(&run);
    assert_eq!((run.code, report["tools"].as_u64()), (0, Some(12)), "{run:?}");
    assert_eq!(report["serverInfo"]["name"], "Kitchen");
    assert!(report["estimatedTokens"].as_u64().unwrap() > 100);
}

#[test]
fn broken_items_do_not_hide_others_when_server_is_hostile() {
    let run = mcp(&["lint", "--format", "json", "--", server(), "hostile", "broken"]);
    let report = json_of(&run);
    assert_eq!((run.code, report["tools"].as_u64()), (1, Some(5)), "{run:?}");
    assert_eq!(report["rules"]["definition-invalid"], 2, "{report:#}");
    assert!(report["rules"]["schema-invalid"].as_u64().unwrap() >= 1, "{report:#}");
    assert_eq!(run.stderr, "", "warnings of the client are findings");
    for kind in ["escapes", "repeat", "text"] {
        let run = mcp(&["lint", "--", server(), "hostile", kind]);
        assert!(run.code <= 1 && !run.stdout.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\r']), "{run:?}");
        assert!(!run.stdout.lines().any(|line| line.starts_with("error: forged")), "{run:?}");
    }
}

#[test]
fn schema_of_ten_thousand_levels_is_reported() {
    let deep = format!("{}{}", "{\"items\":".repeat(10_000), "{}".to_owned() + &"}".repeat(10_000));
    let tool = |name: &str, schema: &str| format!(r#"{{ "name": "{name}", "inputSchema": {schema} }}"#);
    let tools = [tool("deep", &deep), tool("good", r#"{ "type": "object" }"#)].join(",");
    let report = json_of(&on_snapshot(&format!(r#"{{ "tools": [{tools}] }}"#), &["--format", "json"]));
    assert_eq!((report["tools"].as_u64(), report["rules"]["schema-too-deep"].as_u64()), (Some(2), Some(1)));
}

#[test]
fn ten_thousand_tools_are_checked() {
    let mut tools = String::new();
    for number in 0..10_000 {
        let comma = if number == 0 { "" } else { "," };
        write!(tools, r#"{comma}{{"name":"tool_{number}","inputSchema":{{"type":"object","properties":{{"a":{{"type":"string"}}}}}}}}"#).unwrap();
    }
    let start = Instant::now();
    let run = on_snapshot(&format!(r#"{{"tools":[{tools}]}}"#), &["--format", "json", "--fail-on", "never"]);
    assert!(start.elapsed() < TIMEOUT, "{:?}", start.elapsed());
    let report = json_of(&run);
    assert_eq!((report["tools"].as_u64(), report["rules"]["title-missing"].as_u64()), (Some(10_000), Some(10_000)));
    assert!(run.stdout.len() < 1 << 20, "the findings of a rule are bounded");
}

#[test]
fn file_without_tools_is_a_configuration_file() {
    let run = on_snapshot(r#"{ "mcpServers": {} }"#, &[]);
    assert!(run.code == 2 && !run.stderr.contains("snapshot"), "{run:?}");
}
