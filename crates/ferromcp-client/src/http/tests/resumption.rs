//! Resumption of legacy streams after disconnects of every kind.

use std::time::{Duration, Instant};

use ferromcp_core::Revision;

use super::wire::{END, ReceivedRequest, STREAM, Wire, chunk, run_both};
use super::{bounded, events, message, response};
use crate::http::endpoint::Endpoint;
use crate::http::failure::Failure;
use crate::http::request_headers::RequestHeaders;

fn legacy() -> RequestHeaders {
    RequestHeaders::legacy(Revision::LATEST_LEGACY, None)
}

/// How a stream is disconnected.
#[derive(Clone, Copy)]
enum Disconnect {
    InOrder,
    Closed,
    Broken,
}

/// Accepts a request, writes to its stream, and disconnects it.
async fn send_and_disconnect(wire: &Wire, said: &str, cut: Disconnect) -> ReceivedRequest {
    let (asked, mut peer) = wire.asked().await;
    peer.say([STREAM.as_bytes(), &chunk(said)].concat()).await;
    match cut {
        Disconnect::InOrder => peer.say(END).await,
        Disconnect::Closed => {}
        Disconnect::Broken => peer.say("no length\r\n").await,
    }
    asked
}

#[tokio::test]
async fn resumes_stream_without_repeating_post_when_disconnected() {
    // S-142, S-144, S-169, S-170
    for cut in [Disconnect::InOrder, Disconnect::Closed, Disconnect::Broken] {
        let wire = Wire::new().await;
        let endpoint = wire.endpoint();
        let server = async {
            let post =
                send_and_disconnect(&wire, "id: a-1\ndata:\n\nretry: 80\nid: a-2\ndata: one\n\nid: a-3\ndata: ha", cut)
                    .await;
            let since = Instant::now();
            let get = send_and_disconnect(&wire, "id: a-3\ndata: two\n\n", Disconnect::InOrder).await;
            (post, get, since.elapsed())
        };
        let client = async {
            let mut events = events(endpoint.post(&legacy(), "{}".into()).await.expect("a reply"));
            [message(&mut events).await, message(&mut events).await]
        };
        let (messages, (post, get, after)) = run_both(client, server).await;
        assert_eq!(messages, ["one", "two"]);
        assert_eq!((&*post.method, &*get.method, &*get.target), ("POST", "GET", "/mcp"));
        assert_eq!(get.header("last-event-id"), Some("a-2"), "an event that was not whole does not count");
        assert_eq!(get.header("accept"), Some("text/event-stream"));
        assert_eq!(get.header("mcp-protocol-version"), Some(Revision::LATEST_LEGACY.as_str()));
        assert!(get.body.is_empty() && get.header("content-type").is_none());
        assert!(after >= Duration::from_millis(75) && after < Duration::from_secs(1), "{after:?}");
    }
}

#[tokio::test]
async fn resumes_after_one_second_when_server_sets_no_retry() {
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    let server = async {
        send_and_disconnect(&wire, "id: 1\ndata:\n\n", Disconnect::InOrder).await;
        let since = Instant::now();
        send_and_disconnect(&wire, "data: x\n\n", Disconnect::InOrder).await;
        since.elapsed()
    };
    let client = async { message(&mut events(endpoint.post(&legacy(), "{}".into()).await.expect("a reply"))).await };
    let (_, after) = run_both(client, server).await;
    assert!(after >= Duration::from_millis(950), "{after:?}");
}

/// Returns the outcome of a stream disconnected after its first event ID. `answers` are the responses to the resuming GETs.
async fn outcome(
    endpoint: &Endpoint,
    wire: &Wire,
    head: &RequestHeaders,
    answers: &[String],
) -> (Result<(), Failure>, bool) {
    let server = async {
        send_and_disconnect(wire, "retry: 1\nid: 1\ndata:\n\n", Disconnect::InOrder).await;
        for answer in answers {
            let asked = wire.answer(answer).await;
            assert_eq!((&*asked.method, asked.header("last-event-id")), ("GET", Some("1")));
        }
    };
    let client = async {
        let mut events = events(endpoint.post(head, "{}".into()).await.expect("a reply"));
        let outcome = events.next().await.map(|_| ());
        assert!(events.next().await.expect("a clean end").is_none());
        outcome
    };
    let outcome = run_both(client, server).await.0;
    (outcome, wire.has_no_connection().await)
}

/// Creates an endpoint with a short backoff.
async fn endpoint_with_short_backoff() -> (Wire, Endpoint) {
    let wire = Wire::new().await;
    let options = bounded(|limits| {
        limits.resumptions = 3;
        limits.max_backoff = Duration::from_millis(60);
    });
    let endpoint = wire.endpoint_with(options);
    (wire, endpoint)
}

#[tokio::test]
async fn stops_resuming_when_attempts_are_exhausted() {
    let (wire, endpoint) = endpoint_with_short_backoff().await;
    let silent = format!("{STREAM}{END}");
    let again =
        String::from_utf8([STREAM.as_bytes(), &chunk("id: 1\ndata:\n\n"), END.as_bytes()].concat()).expect("text");
    for answer in [silent, again, response(503, "text/plain", ""), response(409, "text/plain", ""), String::new()] {
        let (outcome, alone) = outcome(&endpoint, &wire, &legacy(), &[answer.clone(), answer.clone(), answer]).await;
        assert!(matches!(outcome, Err(Failure::Lost { .. })) && alone, "{outcome:?}");
    }
}

#[tokio::test]
async fn does_not_retry_when_server_rejects_resumption() {
    let (wire, endpoint) = endpoint_with_short_backoff().await;
    for answer in [
        response(405, "text/plain", ""),
        response(400, "application/json", "{}"),
        response(404, "text/plain", ""),
        response(200, "application/json", "{}"),
        response(401, "text/plain", ""),
        "HTTP/1.1 302 Go\r\nLocation: /\r\nContent-Length: 0\r\n\r\n".to_owned(),
    ] {
        let (outcome, alone) = outcome(&endpoint, &wire, &legacy(), &[answer]).await;
        assert!(matches!(outcome, Err(Failure::Lost { .. })) && alone, "{outcome:?}");
    }
}

#[tokio::test]
async fn resets_attempts_when_stream_progresses() {
    let (wire, endpoint) = endpoint_with_short_backoff().await;
    let server = async {
        for number in 0..10 {
            send_and_disconnect(&wire, &format!("retry: 1\nid: {number}\ndata:\n\n"), Disconnect::Closed).await;
        }
        send_and_disconnect(&wire, "data: x\n\n", Disconnect::InOrder).await
    };
    let client = async { message(&mut events(endpoint.post(&legacy(), "{}".into()).await.expect("a reply"))).await };
    let (message, asked) = run_both(client, server).await;
    assert_eq!((&*message, asked.header("last-event-id")), ("x", Some("9")));
}

#[tokio::test]
async fn omits_last_event_id_when_invalid_in_header() {
    let (wire, endpoint) = endpoint_with_short_backoff().await;
    for id in ["\u{1}", &"x".repeat(9000)] {
        let server = async {
            send_and_disconnect(&wire, &format!("retry: 1\nid: {id}\ndata:\n\n"), Disconnect::InOrder).await;
            wire.has_no_connection().await
        };
        let client = async { events(endpoint.post(&legacy(), "{}".into()).await.expect("a reply")).next().await };
        let (outcome, alone) = run_both(client, server).await;
        assert!(matches!(outcome, Ok(None)) && alone, "{outcome:?}");
    }
}

#[tokio::test]
async fn next_is_cancel_safe_when_resuming() {
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    let server = async {
        send_and_disconnect(&wire, "retry: 60\nid: 1\ndata:\n\n", Disconnect::InOrder).await;
        let (_, mut peer) = wire.asked().await;
        tokio::time::sleep(Duration::from_millis(60)).await;
        peer.say(STREAM).await;
        tokio::time::sleep(Duration::from_millis(60)).await;
        peer.say([&chunk("data: x\n\n"), END.as_bytes()].concat()).await;
    };
    let client = async {
        let mut events = events(endpoint.post(&legacy(), "{}".into()).await.expect("a reply"));
        loop {
            if let Ok(next) = tokio::time::timeout(Duration::from_millis(7), events.next()).await {
                return next.expect("an open stream");
            }
        }
    };
    assert_eq!(run_both(client, server).await.0.map(|message| message.data), Some("x".into()));
}

#[tokio::test]
async fn does_not_resume_when_stream_is_dropped() {
    let (wire, endpoint) = endpoint_with_short_backoff().await;
    let server = send_and_disconnect(&wire, "retry: 100\nid: 1\ndata:\n\n", Disconnect::InOrder);
    let client = async {
        let mut events = events(endpoint.post(&legacy(), "{}".into()).await.expect("a reply"));
        assert!(tokio::time::timeout(Duration::from_millis(10), events.next()).await.is_err());
    };
    run_both(client, server).await;
    assert!(wire.has_no_connection().await);
}
