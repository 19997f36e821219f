//! Shutdown of connections, grace time, and lifespans.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferromcp_core::model::CallToolParams;
use ferromcp_core::{ClientRequest, Revision, ServerResult};
use ferromcp_server::{Call, Ctx, Peer, Reply, Server, ServerLimits, State, Tool, ToolError};
use serde_json::json;
use tokio::sync::Notify;

use crate::client::{Case, Client};

/// Recorded events, in order.
#[derive(Clone, Default)]
struct EventLog(Arc<Mutex<Vec<String>>>);

impl EventLog {
    fn record(&self, event: impl Into<String>) {
        self.0.lock().unwrap().push(event.into());
    }

    fn read(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

struct OnDrop(EventLog, &'static str);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.record(self.1);
    }
}

/// Returns limits with this shutdown grace time in milliseconds.
fn limits_with_grace(ms: u64) -> ServerLimits {
    ServerLimits::new().shutdown_grace(Duration::from_millis(ms))
}

#[tokio::test]
async fn in_flight_calls_complete_when_client_closes_its_side() {
    // M26-134, M26-135, S-089
    for case in Case::all() {
        let server = Server::new("grace", "0").limits(limits_with_grace(5000)).with_tool(Tool::new(
            "late",
            |ctx: Ctx| async move {
                tokio::time::sleep(Duration::from_millis(30)).await;
                ctx.progress(1.0, None).await;
                "late"
            },
        ));
        let mut client = Client::connect(server, case).await;
        client.start("tools/call", json!({ "name": "late", "_meta": { "progressToken": 1 } }));
        let (rest, served) = client.drain().await;
        served.unwrap();
        assert_eq!(rest.len(), 2, "{rest:?}");
        assert_eq!(rest[0]["params"]["progress"], 1.0);
        assert_eq!(rest[1]["result"]["content"][0]["text"], "late");
    }
}

#[tokio::test]
async fn call_is_dropped_and_answered_when_grace_time_expires() {
    // M26-134, S13
    for case in Case::all() {
        let log = EventLog::default();
        let events = log.clone();
        let server =
            Server::new("grace", "0").limits(limits_with_grace(20)).with_tool(Tool::new("endless", move || {
                let guard = OnDrop(events.clone(), "dropped");
                async move {
                    let _guard = guard;
                    std::future::pending::<()>().await;
                    "never"
                }
            }));
        let mut client = Client::connect(server, case).await;
        client.start_call("endless", json!({}));
        client.assert_alive().await;
        let (rest, served) = client.drain().await;
        served.unwrap();
        let [answer] = &rest[..] else { panic!("{rest:?}") };
        assert_eq!(answer["error"]["code"], -32603);
        let text = answer["error"]["message"].as_str().unwrap();
        assert!(
            text.starts_with("the server is shutting down") && text.contains("ServerLimits::shutdown_grace"),
            "{text}"
        );
        assert_eq!(log.read(), ["dropped"]);
    }
}

/// A server with two lifespans that record their opening and closing.
fn lifespan_server(log: &EventLog) -> Server {
    let (opens, closes, calls, first, last) = (log.clone(), log.clone(), log.clone(), log.clone(), log.clone());
    Server::new("lifespan", "0")
        .limits(limits_with_grace(2000))
        .lifespan(
            move || {
                first.record("open outer");
                async { Ok::<_, ToolError>("outer") }
            },
            move |outer: &'static str| {
                last.record(format!("close {outer}"));
                async {}
            },
        )
        .lifespan(
            move || {
                let opens = opens.clone();
                async move {
                    tokio::task::yield_now().await;
                    opens.record("open");
                    Ok::<_, ToolError>(41_u64)
                }
            },
            move |state: u64| {
                let closes = closes.clone();
                async move { closes.record(format!("close {state}")) }
            },
        )
        .with_tool(
            Tool::new("next", move |State(n): State<u64>| {
                let calls = calls.clone();
                async move {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    calls.record("call");
                    (n + 1).to_string()
                }
            })
            .args(["n"]),
        )
}

#[tokio::test]
async fn lifespan_spans_all_requests_when_one_transport_is_served() {
    // M26-134, S-002
    for case in Case::all() {
        let log = EventLog::default();
        let mut client = Client::connect(lifespan_server(&log), case).await;
        assert_eq!(client.text("next", json!({})).await, "42");
        client.start_call("next", json!({}));
        let (rest, served) = client.drain().await;
        served.unwrap();
        assert_eq!(rest.len(), 1);
        assert_eq!(log.read(), ["open outer", "open", "call", "call", "close 41", "close outer"]);
    }
}

#[tokio::test]
async fn lifespan_is_shared_when_transports_are_served_concurrently() {
    // M26-315, M26-040
    for case in Case::all() {
        let log = EventLog::default();
        let server = lifespan_server(&log);
        let mut one = Client::connect(server.clone(), case).await;
        one.assert_alive().await;
        let mut two = Client::connect(server.clone(), case).await;
        assert_eq!(two.text("next", json!({})).await, "42");
        one.close().await.unwrap();
        assert_eq!(two.text("next", json!({})).await, "42", "the lifespan must stay open");
        two.close().await.unwrap();
        assert_eq!(log.read(), ["open outer", "open", "call", "call", "close 41", "close outer"]);
        // The lifespan opens again for the next transport.
        let mut three = Client::connect(server, case).await;
        assert_eq!(three.text("next", json!({})).await, "42");
        three.close().await.unwrap();
        assert_eq!(log.read().iter().filter(|event| *event == "open").count(), 2);
        assert_eq!(log.read().last().unwrap(), "close outer");
    }
}

#[tokio::test]
async fn lifespan_is_opened_explicitly_when_calls_are_in_process() {
    // S-002
    let log = EventLog::default();
    let server = lifespan_server(&log);
    let call = || {
        let request = ClientRequest::CallTool(CallToolParams::new("next"));
        server.call(Call::new(request, Peer::new(Revision::LATEST)))
    };
    let Reply::Failed(error) = call().await else { panic!("the call succeeded before the lifespan was opened") };
    assert!(error.message.contains("no state of type `u64`"), "{error}");
    server.open().await.unwrap();
    let Reply::Done(ServerResult::CallTool(result)) = call().await else {
        panic!("the call failed after the lifespan was opened")
    };
    assert_eq!(result.content[0].as_text(), Some("42"));
    server.close().await;
    assert_eq!(log.read(), ["open outer", "open", "call", "close 41", "close outer"]);
}

#[tokio::test]
async fn serving_fails_and_open_lifespans_close_when_lifespan_fails_to_open() {
    // S-002
    for case in Case::eras() {
        let log = EventLog::default();
        let server =
            lifespan_server(&log).lifespan(|| async { Err::<i8, _>(ToolError::new("no database")) }, |_: i8| async {});
        let error = Client::raw(server, case).close().await.unwrap_err();
        assert!(!error.is_configuration() && !error.is_transport());
        let message = error.to_string();
        assert!(message.contains("i8") && message.contains("no database"), "{message}");
        assert_eq!(log.read(), ["open outer", "open", "close 41", "close outer"]);
    }
}

#[tokio::test]
async fn lifespan_is_closed_when_serving_is_aborted() {
    // S-002
    let log = EventLog::default();
    let (_near, far) = ferromcp_transport::memory();
    let server = lifespan_server(&log);
    let serving = tokio::spawn(server.clone().serve(far));
    let opened = async {
        while log.read().len() < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), opened).await.unwrap();
    serving.abort();
    let closed = async {
        while log.read().last().unwrap() != "close outer" {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), closed).await.expect("timed out waiting for the lifespan to close");
    assert_eq!(log.read(), ["open outer", "open", "close 41", "close outer"]);
}

#[tokio::test]
async fn transport_error_is_returned_when_read_fails() {
    // S-091
    use std::pin::Pin;
    use std::task::{Context, Poll};

    struct Broken(Arc<Notify>);
    impl tokio::io::AsyncRead for Broken {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut tokio::io::ReadBuf<'_>,
        ) -> Poll<std::io::Result<()>> {
            self.0.notify_one();
            Poll::Ready(Err(std::io::Error::other("cable unplugged")))
        }
    }
    let polled = Arc::new(Notify::new());
    let transport = ferromcp_transport::streams(Broken(Arc::clone(&polled)), tokio::io::sink());
    let error = Server::new("broken", "0").serve(transport).await.unwrap_err();
    assert!(error.is_transport());
    assert!(error.to_string().contains("cable unplugged") && error.to_string().contains("streams"), "{error}");
    assert!(std::error::Error::source(&error).is_some());
    polled.notified().await;
}

/// Opens the state of a lifespan; the future borrows the captured URL.
async fn connect(url: &str) -> Result<String, std::io::Error> {
    tokio::task::yield_now().await;
    Ok(format!("connected to {url}"))
}

#[tokio::test]
async fn captured_values_are_moved_into_the_futures_when_lifespan_functions_are_closures() {
    for case in Case::eras() {
        let log = EventLog::default();
        let (url, closed) = ("db://x".to_owned(), log.clone());
        let server = Server::new("captures", "0")
            .lifespan(
                move || async move { connect(&url).await },
                move |state: String| async move { closed.record(format!("closed {state}")) },
            )
            .with_tool(Tool::sync("state", |State(state): State<String>| state));
        for round in 1..=2 {
            // The same server is opened again after it was closed.
            let mut client = Client::connect(server.clone(), case).await;
            assert_eq!(client.text("state", json!({})).await, "connected to db://x");
            client.close().await.unwrap();
            assert_eq!(log.read(), vec!["closed connected to db://x"; round]);
        }
    }
}
