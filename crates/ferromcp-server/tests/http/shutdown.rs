//! Shutdown while requests are in flight.

use std::time::Duration;

use ferromcp_core::Revision;
use ferromcp_server::http::HttpServerOptions;
use serde_json::json;

use crate::client::{Session, initialize, legacy, legacy_message, modern_call, post};
use crate::fixture::{CallControl, server, wait_for};
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
