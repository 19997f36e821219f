//! Attacks on the limits, with the memory of the server measured in a separate process.
//!
//! Each attack is small: it needs tens of megabytes without a limit, and a few with it.

mod bodies;
mod questions;
mod responses;
mod sessions;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use ferromcp_core::Revision;
use ferromcp_server::http::{HttpServerLimits, HttpServerOptions, http};
use ferromcp_server::{Ctx, Server, Tool, ToolError};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{modern_call, modern_post};
use crate::message::Request;

/// The limits of the server process as JSON. Without it, `server_process` does nothing.
const LIMITS: &str = "FERROMCP_TEST_LIMITS";

/// A server in a separate process. Killed when dropped.
pub(crate) struct ServerProcess {
    pub(crate) address: SocketAddr,
    child: Child,
    _stdout: BufReader<ChildStdout>,
}

impl ServerProcess {
    /// Starts a server with these limits.
    pub(crate) fn start(limits: &Value) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["load::server_process", "--exact", "--nocapture"])
            .env(LIMITS, limits.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert!(stdout.read_line(&mut line).unwrap() > 0, "the server has ended");
            if let Some((_, address)) = line.split_once("listening on ") {
                break address.trim().parse().unwrap();
            }
        };
        Self { address, child, _stdout: stdout }
    }

    /// Asks the server to shut down, and returns when it has exited.
    pub(crate) async fn terminate(mut self) -> ExitStatus {
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Returns the memory of the server in KiB.
    pub(crate) fn memory_kib(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Returns the most memory of the server in KiB while `attack` runs, above the memory before.
    pub(crate) async fn growth_kib(&self, attack: impl Future<Output = ()>) -> usize {
        let before = self.memory_kib();
        let mut most = before;
        let mut attack = std::pin::pin!(attack);
        loop {
            let step = tokio::time::timeout(Duration::from_millis(20), attack.as_mut()).await;
            most = most.max(self.memory_kib());
            if step.is_ok() {
                return most - before;
            }
        }
    }

    /// Asserts that the server still answers small requests. The soak measures how fast; the bound is for busy machines.
    pub(crate) async fn assert_responsive(&self) {
        for _ in 0..5 {
            let started = Instant::now();
            let mut response = modern_call("add", json!({ "a": 1, "b": 2 })).send(self.address).await;
            assert_eq!(response.json().await["result"]["content"][0]["text"], "3");
            assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn process_ends_and_answers_its_calls_when_terminated() {
    // S13
    let server = ServerProcess::start(&json!({ "shutdown_grace": 300 }));
    let address = server.address;
    let call = tokio::spawn(async move { modern_call("never", json!({})).send(address).await.json().await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let started = Instant::now();
    assert!(server.terminate().await.success());
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed()); // the default is 6 s
    let answer = call.await.unwrap();
    let text = answer["error"]["message"].as_str().unwrap();
    assert!(text.starts_with("the server is shutting down") && text.contains("300ms"), "{answer}");
}

#[tokio::test]
async fn process_ends_within_10_seconds_when_terminated_with_default_limits() {
    // S13: containers are killed 10 s after SIGTERM, and the lifespans must close before.
    let server = ServerProcess::start(&json!({}));
    let address = server.address;
    let call = tokio::spawn(async move { modern_call("never", json!({})).send(address).await.json().await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let started = Instant::now();
    assert!(server.terminate().await.success());
    let took = started.elapsed();
    assert!((Duration::from_secs(6)..Duration::from_secs(10)).contains(&took), "{took:?}");
    let answer = call.await.unwrap();
    let text = answer["error"]["message"].as_str().unwrap();
    assert!(text.starts_with("the server is shutting down") && text.contains("6s"), "{answer}");
}

#[tokio::test]
async fn process_ends_before_it_is_killed_when_a_client_does_not_read() {
    // S13: the connection is closed 0.75 s after the default grace time. The bound allows for a busy machine.
    let server = ServerProcess::start(&json!({}));
    let mut unread = TcpStream::connect(server.address).await.unwrap();
    unread.write_all(&large("large", 8 << 20).bytes(server.address)).await.unwrap();
    unread.read_u8().await.unwrap(); // the response has begun
    let started = Instant::now();
    assert!(server.terminate().await.success());
    let took = started.elapsed();
    assert!((Duration::from_secs(6)..Duration::from_secs(20)).contains(&took), "{took:?}");
    drop(unread);
}

/// Not a test: serves in the process that [`ServerProcess::start`] starts.
#[expect(clippy::print_stdout, reason = "the parent process reads the address")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_process() {
    let Ok(limits) = std::env::var(LIMITS) else { return };
    let limits = limits_of(&serde_json::from_str(&limits).unwrap());
    let listener = http("127.0.0.1:0")
        .options(HttpServerOptions::new().limits(limits))
        .on_bound(|address| println!("listening on {address}"));
    server().serve(listener).await.unwrap();
}

fn limits_of(settings: &Value) -> HttpServerLimits {
    let mut limits = HttpServerLimits::new();
    for (name, value) in settings.as_object().unwrap() {
        let number = usize::try_from(value.as_u64().unwrap()).unwrap();
        let time = Duration::from_millis(number as u64);
        limits = match name.as_str() {
            "body_bytes" => limits.body_bytes(number),
            "body_timeout" => limits.body_timeout(time),
            "in_flight" => limits.in_flight(number),
            "sessions" => limits.sessions(number),
            "shutdown_grace" => limits.shutdown_grace(time),
            "stall_timeout" => limits.stall_timeout(time),
            "total_body_bytes" => limits.total_body_bytes(number),
            "total_response_bytes" => limits.total_response_bytes(number),
            other => panic!("unknown limit {other}"),
        };
    }
    limits
}

fn server() -> Server {
    Server::new("load", "1")
        .with_tool(Tool::sync("add", |a: i64, b: i64| a + b).args(["a", "b"]))
        .with_tool(Tool::sync("length", |text: String| text.len()).args(["text"]))
        .with_tool(Tool::sync("large", |bytes: usize| "x".repeat(bytes)).args(["bytes"]))
        .with_tool(
            // Sends a progress notification before its large result, so that the response is a stream.
            Tool::new("large_stream", |ctx: Ctx, bytes: usize| async move {
                ctx.info("soon").await;
                "x".repeat(bytes)
            })
            .args(["ctx", "bytes"]),
        )
        .with_tool(Tool::new("never", || async {
            std::future::pending::<()>().await;
            "never"
        }))
        .with_tool(
            Tool::new("confirm", |ctx: Ctx| async move {
                let confirmed: bool = ctx.elicit("Sure?").await?;
                Ok::<_, ToolError>(confirmed)
            })
            .args(["ctx"]),
        )
}

/// Returns a call of `large`.
fn large(tool: &str, bytes: usize) -> Request {
    modern_post(&crate::client::modern_message(
        1,
        "tools/call",
        json!({ "name": tool, "arguments": { "bytes": bytes } }),
    ))
}

/// Returns the revision of sessions in these tests.
const fn revision() -> Revision {
    Revision::V2025_11_25
}
