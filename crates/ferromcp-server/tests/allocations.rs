//! Counts the heap allocations of a typed `tools/call` and asserts an upper bound.
//!
//! This test is a separate binary because other tests in the same process would add allocations.

use std::io;

use bytes::Bytes;
use ferromcp_server::{Arg, Server, Tool};
use ferromcp_transport::{Frame, FrameRx, FrameTx, Outbound, Transport};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Transport that receives the same frame `times` times and discards responses, without allocating.
struct RepeatTransport {
    first: Option<Bytes>,
    frame: Bytes,
    times: usize,
}

/// Sender that discards all frames.
struct DiscardTx;

impl Transport for RepeatTransport {
    type Rx = Self;
    type Tx = DiscardTx;

    fn split(self) -> io::Result<(Self, DiscardTx)> {
        Ok((self, DiscardTx))
    }
}

impl FrameRx for RepeatTransport {
    async fn recv(&mut self) -> io::Result<Option<Frame>> {
        if let Some(first) = self.first.take() {
            return Ok(Some(Frame::Complete(first)));
        }
        self.times = match self.times.checked_sub(1) {
            Some(left) => left,
            None => return Ok(None),
        };
        Ok(Some(Frame::Complete(self.frame.clone())))
    }
}

impl FrameTx for DiscardTx {
    async fn write(&mut self, out: &mut Outbound) -> io::Result<()> {
        out.advance(out.len());
        Ok(())
    }
}

/// Serves `times` calls and returns the number of allocations, including setup.
async fn allocations(call: &'static str, times: usize) -> u64 {
    let server = Server::new("count", "1")
        .with_tool(Tool::new("add", |a: i64, b: i64| async move { a + b }).args([Arg::new("a"), Arg::new("b")]));
    let first = concat!(
        r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","#,
        r#""capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#
    );
    let before = dhat::HeapStats::get().total_blocks;
    let transport = RepeatTransport {
        first: Some(Bytes::from_static(first.as_bytes())),
        frame: Bytes::from_static(call.as_bytes()),
        times,
    };
    server.serve(transport).await.expect("serving failed");
    dhat::HeapStats::get().total_blocks - before
}

/// Returns the number of allocations per call, without setup.
async fn per_call(call: &'static str) -> f64 {
    let (few, many) = (allocations(call, 1_000).await, allocations(call, 3_000).await);
    #[allow(clippy::cast_precision_loss, reason = "the count is small")]
    let each = (many - few) as f64 / 2_000.0;
    each
}

#[tokio::test(flavor = "current_thread")]
async fn allocations_stay_within_limit_when_tool_is_called() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let legacy = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"add","arguments":{"a":2,"b":3}}}"#;
    let modern = concat!(
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"add","arguments":{"a":2,"b":3},"#,
        r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#
    );
    // Handler future, content list, and the value as text and as structured content.
    let legacy = per_call(legacy).await;
    assert!(legacy <= 5.0, "{legacy} allocations per call in a session");
    // In addition, each modern request carries the peer and its capabilities.
    let modern = per_call(modern).await;
    assert!(modern <= 7.0, "{modern} allocations per call without a session");
    eprintln!("allocations per tools/call: {legacy} in a session, {modern} without a session");
}
