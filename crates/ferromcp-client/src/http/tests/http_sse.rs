//! The HTTP+SSE transport of 2024-11-05.

use std::time::{Duration, Instant};

use ferromcp_transport::{Frame, FrameRx, FrameTx, Outbound, Transport};
use tokio::time::timeout;

use super::wire::{END, Peer, STREAM, TEST_TIMEOUT, Wire, chunk, run_both};
use super::{bounded, response};
use crate::http::failure::Failure;
use crate::http::legacy::{HttpSse, HttpSseRx, HttpSseTx};

/// Returns the outcome of connecting to a stream that begins with `begin`.
async fn connected(wire: &Wire, begin: &str) -> (Result<HttpSse, Failure>, Peer) {
    let endpoint = wire.endpoint_with(bounded(|limits| {
        limits.endpoint_timeout = Duration::from_millis(300);
        limits.posts_in_flight = 2;
        limits.event_bytes = 100;
    }));
    let server = async {
        let (asked, mut peer) = wire.asked().await;
        assert_eq!(
            (&*asked.method, &*asked.target, asked.header("accept")),
            ("GET", "/mcp", Some("text/event-stream"))
        );
        assert_eq!((asked.header("mcp-protocol-version"), asked.header("mcp-method")), (None, None));
        peer.say([STREAM.as_bytes(), &chunk(begin)].concat()).await;
        peer
    };
    run_both(HttpSse::connect(&endpoint), server).await
}

async fn pipe(wire: &Wire) -> (HttpSseRx, HttpSseTx, Peer) {
    let (pipe, peer) = connected(wire, ": hi\n\nevent: endpoint\ndata: /say?id=1\n\n").await;
    let (rx, tx) = pipe.expect("a pipe").split().expect("halves");
    (rx, tx, peer)
}

fn frames(frames: &[&str]) -> Outbound {
    let mut out = Outbound::new();
    for frame in frames {
        out.frame(|line| line.extend_from_slice(frame.as_bytes()));
    }
    out
}

const TAKEN: &str = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn posts_messages_to_endpoint_url_and_reads_responses_from_stream() {
    // S-118
    let wire = Wire::new().await;
    let (mut rx, mut tx, mut peer) = pipe(&wire).await;
    let mut out = frames(&["{\"a\":1}", "{\"b\":2}"]);
    let server = async { [wire.answer(TAKEN).await, wire.answer(TAKEN).await] };
    let client = async {
        while !out.is_empty() {
            tx.write(&mut out).await.expect("accepted");
        }
        tx.finish().await.expect("accepted");
    };
    let ((), asked) = run_both(client, server).await;
    for (asked, body) in asked.iter().zip(["{\"a\":1}", "{\"b\":2}"]) {
        assert_eq!((&*asked.method, &*asked.target, &*asked.body), ("POST", "/say?id=1", body));
        assert_eq!(asked.header("content-type"), Some("application/json"));
    }
    peer.say(chunk(format!("data: {{}}\n\nevent: ping\ndata: x\n\ndata: {}\n\ndata: 2\n\n", "x".repeat(200)))).await;
    let mut next = async || timeout(TEST_TIMEOUT, rx.recv()).await.expect("in time").expect("a pipe");
    assert_eq!(next().await, Some(Frame::Complete("{}".into())));
    assert_eq!(next().await, Some(Frame::TooLong { limit: 100 }));
    assert_eq!(next().await, Some(Frame::Complete("2".into())));
    peer.say(END).await;
    assert_eq!(next().await, None);
}

#[tokio::test]
async fn closes_when_write_half_finishes_and_stream_stays_open() {
    let wire = Wire::new().await;
    let (mut rx, mut tx, mut peer) = pipe(&wire).await;
    tx.finish().await.expect("no posts in flight");
    peer.say(chunk("data: {}\n\n")).await;
    let mut next = async || timeout(TEST_TIMEOUT, rx.recv()).await.expect("in time").expect("a pipe");
    assert_eq!(next().await, Some(Frame::Complete("{}".into())));
    drop(tx);
    assert_eq!(next().await, None);
    drop(rx);
    peer.expects_disconnect().await;
}

#[tokio::test]
async fn message_url_is_resolved_against_stream_url() {
    let wire = Wire::new().await;
    for said in ["say", "/say", "./x/../say", &wire.url("/say")] {
        let (pipe, _peer) = connected(&wire, &format!("event: endpoint\ndata: {said}\n\n")).await;
        let (_rx, mut tx) = pipe.expect("a pipe").split().expect("halves");
        let mut out = frames(&["{}"]);
        let (written, asked) = run_both(async { tx.write(&mut out).await }, wire.answer(TAKEN)).await;
        written.expect("accepted");
        assert_eq!(asked.target, "/say", "{said}");
    }
}

#[tokio::test]
async fn connect_fails_when_message_url_has_other_origin() {
    let wire = Wire::new().await;
    let other_scheme = wire.url("/say").replace("http:", "https:");
    for said in
        ["http://localhost:1/say", "//example.com/say", &other_scheme, "file:///say", "javascript:x", "", "http://["]
    {
        let (outcome, _peer) = connected(&wire, &format!("event: endpoint\ndata: {said}\n\n")).await;
        // Empty data is not an event.
        assert!(matches!(outcome, Err(Failure::Malformed { .. })) || said.is_empty(), "{said} {outcome:?}");
    }
    // C9
    for (said, named) in [
        ("http://localhost:1/say?session=s3cret", "`http://localhost:1`"),
        ("//example.com/say/s3cret", "`http://example.com`"),
        (&*other_scheme, "`https://127.0.0.1:"),
        ("file:///s3cret", "`file:`"),
    ] {
        let (outcome, _peer) = connected(&wire, &format!("event: endpoint\ndata: {said}\n\n")).await;
        let text = outcome.expect_err("another origin").to_string();
        assert!(text.contains(named) && text.contains("`http://127.0.0.1:") && !text.contains("s3cret"), "{text}");
    }
    let (outcome, _peer) = connected(&wire, "data: {}\n\n").await;
    assert!(matches!(outcome, Err(Failure::Malformed { .. })), "{outcome:?}");
}

#[tokio::test]
async fn events_before_endpoint_are_skipped() {
    // C9
    let wire = Wire::new().await;
    for first in [
        "event: ping\ndata: x\n\n",
        "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}\n\n",
        "event: open\ndata:\n\nid: 1\nevent: message\ndata: hello\n\n",
        "retry: 100\n\nevent: error\ndata: not yet\n\n",
    ] {
        let (pipe, _peer) = connected(&wire, &format!("{first}event: endpoint\ndata: /say\n\n")).await;
        pipe.expect("a pipe");
    }
}

#[tokio::test]
async fn connect_times_out_when_stream_is_silent() {
    let wire = Wire::new().await;
    let (outcome, peer) = connected(&wire, ": hello\n\n").await;
    let failure = outcome.expect_err("a failure");
    assert!(failure.to_string().contains("waiting for the `endpoint` event"), "{failure}");
    peer.expects_disconnect().await;
}

#[tokio::test]
async fn connect_fails_when_response_is_not_event_stream() {
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    let outcome = run_both(HttpSse::connect(&endpoint), wire.answer(response(405, "text/plain", ""))).await.0;
    assert!(matches!(outcome, Err(Failure::Status(405))), "{outcome:?}");
    let outcome = run_both(HttpSse::connect(&endpoint), wire.answer(response(200, "text/html", "<html>"))).await.0;
    assert!(matches!(&outcome, Err(Failure::Malformed { .. })), "{outcome:?}");
    let outcome = run_both(HttpSse::connect(&endpoint), wire.answer(format!("{STREAM}{END}"))).await.0;
    assert!(matches!(&outcome, Err(Failure::Malformed { .. })), "{outcome:?}");
}

#[tokio::test]
async fn closes_when_message_is_rejected() {
    let wire = Wire::new().await;
    let (mut rx, mut tx, _peer) = pipe(&wire).await;
    let mut out = frames(&["{}"]);
    let written = run_both(async { tx.write(&mut out).await }, wire.answer(response(404, "text/plain", ""))).await.0;
    assert!(written.expect_err("refused").to_string().contains("404"));
    // C9, C12: the stream stays open, but the response to the message will not arrive.
    drop(tx);
    let read = run_both(rx.recv(), async {}).await.0;
    assert!(read.expect_err("refused").to_string().contains("404"));
}

#[tokio::test]
async fn message_waits_for_previous_one_with_timeout() {
    let wire = Wire::new().await;
    let (_rx, mut tx, _peer) = pipe(&wire).await;
    let mut out = frames(&["1", "2", "3"]);
    let since = Instant::now();
    let server = async {
        let (first, mut slow) = wire.asked().await;
        let (second, mut quick) = wire.asked().await;
        let waited = since.elapsed();
        quick.say(TAKEN).await;
        let third = wire.answer(TAKEN).await;
        slow.say(TAKEN).await;
        ([first.body, second.body, third.body], waited)
    };
    let client = async {
        // A write is cancel-safe.
        while !out.is_empty() {
            if let Ok(written) = timeout(Duration::from_millis(30), tx.write(&mut out)).await {
                written.expect("accepted");
            }
        }
        tx.finish().await.expect("accepted");
    };
    let ((), (bodies, waited)) = run_both(client, server).await;
    assert_eq!(bodies, ["1", "2", "3"]);
    assert!(waited >= Duration::from_millis(900), "{waited:?}");
}

#[tokio::test]
async fn limits_concurrent_posts() {
    let wire = Wire::new().await;
    let (_rx, mut tx, _peer) = pipe(&wire).await;
    let mut out = frames(&["1", "2", "3"]);
    let server = async {
        let (_, mut first) = wire.asked().await;
        let (_, mut second) = wire.asked().await;
        tokio::time::sleep(Duration::from_millis(1100)).await;
        assert!(wire.has_no_connection().await, "two are the limit, whoever's turn it is");
        first.say(TAKEN).await;
        wire.answer(TAKEN).await;
        second.say(TAKEN).await;
    };
    let client = async {
        tx.write(&mut out).await.expect("accepted");
        tx.finish().await.expect("accepted");
    };
    run_both(client, server).await;
    assert!(out.is_empty());
}

#[tokio::test]
async fn aborts_posts_and_stream_when_halves_are_dropped() {
    let wire = Wire::new().await;
    let (rx, mut tx, peer) = pipe(&wire).await;
    let mut out = frames(&["1"]);
    assert!(timeout(Duration::from_millis(50), tx.write(&mut out)).await.is_err());
    let (_, post) = wire.asked().await;
    drop(tx);
    post.expects_disconnect().await;
    drop(rx);
    peer.expects_disconnect().await;
}
