//! Server notifications on the GET streams of sessions.

use std::time::Duration;

use ferromcp_core::Revision;
use ferromcp_server::http::HttpServerOptions;
use ferromcp_server::{Server, Tool};
use serde_json::{Value, json};

use crate::client::{Session, initialize, legacy, post};
use crate::events::Events;
use crate::fixture::{CallControl, Host, server};
use crate::in_process;

/// Opens a GET stream.
async fn open_stream(session: &Session) -> Events {
    let response = session.get().send(session.address).await;
    assert_eq!(response.header("x-accel-buffering"), Some("no"));
    let mut stream = response.events().await;
    if session.revision == Revision::V2025_11_25 {
        stream.primed().await;
    }
    stream
}

/// Returns the URI of a resource update, or the method of another notification.
fn subject(message: &Value) -> String {
    assert!(message.get("id").is_none(), "{message}");
    let uri = message["params"]["uri"].as_str();
    uri.or(message["method"].as_str()).unwrap().to_owned()
}

async fn subscribe(session: &Session, uri: &str) {
    let mut response = session.send("s", "resources/subscribe", json!({ "uri": uri })).await;
    assert_eq!(response.json().await["result"], json!({}));
}

#[tokio::test]
async fn notifications_arrive_on_a_get_stream() {
    // S-125, S-140, S-156, S-157, S-158, S-159, S-165, S-166
    let host = Host::new().await;
    for revision in legacy() {
        let session = Session::open(host.address, revision).await;
        subscribe(&session, "file:///a").await;
        let mut stream = open_stream(&session).await;
        let extra = format!("extra{}", revision.as_str().replace('-', "_"));
        host.server.registry().add_tool(Tool::sync(extra, || 1)).unwrap();
        let (first, message) = stream.identified().await;
        assert_eq!(subject(&message), "notifications/tools/list_changed");
        // A notification from a call of another session.
        let other = Session::open(host.address, revision).await;
        let response = other.call(1, "tell", json!({ "uri": "file:///a" })).await;
        assert!(!response.is_stream());
        let (second, message) = stream.identified().await;
        assert_eq!(
            (subject(&message), &message["method"]),
            ("file:///a".into(), &json!("notifications/resources/updated"))
        );
        assert!(first.is_some() && first != second);
        // No updates without a subscription, and no replies.
        host.server.notify().resource_updated("file:///other");
        assert_eq!(session.send(2, "ping", json!({})).await.json().await["id"], 2);
        host.server.notify().prompts_changed();
        assert_eq!(subject(&stream.message().await), "notifications/prompts/list_changed");
    }
}

#[tokio::test]
async fn sends_no_notification_before_initialized() {
    // S-157
    let host = Host::new().await;
    for revision in legacy() {
        let session = Session::begin(host.address, revision).await;
        let mut stream = open_stream(&session).await;
        host.server.notify().tools_changed();
        let early = tokio::time::timeout(Duration::from_millis(50), stream.next()).await;
        assert!(early.is_err(), "{early:?}");
        session.notify("notifications/initialized", json!({})).await.empty(202).await;
        assert_eq!(subject(&stream.message().await), "notifications/tools/list_changed");
    }
}

#[tokio::test]
async fn delivers_pending_notifications_when_a_stream_opens() {
    let host = Host::new().await;
    for revision in legacy() {
        let session = Session::open(host.address, revision).await;
        host.server.notify().tools_changed();
        host.server.notify().tools_changed();
        let mut stream = open_stream(&session).await;
        assert_eq!(subject(&stream.message().await), "notifications/tools/list_changed");
        host.server.notify().resources_changed();
        assert_eq!(subject(&stream.message().await), "notifications/resources/list_changed");
    }
}

#[tokio::test]
async fn sends_each_notification_on_exactly_one_stream() {
    // S-163
    let host = Host::new().await;
    for revision in legacy() {
        let session = Session::open(host.address, revision).await;
        let uris: Vec<String> = (0..30).map(|number| format!("file:///{number}")).collect();
        for uri in &uris {
            subscribe(&session, uri).await;
        }
        let mut readers = Vec::new();
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        for reader in 0..3 {
            let mut stream = open_stream(&session).await;
            let sender = sender.clone();
            readers.push(tokio::spawn(async move {
                while let Some(event) = stream.next().await {
                    let message: Value = serde_json::from_slice(&event.data).unwrap();
                    sender.send((reader, event.id.as_deref().map(str::to_owned), subject(&message))).unwrap();
                }
            }));
        }
        drop(sender);
        for uri in &uris {
            host.server.notify().resource_updated(uri);
            tokio::task::yield_now().await;
        }
        let mut received = Vec::new();
        while received.len() < uris.len() {
            received.push(
                tokio::time::timeout(Duration::from_secs(10), receiver.recv()).await.expect("timed out").unwrap(),
            );
        }
        session.delete().send(host.address).await.empty(204).await;
        received.extend(std::iter::from_fn(|| receiver.try_recv().ok()));
        for reader in readers {
            reader.await.unwrap();
        }
        received.extend(std::iter::from_fn(|| receiver.try_recv().ok()));
        let mut actual: Vec<&String> = received.iter().map(|(_, _, uri)| uri).collect();
        actual.sort();
        let mut expected: Vec<&String> = uris.iter().collect();
        expected.sort();
        assert_eq!(actual, expected);
        // Event ids are unique in the session.
        let mut ids: Vec<_> = received.iter().map(|(_, id, _)| id.clone().expect("an id")).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), uris.len());
    }
}

#[tokio::test]
async fn get_stream_resumes_after_a_disconnect() {
    // S-153, S-164, S-171, S-172
    let host = Host::new().await;
    for revision in legacy().filter(|revision| *revision >= Revision::V2025_03_26) {
        let session = Session::open(host.address, revision).await;
        let notify = host.server.notify();
        let mut stream = open_stream(&session).await;
        notify.tools_changed();
        let (first, _) = stream.identified().await;
        notify.prompts_changed();
        let (second, _) = stream.identified().await;
        drop(stream);
        // Resumes after the event that the client names, not after the last one sent.
        let mut again = session.resume(first.as_deref().unwrap()).await.events().await;
        let (id, message) = again.identified().await;
        assert_eq!((id, subject(&message)), (second.clone(), "notifications/prompts/list_changed".into()));
        notify.resources_changed();
        let (third, message) = again.identified().await;
        assert_eq!(subject(&message), "notifications/resources/list_changed");
        assert!(third != second);
        // The new connection takes over while the old one is still open.
        let mut taken = session.resume(third.as_deref().unwrap()).await.events().await;
        again.ends().await;
        notify.tools_changed();
        let (fourth, message) = taken.identified().await;
        assert_eq!(subject(&message), "notifications/tools/list_changed");
        assert!(fourth != third);
        drop(taken);
    }
}

#[tokio::test]
async fn responds_429_when_streams_per_session_is_exceeded() {
    let host = Host::new().await;
    let session = Session::open(host.address, Revision::LATEST_LEGACY).await;
    let mut open = Vec::new();
    for _ in 0..8 {
        open.push(open_stream(&session).await);
    }
    let mut response = session.get().send(host.address).await;
    let body = response.json().await;
    assert_eq!(response.status, 429, "{body}");
    // Each session has a separate limit.
    let other = Session::open(host.address, Revision::LATEST_LEGACY).await;
    open_stream(&other).await;
    drop(open.remove(0));
    let released = async {
        while session.get().send(host.address).await.status != 200 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), released).await.expect("a closed stream is not released");
}

#[tokio::test]
async fn resumes_repeatedly_when_old_connections_are_still_open() {
    // S-171
    let host = Host::new().await;
    let session = Session::open(host.address, Revision::LATEST_LEGACY).await;
    let mut stream = session.get().send(host.address).await.events().await;
    let mut last = stream.primed().await;
    for _ in 0..20 {
        // The server has not detected yet that the old connection is closed.
        let mut next = session.resume(&last).await.events().await;
        host.server.notify().tools_changed();
        let (id, message) = next.identified().await;
        assert_eq!(subject(&message), "notifications/tools/list_changed");
        last = id.unwrap();
        stream = next;
    }
    drop(stream);
}

#[tokio::test]
async fn keeps_the_stream_open_when_there_are_no_notifications() {
    // S-156
    let host = Host::of(Server::new("bare", "1"), CallControl::default(), HttpServerOptions::new()).await;
    for revision in legacy() {
        let session = Session::open(host.address, revision).await;
        let mut stream = open_stream(&session).await;
        let nothing = tokio::time::timeout(Duration::from_millis(50), stream.next()).await;
        assert!(nothing.is_err(), "{nothing:?}");
        session.delete().send(host.address).await.empty(204).await;
        stream.ends().await;
    }
}

#[tokio::test]
async fn stalled_stream_does_not_block_another() {
    // S-163
    let server = server(&CallControl::default());
    let service = server.http_with(HttpServerOptions::new()).unwrap();
    let revision = Revision::V2025_06_18;
    let opened = in_process::send(&service, &post(initialize(revision).to_string()), None).await;
    let id = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    let session = Session { address: ([127, 0, 0, 1], 0).into(), revision, id };
    let ready = session.post(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    assert_eq!(in_process::answer(&service, &ready, None).await.0, 202);
    let mut stuck = in_process::send(&service, &session.get(), None).await.into_body();
    server.notify().tools_changed();
    in_process::chunk(&mut stuck).await.expect("a notification");
    // It waits for more, and is not polled again.
    let nothing = tokio::time::timeout(Duration::from_millis(20), in_process::chunk(&mut stuck)).await;
    assert!(nothing.is_err());
    let mut reader = in_process::send(&service, &session.get(), None).await.into_body();
    let nothing = tokio::time::timeout(Duration::from_millis(20), in_process::chunk(&mut reader)).await;
    assert!(nothing.is_err());
    server.notify().prompts_changed();
    let notification = in_process::chunk(&mut reader).await.expect("a notification");
    assert!(std::str::from_utf8(&notification).unwrap().contains("prompts/list_changed"));
}
