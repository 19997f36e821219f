//! The endpoint mounted in an axum router.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use ferromcp_core::Revision;
use ferromcp_server::http::{HttpServerOptions, HttpService};
use ferromcp_server::{Server, State, Tool, ToolError};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::client::{Session, modern, modern_call, post};
use crate::fixture::{CallControl, server, wait_for};
use crate::message::{Request, Response};

/// The path of the endpoint.
const PREFIX: &str = "/api/mcp";

/// A running router. Stops when dropped.
pub(crate) struct Mounted {
    pub(crate) address: SocketAddr,
    pub(crate) service: HttpService,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Mounted {
    pub(crate) async fn new(server: &Server, options: HttpServerOptions) -> Self {
        let service = server.http_with(options).unwrap();
        let router = Router::new().route("/health", get(|| async { "well" })).nest_service(PREFIX, service.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, service, serving }
    }

    /// Sends a request to the endpoint.
    pub(crate) async fn send(&self, mut request: Request) -> Response {
        PREFIX.clone_into(&mut request.path);
        request.send(self.address).await
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[tokio::test]
async fn router_serves_the_mounted_endpoint() {
    // M26-075, M26-078, M26-143, S-125
    let control = CallControl::default();
    let mounted = Mounted::new(&server(&control), HttpServerOptions::new()).await;
    let mut health = Request::new("GET", "/health").send(mounted.address).await;
    assert_eq!(&health.body().await[..], b"well");
    for path in [PREFIX.to_owned(), format!("{PREFIX}/")] {
        let mut request = modern_call("add", json!({ "a": 1, "b": 2 }));
        request.path = path;
        let mut response = request.send(mounted.address).await;
        assert_eq!(response.json().await["result"]["content"][0]["text"], "3");
    }
    let mut outside = modern("tools/list", json!({}));
    outside.path = "/api".into();
    assert_eq!(outside.send(mounted.address).await.status, 404);
    // A session, a stream, and a disconnect.
    let opened = mounted.send(post(crate::client::initialize(Revision::LATEST_LEGACY).to_string())).await;
    let id = opened.header("mcp-session-id").expect("a session").to_owned();
    let session = Session { address: mounted.address, revision: Revision::LATEST_LEGACY, id };
    let mut stream = mounted.send(session.get()).await.events().await;
    stream.primed().await;
    assert_eq!(mounted.send(session.delete()).await.status, 204);
    stream.ends().await;
    let steps = json!({ "name": "steps", "arguments": { "count": 2 }, "_meta": { "progressToken": 1 } });
    control.go(1);
    let mut stream = mounted.send(modern("tools/call", steps)).await.events().await;
    assert_eq!(stream.message().await["params"]["progress"], 1.0);
    drop(stream);
    wait_for(&control.finished, 1).await;
    // Foreign origins are rejected here too.
    let foreign = modern("tools/list", json!({})).add("Origin", "https://evil.example.com");
    assert_eq!(mounted.send(foreign).await.status, 403);
}

/// Counts the events of a lifespan.
#[derive(Clone, Default)]
struct Life {
    opened: Arc<AtomicUsize>,
    closed: Arc<AtomicUsize>,
    fails: Arc<AtomicBool>,
}

fn lifespan_server(life: &Life) -> Server {
    let life = life.clone();
    Server::new("living", "1")
        .lifespan(
            move || {
                let life = life.clone();
                async move {
                    if life.fails.load(Ordering::SeqCst) {
                        return Err(ToolError::new("not now"));
                    }
                    life.opened.fetch_add(1, Ordering::SeqCst);
                    Ok(life)
                }
            },
            |life: Life| async move {
                life.closed.fetch_add(1, Ordering::SeqCst);
            },
        )
        .with_tool(
            Tool::sync("lives", |State(life): State<Life>| life.opened.load(Ordering::SeqCst) as u64).args(["life"]),
        )
}

#[tokio::test]
async fn lifespans_open_with_the_first_request_and_close_with_shutdown() {
    let life = Life::default();
    let mounted = Mounted::new(&lifespan_server(&life), HttpServerOptions::new()).await;
    let count = |life: &Life| (life.opened.load(Ordering::SeqCst), life.closed.load(Ordering::SeqCst));
    assert_eq!(count(&life), (0, 0));
    // Concurrent requests open them once.
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let mut request = modern_call("lives", json!({}));
            PREFIX.clone_into(&mut request.path);
            let address = mounted.address;
            tokio::spawn(async move { request.send(address).await.json().await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap()["result"]["content"][0]["text"], "1");
    }
    assert_eq!(count(&life), (1, 0));
    mounted.service.shutdown().await;
    assert_eq!(count(&life), (1, 1));
    let mut late = mounted.send(modern_call("lives", json!({}))).await;
    let body: Value = late.json().await;
    assert_eq!((late.status, late.header("retry-after")), (503, Some("1")), "{body}");
    assert_eq!(count(&life), (1, 1));
    mounted.service.shutdown().await;
    assert_eq!(count(&life), (1, 1));
}

#[tokio::test]
async fn retries_a_lifespan_when_it_fails_to_open() {
    let life = Life::default();
    life.fails.store(true, Ordering::SeqCst);
    let mounted = Mounted::new(&lifespan_server(&life), HttpServerOptions::new()).await;
    assert!(mounted.service.open().await.is_err());
    assert_eq!(mounted.send(modern_call("lives", json!({}))).await.status, 500);
    life.fails.store(false, Ordering::SeqCst);
    assert_eq!(mounted.send(modern_call("lives", json!({}))).await.status, 200);
    mounted.service.shutdown().await;
    assert_eq!(life.closed.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn shutdown_waits_for_calls_and_closes_streams() {
    // M26-274, M26-275, S-149, S-179
    let control = CallControl::default();
    let mounted = Mounted::new(&server(&control), HttpServerOptions::new()).await;
    let mut listening =
        mounted.send(modern("subscriptions/listen", json!({ "notifications": {} }))).await.events().await;
    assert_eq!(listening.message().await["method"], "notifications/subscriptions/acknowledged");
    let opened = mounted.send(post(crate::client::initialize(Revision::LATEST_LEGACY).to_string())).await;
    let id = opened.header("mcp-session-id").expect("a session").to_owned();
    let session = Session { address: mounted.address, revision: Revision::LATEST_LEGACY, id };
    let mut notifications = mounted.send(session.get()).await.events().await;
    notifications.primed().await;
    let call = {
        let mut request = modern_call("wait", json!({}));
        PREFIX.clone_into(&mut request.path);
        let address = mounted.address;
        tokio::spawn(async move { request.send(address).await.json().await })
    };
    wait_for(&control.started, 1).await;
    let service = mounted.service.clone();
    let shutdown = tokio::spawn(async move { service.shutdown().await });
    let closing = listening.message().await;
    assert_eq!((&closing["id"], &closing["result"]["resultType"]), (&json!(1), &json!("complete")));
    listening.ends().await;
    notifications.ends().await;
    assert!(!shutdown.is_finished());
    control.go(1);
    assert_eq!(call.await.unwrap()["result"]["content"][0]["text"], "waited");
    tokio::time::timeout(Duration::from_secs(10), shutdown).await.expect("shutdown timed out").unwrap();
}
