//! A server of ten thousand tools: it starts, lists them in pages, calls each, and stays small.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::peer::MANY;

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

/// A server and its pipes, with nothing between that would cost time.
struct Wire {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    line: String,
}

impl Wire {
    fn start(tools: usize) -> Self {
        let mut command = Command::new(MANY);
        let mut child = command.arg(tools.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::with_capacity(1 << 16, child.stdout.take().unwrap());
        Self { stdin: child.stdin.take(), child, stdout, line: String::new() }
    }

    fn say(&mut self, lines: &str) {
        self.stdin.as_mut().unwrap().write_all(lines.as_bytes()).unwrap();
    }

    fn hear(&mut self) -> &str {
        self.line.clear();
        assert!(self.stdout.read_line(&mut self.line).unwrap() > 0, "the server closed its stdout");
        &self.line
    }

    fn ask(&mut self, method: &str, params: &str) -> Value {
        self.say(&request(0, method, params));
        let answer: Value = serde_json::from_str(self.hear()).unwrap();
        assert!(answer["error"].is_null(), "{answer}");
        answer["result"].clone()
    }

    /// All names in `tools/list`, and how many pages there were.
    fn names(&mut self) -> (Vec<String>, usize) {
        let (mut names, mut pages, mut cursor) = (Vec::new(), 0, String::new());
        loop {
            let page = self.ask("tools/list", &cursor);
            let tools = page["tools"].as_array().unwrap();
            names.extend(tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()));
            pages += 1;
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!(r#","cursor":"{next}""#),
                None => return (names, pages),
            }
        }
    }

    /// A field of `/proc/PID/status` in KiB, such as `VmRSS` or `VmHWM`; `None` where there is no such thing.
    fn memory(&self, field: &str) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with(field))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }

    /// Microseconds a call, over `count` calls with `window` of them under way.
    fn pace(&mut self, tools: usize, count: usize, window: usize) -> f64 {
        let calls: Vec<String> = (0..count).map(|n| call(n, n * 7919 % tools)).collect();
        let started = Instant::now();
        self.say(&calls[..window].concat());
        for next in window..count + window {
            assert!(self.hear().contains("\"result\""));
            if let Some(call) = calls.get(next) {
                self.say(call);
            }
        }
        started.elapsed().as_secs_f64() * 1e6 / f64::from(u32::try_from(count).unwrap())
    }

    fn end(mut self) {
        drop(self.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn request(id: usize, method: &str, params: &str) -> String {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"{method}\",\"params\":{{{META}{params}}}}}\n")
}

fn call(id: usize, tool: usize) -> String {
    request(id, "tools/call", &format!(r#","name":"tool_{tool}","arguments":{{"a":2,"b":3}}"#))
}

#[test]
fn ten_thousand_tools_are_listed_once_each_and_called() {
    // M26-313, M26-317, M26-328, M26-439, S-239, S-349, S-350
    let started = Instant::now();
    let mut wire = Wire::start(10_000);
    let (names, pages) = wire.names();
    assert_eq!(pages, 10);
    assert_eq!(names, (0..10_000).map(|n| format!("tool_{n}")).collect::<Vec<_>>());
    let result = wire.ask("tools/call", r#","name":"tool_7777","arguments":{"a":2,"b":3}"#);
    assert_eq!(result["structuredContent"], json!({ "result": 7782 }));
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    wire.end();
}

#[test]
fn a_client_that_reads_late_does_not_make_the_server_grow() {
    let mut wire = Wire::start(1000);
    let page = wire.ask("tools/list", "").to_string().len();
    let idle = wire.memory("VmRSS");
    // They fit into the pipe, and their answers would take hundreds of megabytes.
    let count = 200;
    let lists: String = (0..count).map(|id| request(id, "tools/list", "")).collect();
    assert!(lists.len() < 60_000 && count * page > 40 << 20, "{} {page}", lists.len());
    wire.say(&lists);
    std::thread::sleep(Duration::from_millis(300));
    if let (Some(idle), Some(most)) = (idle, wire.memory("VmHWM")) {
        assert!(most < idle + (16 << 10), "from {idle} KiB to {most} KiB for a client that does not read");
    }
    for id in 0..count {
        assert!(wire.hear().starts_with(&format!(r#"{{"jsonrpc":"2.0","id":{id},"#)));
    }
    wire.end();
}

/// Prints start-up time, memory and time per call, of client and server together. Build with `--release`, and run
/// `--ignored --nocapture measure` on one core (`taskset -c 1`): waking another one can cost ten times what a call does.
#[test]
#[ignore = "measures, and is only worth its time in a release build"]
#[expect(clippy::print_stdout, reason = "numbers for a person")]
fn measure() {
    for tools in [3, 10_000] {
        let first_answers: Vec<f64> = (0..9)
            .map(|_| {
                let started = Instant::now();
                let mut wire = Wire::start(tools);
                wire.ask("server/discover", "");
                let took = started.elapsed().as_secs_f64() * 1e3;
                wire.end();
                took
            })
            .collect();
        let mut wire = Wire::start(tools);
        wire.ask("server/discover", "");
        let idle = wire.memory("VmRSS").unwrap_or(0);
        let listing = Instant::now();
        let (names, _) = wire.names();
        let listing = listing.elapsed().as_secs_f64() * 1e3;
        assert_eq!(names.len(), tools);
        let listed = wire.memory("VmRSS").unwrap_or(0);
        wire.pace(tools, 20_000, 1); // warm
        let best = |wire: &mut Wire, window| (0..5).map(|_| wire.pace(tools, 20_000, window)).fold(f64::MAX, f64::min);
        let (one, many) = (best(&mut wire, 1), best(&mut wire, 32));
        let (rss, peak) = (wire.memory("VmRSS").unwrap_or(0), wire.memory("VmHWM").unwrap_or(0));
        wire.end();
        println!(
            "{tools} tools: first answer after {:.1} ms (median of 9), {idle} KiB idle, {listed} KiB once all are listed \
             (in {listing:.1} ms, client included), {one:.1} µs a call one by one, {many:.2} µs with 32 under way, \
             {rss} KiB afterwards, {peak} KiB at most",
            median(first_answers),
        );
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
