//! Sessions: ID, GET stream, deletion.

use std::time::Duration;

use ferromcp_core::Revision;

use super::post::modern;
use super::wire::{END, STREAM, Wire, chunk, run_both};
use super::{bounded, client_error, events, message, options, response};
use crate::http::endpoint::Endpoint;
use crate::http::failure::Failure;
use crate::http::legacy::SessionId;
use crate::http::request_headers::RequestHeaders;

/// Creates a response to `initialize` that starts a session.
fn begins(id: &str) -> String {
    response(200, "application/json", "{}").replacen(
        "Content-Type",
        &format!("mcp-session-ID: {id}\r\nContent-Type"),
        1,
    )
}

async fn session(wire: &Wire, endpoint: &Endpoint) -> SessionId {
    let (reply, asked) =
        run_both(endpoint.post(&RequestHeaders::initialize(), "{}".into()), wire.answer(begins("s-1"))).await;
    assert_eq!((asked.header("mcp-session-id"), asked.header("mcp-protocol-version")), (None, None));
    reply.expect("a reply").session.expect("a session")
}

#[tokio::test]
async fn sends_session_id_with_every_request() {
    // S-154, S-155, S-177, S-184, S-185
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    let head = RequestHeaders::legacy(Revision::LATEST_LEGACY, Some(session(&wire, &endpoint).await));
    let (reply, post) = run_both(endpoint.post(&head, "{}".into()), wire.answer(begins("s-2"))).await;
    assert!(reply.expect("a reply").session.is_none(), "the session is the one that began");
    let stream = [STREAM.as_bytes(), &chunk("data: x\n\n")].concat();
    let (stream, get) = run_both(endpoint.get_stream(&head), wire.answer(stream)).await;
    assert_eq!(message(&mut stream.expect("a success status").expect("a stream")).await, "x");
    let (end, delete) = run_both(endpoint.delete_session(&head), wire.answer(response(200, "text/plain", ""))).await;
    end.expect("it ends");
    for (asked, method) in [(post, "POST"), (get, "GET"), (delete, "DELETE")] {
        assert_eq!((&*asked.method, &*asked.target), (method, "/mcp"));
        assert_eq!(asked.header("mcp-session-id"), Some("s-1"));
        assert_eq!(asked.header("mcp-protocol-version"), Some(Revision::LATEST_LEGACY.as_str()));
        let accept = (method != "DELETE").then_some(()).map(|()| asked.header("accept").expect("an Accept"));
        assert!(method != "GET" || accept == Some("text/event-stream"));
    }
}

#[tokio::test]
async fn fails_with_session_ended_when_status_is_404() {
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    let head = RequestHeaders::legacy(Revision::LATEST_LEGACY, Some(session(&wire, &endpoint).await));
    let error = r#"{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"}}"#;
    let gone = response(404, "application/json", error);
    let failure = run_both(endpoint.post(&head, "{}".into()), wire.answer(&gone)).await.0.expect_err("session expired");
    assert!(matches!(failure, Failure::SessionEnded), "{failure:?}");
    assert!(client_error(failure, &endpoint).is_unsent());
    let failure = run_both(endpoint.get_stream(&head), wire.answer(&gone)).await.0.expect_err("session expired");
    assert!(matches!(failure, Failure::SessionEnded), "{failure:?}");
    // Without a session, 404 is not a session failure.
    let reply = run_both(endpoint.post(&RequestHeaders::initialize(), "{}".into()), wire.answer(&gone))
        .await
        .0
        .expect("an error");
    assert_eq!(reply.status, 404);
}

#[tokio::test]
async fn request_is_lost_when_session_expires_during_resumption() {
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    let head = RequestHeaders::legacy(Revision::LATEST_LEGACY, Some(session(&wire, &endpoint).await));
    let server = async {
        wire.answer([STREAM.as_bytes(), &chunk("retry: 1\nid: 1\ndata:\n\n"), END.as_bytes()].concat()).await;
        wire.answer(response(404, "text/plain", "")).await
    };
    let client = async { events(endpoint.post(&head, "{}".into()).await.expect("a reply")).next().await };
    let (outcome, get) = run_both(client, server).await;
    let failure = outcome.expect_err("lost");
    // C1: a 404 to a GET may only mean that the server has no GET, so the session may continue.
    assert!(matches!(failure, Failure::Lost { .. }), "{failure:?}");
    let error = client_error(failure, &endpoint);
    assert!(error.is_connection_lost() && error.to_string().contains("404"), "{error}");
    assert_eq!(get.header("mcp-session-id"), Some("s-1"));
}

#[tokio::test]
async fn resumes_initialize_stream_in_new_session() {
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    let server = async {
        let begins = STREAM.replacen("Content-Type", "Mcp-Session-Id: s-1\r\nContent-Type", 1);
        wire.answer([begins.as_bytes(), &chunk("retry: 1\nid: 1\ndata:\n\n"), END.as_bytes()].concat()).await;
        wire.answer([STREAM.as_bytes(), &chunk("data: x\n\n")].concat()).await
    };
    let client = async {
        message(&mut events(endpoint.post(&RequestHeaders::initialize(), "{}".into()).await.expect("a reply"))).await
    };
    let (message, get) = run_both(client, server).await;
    assert_eq!((&*message, get.header("mcp-session-id")), ("x", Some("s-1")));
}

#[tokio::test]
async fn rejects_invalid_session_id_when_legacy() {
    let wire = Wire::new().await;
    let endpoint = wire.endpoint_with(bounded(|limits| limits.id_bytes = 10));
    for bad in ["", "a b", "\u{e4}", "12345678901"] {
        let failure =
            run_both(endpoint.post(&RequestHeaders::initialize(), "{}".into()), wire.answer(begins(bad))).await.0;
        assert!(matches!(failure, Err(Failure::Malformed { .. } | Failure::TooLarge { .. })), "{bad} {failure:?}");
        let reply = run_both(endpoint.post(&modern(), "{}".into()), wire.answer(begins(bad))).await.0;
        assert!(reply.expect("a reply").session.is_none());
    }
}

#[tokio::test]
async fn succeeds_when_get_stream_and_delete_are_unsupported() {
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    let head = RequestHeaders::legacy(Revision::LATEST_LEGACY, Some(session(&wire, &endpoint).await));
    let no = response(405, "text/plain", "");
    assert!(run_both(endpoint.get_stream(&head), wire.answer(&no)).await.0.expect("a success status").is_none());
    run_both(endpoint.delete_session(&head), wire.answer(&no)).await.0.expect("a success status");
    run_both(endpoint.delete_session(&head), wire.answer(response(404, "text/plain", "")))
        .await
        .0
        .expect("already deleted");
    let failure = run_both(endpoint.delete_session(&head), wire.answer(response(500, "text/plain", ""))).await.0;
    assert!(matches!(failure, Err(Failure::Status(_))), "{failure:?}");
    endpoint.delete_session(&RequestHeaders::legacy(Revision::LATEST_LEGACY, None)).await.expect("no session");
    assert!(wire.has_no_connection().await);
}

#[tokio::test]
async fn reopens_get_stream_with_and_without_event_ids() {
    // S-169
    let wire = Wire::new().await;
    let endpoint = wire.endpoint_with(bounded(|limits| limits.max_backoff = Duration::from_millis(50)));
    let head = RequestHeaders::legacy(Revision::LATEST_LEGACY, Some(session(&wire, &endpoint).await));
    let server = async {
        let first = wire.answer([STREAM.as_bytes(), &chunk("data: a\n\n")].concat()).await;
        let second = wire.answer([STREAM.as_bytes(), &chunk("id: 7\ndata: b\n\n"), END.as_bytes()].concat()).await;
        let third = wire.answer([STREAM.as_bytes(), &chunk("data: c\n\n")].concat()).await;
        [first, second, third].map(|asked| asked.header("last-event-id").map(str::to_owned))
    };
    let client = async {
        let mut stream = endpoint.get_stream(&head).await.expect("a success status").expect("a stream");
        [message(&mut stream).await, message(&mut stream).await, message(&mut stream).await]
    };
    let (messages, ids) = run_both(client, server).await;
    assert_eq!(messages, ["a", "b", "c"]);
    assert_eq!(ids, [None, None, Some("7".into())]);
}

#[tokio::test]
async fn supports_concurrent_streams() {
    // S-162
    let wire = Wire::new().await;
    let endpoint = wire.endpoint_with(options());
    let head = RequestHeaders::legacy(Revision::LATEST_LEGACY, Some(session(&wire, &endpoint).await));
    let mut open = Vec::new();
    for _ in 0..5 {
        let server = async {
            let (_, mut peer) = wire.asked().await;
            peer.say(STREAM).await;
            peer
        };
        let (stream, peer) = run_both(endpoint.get_stream(&head), server).await;
        open.push((stream.expect("a success status").expect("a stream"), peer));
    }
    for (stream, peer) in open.iter_mut().rev() {
        peer.say(chunk("data: x\n\n")).await;
        assert_eq!(message(stream).await, "x");
    }
}
