//! Elicitation, sampling and roots with third-party clients: the same requests, responses and side effects on every
//! revision and transport, and each side effect once.
//!
//! The clients are described in `crates/ferromcp/tests/interop/README.md`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::interop::{run_client, set_up_folder};
use crate::server_process::{CLIENT_REQUESTS, ServerProcess};

/// Returns the path of a new file for the servers of a test.
pub(crate) fn new_file(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = fs::remove_file(&path);
    path
}

/// Returns the lines of a file.
pub(crate) fn read_lines(path: &PathBuf) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Groups side effects by tool. The side effects of `both` are sorted, because its questions are concurrent.
fn effects_by_tool(effects: &[String]) -> BTreeMap<&str, Vec<&str>> {
    let mut by_tool = BTreeMap::<_, Vec<_>>::new();
    for effect in effects {
        let (tool, effect) = effect.split_once(": ").unwrap();
        by_tool.entry(tool).or_default().push(effect);
    }
    by_tool.get_mut("both").expect("side effects of `both`").sort_unstable();
    by_tool
}

/// Asserts the results, the requests to the client and the side effects, which are the same for every client.
#[track_caller]
fn assert_results(seen: &Value, revision: &str, effects: &[String]) {
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
    asked[10..14].sort_unstable(); // the concurrent questions
    let questions = [
        "Name?",
        "How many seats, Ada?",
        "3 seats for Ada, sure?",
        "A number?",
        "A number?",
        "A number?",
        "Delete everything?",
        "About what?",
        "Write a story about crabs",
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
    assert_eq!(effects_by_tool(effects), expected, "each side effect happens once, in order");
}

/// Asserts the number of handler runs: one per call in sessions, and one more for each round of `input_required`.
#[track_caller]
fn assert_runs(runs: &[String], revision: &str) {
    let count = |tool| runs.iter().filter(|run| *run == tool).count();
    let counts = ["book", "guess", "delete", "story", "both", "look"].map(count);
    let expected = if revision == "2026-07-28" { [4, 4, 2, 4, 3, 2] } else { [1; 6] };
    assert_eq!(counts, expected);
}

/// Runs a client that starts the server and calls all tools over stdio.
fn over_stdio(test: &str, program: &str, script: &str, mode: &[&str], revision: &str) {
    let Some(folder) = set_up_folder(test) else { return };
    let (effects, runs_file) = (new_file(&format!("{test}-effects")), new_file(&format!("{test}-runs")));
    let server = [CLIENT_REQUESTS, effects.to_str().unwrap(), runs_file.to_str().unwrap()];
    let seen = run_client(&folder, program, script, &[mode, &server].concat());
    assert_results(&seen, revision, &read_lines(&effects));
    assert_runs(&read_lines(&runs_file), revision);
}

/// Runs a client that calls all tools over HTTP.
fn over_http(test: &str, program: &str, script: &str, mode: &[&str], place: &str, revision: &str) {
    let Some(folder) = set_up_folder(test) else { return };
    let (effects, runs_file) = (new_file(&format!("{test}-effects")), new_file(&format!("{test}-runs")));
    let server =
        ServerProcess::start(CLIENT_REQUESTS, &["--http", effects.to_str().unwrap(), runs_file.to_str().unwrap()]);
    let url = server.url().replace("/mcp", place);
    let seen = run_client(&folder, program, script, &[mode, &[&url]].concat());
    assert_results(&seen, revision, &read_lines(&effects));
    assert_runs(&read_lines(&runs_file), revision);
    server.signal("TERM");
    server.wait().assert_clean_exit();
}

const PYTHON_1: (&str, &str) = ("py1/bin/python", "client_requests_py1.py");
const PYTHON_2: (&str, &str) = ("py2/bin/python", "client_requests_py2.py");
const TYPESCRIPT_1: (&str, &str) = ("node/node_modules/.bin/node", "client_requests_ts1.mjs");
const TYPESCRIPT_2: (&str, &str) = ("node/node_modules/.bin/node", "client_requests_ts2.mjs");

#[test]
fn python_1_answers_during_calls() {
    // S-006, S-391, S-424, S-427, S-429, S-436
    over_stdio("python_1_answers_during_calls", PYTHON_1.0, PYTHON_1.1, &[], "2025-11-25");
}

#[test]
fn python_2_answers_input_required() {
    // M26-233, M26-234, M26-236, M26-237, M26-238, M26-239, M26-250, M26-251
    over_stdio("python_2_answers_input_required", PYTHON_2.0, PYTHON_2.1, &["auto"], "2026-07-28");
}

#[test]
fn python_2_legacy_answers_during_calls() {
    // S-006, S-391, S-424, S-427, S-429, S-436
    over_stdio("python_2_legacy_answers_during_calls", PYTHON_2.0, PYTHON_2.1, &["legacy"], "2025-11-25");
}

#[test]
fn python_1_answers_during_calls_over_http() {
    // S-135, S-145, S-146, S-147, S-150
    let (program, script) = PYTHON_1;
    over_http("python_1_answers_during_calls_over_http", program, script, &[], "/mcp", "2025-11-25");
}

#[test]
fn python_1_answers_during_calls_over_http_and_sse() {
    // S-116, S-119
    let (program, script) = PYTHON_1;
    over_http("python_1_answers_during_calls_over_http_and_sse", program, script, &[], "/sse", "2025-11-25");
}

#[test]
fn python_2_answers_input_required_over_http() {
    // M26-233, M26-234, M26-236, M26-237, M26-238, M26-239, M26-250, M26-251
    let (program, script) = PYTHON_2;
    over_http("python_2_answers_input_required_over_http", program, script, &["auto"], "/mcp", "2026-07-28");
}

#[test]
fn python_2_legacy_answers_during_calls_over_http() {
    // S-135, S-145, S-146, S-147, S-150
    let (program, script) = PYTHON_2;
    over_http("python_2_legacy_answers_during_calls_over_http", program, script, &["legacy"], "/mcp", "2025-11-25");
}

#[test]
fn typescript_1_answers_during_calls_over_http() {
    // S-135, S-145, S-146, S-147, S-150
    let (program, script) = TYPESCRIPT_1;
    over_http("typescript_1_answers_during_calls_over_http", program, script, &[], "/mcp", "2025-11-25");
}

#[test]
fn typescript_2_answers_input_required_over_http() {
    // M26-233, M26-234, M26-236, M26-237, M26-238, M26-239, M26-250, M26-251
    let (program, script) = TYPESCRIPT_2;
    let mode = &["2026-07-28"];
    over_http("typescript_2_answers_input_required_over_http", program, script, mode, "/mcp", "2026-07-28");
}

#[test]
fn typescript_2_legacy_answers_during_calls_over_http() {
    // S-135, S-145, S-146, S-147, S-150
    let (program, script) = TYPESCRIPT_2;
    over_http("typescript_2_legacy_answers_during_calls_over_http", program, script, &["legacy"], "/mcp", "2025-11-25");
}
