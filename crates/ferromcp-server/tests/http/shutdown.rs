//! Shutdown while requests are in flight.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ferromcp_core::Revision;
use ferromcp_server::http::{HttpServerLimits, HttpServerOptions};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::client::{Session, initialize, legacy, legacy_message, modern, modern_call, post};
use crate::fixture::{CallControl, server, wait_for};
use crate::message::{Request, Response, TIMEOUT};
use crate::mounted::Mounted;

/// Opens a session at a mounted endpoint.
async fn open(mounted: &Mounted, revision: Revision) -> Session {
    let opened = mounted.send(post(initialize(revision).to_string())).await;
    let id = opened.header("mcp-session-id").expect("a session").to_owned();
    Session { address: mounted.address, revision, id }
}

#[tokio::test]
async fn shutdown_waits_for_calls_of_sessions() {
    // S-145, S-148
    for revision in legacy() {
        let control = CallControl::default();
        let mounted = Mounted::new(&server(&control), HttpServerOptions::new()).await;
        let session = open(&mounted, revision).await;
        // One call streams, and one has sent nothing.
        let params = json!({ "name": "steps", "arguments": { "count": 2 }, "_meta": { "progressToken": 1 } });
        control.go(1);
        let mut stream = mounted.send(session.post(&legacy_message(1, "tools/call", params))).await.events().await;
        if revision == Revision::V2025_11_25 {
            stream.primed().await;
        }
        assert_eq!(stream.message().await["params"]["progress"], 1.0);
        let mut quiet = session.post(&legacy_message(2, "tools/call", json!({ "name": "wait", "arguments": {} })));
        "/api/mcp".clone_into(&mut quiet.path);
        let address = mounted.address;
        let quiet = tokio::spawn(async move { quiet.send(address).await.json().await });
        wait_for(&control.started, 2).await;

        let service = mounted.service.clone();
        let shutdown = tokio::spawn(async move { service.shutdown().await });
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert!(!shutdown.is_finished());
        assert_eq!(mounted.send(modern_call("add", json!({ "a": 1, "b": 2 }))).await.status, 503);
        control.go(3);
        assert_eq!(stream.message().await["params"]["progress"], 2.0);
        assert_eq!(stream.message().await["result"]["content"][0]["text"], "2 steps");
        stream.ends().await;
        assert_eq!(quiet.await.unwrap()["result"]["content"][0]["text"], "waited");
        tokio::time::timeout(Duration::from_secs(10), shutdown).await.expect("shutdown timed out").unwrap();
    }
}

/// Asserts that an error says that the server is shutting down.
fn assert_cut(answer: &Value, id: i64) {
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(id), &json!(-32603)), "{answer}");
    let text = answer["error"]["message"].as_str().unwrap();
    assert!(
        text.starts_with("the server is shutting down") && text.contains("HttpServerLimits::shutdown_grace"),
        "{text}"
    );
}

/// Mounts the server with a short shutdown timeout.
async fn mounted_with_grace(control: &CallControl, milliseconds: u64) -> Mounted {
    let limits = HttpServerLimits::new().shutdown_grace(Duration::from_millis(milliseconds));
    Mounted::new(&server(control), HttpServerOptions::new().limits(limits)).await
}

/// Sends a request to a mounted endpoint in a task.
fn send(mounted: &Mounted, mut request: Request) -> JoinHandle<Response> {
    "/api/mcp".clone_into(&mut request.path);
    let address = mounted.address;
    tokio::spawn(async move { request.send(address).await })
}

#[tokio::test]
async fn call_ends_with_an_error_when_shutdown_times_out() {
    // S13
    let control = CallControl::default();
    let mounted = mounted_with_grace(&control, 100).await;
    let params = json!({ "name": "steps", "arguments": { "count": 2 }, "_meta": { "progressToken": 1 } });
    control.go(1);
    let mut stream = send(&mounted, modern("tools/call", params)).await.unwrap().events().await;
    assert_eq!(stream.message().await["params"]["progress"], 1.0);
    let quiet = send(&mounted, modern_call("wait", json!({})));
    wait_for(&control.started, 2).await;
    let started = Instant::now();
    timeout(TIMEOUT, mounted.service.shutdown()).await.expect("shutdown timed out");
    assert!((Duration::from_millis(100)..Duration::from_secs(3)).contains(&started.elapsed()));
    assert_eq!(control.finished.load(Ordering::SeqCst), 2);
    let mut quiet = quiet.await.unwrap();
    assert_eq!(quiet.status, 200);
    assert_cut(&quiet.json().await, 1);
    assert_cut(&stream.message().await, 1);
    stream.ends().await;
}

#[tokio::test]
async fn calls_of_sessions_end_with_an_error_when_shutdown_times_out() {
    // S13
    for revision in legacy() {
        let control = CallControl::default();
        let mounted = mounted_with_grace(&control, 100).await;
        let session = open(&mounted, revision).await;
        let wait = |id: i64| legacy_message(id, "tools/call", json!({ "name": "wait", "arguments": {} }));
        let single = send(&mounted, session.post(&wait(1)));
        let body = if revision == Revision::V2025_03_26 { json!([wait(2), wait(3)]) } else { wait(2) };
        let other = send(&mounted, session.post(&body));
        wait_for(&control.started, 2).await;
        timeout(TIMEOUT, mounted.service.shutdown()).await.expect("shutdown timed out");
        assert_cut(&single.await.unwrap().json().await, 1);
        let answer = other.await.unwrap().json().await;
        if let Some(batch) = answer.as_array() {
            assert_eq!(batch.len(), 2);
            assert_cut(&batch[0], 2);
            assert_cut(&batch[1], 3);
        } else {
            assert_cut(&answer, 2);
        }
        assert_eq!(control.answered.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn shutdown_times_out_when_a_call_never_finishes() {
    let limits = ferromcp_server::http::HttpServerLimits::new().shutdown_grace(Duration::from_millis(100));
    let control = CallControl::default();
    let mounted = Mounted::new(&server(&control), HttpServerOptions::new().limits(limits)).await;
    let mut call = modern_call("wait", json!({}));
    "/api/mcp".clone_into(&mut call.path);
    let address = mounted.address;
    let _waiting = tokio::spawn(async move { call.send(address).await });
    wait_for(&control.started, 1).await;
    let started = std::time::Instant::now();
    tokio::time::timeout(Duration::from_secs(10), mounted.service.shutdown()).await.expect("shutdown timed out");
    assert!(started.elapsed() >= Duration::from_millis(100));
}

#[tokio::test]
async fn shutdown_waits_for_calls_without_limit_when_the_timeout_is_the_maximum() {
    let control = CallControl::default();
    let limits = HttpServerLimits::new().shutdown_grace(Duration::MAX).stall_timeout(Duration::MAX);
    let mounted = Mounted::new(&server(&control), HttpServerOptions::new().limits(limits)).await;
    let call = send(&mounted, modern_call("wait", json!({})));
    wait_for(&control.started, 1).await;
    let service = mounted.service.clone();
    let shutdown = tokio::spawn(async move { service.shutdown().await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!shutdown.is_finished());
    control.go(1);
    assert_eq!(call.await.unwrap().json().await["result"]["content"][0]["text"], "waited");
    timeout(TIMEOUT, shutdown).await.expect("shutdown ends with the last call").unwrap();
}

#[test]
fn default_shutdown_grace_is_the_documented_one() {
    // S13
    assert!(format!("{:?}", HttpServerLimits::new()).contains("shutdown_grace: 6s"));
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/");
    for (page, text) in [
        ("limits.md", "| `shutdown_grace` | 6 s |"),
        ("http.md", "`HttpServerLimits::shutdown_grace` (6 s)"),
        ("deployment.md", "`HttpServerLimits::shutdown_grace` (6 s"),
    ] {
        let page = std::fs::read_to_string(format!("{guide}{page}")).unwrap();
        assert!(page.contains(text), "{text:?} is not in the guide");
    }
}
