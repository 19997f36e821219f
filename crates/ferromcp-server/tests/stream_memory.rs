//! Measures the live heap of a server after rounds of progress streams: it must not grow.
//!
//! A separate test binary, so that nothing else allocates concurrently. The client is in the same process; it frees
//! everything at the end of a round.

use std::net::SocketAddr;
use std::time::Duration;

use ferromcp_server::http::{HttpServerOptions, MemoryEventStore, http};
use ferromcp_server::{Ctx, Server, Tool};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::sleep;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const INITIALIZE: &str = concat!(
    r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","#,
    r#""capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#
);
const LEGACY: &str =
    r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"steps","_meta":{"progressToken":1}}}"#;
const MODERN: &str = concat!(
    r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"steps","_meta":{"progressToken":1,"#,
    r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#
);

/// Starts a server with a small event store, which is full after the first rounds.
async fn start() -> SocketAddr {
    let steps = Tool::new("steps", |ctx: Ctx| async move {
        for step in 1..=100_u32 {
            ctx.progress_with(f64::from(step), 100.0, "x".repeat(200)).await;
        }
        "done"
    });
    let (sender, address) = oneshot::channel();
    let options = HttpServerOptions::new().events(MemoryEventStore::new().session_bytes(64 << 10));
    let http = http("127.0.0.1:0").options(options).on_bound(move |address| sender.send(address).unwrap());
    tokio::spawn(Server::new("steps", "1").with_tool(steps.args(["ctx"])).serve(http));
    address.await.unwrap()
}

/// Sends a POST and reads the response until the server closes the connection.
async fn post(address: SocketAddr, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "POST /mcp HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\nAccept: \
         application/json, text/event-stream\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}

/// Runs ten rounds of ten streams, and returns the live heap when the server is idle again.
async fn ten_rounds(address: SocketAddr, headers: &str, body: &str) -> usize {
    for _ in 0..100 {
        let response = post(address, headers, body).await;
        assert!(response.matches("notifications/progress").count() == 100 && response.contains("done"));
    }
    sleep(Duration::from_millis(50)).await; // the tasks of the connections end
    dhat::HeapStats::get().curr_bytes
}

#[tokio::test(flavor = "current_thread")]
async fn heap_does_not_grow_when_progress_streams_are_repeated() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let address = start().await;
    let opened = post(address, "", INITIALIZE).await;
    let id = opened.lines().find_map(|line| line.strip_prefix("mcp-session-id: ")).unwrap();
    let session = format!("MCP-Protocol-Version: 2025-11-25\r\nMcp-Session-Id: {id}\r\n");
    let modern = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: steps\r\n";
    for (era, headers, body) in [("2026-07-28", modern, MODERN), ("2025-11-25", session.as_str(), LEGACY)] {
        let first = ten_rounds(address, headers, body).await;
        let mut heap = vec![first];
        for _ in 0..4 {
            heap.push(ten_rounds(address, headers, body).await);
        }
        eprintln!("{era}: live heap in bytes after every ten rounds: {heap:?}");
        let (last, tolerance) = (heap[4], 4096); // capacities of maps and queues
        assert!(last <= first + tolerance, "{era}: {heap:?}");
    }
}
