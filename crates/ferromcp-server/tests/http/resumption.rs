//! Resumption: a reconnecting client receives the missed events exactly once.

use std::sync::atomic::Ordering;
use std::time::Duration;

use ferromcp_core::Revision;
use ferromcp_server::http::{HttpServerOptions, MemoryEventStore};
use ferromcp_server::{Ctx, Server, Tool};
use serde_json::{Value, json};

use crate::client::{Session, legacy};
use crate::events::Events;
use crate::fixture::{CallControl, Host, wait_for};

/// Returns the revisions that support resumption.
fn resumable() -> impl Iterator<Item = Revision> {
    legacy().filter(|revision| *revision >= Revision::V2025_03_26)
}

/// Starts a call of `steps` and reads its first progress notification. Returns the id of that event.
async fn start(host: &Host, session: &Session, id: i64, count: u32) -> (Events, String) {
    host.control.go(1);
    let mut stream = session.call(id, "steps", json!({ "count": count })).await.events().await;
    if session.revision == Revision::V2025_11_25 {
        stream.primed().await;
    }
    let (event, message) = stream.identified().await;
    assert_eq!(message["params"]["progress"], 1.0, "{message}");
    (stream, event.expect("an id"))
}

fn is_result(message: &Value, id: i64) -> bool {
    message["id"] == id && message.get("result").is_some()
}

#[tokio::test]
async fn response_resumes_after_a_disconnect() {
    // S-153, S-159, S-171, S-172
    let host = Host::new().await;
    for (round, revision) in resumable().enumerate() {
        let session = Session::open(host.address, revision).await;
        let (stream, last) = start(&host, &session, 1, 3).await;
        drop(stream);
        // Another stream of the session, with separate events.
        let mut other = session.call(2, "say", json!({})).await.events().await;
        while other.next().await.is_some() {}
        // During the call: one event is replayed, the others arrive live.
        host.control.go(1);
        tokio::time::sleep(Duration::from_millis(30)).await;
        let mut rest = session.resume(&last).await.events().await;
        host.control.go(2);
        let mut ids = vec![last.clone()];
        let mut messages = Vec::new();
        loop {
            let (id, message) = rest.identified().await;
            ids.push(id.expect("an id"));
            let ends = message.get("result").is_some();
            messages.push(message);
            if ends {
                break;
            }
        }
        rest.ends().await;
        assert!(is_result(messages.last().unwrap(), 1), "{messages:?}");
        let steps: Vec<f64> =
            messages[..messages.len() - 1].iter().map(|it| it["params"]["progress"].as_f64().unwrap()).collect();
        assert_eq!(steps, [2.0, 3.0]);
        assert!(messages[..2].iter().all(|it| it["params"]["progressToken"] == 1), "{messages:?}");
        // After the end: all events after the named one are replayed.
        for (index, id) in ids.iter().enumerate() {
            let mut again = session.resume(id).await.events().await;
            for (event, message) in ids[index + 1..].iter().zip(&messages[index..]) {
                assert_eq!(again.identified().await, (Some(event.clone()), message.clone()));
            }
            again.ends().await;
        }
        wait_for(&host.control.answered, round + 1).await;
    }
}

#[tokio::test]
async fn replays_a_response_that_finished_while_disconnected() {
    // S-151, S-153, S-171
    let host = Host::new().await;
    for (round, revision) in resumable().enumerate() {
        let session = Session::open(host.address, revision).await;
        let (stream, last) = start(&host, &session, 1, 2).await;
        drop(stream);
        tokio::time::sleep(Duration::from_millis(20)).await;
        host.control.go(2);
        wait_for(&host.control.finished, round + 1).await;
        let mut rest = session.resume(&last).await.events().await;
        assert_eq!(rest.message().await["params"]["progress"], 2.0);
        assert!(is_result(&rest.message().await, 1));
        rest.ends().await;
    }
}

#[tokio::test]
async fn resumes_from_the_priming_event() {
    // S-140, S-171
    let host = Host::with(HttpServerOptions::new().keep_alive(Duration::from_millis(30))).await;
    let session = Session::open(host.address, Revision::V2025_11_25).await;
    let mut stream = session.call(1, "wait", json!({})).await.events().await;
    let id = stream.primed().await;
    drop(stream);
    let mut rest = session.resume(&id).await.events().await;
    host.control.go(1);
    assert!(is_result(&rest.message().await, 1));
    rest.ends().await;
}

#[tokio::test]
async fn new_connection_takes_over_when_the_old_one_is_half_open() {
    // S-163, S-171
    let host = Host::new().await;
    for revision in resumable() {
        let session = Session::open(host.address, revision).await;
        let (mut first, last) = start(&host, &session, 1, 2).await;
        let mut second = session.resume(&last).await.events().await;
        // The first connection ends; the second one receives the rest.
        first.ends().await;
        let mut third = session.resume(&last).await.events().await;
        second.ends().await;
        host.control.go(2);
        assert_eq!(third.message().await["params"]["progress"], 2.0);
        assert!(is_result(&third.message().await, 1));
        third.ends().await;
    }
}

#[tokio::test]
async fn ctx_disconnect_closes_the_connection_of_a_client_that_reconnects() {
    // S-141, S-143, S-151
    let control = CallControl::default();
    let tool = {
        let control = control.clone();
        Tool::new("poll", move |ctx: Ctx| {
            let control = control.clone();
            async move {
                control.started.fetch_add(1, Ordering::SeqCst);
                ctx.disconnect(Duration::from_millis(77));
                control.go.acquire().await.expect("open").forget();
                ctx.progress(1.0, None).await;
                "polled"
            }
        })
    };
    let host =
        Host::of(Server::new("poll", "1").with_tool(tool.args(["ctx"])), control, HttpServerOptions::new()).await;
    let session = Session::open(host.address, Revision::V2025_11_25).await;
    let mut stream = session.call(1, "poll", json!({})).await.events().await;
    let id = stream.primed().await;
    stream.ends().await;
    assert_eq!(stream.retry(), Some(Duration::from_millis(77)));
    // The client reconnects during the call, stays connected, and receives the rest.
    let mut rest = session.resume(&id).await.events().await;
    host.control.go(1);
    assert_eq!(rest.message().await["params"]["progress"], 1.0);
    assert!(is_result(&rest.message().await, 1));
    rest.ends().await;

    // Clients of other revisions stay connected.
    for revision in legacy().filter(|revision| *revision != Revision::V2025_11_25) {
        let session = Session::open(host.address, revision).await;
        host.control.go(1);
        let mut stream = session.call(1, "poll", json!({})).await.events().await;
        assert_eq!(stream.message().await["params"]["progress"], 1.0);
        assert!(is_result(&stream.message().await, 1));
        stream.ends().await;
        assert_eq!(stream.retry(), None);
    }
    host.control.go(1);
    let mut modern = crate::client::modern_call("poll", json!({})).send(host.address).await;
    assert_eq!(modern.json().await["result"]["content"][0]["text"], "polled");
}

#[tokio::test]
async fn responds_400_when_the_event_is_unknown_or_evicted() {
    // S-171, S-172
    let host = Host::with(HttpServerOptions::new().events(MemoryEventStore::new().events_per_stream(2))).await;
    for revision in resumable() {
        let session = Session::open(host.address, revision).await;
        for unknown in ["x", "a1", "a1-1", "n1-1", "a99-0", "n99-0", "a18446744073709551615-18446744073709551615", "é"]
        {
            let mut response = session.resume(unknown).await;
            let body = response.json().await;
            assert_eq!((response.status, body.get("id")), (400, None), "{unknown}: {body}");
        }
        let (mut stream, first) = start(&host, &session, 1, 4).await;
        host.control.go(4);
        while stream.next().await.is_some() {}
        // Only the last two of five events are stored.
        let mut response = session.resume(&first).await;
        let body = response.json().await;
        assert_eq!(response.status, 400, "{body}");
        let last = stream.last_id().unwrap().to_owned();
        let mut rest = session.resume(&last).await.events().await;
        rest.ends().await;
        // A future event is unknown too.
        let beyond = format!("{last}9");
        assert_eq!(session.resume(&beyond).await.status, 400);
    }
}

#[tokio::test]
async fn opens_a_new_stream_when_last_event_id_is_empty() {
    // S-156
    let host = Host::new().await;
    for revision in resumable() {
        let session = Session::open(host.address, revision).await;
        let response = session.resume("").await;
        assert_eq!((response.status, response.is_stream()), (200, true));
    }
}
