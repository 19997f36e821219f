//! How often a plain typed `tools/call` allocates: a count is the same on every machine, so it is asserted.
//!
//! A program of its own, so that nothing else allocates meanwhile.

use std::io;

use bytes::Bytes;
use ferromcp_server::{Arg, Server, Tool};
use ferromcp_transport::{Frame, FrameRx, FrameTx, Outbound, Transport};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Says the same frame again and again, and forgets the answers, without allocating itself.
struct Again {
    first: Option<Bytes>,
    frame: Bytes,
    times: usize,
}

struct Forget;

impl Transport for Again {
    type Rx = Self;
    type Tx = Forget;

    fn split(self) -> io::Result<(Self, Forget)> {
        Ok((self, Forget))
    }
}

impl FrameRx for Again {
    async fn recv(&mut self) -> io::Result<Option<Frame>> {
        if let Some(first) = self.first.take() {
            return Ok(Some(Frame::Whole(first)));
        }
        self.times = match self.times.checked_sub(1) {
            Some(left) => left,
            None => return Ok(None),
        };
        Ok(Some(Frame::Whole(self.frame.clone())))
    }
}

impl FrameTx for Forget {
    async fn write(&mut self, out: &mut Outbound) -> io::Result<()> {
        out.advance(out.len());
        Ok(())
    }
}

/// The allocations of `times` calls, serving from first to last.
async fn allocations(call: &'static str, times: usize) -> u64 {
    let server = Server::new("count", "1")
        .with_tool(Tool::new("add", |a: i64, b: i64| async move { a + b }).args([Arg::new("a"), Arg::new("b")]));
    let first = concat!(
        r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","#,
        r#""capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#
    );
    let before = dhat::HeapStats::get().total_blocks;
    let again =
        Again { first: Some(Bytes::from_static(first.as_bytes())), frame: Bytes::from_static(call.as_bytes()), times };
    server.serve(again).await.expect("served to the end");
    dhat::HeapStats::get().total_blocks - before
}

/// The allocations of one call, exactly.
async fn per_call(call: &'static str) -> f64 {
    let (few, many) = (allocations(call, 1_000).await, allocations(call, 3_000).await);
    #[allow(clippy::cast_precision_loss, reason = "a few thousand")]
    let each = (many - few) as f64 / 2_000.0;
    each
}

#[tokio::test(flavor = "current_thread")]
async fn a_plain_call_allocates_little() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let legacy = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"add","arguments":{"a":2,"b":3}}}"#;
    let modern = concat!(
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"add","arguments":{"a":2,"b":3},"#,
        r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#
    );
    // The future, the content, and the value as text and as structured content.
    let legacy = per_call(legacy).await;
    assert!(legacy <= 5.0, "{legacy} allocations in a session");
    // And the peer with its capabilities, which every modern request describes anew.
    let modern = per_call(modern).await;
    assert!(modern <= 7.0, "{modern} allocations without one");
    eprintln!("allocations per tools/call: {legacy} in a session, {modern} without one");
}
