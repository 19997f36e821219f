//! Streams that were cut and go on: what was said meanwhile is said again, once, to whom it belongs.

use std::sync::atomic::Ordering;
use std::time::Duration;

use ferromcp_core::Revision;
use ferromcp_server::http::{HttpOptions, MemoryEvents};
use ferromcp_server::{Ctx, Server, Tool};
use serde_json::{Value, json};

use crate::client::{Session, legacy};
use crate::events::Events;
use crate::fixture::{Host, Stage, reaches};

/// Revisions whose clients may come back.
fn resumable() -> impl Iterator<Item = Revision> {
    legacy().filter(|revision| *revision >= Revision::V2025_03_26)
}

/// Begins a call of `steps` and reads its first progress; gives the id of that.
async fn begin(host: &Host, session: &Session, id: i64, count: u32) -> (Events, String) {
    host.stage.go(1);
    let mut stream = session.call(id, "steps", json!({ "count": count })).await.events().await;
    if session.revision == Revision::V2025_11_25 {
        stream.primed().await;
    }
    let (event, message) = stream.identified().await;
    assert_eq!(message["params"]["progress"], 1.0, "{message}");
    (stream, event.expect("an id"))
}

fn is_answer(message: &Value, id: i64) -> bool {
    message["id"] == id && message.get("result").is_some()
}

#[tokio::test]
async fn an_answer_goes_on_where_it_was_cut() {
    // S-153, S-159, S-171, S-172
    let host = Host::new().await;
    for (round, revision) in resumable().enumerate() {
        let session = Session::open(host.address, revision).await;
        let (stream, last) = begin(&host, &session, 1, 3).await;
        drop(stream);
        // Another stream of the session, with events of its own.
        let mut other = session.call(2, "say", json!({})).await.events().await;
        while other.next().await.is_some() {}
        // Mid-call: one was said meanwhile, the rest is said live.
        host.stage.go(1);
        tokio::time::sleep(Duration::from_millis(30)).await;
        let mut rest = session.resume(&last).await.events().await;
        host.stage.go(2);
        let mut ids = vec![last.clone()];
        let mut said = Vec::new();
        loop {
            let (id, message) = rest.identified().await;
            ids.push(id.expect("an id"));
            let ends = message.get("result").is_some();
            said.push(message);
            if ends {
                break;
            }
        }
        rest.ends().await;
        assert!(is_answer(said.last().unwrap(), 1), "{said:?}");
        let steps: Vec<f64> =
            said[..said.len() - 1].iter().map(|it| it["params"]["progress"].as_f64().unwrap()).collect();
        assert_eq!(steps, [2.0, 3.0]);
        assert!(said[..2].iter().all(|it| it["params"]["progressToken"] == 1), "{said:?}");
        // After the end: everything again that came after the event that is named.
        for (place, id) in ids.iter().enumerate() {
            let mut again = session.resume(id).await.events().await;
            for (event, message) in ids[place + 1..].iter().zip(&said[place..]) {
                assert_eq!(again.identified().await, (Some(event.clone()), message.clone()));
            }
            again.ends().await;
        }
        reaches(&host.stage.answered, round + 1).await;
    }
}

#[tokio::test]
async fn an_answer_that_came_while_nobody_read_is_there() {
    // S-151, S-153, S-171
    let host = Host::new().await;
    for (round, revision) in resumable().enumerate() {
        let session = Session::open(host.address, revision).await;
        let (stream, last) = begin(&host, &session, 1, 2).await;
        drop(stream);
        tokio::time::sleep(Duration::from_millis(20)).await;
        host.stage.go(2);
        reaches(&host.stage.over, round + 1).await;
        let mut rest = session.resume(&last).await.events().await;
        assert_eq!(rest.message().await["params"]["progress"], 2.0);
        assert!(is_answer(&rest.message().await, 1));
        rest.ends().await;
    }
}

#[tokio::test]
async fn a_priming_event_is_enough_to_come_back() {
    // S-140, S-171
    let host = Host::with(HttpOptions::new().keep_alive(Duration::from_millis(30))).await;
    let session = Session::open(host.address, Revision::V2025_11_25).await;
    let mut stream = session.call(1, "wait", json!({})).await.events().await;
    let id = stream.primed().await;
    drop(stream);
    let mut rest = session.resume(&id).await.events().await;
    host.stage.go(1);
    assert!(is_answer(&rest.message().await, 1));
    rest.ends().await;
}

#[tokio::test]
async fn a_half_open_connection_is_taken_over() {
    // S-163, S-171
    let host = Host::new().await;
    for revision in resumable() {
        let session = Session::open(host.address, revision).await;
        let (mut first, last) = begin(&host, &session, 1, 2).await;
        let mut second = session.resume(&last).await.events().await;
        // The first has no more to say; the second has all of it.
        first.ends().await;
        let mut third = session.resume(&last).await.events().await;
        second.ends().await;
        host.stage.go(2);
        assert_eq!(third.message().await["params"]["progress"], 2.0);
        assert!(is_answer(&third.message().await, 1));
        third.ends().await;
    }
}

#[tokio::test]
async fn a_handler_lets_its_connection_go() {
    // S-141, S-143, S-151
    let stage = Stage::default();
    let tool = {
        let stage = stage.clone();
        Tool::new("poll", move |ctx: Ctx| {
            let stage = stage.clone();
            async move {
                stage.begun.fetch_add(1, Ordering::SeqCst);
                ctx.disconnect(Duration::from_millis(77));
                stage.go.acquire().await.expect("open").forget();
                ctx.progress(1.0, None).await;
                "polled"
            }
        })
    };
    let host = Host::of(Server::new("poll", "1").with_tool(tool.args(["ctx"])), stage, HttpOptions::new()).await;
    let session = Session::open(host.address, Revision::V2025_11_25).await;
    let mut stream = session.call(1, "poll", json!({})).await.events().await;
    let id = stream.primed().await;
    stream.ends().await;
    assert_eq!(stream.retry(), Some(Duration::from_millis(77)));
    // It comes back while the call goes on, is let go again by nobody, and hears the rest.
    let mut rest = session.resume(&id).await.events().await;
    host.stage.go(1);
    assert_eq!(rest.message().await["params"]["progress"], 1.0);
    assert!(is_answer(&rest.message().await, 1));
    rest.ends().await;

    // Clients that do not know of that are kept.
    for revision in legacy().filter(|revision| *revision != Revision::V2025_11_25) {
        let session = Session::open(host.address, revision).await;
        host.stage.go(1);
        let mut stream = session.call(1, "poll", json!({})).await.events().await;
        assert_eq!(stream.message().await["params"]["progress"], 1.0);
        assert!(is_answer(&stream.message().await, 1));
        stream.ends().await;
        assert_eq!(stream.retry(), None);
    }
    host.stage.go(1);
    let mut modern = crate::client::modern_call("poll", json!({})).send(host.address).await;
    assert_eq!(modern.json().await["result"]["content"][0]["text"], "polled");
}

#[tokio::test]
async fn what_is_lost_is_said_to_be_lost() {
    // S-171, S-172
    let host = Host::with(HttpOptions::new().events(MemoryEvents::new().events_per_stream(2))).await;
    for revision in resumable() {
        let session = Session::open(host.address, revision).await;
        for unknown in ["x", "a1", "a1-1", "n1-1", "a99-0", "n99-0", "a18446744073709551615-18446744073709551615", "é"]
        {
            let mut response = session.resume(unknown).await;
            let body = response.json().await;
            assert_eq!((response.status, body.get("id")), (400, None), "{unknown}: {body}");
        }
        let (mut stream, first) = begin(&host, &session, 1, 4).await;
        host.stage.go(4);
        while stream.next().await.is_some() {}
        // Only the last two of its five events are kept.
        let mut response = session.resume(&first).await;
        let body = response.json().await;
        assert_eq!(response.status, 400, "{body}");
        let last = stream.last_id().unwrap().to_owned();
        let mut rest = session.resume(&last).await.events().await;
        rest.ends().await;
        // An event that is still to come is none of ours either.
        let beyond = format!("{last}9");
        assert_eq!(session.resume(&beyond).await.status, 400);
    }
}

#[tokio::test]
async fn an_empty_last_event_id_asks_for_nothing() {
    // S-156
    let host = Host::new().await;
    for revision in resumable() {
        let session = Session::open(host.address, revision).await;
        let response = session.resume("").await;
        assert_eq!((response.status, response.is_stream()), (200, true));
    }
}
