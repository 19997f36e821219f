//! A server that is told to stop while it is asked.

use std::time::Duration;

use ferromcp_core::Revision;
use ferromcp_server::http::HttpOptions;
use serde_json::json;

use crate::client::{Session, initialize, legacy, legacy_message, modern_call, post};
use crate::fixture::{Stage, reaches, server};
use crate::mounted::Mounted;

/// A session at a router.
async fn open(mounted: &Mounted, revision: Revision) -> Session {
    let opened = mounted.send(post(initialize(revision).to_string())).await;
    let id = opened.header("mcp-session-id").expect("a session").to_owned();
    Session { address: mounted.address, revision, id }
}

#[tokio::test]
async fn calls_of_sessions_are_answered_before_the_end() {
    // S-145, S-148
    for revision in legacy() {
        let stage = Stage::default();
        let mounted = Mounted::new(&server(&stage), HttpOptions::new()).await;
        let session = open(&mounted, revision).await;
        // One that streams, and one that has said nothing yet.
        let params = json!({ "name": "steps", "arguments": { "count": 2 }, "_meta": { "progressToken": 1 } });
        stage.go(1);
        let mut stream = mounted.send(session.post(&legacy_message(1, "tools/call", params))).await.events().await;
        if revision == Revision::V2025_11_25 {
            stream.primed().await;
        }
        assert_eq!(stream.message().await["params"]["progress"], 1.0);
        let mut silent = session.post(&legacy_message(2, "tools/call", json!({ "name": "wait", "arguments": {} })));
        "/api/mcp".clone_into(&mut silent.path);
        let address = mounted.address;
        let silent = tokio::spawn(async move { silent.send(address).await.json().await });
        reaches(&stage.begun, 2).await;

        let service = mounted.service.clone();
        let shutdown = tokio::spawn(async move { service.shutdown().await });
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert!(!shutdown.is_finished());
        assert_eq!(mounted.send(modern_call("add", json!({ "a": 1, "b": 2 }))).await.status, 503);
        stage.go(3);
        assert_eq!(stream.message().await["params"]["progress"], 2.0);
        assert_eq!(stream.message().await["result"]["content"][0]["text"], "2 steps");
        stream.ends().await;
        assert_eq!(silent.await.unwrap()["result"]["content"][0]["text"], "waited");
        tokio::time::timeout(Duration::from_secs(10), shutdown).await.expect("it shuts down").unwrap();
    }
}

#[tokio::test]
async fn a_call_that_never_ends_is_not_waited_for_for_ever() {
    let mut limits = ferromcp_server::http::HttpLimits::default();
    limits.shutdown_grace = Duration::from_millis(100);
    let stage = Stage::default();
    let mounted = Mounted::new(&server(&stage), HttpOptions::new().limits(limits)).await;
    let mut call = modern_call("wait", json!({}));
    "/api/mcp".clone_into(&mut call.path);
    let address = mounted.address;
    let _waiting = tokio::spawn(async move { call.send(address).await });
    reaches(&stage.begun, 1).await;
    let begun = std::time::Instant::now();
    tokio::time::timeout(Duration::from_secs(10), mounted.service.shutdown()).await.expect("it shuts down");
    assert!(begun.elapsed() >= Duration::from_millis(100));
}
