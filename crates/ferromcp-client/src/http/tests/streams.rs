//! Event stream responses.

use ferromcp_core::Revision;
use tokio::time::timeout;

use super::post::modern;
use super::wire::{END, Peer, QUIET_TIME, STREAM, TEST_TIMEOUT, Wire, chunk, run_both};
use super::{bounded, events, message, options};
use crate::http::endpoint::Endpoint;
use crate::http::failure::Failure;
use crate::http::request_headers::RequestHeaders;
use crate::http::stream::EventStream;

/// Opens a stream. Returns it with the connection of the server.
pub(crate) async fn begun(wire: &Wire, head: &RequestHeaders) -> (EventStream, Peer) {
    begun_with(wire, wire.endpoint_with(options()), head).await
}

async fn begun_with(wire: &Wire, endpoint: Endpoint, head: &RequestHeaders) -> (EventStream, Peer) {
    let server = async {
        let (_, mut peer) = wire.asked().await;
        peer.say(STREAM).await;
        peer
    };
    let (reply, peer) = run_both(endpoint.post(head, "{}".into()), server).await;
    (events(reply.expect("a reply")), peer)
}

#[tokio::test]
async fn receives_messages_as_they_are_sent() {
    // M26-157, S-139
    let wire = Wire::new().await;
    let (mut events, mut peer) = begun(&wire, &modern()).await;
    for number in 0..3 {
        assert!(timeout(QUIET_TIME / 3, events.next()).await.is_err(), "no event was sent; next is cancel-safe");
        peer.say(chunk(format!("data: {number}\n\n"))).await;
        assert_eq!(message(&mut events).await, number.to_string());
    }
    peer.say(END).await;
    assert!(events.next().await.expect("a good end").is_none());
    assert!(events.next().await.expect("still at its end").is_none());
}

#[tokio::test]
async fn ignores_comments_priming_events_and_other_event_names() {
    // M26-165
    let wire = Wire::new().await;
    let (mut events, mut peer) = begun(&wire, &modern()).await;
    let said = ": hello\n\n:\n\nid: 1\ndata:\n\nevent: other\ndata: x\n\nretry: 1\n\nid: 2\n\nevent: message\ndata: {\ndata: }\n\n";
    peer.say(chunk(said)).await;
    assert_eq!(message(&mut events).await, "{\n}");
}

#[tokio::test]
async fn decodes_events_when_chunks_split_anywhere() {
    let said = "\u{feff}data: {\"ä\":\"€😀\"}\r\n\r\nid: ü\rdata: 2\r\r";
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    for at in 1..said.len() {
        let (first, second) = said.as_bytes().split_at(at);
        let server = async {
            let (_, mut peer) = wire.asked().await;
            peer.say([STREAM.as_bytes(), &chunk(first)].concat()).await;
            tokio::task::yield_now().await;
            peer.say([&chunk(second), END.as_bytes()].concat()).await;
        };
        let client = async {
            let mut events = events(endpoint.post(&modern(), "{}".into()).await.expect("a reply"));
            (message(&mut events).await, message(&mut events).await)
        };
        assert_eq!(run_both(client, server).await.0, ("{\"ä\":\"€😀\"}".into(), "2".into()), "split at {at}");
    }
}

#[tokio::test]
async fn reports_oversized_event_once_and_continues() {
    let wire = Wire::new().await;
    let endpoint = wire.endpoint_with(bounded(|limits| limits.event_bytes = 100));
    let (mut events, mut peer) = begun_with(&wire, endpoint, &modern()).await;
    let say = async {
        peer.say(chunk("data: ")).await;
        for _ in 0..1000 {
            peer.say(chunk("x".repeat(1000))).await;
        }
        peer.say(chunk("\n\ndata: next\n\n")).await;
    };
    let (failure, ()) = run_both(events.next(), say).await;
    assert!(matches!(failure, Err(Failure::TooLarge { name: "event_bytes", limit: 100, .. })), "{failure:?}");
    assert_eq!(message(&mut events).await, "next");
}

#[tokio::test]
async fn closes_connection_when_stream_is_dropped() {
    // M26-290
    let wire = Wire::new().await;
    let (events, peer) = begun(&wire, &modern()).await;
    drop(events);
    peer.expects_disconnect().await;
}

#[tokio::test]
async fn modern_stream_is_lost_when_disconnected() {
    // M26-167
    let wire = Wire::new().await;
    for broken in [true, false] {
        let (mut events, mut peer) = begun(&wire, &modern()).await;
        peer.say(chunk("retry: 0\nid: 1\ndata: {}\n\ndata: half")).await;
        assert_eq!(message(&mut events).await, "{}");
        if broken {
            drop(peer);
            let end = timeout(TEST_TIMEOUT, events.next()).await.expect("an end in time");
            assert!(matches!(end, Err(Failure::Lost { .. })), "{end:?}");
        } else {
            peer.say(END).await;
        }
        let end = timeout(TEST_TIMEOUT, events.next()).await.expect("an end in time");
        assert!(end.expect("a clean end").is_none(), "an incomplete event is discarded");
        assert!(wire.has_no_connection().await);
    }
}

#[tokio::test]
async fn legacy_stream_is_not_resumed_without_event_ids() {
    let wire = Wire::new().await;
    let (mut events, mut peer) = begun(&wire, &RequestHeaders::legacy(Revision::LATEST_LEGACY, None)).await;
    peer.say(chunk("retry: 0\ndata: {}\n\n")).await;
    drop(peer);
    assert_eq!(message(&mut events).await, "{}");
    assert!(matches!(events.next().await, Err(Failure::Lost { .. })));
    assert!(wire.has_no_connection().await);
}
