//! Clients that others wrote, asked in the middle of calls: the same questions, answers and effects on every revision
//! and transport, and each effect once.
//!
//! The clients are described in `crates/ferromcp/tests/interop/README.md`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::interop::{folder, run};
use crate::peer::{CONVERSATION, Peer};

/// A file that is not there yet, for a test's servers to write to.
pub(crate) fn fresh(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = fs::remove_file(&path);
    path
}

/// The lines of such a file.
pub(crate) fn lines(path: &PathBuf) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// The effects of each tool. Where questions are side by side, so are the effects that follow them.
fn by_tool(effects: &[String]) -> BTreeMap<&str, Vec<&str>> {
    let mut by_tool = BTreeMap::<_, Vec<_>>::new();
    for effect in effects {
        let (tool, effect) = effect.split_once(": ").unwrap();
        by_tool.entry(tool).or_default().push(effect);
    }
    by_tool.get_mut("both").expect("effects of `both`").sort_unstable();
    by_tool
}

/// What every client sees, and what the server does for it.
#[track_caller]
fn same(seen: &Value, revision: &str, effects: &[String]) {
    assert_eq!(seen["client_problems"], json!([]));
    assert_eq!(seen["protocol_version"], revision);
    let results = json!({
        "book": [false, "3 seats for Ada: true"],
        "guess": [false, "right after 3"],
        "delete": [false, "nothing was deleted: declined"],
        "story": [false, "Crabs have ten legs.: true"],
        "both": [false, "3 30"],
        "look": [false, "file:///home/ada file:///tmp"],
    });
    assert_eq!(seen["results"], results);
    let mut asked: Vec<&str> = seen["asked"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    asked[10..14].sort_unstable(); // those side by side
    let questions = [
        "Name?",
        "How many seats, Ada?",
        "3 seats for Ada, sure?",
        "A number?",
        "A number?",
        "A number?",
        "Delete everything?",
        "About what?",
        "Tell of crabs",
        "Is it good: Crabs have ten legs.?",
        "left, turn 1?",
        "left, turn 2?",
        "right, turn 1?",
        "right, turn 2?",
        "roots",
    ];
    assert_eq!(asked, questions);
    let expected = BTreeMap::from([
        ("book", vec!["reserved", "greeted Ada", "seated 3", "paid true"]),
        ("guess", vec!["looked at 1", "looked at 5", "looked at 7"]),
        ("delete", vec!["looked"]),
        ("story", vec!["wrote Crabs have ten legs."]),
        ("both", vec!["left is 1", "left is 3", "right is 10", "right is 30"]),
        ("look", vec!["saw file:///home/ada file:///tmp"]),
    ]);
    assert_eq!(by_tool(effects), expected, "each effect once, in the order of the handler");
}

/// How often handlers begin: once a call where they are asked live, and once more for each round of questions where not.
#[track_caller]
fn runs(runs: &[String], revision: &str) {
    let count = |tool| runs.iter().filter(|run| *run == tool).count();
    let counts = ["book", "guess", "delete", "story", "both", "look"].map(count);
    let expected = if revision == "2026-07-28" { [4, 4, 2, 4, 3, 2] } else { [1; 6] };
    assert_eq!(counts, expected);
}

/// Lets a client of stdio hold all conversations with a server that it starts.
fn over_stdio(test: &str, program: &str, script: &str, mode: &[&str], revision: &str) {
    let Some(folder) = folder(test) else { return };
    let (effects, begun) = (fresh(&format!("{test}-effects")), fresh(&format!("{test}-runs")));
    let server = [CONVERSATION, effects.to_str().unwrap(), begun.to_str().unwrap()];
    let seen = self::run(&folder, program, script, &[mode, &server].concat());
    same(&seen, revision, &lines(&effects));
    runs(&lines(&begun), revision);
}

/// Lets a client hold all conversations over HTTP.
fn over_http(test: &str, program: &str, script: &str, mode: &[&str], place: &str, revision: &str) {
    let Some(folder) = folder(test) else { return };
    let (effects, begun) = (fresh(&format!("{test}-effects")), fresh(&format!("{test}-runs")));
    let server = Peer::start(CONVERSATION, &["--http", effects.to_str().unwrap(), begun.to_str().unwrap()]);
    let url = server.url().replace("/mcp", place);
    let seen = self::run(&folder, program, script, &[mode, &[&url]].concat());
    same(&seen, revision, &lines(&effects));
    runs(&lines(&begun), revision);
    server.signal("TERM");
    server.end().is_clean();
}

const PYTHON_1: (&str, &str) = ("py1/bin/python", "asking_py1.py");
const PYTHON_2: (&str, &str) = ("py2/bin/python", "asking_py2.py");
const TYPESCRIPT_1: (&str, &str) = ("node/node_modules/.bin/node", "asking_ts1.mjs");
const TYPESCRIPT_2: (&str, &str) = ("node/node_modules/.bin/node", "asking_ts2.mjs");

#[test]
fn python_1_is_asked_live() {
    // S-006, S-391, S-424, S-427, S-429, S-436
    over_stdio("python_1_is_asked_live", PYTHON_1.0, PYTHON_1.1, &[], "2025-11-25");
}

#[test]
fn python_2_is_asked_round_by_round() {
    // M26-233, M26-234, M26-236, M26-237, M26-238, M26-239, M26-250, M26-251
    over_stdio("python_2_is_asked_round_by_round", PYTHON_2.0, PYTHON_2.1, &["auto"], "2026-07-28");
}

#[test]
fn python_2_as_of_old_is_asked_live() {
    // S-006, S-391, S-424, S-427, S-429, S-436
    over_stdio("python_2_as_of_old_is_asked_live", PYTHON_2.0, PYTHON_2.1, &["legacy"], "2025-11-25");
}

#[test]
fn python_1_is_asked_live_over_http() {
    // S-135, S-145, S-146, S-147, S-150
    let (program, script) = PYTHON_1;
    over_http("python_1_is_asked_live_over_http", program, script, &[], "/mcp", "2025-11-25");
}

#[test]
fn python_1_is_asked_live_over_http_and_sse() {
    // S-116, S-119
    let (program, script) = PYTHON_1;
    over_http("python_1_is_asked_live_over_http_and_sse", program, script, &[], "/sse", "2025-11-25");
}

#[test]
fn python_2_is_asked_round_by_round_over_http() {
    // M26-233, M26-234, M26-236, M26-237, M26-238, M26-239, M26-250, M26-251
    let (program, script) = PYTHON_2;
    over_http("python_2_is_asked_round_by_round_over_http", program, script, &["auto"], "/mcp", "2026-07-28");
}

#[test]
fn python_2_as_of_old_is_asked_live_over_http() {
    // S-135, S-145, S-146, S-147, S-150
    let (program, script) = PYTHON_2;
    over_http("python_2_as_of_old_is_asked_live_over_http", program, script, &["legacy"], "/mcp", "2025-11-25");
}

#[test]
fn typescript_1_is_asked_live_over_http() {
    // S-135, S-145, S-146, S-147, S-150
    let (program, script) = TYPESCRIPT_1;
    over_http("typescript_1_is_asked_live_over_http", program, script, &[], "/mcp", "2025-11-25");
}

#[test]
fn typescript_2_is_asked_round_by_round_over_http() {
    // M26-233, M26-234, M26-236, M26-237, M26-238, M26-239, M26-250, M26-251
    let (program, script) = TYPESCRIPT_2;
    let mode = &["2026-07-28"];
    over_http("typescript_2_is_asked_round_by_round_over_http", program, script, mode, "/mcp", "2026-07-28");
}

#[test]
fn typescript_2_as_of_old_is_asked_live_over_http() {
    // S-135, S-145, S-146, S-147, S-150
    let (program, script) = TYPESCRIPT_2;
    over_http("typescript_2_as_of_old_is_asked_live_over_http", program, script, &["legacy"], "/mcp", "2025-11-25");
}
