//! What the server says by itself, on GET streams of sessions.

use std::time::Duration;

use ferromcp_core::Revision;
use ferromcp_server::http::{HttpLimits, HttpOptions};
use ferromcp_server::{Server, Tool};
use serde_json::{Value, json};

use crate::client::{Session, initialize, legacy, post};
use crate::events::Events;
use crate::fixture::{Host, Stage, server};
use crate::inside;

/// Opens a GET stream.
async fn listen(session: &Session) -> Events {
    let response = session.get().send(session.address).await;
    assert_eq!(response.header("x-accel-buffering"), Some("no"));
    let mut stream = response.events().await;
    if session.revision == Revision::V2025_11_25 {
        stream.primed().await;
    }
    stream
}

/// The method of a message, or the URI of an update.
fn word(message: &Value) -> String {
    assert!(message.get("id").is_none(), "{message}");
    let uri = message["params"]["uri"].as_str();
    uri.or(message["method"].as_str()).unwrap().to_owned()
}

async fn subscribe(session: &Session, uri: &str) {
    let mut response = session.send("s", "resources/subscribe", json!({ "uri": uri })).await;
    assert_eq!(response.json().await["result"], json!({}));
}

#[tokio::test]
async fn changes_arrive_on_a_get_stream() {
    // S-125, S-140, S-156, S-157, S-158, S-159, S-165, S-166
    let host = Host::new().await;
    for revision in legacy() {
        let session = Session::open(host.address, revision).await;
        subscribe(&session, "file:///a").await;
        let mut stream = listen(&session).await;
        let extra = format!("extra{}", revision.as_str().replace('-', "_"));
        host.server.registry().add_tool(Tool::sync(extra, || 1)).unwrap();
        let (first, message) = stream.identified().await;
        assert_eq!(word(&message), "notifications/tools/list_changed");
        // Said in a call of another session.
        let teller = Session::open(host.address, revision).await;
        let told = teller.call(1, "tell", json!({ "uri": "file:///a" })).await;
        assert!(!told.is_stream());
        let (second, message) = stream.identified().await;
        assert_eq!(
            (word(&message), &message["method"]),
            ("file:///a".into(), &json!("notifications/resources/updated"))
        );
        assert!(first.is_some() && first != second);
        // Not what nobody subscribed to, and no answers.
        host.server.notify().resource_updated("file:///other");
        assert_eq!(session.send(2, "ping", json!({})).await.json().await["id"], 2);
        host.server.notify().prompts_changed();
        assert_eq!(word(&stream.message().await), "notifications/prompts/list_changed");
    }
}

#[tokio::test]
async fn nothing_is_said_before_the_client_is_ready() {
    // S-157
    let host = Host::new().await;
    for revision in legacy() {
        let session = Session::begin(host.address, revision).await;
        let mut stream = listen(&session).await;
        host.server.notify().tools_changed();
        let early = tokio::time::timeout(Duration::from_millis(50), stream.next()).await;
        assert!(early.is_err(), "{early:?}");
        session.notify("notifications/initialized", json!({})).await.empty(202).await;
        assert_eq!(word(&stream.message().await), "notifications/tools/list_changed");
    }
}

#[tokio::test]
async fn what_happens_while_nobody_listens_is_told_later() {
    let host = Host::new().await;
    for revision in legacy() {
        let session = Session::open(host.address, revision).await;
        host.server.notify().tools_changed();
        host.server.notify().tools_changed();
        let mut stream = listen(&session).await;
        assert_eq!(word(&stream.message().await), "notifications/tools/list_changed");
        host.server.notify().resources_changed();
        assert_eq!(word(&stream.message().await), "notifications/resources/list_changed");
    }
}

#[tokio::test]
async fn each_change_is_told_on_exactly_one_of_several_streams() {
    // S-163
    let host = Host::new().await;
    for revision in legacy() {
        let session = Session::open(host.address, revision).await;
        let uris: Vec<String> = (0..30).map(|number| format!("file:///{number}")).collect();
        for uri in &uris {
            subscribe(&session, uri).await;
        }
        let mut readers = Vec::new();
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        for reader in 0..3 {
            let mut stream = listen(&session).await;
            let tell = tell.clone();
            readers.push(tokio::spawn(async move {
                while let Some(event) = stream.next().await {
                    let message: Value = serde_json::from_slice(&event.data).unwrap();
                    tell.send((reader, event.id.as_deref().map(str::to_owned), word(&message))).unwrap();
                }
            }));
        }
        drop(tell);
        for uri in &uris {
            host.server.notify().resource_updated(uri);
            tokio::task::yield_now().await;
        }
        let mut heard = Vec::new();
        while heard.len() < uris.len() {
            heard.push(tokio::time::timeout(Duration::from_secs(10), told.recv()).await.expect("told").unwrap());
        }
        session.delete().send(host.address).await.empty(204).await;
        heard.extend(std::iter::from_fn(|| told.try_recv().ok()));
        for reader in readers {
            reader.await.unwrap();
        }
        heard.extend(std::iter::from_fn(|| told.try_recv().ok()));
        let mut said: Vec<&String> = heard.iter().map(|(_, _, uri)| uri).collect();
        said.sort();
        let mut wanted: Vec<&String> = uris.iter().collect();
        wanted.sort();
        assert_eq!(said, wanted);
        // And event ids are those of the whole session.
        let mut ids: Vec<_> = heard.iter().map(|(_, id, _)| id.clone().expect("an id")).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), uris.len());
    }
}

#[tokio::test]
async fn a_get_stream_goes_on_where_it_was_cut() {
    // S-153, S-164, S-171, S-172
    let host = Host::new().await;
    for revision in legacy().filter(|revision| *revision >= Revision::V2025_03_26) {
        let session = Session::open(host.address, revision).await;
        let notify = host.server.notify();
        let mut stream = listen(&session).await;
        notify.tools_changed();
        let (first, _) = stream.identified().await;
        notify.prompts_changed();
        let (second, _) = stream.identified().await;
        drop(stream);
        // What was seen last counts, not what was sent last.
        let mut again = session.resume(first.as_deref().unwrap()).await.events().await;
        let (id, message) = again.identified().await;
        assert_eq!((id, word(&message)), (second.clone(), "notifications/prompts/list_changed".into()));
        notify.resources_changed();
        let (third, message) = again.identified().await;
        assert_eq!(word(&message), "notifications/resources/list_changed");
        assert!(third != second);
        // The connection is half open, and is taken over.
        let mut taken = session.resume(third.as_deref().unwrap()).await.events().await;
        again.ends().await;
        notify.tools_changed();
        let (fourth, message) = taken.identified().await;
        assert_eq!(word(&message), "notifications/tools/list_changed");
        assert!(fourth != third);
        drop(taken);
    }
}

#[tokio::test]
async fn a_session_has_so_many_streams() {
    let mut limits = HttpLimits::default();
    limits.streams_per_session = 2;
    let host = Host::with(HttpOptions::new().limits(limits)).await;
    let session = Session::open(host.address, Revision::LATEST_LEGACY).await;
    let one = listen(&session).await;
    let _two = listen(&session).await;
    let mut response = session.get().send(host.address).await;
    let body = response.json().await;
    assert_eq!(response.status, 429, "{body}");
    // Another session has its own.
    let other = Session::open(host.address, Revision::LATEST_LEGACY).await;
    listen(&other).await;
    drop(one);
    let room = async {
        while session.get().send(host.address).await.status != 200 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), room).await.expect("a closed stream makes room");
}

#[tokio::test]
async fn a_client_that_comes_back_often_is_let_in_each_time() {
    // S-171
    let mut limits = HttpLimits::default();
    limits.streams_per_session = 2;
    let host = Host::with(HttpOptions::new().limits(limits)).await;
    let session = Session::open(host.address, Revision::LATEST_LEGACY).await;
    let mut stream = session.get().send(host.address).await.events().await;
    let mut last = stream.primed().await;
    for _ in 0..20 {
        // The old connection is still open as far as the server knows.
        let mut next = session.resume(&last).await.events().await;
        host.server.notify().tools_changed();
        let (id, message) = next.identified().await;
        assert_eq!(word(&message), "notifications/tools/list_changed");
        last = id.unwrap();
        stream = next;
    }
    drop(stream);
}

#[tokio::test]
async fn a_server_that_tells_nothing_still_keeps_the_stream() {
    // S-156
    let host = Host::of(Server::new("bare", "1"), Stage::default(), HttpOptions::new()).await;
    for revision in legacy() {
        let session = Session::open(host.address, revision).await;
        let mut stream = listen(&session).await;
        let nothing = tokio::time::timeout(Duration::from_millis(50), stream.next()).await;
        assert!(nothing.is_err(), "{nothing:?}");
        session.delete().send(host.address).await.empty(204).await;
        stream.ends().await;
    }
}

#[tokio::test]
async fn a_reader_that_is_stuck_holds_up_no_other() {
    // S-163
    let server = server(&Stage::default());
    let service = server.http_with(HttpOptions::new()).unwrap();
    let revision = Revision::V2025_06_18;
    let opened = inside::ask(&service, &post(initialize(revision).to_string()), None).await;
    let id = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    let session = Session { address: ([127, 0, 0, 1], 0).into(), revision, id };
    let ready = session.post(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    assert_eq!(inside::answer(&service, &ready, None).await.0, 202);
    let mut stuck = inside::ask(&service, &session.get(), None).await.into_body();
    server.notify().tools_changed();
    inside::chunk(&mut stuck).await.expect("news");
    // It waits for more, and is asked no more.
    let nothing = tokio::time::timeout(Duration::from_millis(20), inside::chunk(&mut stuck)).await;
    assert!(nothing.is_err());
    let mut reader = inside::ask(&service, &session.get(), None).await.into_body();
    let nothing = tokio::time::timeout(Duration::from_millis(20), inside::chunk(&mut reader)).await;
    assert!(nothing.is_err());
    server.notify().prompts_changed();
    let news = inside::chunk(&mut reader).await.expect("news");
    assert!(std::str::from_utf8(&news).unwrap().contains("prompts/list_changed"));
}
