//! Servers that send escape sequences, huge texts, endless lists and thousands of tools.

use std::time::{Duration, Instant};

use crate::process::{Run, mcp, server};

/// Time within which a verb must end; long, because the machine may be busy and the build is not optimized.
const TIMEOUT: Duration = Duration::from_secs(60);

fn hostile(kind: &str, args: &[&str]) -> Run {
    let start = Instant::now();
    let run = mcp(&[args, &["--", server(), "hostile", kind]].concat());
    assert!(start.elapsed() < TIMEOUT, "{args:?} took {:?}", start.elapsed());
    run
}

/// Returns whether a terminal would interpret the text, or show it in another order.
fn is_plain(text: &str) -> bool {
    text.chars().all(|c| c == '\n' || c == '\t' || !(c.is_control() || matches!(c, '\u{202a}'..='\u{202e}')))
}

#[test]
fn escape_sequences_are_escaped_in_all_output() {
    for args in [
        &["list"][..],
        &["list", "--json"],
        &["list", "--long", "-vv"],
        &["call", "t"],
        &["call", "t", "--json"],
        &["call", "fail"],
        &["call", "fail", "--json"],
        &["call", "rpc", "-v"],
        &["call", "missing"],
        &["call", "\u{1b}[31mred"],
        &["read", "x:y"],
        &["read", "x:y", "--json"],
        &["prompt", "p"],
        &["prompt", "p", "x\u{1b}=1"],
        &["prompt", "p", "--json"],
        &["complete", "p", "a="],
        &["complete", "p", "a=", "--json"],
        &["discover"],
        &["discover", "--json"],
        &["discover", "-vv"],
        &["ping"],
        &["doctor"],
        &["doctor", "--json"],
    ] {
        let run = hostile("escapes", args);
        assert!(is_plain(&run.stdout) && is_plain(&run.stderr), "{args:?}: {run:?}");
        let is_forged = |line: &str| line.starts_with("error: forged");
        assert!(!run.stderr.lines().any(is_forged), "{args:?}: {run:?}");
        if args.contains(&"--json") {
            serde_json::from_str::<serde_json::Value>(&run.stdout).unwrap();
        }
    }
    assert!(hostile("escapes", &["call", "t"]).stdout.starts_with("\\u{1b}[31mred"));
}

#[test]
fn text_of_ten_megabytes_is_printed() {
    for args in [&["call", "t"][..], &["read", "x:y"], &["call", "t", "--json"]] {
        let run = hostile("text", args);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(run.stdout.len() > 10 << 20 && is_plain(&run.stdout), "{}", run.stdout.len());
    }
}

#[test]
fn endless_lists_end() {
    let new = hostile("pages", &["list", "tools"]);
    assert!(new.code == 5 && new.stderr.contains("list exceeds the limit of 1000 pages"), "{}", new.stderr);
    assert!(new.stdout.contains("tool998()\n"), "the items so far are printed");
    let same = hostile("repeat", &["list", "tools"]);
    assert_eq!((same.code, same.stdout.as_str()), (0, "tool()\n"));
    assert!(same.stderr.contains("the list ends here"), "{same:?}");
    let call = hostile("repeat", &["call", "missing"]);
    assert_eq!(call.code, 2, "{call:?}");
}

#[test]
fn ten_thousand_tools_are_listed() {
    let list = hostile("tools", &["list", "tools"]);
    assert_eq!((list.code, list.stdout.lines().count()), (0, 10_000));
    let json = hostile("tools", &["list", "tools", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(value["tools"].as_array().map(Vec::len), Some(10_000));
    assert_eq!(hostile("tools", &["call", "tool_09999"]).code, 0);
    let typo = hostile("tools", &["call", "tool_0999"]);
    assert!(typo.code == 2 && typo.stderr.contains("did you mean `tool_0"), "{typo:?}");
}

#[test]
fn hostile_servers_are_bridged() {
    let bridged = |kind: &str, args: &[&str]| {
        let run = [env!("CARGO_BIN_EXE_mcp"), "run", "--bridge", "--", server(), "hostile", kind];
        let start = Instant::now();
        let run = mcp(&[args, &["--"], &run].concat());
        assert!(start.elapsed() < TIMEOUT, "{args:?} took {:?}", start.elapsed());
        run
    };
    let escapes = bridged("escapes", &["call", "t", "-v"]);
    assert!(is_plain(&escapes.stdout) && is_plain(&escapes.stderr), "{escapes:?}");
    assert!(escapes.stdout.starts_with("\\u{1b}[31mred"), "{escapes:?}");
    let text = bridged("text", &["call", "t"]);
    assert!(text.code == 0 && text.stdout.len() > 10 << 20, "{}", text.stderr);
    let tools = bridged("tools", &["list", "tools"]);
    assert_eq!((tools.code, tools.stdout.lines().count()), (0, 10_000));
    let pages = bridged("pages", &["list", "tools"]);
    assert!(pages.code == 5 && pages.stderr.contains("list exceeds the limit of 1000 pages"), "{}", pages.stderr);
    let mute = bridged("mute", &["list", "--timeout", "1"]);
    assert_eq!(mute.code, 7, "{mute:?}");
}
