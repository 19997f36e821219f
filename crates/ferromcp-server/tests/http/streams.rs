//! SSE responses, keep-alive, disconnects, cancellation and backpressure.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ferromcp_core::Revision;
use ferromcp_core::meta::key;
use ferromcp_server::http::HttpServerOptions;
use ferromcp_server::{Ctx, Server, Tool};
use serde_json::{Value, json};

use crate::client::{Session, legacy, modern, modern_call, modern_message, modern_post};
use crate::fixture::{CallControl, Host, wait_for};
use crate::message::{Request, Response};

/// Returns a modern call with a progress token.
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
async fn response_is_json_when_the_handler_sends_nothing() {
    // M26-156, S-138
    let host = Host::new().await;
    let assert_json = |response: &Response| {
        assert_eq!(response.header("content-type"), Some("application/json"));
        assert!(response.header("x-accel-buffering").is_none());
    };
    // Also if the handler is slow.
    for quick in [true, false] {
        let tool = if quick { "say" } else { "wait" };
        host.control.go(1);
        let call = modern_call(tool, json!({})); // no log level is requested, so nothing is logged
        assert_json(&call.send(host.address).await);
    }
    for (round, revision) in legacy().enumerate() {
        let session = Session::open(host.address, revision).await;
        assert_json(&session.call(1, "add", json!({ "a": 1, "b": 2 })).await);
        let slow = tokio::spawn(async move { session.call(2, "wait", json!({})).await });
        // `started` counts the call of the modern era too.
        wait_for(&host.control.started, round + 2).await;
        host.control.go(2);
        assert_json(&slow.await.unwrap());
    }
}

#[tokio::test]
async fn modern_stream_starts_with_the_first_notification() {
    // M26-156, M26-158, M26-159, M26-160, M26-161, M26-162, M26-163, M26-166
    let host = Host::new().await;
    host.control.go(1);
    let response = modern_steps(3).send(host.address).await;
    assert_stream_headers(&response);
    let mut stream = response.events().await;
    for step in 1..=3 {
        let (id, message) = stream.identified().await;
        assert_eq!((id, progress_of(&message)), (None, json!(f64::from(step))));
        assert_eq!(message["params"]["progressToken"], "p");
        // Each arrives when it is sent, not at the end.
        assert_eq!(host.control.answered.load(Ordering::SeqCst), 0);
        host.control.go(1);
    }
    let (id, answer) = stream.identified().await;
    assert_eq!((id, &answer["id"]), (None, &json!(1)));
    assert_eq!(answer["result"]["resultType"], "complete");
    assert_eq!(answer["result"]["_meta"][key::SERVER_INFO]["name"], "http");
    stream.ends().await;
    assert_eq!(stream.retry(), None);

    // A log message starts a stream too, if the request sets a log level.
    let meta = json!({ "_meta": { key::LOG_LEVEL: "info" } });
    let mut message = modern_message("log", "tools/call", meta);
    message["params"]["name"] = json!("say");
    let mut stream = modern_post(&message).send(host.address).await.events().await;
    assert_eq!(stream.message().await["method"], "notifications/message");
    assert_eq!(stream.message().await["id"], "log");
    stream.ends().await;
}

#[tokio::test]
async fn stream_of_a_session_has_event_ids_and_a_priming_event_in_2025_11_25() {
    // S-140, S-145, S-146, S-147, S-148, S-150, S-165, S-166, S-167, S-168
    let retry = Duration::from_millis(1234);
    let host = Host::with(HttpServerOptions::new().retry(retry)).await;
    for revision in legacy() {
        let session = Session::open(host.address, revision).await;
        let mut seen: Vec<String> = Vec::new();
        for round in 0..2 {
            host.control.go(1);
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
                host.control.go(usize::from(step < 3));
            }
            stream.ends().await;
            assert_eq!(stream.retry().is_some(), revision == Revision::V2025_11_25);
        }
    }
}

#[tokio::test]
async fn events_have_no_ids_when_resumption_is_disabled() {
    // S-165
    let host = Host::with(HttpServerOptions::new().without_resumption()).await;
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
async fn response_becomes_a_stream_with_keep_alive_comments_when_the_call_is_slow() {
    // M26-164
    let every = Duration::from_millis(40);
    let host = Host::with(HttpServerOptions::new().keep_alive(every)).await;
    let session = Session::open(host.address, Revision::V2025_11_25).await;
    let call = crate::client::legacy_message(1, "tools/call", json!({ "name": "wait", "arguments": {} }));
    for request in [modern_call("wait", json!({})), session.post(&call)] {
        let started = Instant::now();
        let response = request.send(host.address).await;
        assert!(started.elapsed() >= every);
        assert_stream_headers(&response);
        let mut stream = response.events().await;
        tokio::time::sleep(every * 6).await;
        host.control.go(1);
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
    // A client that does not accept streams waits for the JSON response.
    let plain = modern_call("wait", json!({})).set("Accept", "application/json");
    let waiting = tokio::spawn(async move { plain.send(host.address).await.json().await });
    tokio::time::sleep(every * 3).await;
    host.control.go(1);
    assert_eq!(waiting.await.unwrap()["result"]["content"][0]["text"], "waited");
}

#[tokio::test]
async fn disconnect_cancels_a_modern_call() {
    // M26-168, M26-169, M26-170, M26-298
    let host = Host::new().await;
    // During the stream.
    host.control.go(1);
    let mut stream = modern_steps(5).send(host.address).await.events().await;
    stream.message().await;
    drop(stream);
    wait_for(&host.control.finished, 1).await;
    // Before the first message.
    let quiet = tokio::spawn({
        let address = host.address;
        async move { modern_call("wait", json!({})).send(address).await }
    });
    wait_for(&host.control.started, 2).await;
    quiet.abort();
    wait_for(&host.control.finished, 2).await;
    assert_eq!(host.control.answered.load(Ordering::SeqCst), 0);
    // A subscription.
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
    tokio::time::timeout(Duration::from_secs(10), gone).await.expect("the subscription is not removed");
}

#[tokio::test]
async fn disconnect_does_not_cancel_a_call_of_a_session() {
    // S-151
    let host = Host::new().await;
    for (round, revision) in legacy().enumerate() {
        let session = Session::open(host.address, revision).await;
        // During the stream.
        host.control.go(1);
        let mut stream = session.call(1, "steps", json!({ "count": 1 })).await.events().await;
        if revision == Revision::V2025_11_25 {
            stream.primed().await;
        }
        stream.message().await;
        drop(stream);
        // Before the first message.
        let quiet = tokio::spawn({
            let session = session.clone();
            async move { session.call(2, "wait", json!({})).await }
        });
        wait_for(&host.control.started, 2 * round + 2).await;
        quiet.abort();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(host.control.finished.load(Ordering::SeqCst), 2 * round);
        host.control.go(2);
        wait_for(&host.control.answered, 2 * round + 2).await;
        wait_for(&host.control.finished, 2 * round + 2).await;
    }
}

/// Panics when dropped.
struct PanicOnDrop;

impl Drop for PanicOnDrop {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "panics when dropped");
    }
}

#[tokio::test]
async fn connection_continues_when_a_cancelled_call_panics_in_a_destructor() {
    let panics = Tool::new("panics", |ctx: Ctx| async move {
        let _guard = PanicOnDrop;
        ctx.info("started").await;
        std::future::pending::<()>().await;
    });
    let server = Server::new("panics", "1").with_tool(panics.args(["ctx"]));
    let host = Host::of(server, CallControl::default(), HttpServerOptions::new()).await;
    for revision in legacy() {
        let session = Session::open(host.address, revision).await;
        let mut stream = session.call(1, "panics", json!({})).await.events().await;
        if revision == Revision::V2025_11_25 {
            stream.primed().await;
        }
        assert_eq!(stream.message().await["method"], "notifications/message");
        session.notify("notifications/cancelled", json!({ "requestId": 1 })).await.empty(202).await;
        stream.ends().await; // and not a reset connection
        assert_eq!(session.send(2, "ping", json!({})).await.status, 200);
    }
}

#[tokio::test]
async fn notifications_cancelled_cancels_a_call_of_a_session() {
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
        // During the stream: it ends without a reply.
        host.control.go(1);
        let mut stream = session.call(1, "steps", json!({ "count": 5 })).await.events().await;
        if revision == Revision::V2025_11_25 {
            stream.primed().await;
        }
        stream.message().await;
        cancel(1).await;
        stream.ends().await;
        wait_for(&host.control.finished, 2 * round + 1).await;
        // Before the first message: the stream is empty.
        let quiet = tokio::spawn({
            let session = session.clone();
            async move { session.call(2, "wait", json!({})).await.events().await.ends().await }
        });
        wait_for(&host.control.started, 2 * round + 2).await;
        cancel(2).await;
        quiet.await.unwrap();
        wait_for(&host.control.finished, 2 * round + 2).await;
        // Finished, unknown and invalid ids are ignored.
        for id in [1, 2, 99] {
            cancel(id).await;
        }
        for odd in [json!({}), json!({ "requestId": "2" })] {
            session.notify("notifications/cancelled", odd).await.empty(202).await;
        }
        // The id is free again.
        assert_eq!(session.call(2, "add", json!({ "a": 1, "b": 1 })).await.status, 200);
    }
    assert_eq!(host.control.answered.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn slow_reader_applies_backpressure_to_the_handler() {
    // M26-158, S-145
    // More than the buffers of the stream (1 MiB) and of the kernel.
    const MESSAGES: u32 = 4_000;
    let flood = ferromcp_server::Tool::new("flood", |ctx: ferromcp_server::Ctx| async move {
        for number in 0..MESSAGES {
            let text = format!("{number} {}", "x".repeat(4000));
            ctx.progress_with(f64::from(number), None, text).await;
        }
        "done"
    });
    let server = ferromcp_server::Server::new("flood", "1").with_tool(flood.args(["ctx"]));
    let host = Host::of(server, crate::fixture::CallControl::default(), HttpServerOptions::new()).await;
    let call = modern("tools/call", json!({ "name": "flood", "arguments": {}, "_meta": { "progressToken": 1 } }));
    let mut stream = call.send(host.address).await.events().await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    for number in 0..MESSAGES {
        assert_eq!(progress_of(&stream.message().await), f64::from(number));
    }
    assert_eq!(stream.message().await["id"], 1);
    stream.ends().await;
}
