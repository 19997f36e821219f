//! Reconnects after lost connections; only idempotent requests are retried.

use std::time::Duration;

use ferromcp_client::{Client, ClientLimits, ErrorKind};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::script::{ScriptedServer, builder, modern, reconnecting_connector, soon, text};

fn short_limits() -> ClientLimits {
    ClientLimits::new().shutdown_grace(Duration::from_millis(50))
}

/// Connects a client that can reconnect. Returns the server end, and a channel of later ones.
async fn connect() -> (Client, ScriptedServer, UnboundedReceiver<ScriptedServer>) {
    let (target, mut peers) = reconnecting_connector();
    let script = async {
        let mut peer = peers.recv().await.unwrap();
        peer.negotiate_modern().await;
        peer
    };
    let (client, peer) = soon(async { tokio::join!(builder().limits(short_limits()).connect(target), script) }).await;
    (client.unwrap(), peer, peers)
}

#[tokio::test]
async fn retries_read_when_connection_is_lost() {
    // M26-136, M26-167, S-006
    let (client, mut peer, mut peers) = connect().await;
    let script = async {
        let first = peer.expect("resources/read").await;
        drop(peer);
        let mut peer = peers.recv().await.unwrap();
        peer.negotiate_modern().await;
        let second = peer.expect("resources/read").await;
        assert_ne!(first["id"], second["id"]);
        peer.answer(&second, json!({ "contents": [] })).await;
        peer
    };
    soon(async { tokio::join!(async { client.read("x:a").await }, script) }).await.0.unwrap();
}

#[tokio::test]
async fn does_not_retry_tool_call_when_connection_is_lost() {
    let (client, mut peer, mut peers) = connect().await;
    let script = async {
        peer.expect("tools/call").await;
        drop(peer);
    };
    let (result, ()) = soon(async { tokio::join!(async { client.call("pay", ()).await }, script) }).await;
    let error = result.unwrap_err();
    assert!(error.is_connection_lost() && error.kind() == ErrorKind::ConnectionLost && !error.is_unsent(), "{error}");
    assert!(error.to_string().contains("may have run"), "{error}");
    // The next call reconnects.
    let script = async {
        let mut peer = peers.recv().await.unwrap();
        peer.negotiate_modern().await;
        let call = peer.expect("tools/call").await;
        peer.answer(&call, text("ok")).await;
        peer
    };
    soon(async { tokio::join!(async { client.call("pay", ()).await }, script) }).await.0.unwrap();
}

#[tokio::test(start_paused = true)] // the clock advances during the backoff
async fn retries_tool_call_when_annotated_or_marked_idempotent() {
    let (client, mut peer, mut peers) = connect().await;
    let tool =
        |name: &str, hints: Value| json!({ "name": name, "inputSchema": { "type": "object" }, "annotations": hints });
    let tools = json!([
        tool("look", json!({ "readOnlyHint": true })),
        tool("set", json!({ "idempotentHint": true })),
        tool("pay", json!({ "readOnlyHint": false })),
    ]);
    let script = async {
        let list = peer.expect("tools/list").await;
        peer.answer(&list, json!({ "tools": tools })).await;
    };
    soon(async { tokio::join!(async { client.tools().await }, script) }).await.0.unwrap();
    assert_eq!(client.annotations("look").unwrap().read_only_hint, Some(true));
    for (name, idempotent, again) in [
        ("look", None, true),
        ("set", None, true),
        ("pay", None, false),
        ("pay", Some(true), true),
        ("look", Some(false), false),
    ] {
        let script = async {
            peer.expect("tools/call").await;
            drop(peer);
            let mut peer = peers.recv().await;
            if let Some(peer) = &mut peer {
                peer.negotiate_modern().await;
                if again {
                    let call = peer.expect("tools/call").await;
                    peer.answer(&call, text("ok")).await;
                } else {
                    let read = peer.expect("resources/read").await;
                    peer.answer(&read, json!({ "contents": [] })).await;
                }
            }
            peer.unwrap()
        };
        let calling = async {
            let call = client.call(name, ());
            let result = match idempotent {
                Some(idempotent) => call.idempotent(idempotent).await,
                None => call.await,
            };
            assert_eq!(result.is_ok(), again, "{name} {idempotent:?} {result:?}");
            if !again {
                client.read("x:a").await.unwrap();
            }
        };
        peer = soon(async { tokio::join!(calling, script) }).await.1;
    }
}

#[tokio::test]
async fn concurrent_requests_share_one_reconnect() {
    let (client, peer, mut peers) = connect().await;
    drop(peer);
    let script = async {
        let mut peer = peers.recv().await.unwrap();
        peer.negotiate_modern().await;
        for _ in 0..8 {
            let read = peer.expect("resources/read").await;
            peer.answer(&read, json!({ "contents": [] })).await;
        }
        peer
    };
    let reading = async {
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move { client.read("x:a").await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
    };
    soon(async { tokio::join!(reading, script) }).await;
    assert!(peers.try_recv().is_err(), "one connection for all");
}

#[tokio::test(start_paused = true)] // the clock advances during the backoff
async fn gives_up_when_reconnects_exceed_limit() {
    let (client, peer, mut peers) = connect().await;
    drop(peer);
    let starts = tokio::spawn(async move {
        let mut starts = 0;
        while let Some(peer) = peers.recv().await {
            starts += 1;
            drop(peer);
        }
        starts
    });
    let error = soon(client.read("x:a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    drop(client);
    let starts = soon(starts).await.unwrap();
    assert!((5..=10).contains(&starts), "{starts} starts, each a probe and a handshake at most");
}

#[tokio::test]
async fn stays_closed_when_transport_cannot_reopen() {
    let (client, peer) = modern(builder()).await;
    drop(peer);
    while soon(client.read("x:a")).await.unwrap_err().kind() != ErrorKind::Closed {}
    assert!(soon(client.call("t", ())).await.unwrap_err().is_closed());
}

#[tokio::test]
async fn close_flushes_queued_messages() {
    let (client, mut peer) = modern(builder().limits(short_limits())).await;
    let task = tokio::spawn({
        let client = client.clone();
        async move { client.call("t", ()).await }
    });
    peer.expect("tools/call").await;
    let closing = async {
        client.close().await;
        client.close().await;
    };
    let ((), last) = soon(async { tokio::join!(closing, peer.try_recv()) }).await;
    assert_eq!(last, None);
    assert!(soon(task).await.unwrap().is_err());
    assert!(soon(client.call("t", ())).await.unwrap_err().is_closed());
    assert!(soon(client.tools()).await.unwrap_err().is_closed());
}

#[tokio::test]
async fn renegotiates_when_server_was_replaced() {
    // M26-080, M26-081
    let (client, mut peer, mut peers) = connect().await;
    let script = async {
        let read = peer.expect("resources/read").await;
        peer.fail(&read, -32022, json!({ "supported": ["2025-11-25"] })).await;
        let mut peer = peers.recv().await.unwrap();
        peer.negotiate_legacy().await;
        let read = peer.expect("resources/read").await;
        assert_eq!(read["params"], json!({ "uri": "x:a" }));
        peer.answer(&read, json!({ "contents": [] })).await;
        peer
    };
    let (result, _far) = soon(async { tokio::join!(async { client.read("x:a").await }, script) }).await;
    result.unwrap();
    assert!(!client.revision().is_modern());
}
