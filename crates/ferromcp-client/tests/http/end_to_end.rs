//! Client and server over HTTP, in every combination of revision and session mode.

use std::net::SocketAddr;
use std::time::Duration;

use ferromcp_client::{Change, ChangeFilter, Client, ClientBuilder, ErrorKind, accept};
use ferromcp_core::Revision;
use ferromcp_core::model::LogLevel;
use ferromcp_server::http::{HttpServerLimits, HttpServerOptions, http};
use ferromcp_server::{Arg, Ctx, Prompt, Resource, ServeError, Server, Tool, ToolError};
use serde_json::json;
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::script::{builder, with_timeout};

fn server() -> Server {
    Server::new("whole", "1")
        .with_tool(Tool::sync("add", |a: i64, b: i64| a + b).args(["a", "b"]).read_only(true))
        .with_tool(Tool::sync("place", |region: String| region).args([Arg::new("region").header("Region")]))
        .with_tool(
            Tool::new("slow", |ctx: Ctx| async move {
                for step in 1..=3 {
                    ctx.progress(f64::from(step), 3.0).await;
                    ctx.warning("on the way").await;
                    sleep(Duration::from_millis(5)).await;
                }
                "done"
            })
            .args(["ctx"]),
        )
        .with_tool(
            Tool::new("ask", |ctx: Ctx| async move {
                let name = ctx.elicit::<String>("Who?").await?;
                Ok::<_, ToolError>(format!("Hello, {name}"))
            })
            .args(["ctx"]),
        )
        .with_tool(Tool::sync("notify_update", |ctx: Ctx| ctx.notify().resource_updated("note://a")).args(["ctx"]))
        .with_tool(Tool::new("hang", || async { sleep(Duration::from_secs(3600)).await }))
        .with_resource(Resource::sync("note://a", || "text"))
        .with_prompt(Prompt::sync("topic", |topic: String| format!("Explain {topic}.")).args(["topic"]))
        .logging(true)
}

/// A server that runs until dropped.
struct Host {
    url: String,
    address: SocketAddr,
    serving: JoinHandle<Result<(), ServeError>>,
}

impl Host {
    async fn new(options: HttpServerOptions, path: &str) -> Self {
        let (address, serving) = serve("127.0.0.1:0", options).await;
        Self { url: format!("http://{address}{path}"), address, serving }
    }

    /// Restarts the server without its state.
    async fn restart(&mut self) {
        self.serving.abort();
        let _ = (&mut self.serving).await;
        self.serving = serve(&self.address.to_string(), HttpServerOptions::new()).await.1;
    }

    async fn client(&self, builder: ClientBuilder) -> Client {
        with_timeout(builder.connect(&*self.url)).await.expect("a client")
    }
}

async fn serve(at: &str, options: HttpServerOptions) -> (SocketAddr, JoinHandle<Result<(), ServeError>>) {
    let (address_tx, address_rx) = oneshot::channel();
    let listener = http(at).options(options).on_bound(move |address| {
        let _ = address_tx.send(address); // the receiver may be dropped
    });
    let serving = tokio::spawn(server().serve(listener));
    (with_timeout(address_rx).await.expect("it binds"), serving)
}

impl Drop for Host {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn any() -> ClientBuilder {
    builder().on_form(|_| async { accept(&json!({ "value": "Ada" })) })
}

/// Exercises a server.
async fn converse(client: &Client, can_be_asked: bool) {
    assert_eq!(client.server_info().map(|info| info.name).as_deref(), Some("whole"));
    assert_eq!(with_timeout(client.tools()).await.expect("tools").len(), 6);
    assert_eq!(with_timeout(client.call_as::<i64>("add", json!({ "a": 1, "b": 2 }))).await.expect("a sum"), 3);
    for region in ["north", " Süd ", "=?base64?x?=", ""] {
        let place = with_timeout(client.call_as::<String>("place", json!({ "region": region }))).await;
        assert_eq!(place.expect("a place"), region);
    }
    let (call, progress) = client.call_as::<String>("slow", ()).watch_progress();
    assert_eq!(with_timeout(call).await.expect("done"), "done");
    assert_eq!(progress.borrow().as_ref().map(|progress| progress.progress), Some(3.0));
    if can_be_asked {
        assert_eq!(with_timeout(client.call_as::<String>("ask", ())).await.expect("an answer"), "Hello, Ada");
    }
    assert_eq!(with_timeout(client.read("note://a")).await.expect("a note").contents.len(), 1);
    assert!(with_timeout(client.read("note://none")).await.expect_err("no note").is_resource_not_found());
    assert_eq!(
        with_timeout(client.prompt("topic", json!({ "topic": "it" }))).await.expect("a prompt").messages.len(),
        1
    );
    let late = with_timeout(client.call("hang", ()).timeout(Duration::from_millis(50))).await.expect_err("late");
    assert!(late.is_timeout());
    let many = (0..20).map(|a| {
        let client = client.clone();
        tokio::spawn(async move { client.call_as::<i64>("add", json!({ "a": a, "b": 1 })).await })
    });
    for (a, sum) in many.collect::<Vec<_>>().into_iter().enumerate() {
        assert_eq!(with_timeout(sum).await.expect("no panic").expect("a sum"), i64::try_from(a).expect("small") + 1);
    }
}

#[tokio::test]
async fn serves_every_revision_with_and_without_sessions() {
    // M26-157, S-122, S-139
    for stateless in [false, true] {
        let host = Host::new(HttpServerOptions::new().stateless(stateless), "/mcp").await;
        let newest = host.client(any()).await;
        assert_eq!(newest.revision(), Revision::LATEST);
        converse(&newest, true).await;
        newest.close().await;
        for revision in Revision::ALL.into_iter().filter(|revision| *revision > Revision::V2024_11_05) {
            let client = host.client(any().only_revision(revision)).await;
            assert_eq!(client.revision(), revision);
            let asks = revision.is_modern() || (revision >= Revision::V2025_06_18 && !stateless);
            converse(&client, asks).await;
            client.close().await;
            assert_eq!(with_timeout(client.call("add", ())).await.expect_err("closed").kind(), ErrorKind::Closed);
        }
    }
}

#[tokio::test]
async fn uses_http_sse_when_server_offers_nothing_else() {
    // S-118, S-124
    let host = Host::new(HttpServerOptions::new().http_sse(true), "/sse").await;
    let client = host.client(any()).await;
    assert!(client.negotiated().http_sse && !client.revision().is_modern());
    converse(&client, true).await;
    // The saved negotiation result skips the probe.
    let again = host.client(any().negotiated(client.negotiated())).await;
    converse(&again, true).await;
    assert_eq!(again.negotiated(), client.negotiated());
    client.close().await;
}

#[tokio::test]
async fn receives_changes_and_logs_in_both_eras() {
    // S-154
    let host = Host::new(HttpServerOptions::new(), "/mcp").await;
    for revision in [Revision::V2025_03_26, Revision::LATEST_LEGACY, Revision::LATEST] {
        let (log_tx, mut logs) = unbounded_channel();
        let builder = any().on_log(LogLevel::Warning, move |log| drop(log_tx.send(log.data.to_string())));
        let client = host.client(builder.only_revision(revision)).await;
        let mut changes =
            with_timeout(client.subscribe(ChangeFilter::new().resource("note://a"))).await.expect("a subscription");
        with_timeout(client.call("notify_update", ())).await.expect("a result");
        let change = with_timeout(changes.next()).await.expect("a change").expect("no end");
        assert_eq!(change, Change::Resource("note://a".into()), "{revision}");
        with_timeout(client.call("slow", ())).await.expect("done");
        for _ in 0..3 {
            assert_eq!(with_timeout(logs.recv()).await.as_deref(), Some("\"on the way\""), "{revision}");
        }
        client.close().await;
    }
}

#[tokio::test]
async fn reconnects_when_server_restarts() {
    // S-181
    for revision in [Revision::LATEST_LEGACY, Revision::LATEST] {
        let mut host = Host::new(HttpServerOptions::new(), "/mcp").await;
        let client = host.client(any().only_revision(revision)).await;
        converse(&client, true).await;
        host.restart().await;
        converse(&client, true).await;
        client.close().await;
    }
}

#[tokio::test]
async fn subscriptions_continue_when_server_restarts() {
    // S-181
    for revision in [Revision::LATEST_LEGACY, Revision::LATEST] {
        let mut host = Host::new(HttpServerOptions::new(), "/mcp").await;
        let client = host.client(any().only_revision(revision)).await;
        let mut changes =
            with_timeout(client.subscribe(ChangeFilter::new().resource("note://a"))).await.expect("a subscription");
        host.restart().await;
        assert_eq!(with_timeout(changes.next()).await.expect("a gap").expect("no end"), Change::Gap, "{revision}");
        with_timeout(client.call("notify_update", ())).await.expect("a result");
        let change = with_timeout(changes.next()).await.expect("a change").expect("no end");
        assert_eq!(change, Change::Resource("note://a".into()), "{revision}");
        client.close().await;
    }
}

#[tokio::test]
async fn oversized_request_always_fails_with_413() {
    // C6
    let host = Host::new(HttpServerOptions::new(), "/mcp").await;
    let text = "x".repeat(5 << 20);
    for revision in [Revision::LATEST, Revision::LATEST_LEGACY] {
        let client = host.client(builder().only_revision(revision)).await;
        for size in [(4 << 20) + 1, 5 << 20].into_iter().cycle().take(6) {
            let error = with_timeout(client.call("place", json!({ "region": &text[..size] }))).await.unwrap_err();
            assert_eq!(error.http_status(), Some(413), "{error}");
            assert!(error.to_string().contains("Request body exceeds `HttpServerLimits::body_bytes`"), "{error}");
        }
        // Others are not affected.
        with_timeout(client.call("add", json!({ "a": 1, "b": 2 }))).await.unwrap();
        with_timeout(client.close()).await;
    }
}

#[tokio::test]
async fn calls_succeed_when_every_limit_of_the_server_is_max() {
    let limits = HttpServerLimits::new()
        .body_timeout(Duration::MAX)
        .header_timeout(Duration::MAX)
        .session_idle(Duration::MAX)
        .shutdown_grace(Duration::MAX)
        .stall_timeout(Duration::MAX);
    let options = HttpServerOptions::new().limits(limits).keep_alive(Duration::MAX).retry(Duration::MAX);
    let host = Host::new(options, "/mcp").await;
    for revision in [Revision::LATEST, Revision::LATEST_LEGACY] {
        let options = crate::script::options().connect_timeout(Duration::MAX);
        let client = host.client(builder().http(options).only_revision(revision)).await;
        for tool in ["slow", "add"] {
            with_timeout(client.call(tool, json!({ "a": 1, "b": 2 }))).await.unwrap();
        }
        with_timeout(client.close()).await;
    }
}
