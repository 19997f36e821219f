//! The end of a pipe, and what is opened and closed around all of them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferromcp_core::model::CallToolParams;
use ferromcp_core::{ClientRequest, ServerResult};
use ferromcp_server::{Call, Ctx, Limits, Peer, Reply, Revision, Server, State, Tool, ToolError};
use serde_json::json;
use tokio::sync::Notify;

use crate::client::{Case, Client};

/// What happened, in order.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn read(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

struct OnDrop(Diary, &'static str);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.note(self.1);
    }
}

fn graced(ms: u64) -> Limits {
    let mut limits = Limits::default();
    limits.shutdown_grace = Duration::from_millis(ms);
    limits
}

#[tokio::test]
async fn calls_under_way_may_finish_after_the_peer_closed_its_side() {
    // M26-134, M26-135, S-089
    for case in Case::all() {
        let server =
            Server::new("grace", "0").limits(graced(5000)).with_tool(Tool::new("late", |ctx: Ctx| async move {
                tokio::time::sleep(Duration::from_millis(30)).await;
                ctx.progress(1.0, None).await;
                "late"
            }));
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
async fn what_takes_longer_than_the_grace_time_is_dropped() {
    // M26-134
    for case in Case::all() {
        let diary = Diary::default();
        let notes = diary.clone();
        let server = Server::new("grace", "0").limits(graced(20)).with_tool(Tool::new("endless", move || {
            let guard = OnDrop(notes.clone(), "dropped");
            async move {
                let _guard = guard;
                std::future::pending::<()>().await;
                "never"
            }
        }));
        let mut client = Client::connect(server, case).await;
        client.start_call("endless", json!({}));
        client.lives().await;
        let (rest, served) = client.drain().await;
        served.unwrap();
        assert!(rest.is_empty(), "{rest:?}");
        assert_eq!(diary.read(), ["dropped"]);
    }
}

fn alive(diary: &Diary) -> Server {
    let (opens, closes, calls, first, last) =
        (diary.clone(), diary.clone(), diary.clone(), diary.clone(), diary.clone());
    Server::new("lifespan", "0")
        .limits(graced(2000))
        .lifespan(
            move || {
                first.note("open outer");
                async { Ok::<_, ToolError>("outer") }
            },
            move |outer: &'static str| {
                last.note(format!("close {outer}"));
                async {}
            },
        )
        .lifespan(
            move || {
                let opens = opens.clone();
                async move {
                    tokio::task::yield_now().await;
                    opens.note("open");
                    Ok::<_, ToolError>(41_u64)
                }
            },
            move |state: u64| {
                let closes = closes.clone();
                async move { closes.note(format!("close {state}")) }
            },
        )
        .with_tool(
            Tool::new("next", move |State(n): State<u64>| {
                let calls = calls.clone();
                async move {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    calls.note("call");
                    (n + 1).to_string()
                }
            })
            .args(["n"]),
        )
}

#[tokio::test]
async fn a_lifespan_opens_before_the_first_request_and_closes_after_the_last() {
    // M26-134, S-002
    for case in Case::all() {
        let diary = Diary::default();
        let mut client = Client::connect(alive(&diary), case).await;
        assert_eq!(client.text("next", json!({})).await, "42");
        client.start_call("next", json!({}));
        let (rest, served) = client.drain().await;
        served.unwrap();
        assert_eq!(rest.len(), 1);
        assert_eq!(diary.read(), ["open outer", "open", "call", "call", "close 41", "close outer"]);
    }
}

#[tokio::test]
async fn transports_at_once_share_one_lifespan() {
    // M26-315, M26-040
    for case in Case::all() {
        let diary = Diary::default();
        let server = alive(&diary);
        let mut one = Client::connect(server.clone(), case).await;
        one.lives().await;
        let mut two = Client::connect(server.clone(), case).await;
        assert_eq!(two.text("next", json!({})).await, "42");
        one.close().await.unwrap();
        assert_eq!(two.text("next", json!({})).await, "42", "still open");
        two.close().await.unwrap();
        assert_eq!(diary.read(), ["open outer", "open", "call", "call", "close 41", "close outer"]);
        // And again.
        let mut three = Client::connect(server, case).await;
        assert_eq!(three.text("next", json!({})).await, "42");
        three.close().await.unwrap();
        assert_eq!(diary.read().iter().filter(|note| *note == "open").count(), 2);
        assert_eq!(diary.read().last().unwrap(), "close outer");
    }
}

#[tokio::test]
async fn a_lifespan_can_be_opened_for_calls_in_this_process() {
    // S-002
    let diary = Diary::default();
    let server = alive(&diary);
    let call = || {
        let request = ClientRequest::CallTool(CallToolParams::new("next"));
        server.call(Call::new(request, Peer::new(Revision::LATEST)))
    };
    let Reply::Failed(error) = call().await else { panic!("there is no state yet") };
    assert!(error.message.contains("no state of type `u64`"), "{error}");
    server.open().await.unwrap();
    let Reply::Done(ServerResult::CallTool(result)) = call().await else { panic!("there is state now") };
    assert_eq!(result.content[0].as_text(), Some("42"));
    server.close().await;
    assert_eq!(diary.read(), ["open outer", "open", "call", "close 41", "close outer"]);
}

#[tokio::test]
async fn a_lifespan_that_does_not_open_stops_serving_and_closes_the_others() {
    // S-002
    for case in Case::eras() {
        let diary = Diary::default();
        let server = alive(&diary).lifespan(|| async { Err::<i8, _>(ToolError::new("no database")) }, |_: i8| async {});
        let error = Client::raw(server, case).close().await.unwrap_err();
        assert!(!error.is_mistake() && !error.is_transport());
        let words = error.to_string();
        assert!(words.contains("i8") && words.contains("no database"), "{words}");
        assert_eq!(diary.read(), ["open outer", "open", "close 41", "close outer"]);
    }
}

#[tokio::test]
async fn serving_that_is_given_up_closes_its_lifespan_too() {
    // S-002
    let diary = Diary::default();
    let (_near, far) = ferromcp_transport::memory();
    let server = alive(&diary);
    let serving = tokio::spawn(server.clone().serve(far));
    let opened = async {
        while diary.read().len() < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), opened).await.unwrap();
    serving.abort();
    let closed = async {
        while diary.read().last().unwrap() != "close outer" {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), closed).await.expect("never closed");
    assert_eq!(diary.read(), ["open outer", "open", "close 41", "close outer"]);
}

#[tokio::test]
async fn a_transport_that_breaks_is_told() {
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
            Poll::Ready(Err(std::io::Error::other("the cable is cut")))
        }
    }
    let tried = Arc::new(Notify::new());
    let transport = ferromcp_transport::streams(Broken(Arc::clone(&tried)), tokio::io::sink());
    let error = Server::new("broken", "0").serve(transport).await.unwrap_err();
    assert!(error.is_transport());
    assert!(error.to_string().contains("the cable is cut") && error.to_string().contains("streams"), "{error}");
    assert!(std::error::Error::source(&error).is_some());
    tried.notified().await;
}
