//! Responses to a POST.

use ferromcp_core::model::CallToolParams;
use ferromcp_core::{ClientRequest, Revision};

use super::wire::{STREAM, Wire, chunk, run_both};
use super::{bounded, json, response};
use crate::http::failure::Failure;
use crate::http::post::{Content, PostResponse};
use crate::http::request_headers::RequestHeaders;

pub(crate) fn modern() -> RequestHeaders {
    let request = ClientRequest::CallTool(CallToolParams::new("add"));
    RequestHeaders::modern(Revision::LATEST, &request, &[]).expect("valid headers")
}

/// Returns the outcome of a POST whose response is `bytes`.
async fn answered(head: &RequestHeaders, bytes: impl AsRef<[u8]>) -> Result<PostResponse, Failure> {
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    run_both(endpoint.post(head, "{}".into()), wire.answer(bytes)).await.0
}

#[tokio::test]
async fn returns_json_body_unchanged() {
    // M26-157, S-139
    let reply = answered(&modern(), response(200, "application/json; charset=utf-8", "{\"x\": 1}")).await;
    assert_eq!(json(reply.expect("a reply")), "{\"x\": 1}");
    let mut odd =
        String::from("HTTP/1.1 200 OK\r\ncontent-type:APPLICATION/JSON\r\nTransfer-Encoding: chunked\r\n\r\n");
    odd.push_str("1;ext=\"a\"\r\n{\r\n0000007\r\n\"x\": 1}\r\n0\r\nTrailer: x\r\n\r\n");
    assert_eq!(json(answered(&modern(), odd).await.expect("a reply")), "{\"x\": 1}");
    let to_the_end = "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{}";
    assert_eq!(json(answered(&modern(), to_the_end).await.expect("a reply")), "{}");
}

#[tokio::test]
async fn returns_no_content_when_message_is_accepted() {
    for taken in [
        "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n".to_owned(),
        "HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
        "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        response(202, "text/plain", "Accepted"),
        response(200, "text/plain", ""),
        response(200, "application/json", ""),
    ] {
        let reply = answered(&RequestHeaders::initialize(), &taken).await.expect("a reply");
        assert!(matches!(reply.content, Content::Nothing), "{taken:?} {reply:?}");
    }
}

#[tokio::test]
async fn returns_json_rpc_error_with_status() {
    let error = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}"#;
    for (status, media_type) in [(400, "application/json"), (404, "text/plain"), (500, "application/json")] {
        let reply = answered(&modern(), response(status, media_type, error)).await.expect("a reply");
        assert_eq!(reply.status, status);
        assert_eq!(json(reply), error);
    }
}

#[tokio::test]
async fn fails_with_status_when_error_body_is_not_json_rpc() {
    for body in ["", "<html>", "{\"error\":\"no\"}", "[]", "{\"jsonrpc\":"] {
        let failure = answered(&modern(), response(404, "application/json", body)).await.expect_err("a refusal");
        assert!(matches!(failure, Failure::Status(404)), "{failure:?}");
    }
}

#[tokio::test]
async fn fails_when_content_type_is_unexpected() {
    for answer in [response(200, "text/html", "{}"), response(200, "text/plain", "OK"), response(200, "", "{}")] {
        let failure = answered(&modern(), answer).await.expect_err("no message");
        assert!(matches!(failure, Failure::Malformed { .. }), "{failure:?}");
    }
}

#[tokio::test]
async fn accepts_json_rpc_message_when_content_type_is_wrong() {
    for media_type in ["text/plain", "text/html; charset=utf-8", ""] {
        let reply = answered(&modern(), response(200, media_type, "{\"jsonrpc\":\"2.0\"}")).await;
        assert_eq!(json(reply.expect("a reply")), "{\"jsonrpc\":\"2.0\"}");
    }
}

#[tokio::test]
async fn message_is_accepted_when_status_is_success_with_any_body() {
    // C5
    for taken in [
        response(200, "text/plain", "OK"),
        response(200, "application/json", "{}"),
        response(200, "application/json", "null"),
        response(200, "text/html", "<html>"),
        response(201, "text/plain", "Created"),
        response(202, "application/json", r#"{"jsonrpc":"2.0","id":null,"result":{}}"#),
        response(200, "application/json", "?").replacen("Content-Type", "Content-Encoding: gzip\r\nContent-Type", 1),
        "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        STREAM.to_owned(),
    ] {
        let wire = Wire::new().await;
        let endpoint = wire.endpoint();
        let (outcome, _) =
            run_both(endpoint.post_message(&RequestHeaders::initialize(), "{}".into()), wire.answer(&taken)).await;
        assert!(outcome.is_ok(), "{taken:?} {outcome:?}");
    }
    for status in [400, 404, 405, 500] {
        let wire = Wire::new().await;
        let endpoint = wire.endpoint();
        let refusal = response(status, "text/plain", "no");
        let (outcome, _) =
            run_both(endpoint.post_message(&RequestHeaders::initialize(), "{}".into()), wire.answer(refusal)).await;
        assert!(matches!(outcome, Err(Failure::Status(it)) if it == status), "{outcome:?}");
    }
}

#[tokio::test]
async fn requests_no_content_coding_and_names_an_unexpected_one() {
    // C11
    let coded = |coding: &str, media_type: &str| {
        response(200, media_type, "\u{1f}?").replacen(
            "Content-Type",
            &format!("Content-Encoding: {coding}\r\nContent-Type"),
            1,
        )
    };
    for (coding, media_type) in [
        ("gzip", "application/json"),
        ("br", "application/json"),
        ("GZIP", "text/event-stream"),
        ("identity, deflate", "application/json"),
        ("zstd", "text/html"),
    ] {
        let wire = Wire::new().await;
        let endpoint = wire.endpoint();
        let (outcome, asked) =
            run_both(endpoint.post(&modern(), "{}".into()), wire.answer(coded(coding, media_type))).await;
        assert_eq!(asked.header("accept-encoding"), Some("identity"));
        let text = outcome.expect_err("a coding").to_string();
        assert!(text.contains(&format!("`Content-Encoding: {coding}`")), "{text}");
    }
    for coding in ["identity", "Identity", ""] {
        let wire = Wire::new().await;
        let endpoint = wire.endpoint();
        let answer = coded(coding, "application/json");
        run_both(endpoint.post(&modern(), "{}".into()), wire.answer(answer)).await.0.expect("no coding");
    }
}

#[tokio::test]
async fn fails_when_body_exceeds_limit() {
    let wire = Wire::new().await;
    let endpoint = wire.endpoint_with(bounded(|limits| limits.body_bytes = 100));
    let said_at_once = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n";
    let mut in_chunks = said_at_once.replace("Content-Length: 1073741824", "Transfer-Encoding: chunked").into_bytes();
    in_chunks.extend_from_slice(&chunk("x".repeat(101)));
    for answer in [said_at_once.as_bytes(), &in_chunks] {
        let server = async {
            let (_, mut peer) = wire.asked().await;
            peer.say(answer).await;
            peer.expects_disconnect().await;
        };
        let failure = run_both(endpoint.post(&modern(), "{}".into()), server).await.0.expect_err("too large");
        assert!(matches!(failure, Failure::TooLarge { name: "body_bytes", limit: 100, .. }), "{failure:?}");
        assert!(failure.to_string().contains("HttpOptions::body_bytes"), "{failure}");
    }
    // For an error status, the body is optional.
    let refusal = response(503, "application/json", &"x".repeat(101));
    let failure = run_both(endpoint.post(&modern(), "{}".into()), wire.answer(refusal)).await.0.expect_err("refused");
    assert!(matches!(failure, Failure::Status(503)), "{failure:?}");
}

#[tokio::test]
async fn fails_with_status_when_error_body_is_event_stream() {
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    let server = async {
        let (_, mut peer) = wire.asked().await;
        peer.say(STREAM.replace("200 OK", "500 Oh")).await;
        peer.expects_disconnect().await;
    };
    let failure = run_both(endpoint.post(&modern(), "{}".into()), server).await.0.expect_err("refused");
    assert!(matches!(failure, Failure::Status(_)), "{failure:?}");
}

#[tokio::test]
async fn closes_connection_when_request_is_dropped() {
    // M26-290
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    let call = tokio::spawn(async move { endpoint.post(&modern(), "{}".into()).await });
    let (_, peer) = wire.asked().await;
    call.abort();
    peer.expects_disconnect().await;
}

#[tokio::test]
async fn reuses_connections_until_endpoint_is_dropped() {
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    let client = async {
        for _ in 0..3 {
            endpoint.post(&modern(), "{}".into()).await.expect("a reply");
        }
    };
    let server = async {
        let (_, mut peer) = wire.asked().await;
        for _ in 0..2 {
            peer.say(response(200, "application/json", "{}")).await;
            peer.asked().await;
        }
        peer.say(response(200, "application/json", "{}")).await;
        peer
    };
    let ((), peer) = run_both(client, server).await;
    drop(endpoint);
    peer.expects_disconnect().await;
}
