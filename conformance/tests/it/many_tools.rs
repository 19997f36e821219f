//! A server with ten thousand tools: startup, pagination, calls and memory use.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server_process::MANY_TOOLS;

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

/// A server with its pipes, without threads that would affect the measurements.
struct StdioServer {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    line: String,
}

impl StdioServer {
    fn start(tools: usize) -> Self {
        let mut command = Command::new(MANY_TOOLS);
        let mut child = command.arg(tools.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::with_capacity(1 << 16, child.stdout.take().unwrap());
        Self { stdin: child.stdin.take(), child, stdout, line: String::new() }
    }

    fn send(&mut self, lines: &str) {
        self.stdin.as_mut().unwrap().write_all(lines.as_bytes()).unwrap();
    }

    fn receive(&mut self) -> &str {
        self.line.clear();
        assert!(self.stdout.read_line(&mut self.line).unwrap() > 0, "the server closed stdout");
        &self.line
    }

    fn request(&mut self, method: &str, params: &str) -> Value {
        self.send(&request_line(0, method, params));
        let answer: Value = serde_json::from_str(self.receive()).unwrap();
        assert!(answer["error"].is_null(), "{answer}");
        answer["result"].clone()
    }

    /// Returns all tool names and the number of pages.
    fn names(&mut self) -> (Vec<String>, usize) {
        let (mut names, mut pages, mut cursor) = (Vec::new(), 0, String::new());
        loop {
            let page = self.request("tools/list", &cursor);
            let tools = page["tools"].as_array().unwrap();
            names.extend(tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()));
            pages += 1;
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!(r#","cursor":"{next}""#),
                None => return (names, pages),
            }
        }
    }

    /// Returns a field of `/proc/PID/status` in KiB, such as `VmRSS` or `VmHWM`; `None` on other platforms.
    fn memory(&self, field: &str) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with(field))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }

    /// Returns the microseconds per call, for `count` calls with `window` calls in flight.
    fn microseconds_per_call(&mut self, tools: usize, count: usize, window: usize) -> f64 {
        let calls: Vec<String> = (0..count).map(|n| call(n, n * 7919 % tools)).collect();
        let started = Instant::now();
        self.send(&calls[..window].concat());
        for next in window..count + window {
            assert!(self.receive().contains("\"result\""));
            if let Some(call) = calls.get(next) {
                self.send(call);
            }
        }
        started.elapsed().as_secs_f64() * 1e6 / f64::from(u32::try_from(count).unwrap())
    }

    fn end(mut self) {
        drop(self.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for StdioServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn request_line(id: usize, method: &str, params: &str) -> String {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"{method}\",\"params\":{{{META}{params}}}}}\n")
}

fn call(id: usize, tool: usize) -> String {
    request_line(id, "tools/call", &format!(r#","name":"tool_{tool}","arguments":{{"a":2,"b":3}}"#))
}

#[test]
fn lists_and_calls_ten_thousand_tools() {
    // M26-313, M26-317, M26-328, M26-439, S-239, S-349, S-350
    let started = Instant::now();
    let mut server = StdioServer::start(10_000);
    let (names, pages) = server.names();
    assert_eq!(pages, 10);
    assert_eq!(names, (0..10_000).map(|n| format!("tool_{n}")).collect::<Vec<_>>());
    let result = server.request("tools/call", r#","name":"tool_7777","arguments":{"a":2,"b":3}"#);
    assert_eq!(result["structuredContent"], json!({ "result": 7782 }));
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    server.end();
}

#[test]
fn memory_is_bounded_when_client_reads_late() {
    let mut server = StdioServer::start(1000);
    let page = server.request("tools/list", "").to_string().len();
    let idle = server.memory("VmRSS");
    // The requests fit into the pipe buffer; their responses would take hundreds of megabytes.
    let count = 200;
    let lists: String = (0..count).map(|id| request_line(id, "tools/list", "")).collect();
    assert!(lists.len() < 60_000 && count * page > 40 << 20, "{} {page}", lists.len());
    server.send(&lists);
    std::thread::sleep(Duration::from_millis(300));
    if let (Some(idle), Some(most)) = (idle, server.memory("VmHWM")) {
        assert!(most < idle + (16 << 10), "from {idle} KiB to {most} KiB for a client that does not read");
    }
    for id in 0..count {
        assert!(server.receive().starts_with(&format!(r#"{{"jsonrpc":"2.0","id":{id},"#)));
    }
    server.end();
}

/// Prints startup time, memory use and time per call, for client and server together. Build with `--release` and run with
/// `--ignored --nocapture measure` on one core (`taskset -c 1`), because waking another core can take ten times as long
/// as a call.
#[test]
#[ignore = "a measurement for release builds"]
#[expect(clippy::print_stdout, reason = "prints the measurements")]
fn measure() {
    for tools in [3, 10_000] {
        let first_answers: Vec<f64> = (0..9)
            .map(|_| {
                let started = Instant::now();
                let mut server = StdioServer::start(tools);
                server.request("server/discover", "");
                let took = started.elapsed().as_secs_f64() * 1e3;
                server.end();
                took
            })
            .collect();
        let mut server = StdioServer::start(tools);
        server.request("server/discover", "");
        let idle = server.memory("VmRSS").unwrap_or(0);
        let listing = Instant::now();
        let (names, _) = server.names();
        let listing = listing.elapsed().as_secs_f64() * 1e3;
        assert_eq!(names.len(), tools);
        let listed = server.memory("VmRSS").unwrap_or(0);
        server.microseconds_per_call(tools, 20_000, 1); // warm-up
        let best = |server: &mut StdioServer, window| {
            (0..5).map(|_| server.microseconds_per_call(tools, 20_000, window)).fold(f64::MAX, f64::min)
        };
        let (one, many) = (best(&mut server, 1), best(&mut server, 32));
        let (rss, peak) = (server.memory("VmRSS").unwrap_or(0), server.memory("VmHWM").unwrap_or(0));
        server.end();
        println!(
            "{tools} tools: first answer after {:.1} ms (median of 9), {idle} KiB idle, {listed} KiB once all are listed \
             (in {listing:.1} ms, client included), {one:.1} µs a call one by one, {many:.2} µs with 32 in flight, \
             {rss} KiB afterwards, {peak} KiB at most",
            median(first_answers),
        );
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
