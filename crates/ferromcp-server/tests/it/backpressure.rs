//! Backpressure: outbound buffers are bounded for slow readers, and no message is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ferromcp_server::{Arg, Ctx, Server, ServerLimits, Tool};
use ferromcp_transport::{Frame, FrameRx, FrameTx, Outbound, Transport, memory_with_capacity, streams, unix};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use crate::client::Case;

const OUTBOUND_BYTES: usize = 64 << 10;

fn server(calls: Arc<AtomicU64>) -> Server {
    let limits = ServerLimits::new().outbound_bytes(OUTBOUND_BYTES);
    Server::new("backpressure", "0")
        .limits(limits)
        .with_tool(
            Tool::sync("big", move |n: u64| {
                calls.fetch_add(1, Ordering::Relaxed);
                format!("{n}{}", "x".repeat(1000))
            })
            .args([Arg::new("n")]),
        )
        .with_tool(Tool::new("report", |ctx: Ctx| async move {
            for step in 1..=1000_u32 {
                ctx.progress_with(f64::from(step), None, "y".repeat(1000)).await;
            }
            "reported"
        }))
}

/// Returns the `initialize` line of a session, or an empty string for the modern era.
fn initialize_line(case: Case) -> String {
    if case.is_modern() {
        return String::new();
    }
    let request = json!({ "jsonrpc": "2.0", "id": "i", "method": "initialize", "params": {
        "protocolVersion": case.revision.as_str(), "capabilities": {}, "clientInfo": { "name": "t", "version": "0" } } });
    format!("{request}\n")
}

/// Returns the line of a `tools/call` request with a progress token.
fn call(case: Case, id: u64, tool: &str, arguments: &Value) -> String {
    let mut meta = if case.is_modern() { crate::client::modern_meta() } else { json!({}) };
    meta["progressToken"] = json!("t");
    let params = json!({ "name": tool, "arguments": arguments, "_meta": meta });
    format!("{}\n", json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }))
}

#[tokio::test]
async fn server_stops_reading_when_client_does_not_read() {
    // M26-345, S-262
    const CALLS: u64 = 5000;
    for case in Case::eras() {
        let calls = Arc::new(AtomicU64::new(0));
        let (near, far) = tokio::io::duplex(4096);
        let (reader, writer) = tokio::io::split(far);
        tokio::spawn(server(Arc::clone(&calls)).serve(streams(reader, writer)));
        let (reader, mut writer) = tokio::io::split(near);
        let sender = tokio::spawn(async move {
            writer.write_all(initialize_line(case).as_bytes()).await.unwrap();
            for n in 0..CALLS {
                writer.write_all(call(case, n, "big", &json!({ "n": n })).as_bytes()).await.unwrap();
            }
            writer
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
        let before = calls.load(Ordering::Relaxed);
        // Each response exceeds 1,000 bytes. The server may also answer requests that it has already read.
        assert!(
            before < (2 * OUTBOUND_BYTES / 1000) as u64 + 100,
            "{before} calls ran while the client was not reading"
        );
        assert!(!sender.is_finished(), "the server must stop reading");
        let mut lines = BufReader::new(reader).lines();
        for n in 0..CALLS {
            let mut line = lines.next_line().await.unwrap().unwrap();
            if line.contains("protocolVersion") && line.contains("capabilities") {
                line = lines.next_line().await.unwrap().unwrap();
            }
            let answer: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(answer["id"], n);
        }
        assert_eq!(calls.load(Ordering::Relaxed), CALLS);
        drop(sender.await.unwrap());
    }
}

#[tokio::test]
async fn notifications_are_queued_without_loss_when_reader_is_slow() {
    // M26-279, S-199
    for case in Case::eras() {
        let (near, far) = memory_with_capacity(8 << 10);
        tokio::spawn(server(Arc::default()).serve(far));
        let (mut rx, mut tx) = near.split().unwrap();
        let mut out = Outbound::new();
        for line in [initialize_line(case), call(case, 1, "report", &json!({}))] {
            if !line.is_empty() {
                out.frame(|out| out.extend_from_slice(line.trim_end().as_bytes()));
            }
        }
        while !out.is_empty() {
            tx.write(&mut out).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        let mut steps = 0;
        loop {
            let Some(Frame::Complete(line)) = rx.recv().await.unwrap() else { panic!("the server disconnected") };
            let message: Value = serde_json::from_slice(&line).unwrap();
            if message["id"] == 1 {
                assert_eq!(message["result"]["content"][0]["text"], "reported");
                break;
            }
            if message.get("method").is_some() {
                steps += 1;
                assert_eq!(message["params"]["progress"], f64::from(steps));
            }
        }
        assert_eq!(steps, 1000);
    }
}

#[tokio::test]
async fn shutdown_completes_when_client_never_reads() {
    // M26-134
    for case in Case::eras() {
        let limits = ServerLimits::new().shutdown_grace(Duration::from_millis(50)).outbound_bytes(OUTBOUND_BYTES);
        let (near, far) = tokio::net::UnixStream::pair().unwrap();
        let served = tokio::spawn(server(Arc::default()).limits(limits).serve(unix(far)));
        let (reader, mut writer) = near.into_split();
        writer.write_all(initialize_line(case).as_bytes()).await.unwrap();
        writer.write_all(call(case, 1, "report", &json!({})).as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        writer.shutdown().await.unwrap();
        tokio::time::timeout(Duration::from_secs(5), served)
            .await
            .expect("timed out waiting for the server to stop")
            .unwrap()
            .unwrap();
        drop(reader);
    }
}

#[tokio::test]
async fn flush_is_resumed_when_interrupted_by_incoming_message() {
    // M26-123
    let (mut near_in, far_in) = tokio::io::duplex(4096);
    let (far_out, near_out) = tokio::io::duplex(16);
    let transport = streams(far_in, tokio::io::BufWriter::new(far_out));
    let served = tokio::spawn(async move { server(Arc::default()).serve(transport).await });
    near_in.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    // A message without a response arrives while the flush is blocked.
    near_in.write_all(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut line = String::new();
    let mut reader = BufReader::new(near_out);
    let answer = tokio::time::timeout(Duration::from_secs(5), reader.read_line(&mut line));
    answer.await.expect("timed out waiting for the rest of the response to be flushed").unwrap();
    assert!(line.ends_with("\"result\":{}}\n"), "{line}");
    drop(near_in);
    served.await.unwrap().unwrap();
}

#[tokio::test]
async fn serving_ends_within_grace_time_when_flush_is_blocked() {
    // M26-134
    let (mut near_in, far_in) = tokio::io::duplex(4096);
    let (far_out, _unread) = tokio::io::duplex(16);
    let transport = streams(far_in, tokio::io::BufWriter::new(far_out));
    let limits = ServerLimits::new().shutdown_grace(Duration::from_millis(50));
    let server = server(Arc::default()).limits(limits);
    let served = tokio::spawn(async move { server.serve(transport).await });
    near_in.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n").await.unwrap();
    drop(near_in);
    tokio::time::timeout(Duration::from_secs(5), served)
        .await
        .expect("timed out waiting for the server to stop")
        .unwrap()
        .unwrap();
}
