//! Races: the server, a session or a connection ends during an operation.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ferromcp_core::Revision;
use ferromcp_server::http::{EventReplay, EventStore, HttpServerOptions, MemoryEventStore, StreamKey};
use ferromcp_server::{Ctx, Server, StoreFuture, Tool, ToolError};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::client::{Session, initialize, legacy_message, modern_call};
use crate::fixture::{CallControl, Host, wait_for};
use crate::message::{Request, Response, TIMEOUT};
use crate::mounted::Mounted;

/// Observes a lifespan and the calls within it.
#[derive(Clone)]
struct Life {
    opened: Arc<AtomicUsize>,
    closed: Arc<AtomicUsize>,
    started: Arc<AtomicUsize>,
    /// The number of calls that were dropped or finished while the lifespan was open.
    within: Arc<AtomicUsize>,
    go: Arc<Semaphore>,
}

impl Life {
    fn new() -> Self {
        let count = Arc::<AtomicUsize>::default;
        Self { opened: count(), closed: count(), started: count(), within: count(), go: Arc::new(Semaphore::new(0)) }
    }

    fn server(&self) -> Server {
        let (opens, holds) = (self.clone(), self.clone());
        Server::new("life", "1")
            .lifespan(
                move || {
                    let life = opens.clone();
                    async move {
                        life.opened.fetch_add(1, Ordering::SeqCst);
                        Ok::<_, ToolError>(life)
                    }
                },
                |life: Life| async move {
                    life.closed.fetch_add(1, Ordering::SeqCst);
                },
            )
            .with_tool(Tool::new("hold", move || {
                let call = Within(holds.clone());
                async move {
                    call.0.started.fetch_add(1, Ordering::SeqCst);
                    call.0.go.acquire().await.expect("never closed").forget();
                    "held"
                }
            }))
    }
}

struct Within(Life);

impl Drop for Within {
    fn drop(&mut self) {
        if self.0.closed.load(Ordering::SeqCst) == 0 {
            self.0.within.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[tokio::test]
async fn responds_503_when_the_body_arrives_after_shutdown() {
    let life = Life::new();
    let mounted = Mounted::new(&life.server(), HttpServerOptions::new()).await;
    life.go.add_permits(1);
    let mut request = modern_call("hold", json!({}));
    request.path = "/api/mcp".into();
    let bytes = request.bytes(mounted.address);
    let (first, last) = bytes.split_at(bytes.len() - 1);
    let mut stream = TcpStream::connect(mounted.address).await.unwrap();
    stream.write_all(first).await.unwrap();
    wait_for(&life.opened, 1).await;
    mounted.service.shutdown().await;
    assert_eq!(life.closed.load(Ordering::SeqCst), 1);
    stream.write_all(last).await.unwrap();
    let mut response = Response::read(stream, BytesMut::new()).await;
    let answer = response.json().await;
    assert_eq!(response.status, 503, "{answer}");
    mounted.service.open().await.unwrap();
    assert_eq!((life.started.load(Ordering::SeqCst), life.opened.load(Ordering::SeqCst)), (0, 1));
}

#[tokio::test]
async fn http_sse_calls_finish_before_lifespans_close() {
    let life = Life::new();
    let mounted = Mounted::new(&life.server(), HttpServerOptions::new().http_sse(true)).await;
    let open = Request::new("GET", "/api/mcp/sse").add("Accept", "text/event-stream");
    let mut stream = open.send(mounted.address).await.events().await;
    let path = stream.next().await.expect("an event").data;
    let path = format!("/api/mcp/{}", std::str::from_utf8(&path).unwrap());
    for message in [initialize(Revision::V2024_11_05), legacy_message(1, "tools/call", json!({ "name": "hold" }))] {
        let post = Request::new("POST", &path).add("Content-Type", "application/json");
        post.body(message.to_string()).send(mounted.address).await.empty(202).await;
    }
    assert!(stream.message().await["result"].is_object());
    wait_for(&life.started, 1).await;
    let service = mounted.service.clone();
    let shutdown = tokio::spawn(async move { service.shutdown().await });
    sleep(Duration::from_millis(50)).await;
    assert_eq!(life.closed.load(Ordering::SeqCst), 0);
    life.go.add_permits(1);
    assert_eq!(stream.message().await["id"], 1);
    timeout(TIMEOUT, shutdown).await.unwrap().unwrap();
    assert_eq!((life.within.load(Ordering::SeqCst), life.closed.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test]
async fn detached_calls_are_dropped_before_lifespans_close() {
    for stateless in [false, true] {
        let life = Life::new();
        let limits = ferromcp_server::http::HttpServerLimits::new().shutdown_grace(Duration::from_millis(50));
        let mounted = Mounted::new(&life.server(), HttpServerOptions::new().stateless(stateless).limits(limits)).await;
        let call = legacy_message(1, "tools/call", json!({ "name": "hold", "arguments": {} }));
        let mut request = crate::client::post(call.to_string());
        if !stateless {
            let opened = mounted.send(crate::client::post(initialize(Revision::V2025_11_25).to_string())).await;
            request = request.set("Mcp-Session-Id", opened.header("mcp-session-id").unwrap());
        }
        request.path = "/api/mcp".into();
        let mut stream = TcpStream::connect(mounted.address).await.unwrap();
        stream.write_all(&request.bytes(mounted.address)).await.unwrap();
        wait_for(&life.started, 1).await;
        drop(stream);
        timeout(TIMEOUT, mounted.service.shutdown()).await.unwrap();
        assert_eq!(life.closed.load(Ordering::SeqCst), 1);
        assert_eq!(life.within.load(Ordering::SeqCst), 1, "stateless: {stateless}");
    }
}

/// An event store that counts the events of each session, and waits for a permit before it stores one.
#[derive(Clone)]
struct Slow {
    stored: Arc<Mutex<HashMap<String, usize>>>,
    appends: Arc<AtomicUsize>,
    forgotten: Arc<AtomicUsize>,
    go: Arc<Semaphore>,
}

impl EventStore for Slow {
    fn append<'a>(&'a self, key: StreamKey<'a>, _: u64, _: Bytes) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.appends.fetch_add(1, Ordering::SeqCst);
            self.go.acquire().await.expect("never closed").forget();
            *self.stored.lock().unwrap().entry(key.session.to_owned()).or_default() += 1;
            Ok(())
        })
    }

    fn end<'a>(&'a self, _: StreamKey<'a>) -> StoreFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn replay<'a>(&'a self, _: StreamKey<'a>, _: u64) -> StoreFuture<'a, EventReplay> {
        Box::pin(async { Ok(EventReplay::Lost) })
    }

    fn forget<'a>(&'a self, session: &'a str) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.stored.lock().unwrap().remove(session);
            self.forgotten.fetch_add(1, Ordering::SeqCst);
            Ok(())
        })
    }
}

#[tokio::test]
async fn forgets_an_event_that_is_stored_while_the_session_ends() {
    let count = Arc::<AtomicUsize>::default;
    let slow = Slow { stored: Arc::default(), appends: count(), forgotten: count(), go: Arc::new(Semaphore::new(0)) };
    let server = Server::new("speaks", "1")
        .with_resource(ferromcp_server::Resource::sync("file:///a", || "a"))
        .with_tool(Tool::new("say", |ctx: Ctx| async move { ctx.info("said").await }).args(["ctx"]));
    let host = Host::of(server, CallControl::default(), HttpServerOptions::new().events(slow.clone())).await;
    for (round, (is_get, events)) in [(false, 2), (true, 1)].into_iter().enumerate() {
        let session = Session::open(host.address, Revision::V2025_11_25).await;
        let _stream = if is_get {
            let stream = session.get().send(host.address).await;
            host.server.notify().resources_changed();
            stream
        } else {
            session.call(1, "say", json!({})).await
        };
        wait_for(&slow.appends, 2 * round + 1).await;
        session.delete().send(host.address).await.empty(204).await;
        wait_for(&slow.forgotten, 2 * round + 1).await;
        slow.go.add_permits(events);
        wait_for(&slow.forgotten, 2 * round + 2).await;
        assert!(slow.stored.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn task_that_sends_after_the_response_does_not_hang() {
    let finished = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&finished);
    let speak = move |ctx: Ctx, first: bool| {
        let finished = Arc::clone(&counted);
        async move {
            if first {
                ctx.info("first").await;
            }
            tokio::spawn(async move {
                sleep(Duration::from_millis(20)).await;
                for _ in 0..64 {
                    ctx.info("x".repeat(1 << 16)).await; // four times the buffer size
                }
                finished.fetch_add(1, Ordering::SeqCst);
            });
            "done"
        }
    };
    let server = Server::new("speaks", "1").with_tool(Tool::new("speak", speak).args(["ctx", "first"]));
    let host = Host::of(server, CallControl::default(), HttpServerOptions::new()).await;
    let session = Session::open(host.address, Revision::V2025_11_25).await;
    for (round, first) in [false, true].into_iter().enumerate() {
        let _response = session.call(1, "speak", json!({ "first": first })).await;
        wait_for(&finished, round + 1).await;
    }
}

/// An event store in memory that waits for a permit before it replays.
#[derive(Clone)]
struct BlockingReplay {
    events: Arc<MemoryEventStore>,
    replays: Arc<AtomicUsize>,
    go: Arc<Semaphore>,
}

impl EventStore for BlockingReplay {
    fn append<'a>(&'a self, key: StreamKey<'a>, number: u64, data: Bytes) -> StoreFuture<'a, ()> {
        self.events.append(key, number, data)
    }

    fn end<'a>(&'a self, key: StreamKey<'a>) -> StoreFuture<'a, ()> {
        self.events.end(key)
    }

    fn replay<'a>(&'a self, key: StreamKey<'a>, after: u64) -> StoreFuture<'a, EventReplay> {
        let replay = self.events.replay(key, after);
        Box::pin(async move {
            self.replays.fetch_add(1, Ordering::SeqCst);
            self.go.acquire().await.expect("never closed").forget();
            replay.await
        })
    }

    fn forget<'a>(&'a self, session: &'a str) -> StoreFuture<'a, ()> {
        self.events.forget(session)
    }
}

#[tokio::test]
async fn stream_ends_when_its_session_ends_during_resumption() {
    // S-171
    let store = BlockingReplay { events: Arc::default(), replays: Arc::default(), go: Arc::new(Semaphore::new(0)) };
    let host = Host::with(HttpServerOptions::new().events(store.clone())).await;
    let session = Session::open(host.address, Revision::V2025_11_25).await;
    host.control.go(1);
    let mut stream = session.call(1, "steps", json!({ "count": 2 })).await.events().await;
    let first = stream.primed().await;
    assert_eq!(stream.message().await["params"]["progress"], 1.0);
    let resuming = session.clone();
    let resumed = tokio::spawn(async move { resuming.resume(&first).await });
    wait_for(&store.replays, 1).await;
    session.delete().send(host.address).await.empty(204).await;
    wait_for(&host.control.finished, 1).await;
    sleep(Duration::from_millis(20)).await;
    store.go.add_permits(1);
    let mut resumed = resumed.await.unwrap().events().await;
    assert_eq!(resumed.message().await["params"]["progress"], 1.0);
    timeout(TIMEOUT, resumed.ends()).await.expect("the stream stays open");
}
