//! Answers that become streams, and what hanging up means.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ferromcp_core::Revision;
use ferromcp_core::meta::key;
use ferromcp_server::http::HttpOptions;
use serde_json::{Value, json};

use crate::client::{Session, legacy, modern, modern_call, modern_message, modern_post};
use crate::fixture::{Host, reaches};
use crate::message::{Request, Response};

/// A modern call that hears of progress.
fn modern_steps(count: u32) -> Request {
    modern("tools/call", json!({ "name": "steps", "arguments": { "count": count }, "_meta": { "progressToken": "p" } }))
}

fn progress_of(message: &Value) -> Value {
    assert_eq!(message["method"], "notifications/progress", "{message}");
    message["params"]["progress"].clone()
}

fn assert_stream_headers(response: &Response) {
    assert_eq!(response.header("content-type"), Some("text/event-stream"));
    assert_eq!(response.header("x-accel-buffering"), Some("no"));
    assert!(response.header("cache-control").unwrap().contains("no-cache"));
    assert!(response.header("content-length").is_none());
}

#[tokio::test]
async fn an_answer_alone_is_json() {
    // M26-156, S-138
    let host = Host::new().await;
    let assert_json = |response: &Response| {
        assert_eq!(response.header("content-type"), Some("application/json"));
        assert!(response.header("x-accel-buffering").is_none());
    };
    // Also one that takes its time, as long as nothing is said.
    for quick in [true, false] {
        let tool = if quick { "say" } else { "wait" };
        host.stage.go(1);
        let call = modern_call(tool, json!({})); // no level was asked for, so nothing is logged
        assert_json(&call.send(host.address).await);
    }
    for (round, revision) in legacy().enumerate() {
        let session = Session::open(host.address, revision).await;
        assert_json(&session.call(1, "add", json!({ "a": 1, "b": 2 })).await);
        let slow = tokio::spawn(async move { session.call(2, "wait", json!({})).await });
        // `begun` counts the call of the modern era too.
        reaches(&host.stage.begun, round + 2).await;
        host.stage.go(2);
        assert_json(&slow.await.unwrap());
    }
}

#[tokio::test]
async fn a_modern_stream_begins_with_what_is_said_first() {
    // M26-156, M26-158, M26-159, M26-160, M26-161, M26-162, M26-163, M26-166
    let host = Host::new().await;
    host.stage.go(1);
    let response = modern_steps(3).send(host.address).await;
    assert_stream_headers(&response);
    let mut stream = response.events().await;
    for step in 1..=3 {
        let (id, message) = stream.identified().await;
        assert_eq!((id, progress_of(&message)), (None, json!(f64::from(step))));
        assert_eq!(message["params"]["progressToken"], "p");
        // Each comes as it is said, not all at the end.
        assert_eq!(host.stage.answered.load(Ordering::SeqCst), 0);
        host.stage.go(1);
    }
    let (id, answer) = stream.identified().await;
    assert_eq!((id, &answer["id"]), (None, &json!(1)));
    assert_eq!(answer["result"]["resultType"], "complete");
    assert_eq!(answer["result"]["_meta"][key::SERVER_INFO]["name"], "http");
    stream.ends().await;
    assert_eq!(stream.retry(), None);

    // A log begins one, too, where the request asked for logs.
    let meta = json!({ "_meta": { key::LOG_LEVEL: "info" } });
    let mut message = modern_message("log", "tools/call", meta);
    message["params"]["name"] = json!("say");
    let mut stream = modern_post(&message).send(host.address).await.events().await;
    assert_eq!(stream.message().await["method"], "notifications/message");
    assert_eq!(stream.message().await["id"], "log");
    stream.ends().await;
}

#[tokio::test]
async fn a_stream_of_a_session_has_ids_and_its_newest_revision_a_priming_event() {
    // S-140, S-145, S-146, S-147, S-148, S-150, S-165, S-166, S-167, S-168
    let retry = Duration::from_millis(1234);
    let host = Host::with(HttpOptions::new().retry(retry)).await;
    for revision in legacy() {
        let session = Session::open(host.address, revision).await;
        let mut seen: Vec<String> = Vec::new();
        for round in 0..2 {
            host.stage.go(1);
            let response = session.call(round, "steps", json!({ "count": 2 })).await;
            assert_stream_headers(&response);
            let mut stream = response.events().await;
            if revision == Revision::V2025_11_25 {
                seen.push(stream.primed().await);
                assert_eq!(stream.retry(), Some(retry));
            }
            for step in 1..=3 {
                let (id, message) = stream.identified().await;
                let id = id.expect("an id");
                assert!(!seen.contains(&id), "{id} {seen:?}");
                seen.push(id);
                match step {
                    3 => assert_eq!(message["result"]["content"][0]["text"], "2 steps"),
                    step => assert_eq!(progress_of(&message), f64::from(step)),
                }
                host.stage.go(usize::from(step < 3));
            }
            stream.ends().await;
            assert_eq!(stream.retry().is_some(), revision == Revision::V2025_11_25);
        }
    }
}

#[tokio::test]
async fn without_resumption_there_are_no_ids() {
    // S-165
    let host = Host::with(HttpOptions::new().without_resumption()).await;
    for revision in legacy() {
        let session = Session::open(host.address, revision).await;
        let mut stream = session.call(1, "say", json!({})).await.events().await;
        let (id, message) = stream.identified().await;
        assert_eq!((id, &message["method"]), (None, &json!("notifications/message")));
        assert_eq!(stream.message().await["id"], 1);
        stream.ends().await;
        assert_eq!(session.resume("a1-0").await.status, 400);
    }
}

#[tokio::test]
async fn a_silent_stream_is_kept_alive_and_a_silent_call_becomes_one() {
    // M26-164
    let every = Duration::from_millis(40);
    let host = Host::with(HttpOptions::new().keep_alive(every)).await;
    let session = Session::open(host.address, Revision::V2025_11_25).await;
    let call = crate::client::legacy_message(1, "tools/call", json!({ "name": "wait", "arguments": {} }));
    for request in [modern_call("wait", json!({})), session.post(&call)] {
        let begun = Instant::now();
        let response = request.send(host.address).await;
        assert!(begun.elapsed() >= every);
        assert_stream_headers(&response);
        let mut stream = response.events().await;
        tokio::time::sleep(every * 6).await;
        host.stage.go(1);
        let answer = loop {
            let event = stream.next().await.expect("an answer");
            if !event.data.is_empty() {
                break serde_json::from_slice::<Value>(&event.data).unwrap();
            }
        };
        assert_eq!(answer["result"]["content"][0]["text"], "waited");
        stream.ends().await;
        let text = String::from_utf8(stream.raw.clone()).unwrap();
        let comments = text.lines().filter(|line| line.starts_with(':')).count();
        assert!((2..=8).contains(&comments), "{comments}: {text}");
    }
    // A client that takes no stream waits for its answer all the same.
    let plain = modern_call("wait", json!({})).set("Accept", "application/json");
    let waiting = tokio::spawn(async move { plain.send(host.address).await.json().await });
    tokio::time::sleep(every * 3).await;
    host.stage.go(1);
    assert_eq!(waiting.await.unwrap()["result"]["content"][0]["text"], "waited");
}

#[tokio::test]
async fn hanging_up_cancels_a_modern_call() {
    // M26-168, M26-169, M26-170, M26-298
    let host = Host::new().await;
    // While it streams.
    host.stage.go(1);
    let mut stream = modern_steps(5).send(host.address).await.events().await;
    stream.message().await;
    drop(stream);
    reaches(&host.stage.over, 1).await;
    // Before it has said anything.
    let silent = tokio::spawn({
        let address = host.address;
        async move { modern_call("wait", json!({})).send(address).await }
    });
    reaches(&host.stage.begun, 2).await;
    silent.abort();
    reaches(&host.stage.over, 2).await;
    assert_eq!(host.stage.answered.load(Ordering::SeqCst), 0);
    // And a subscription.
    let listen = modern("subscriptions/listen", json!({ "notifications": { "resourceSubscriptions": ["file:///a"] } }));
    let mut stream = listen.send(host.address).await.events().await;
    stream.message().await;
    assert!(host.server.notify().has_subscribers("file:///a"));
    drop(stream);
    let gone = async {
        while host.server.notify().has_subscribers("file:///a") {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.expect("a closed subscription is over");
}

#[tokio::test]
async fn hanging_up_says_nothing_in_a_session() {
    // S-151
    let host = Host::new().await;
    for (round, revision) in legacy().enumerate() {
        let session = Session::open(host.address, revision).await;
        // While it streams.
        host.stage.go(1);
        let mut stream = session.call(1, "steps", json!({ "count": 1 })).await.events().await;
        if revision == Revision::V2025_11_25 {
            stream.primed().await;
        }
        stream.message().await;
        drop(stream);
        // Before it has said anything.
        let silent = tokio::spawn({
            let session = session.clone();
            async move { session.call(2, "wait", json!({})).await }
        });
        reaches(&host.stage.begun, 2 * round + 2).await;
        silent.abort();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(host.stage.over.load(Ordering::SeqCst), 2 * round);
        host.stage.go(2);
        reaches(&host.stage.answered, 2 * round + 2).await;
        reaches(&host.stage.over, 2 * round + 2).await;
    }
}

#[tokio::test]
async fn a_call_is_cancelled_by_a_message_in_a_session() {
    // S-151
    let host = Host::new().await;
    for (round, revision) in legacy().enumerate() {
        let session = Session::open(host.address, revision).await;
        let cancel = |id: i64| {
            let session = session.clone();
            async move {
                let why = json!({ "requestId": id, "reason": "no longer wanted" });
                session.notify("notifications/cancelled", why).await.empty(202).await;
            }
        };
        // While it streams: nothing comes any more.
        host.stage.go(1);
        let mut stream = session.call(1, "steps", json!({ "count": 5 })).await.events().await;
        if revision == Revision::V2025_11_25 {
            stream.primed().await;
        }
        stream.message().await;
        cancel(1).await;
        stream.ends().await;
        reaches(&host.stage.over, 2 * round + 1).await;
        // Before it has said anything: the response says nothing.
        let silent = tokio::spawn({
            let session = session.clone();
            async move { session.call(2, "wait", json!({})).await.events().await.ends().await }
        });
        reaches(&host.stage.begun, 2 * round + 2).await;
        cancel(2).await;
        silent.await.unwrap();
        reaches(&host.stage.over, 2 * round + 2).await;
        // Those that are over or never were are ignored, and so is what is no id.
        for id in [1, 2, 99] {
            cancel(id).await;
        }
        for odd in [json!({}), json!({ "requestId": "2" })] {
            session.notify("notifications/cancelled", odd).await.empty(202).await;
        }
        // The id is free again.
        assert_eq!(session.call(2, "add", json!({ "a": 1, "b": 1 })).await.status, 200);
    }
    assert_eq!(host.stage.answered.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_slow_reader_holds_its_handler_up_and_loses_nothing() {
    // M26-158, S-145
    let mut limits = ferromcp_server::http::HttpLimits::default();
    limits.stream_bytes = 4 << 10;
    let flood = ferromcp_server::Tool::new("flood", |ctx: ferromcp_server::Ctx| async move {
        for number in 0..2_000_u32 {
            let text = format!("{number} {}", "x".repeat(1000));
            ctx.progress_with(f64::from(number), None, text).await;
        }
        "done"
    });
    let server = ferromcp_server::Server::new("flood", "1").with_tool(flood.args(["ctx"]));
    let options = HttpOptions::new().limits(limits);
    let host = Host::of(server, crate::fixture::Stage::default(), options).await;
    let call = modern("tools/call", json!({ "name": "flood", "arguments": {}, "_meta": { "progressToken": 1 } }));
    let mut stream = call.send(host.address).await.events().await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    for number in 0..2_000 {
        assert_eq!(progress_of(&stream.message().await), f64::from(number));
    }
    assert_eq!(stream.message().await["id"], 1);
    stream.ends().await;
}
