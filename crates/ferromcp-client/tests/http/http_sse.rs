//! Clients over HTTP+SSE: a rejected message has the same error as over Streamable HTTP.

use ferromcp_client::{Client, ClientError, ErrorKind};
use ferromcp_core::Revision;
use serde_json::json;

use crate::script::{builder, closing, initialized, methods, respond_with, text, with_timeout};
use crate::wire::{Peer, STREAM, Wire, chunk, run_both};

/// Rejects Streamable HTTP, and opens the stream of HTTP+SSE.
async fn open_stream(wire: &Wire) -> Peer {
    let no = || respond_with(405, "text/plain", "");
    assert_eq!(methods(&wire.play(&[no(), no()]).await), ["server/discover", "initialize"]);
    let (get, mut stream) = wire.asked().await;
    assert_eq!(get.method, "GET");
    stream.say([STREAM.as_bytes(), &chunk("event: endpoint\ndata: /say\n\n")].concat()).await;
    stream
}

/// Connects a client. Returns it with its stream.
async fn connect(wire: &Wire) -> (Client, Peer) {
    let server = async {
        let mut stream = open_stream(wire).await;
        for result in [Some(initialized(Revision::V2024_11_05)), None] {
            let (post, mut peer) = wire.asked().await;
            peer.say(closing(202, "text/plain", "")).await;
            if let Some(result) = result {
                let message = json!({ "jsonrpc": "2.0", "id": post.json()["id"], "result": result });
                stream.say(chunk(format!("event: message\ndata: {message}\n\n"))).await;
            }
        }
        stream
    };
    let (client, stream) = run_both(builder().connect(wire.url("/mcp")), server).await;
    (client.expect("a client"), stream)
}

/// Returns the error of a call whose POST gets this response.
async fn rejected_call(response: &str) -> (ClientError, Wire) {
    let wire = Wire::new().await;
    let (client, _stream) = connect(&wire).await;
    let server = async {
        let (_, mut peer) = wire.asked().await;
        peer.say(response).await;
    };
    let (outcome, ()) = run_both(async { client.call("t", ()).await }, server).await;
    (outcome.expect_err("rejected"), wire)
}

fn unauthorized(status: u16) -> String {
    let challenge = "WWW-Authenticate: Bearer scope=\"a\"\r\nContent-Type";
    closing(status, "text/plain", "").replacen("Content-Type", challenge, 1)
}

#[tokio::test]
async fn error_is_unauthorized_when_post_of_a_call_is_rejected() {
    for status in [401, 403] {
        let (error, wire) = rejected_call(&unauthorized(status)).await;
        assert_eq!((error.kind(), error.http_status()), (ErrorKind::Unauthorized, Some(status)), "{error}");
        assert_eq!(error.challenge(), Some("Bearer scope=\"a\""));
        assert!(error.is_unsent() && !error.is_unavailable(), "{error}");
        let text = format!(
            "unauthorized: `tools/call` failed with HTTP status {status} (Bearer scope=\"a\"); set \
             `ClientBuilder::credentials`"
        );
        assert_eq!(error.to_string(), text);
        assert!(wire.has_no_connection().await, "it is not retried with the same credentials");
    }
}

#[tokio::test]
async fn error_is_unauthorized_when_post_of_the_handshake_is_rejected() {
    let wire = Wire::new().await;
    let server = async {
        let stream = open_stream(&wire).await;
        let (_, mut peer) = wire.asked().await;
        peer.say(unauthorized(401)).await;
        stream
    };
    let (client, _stream) = run_both(builder().connect(wire.url("/mcp")), server).await;
    let error = client.expect_err("rejected");
    assert_eq!((error.kind(), error.challenge()), (ErrorKind::Unauthorized, Some("Bearer scope=\"a\"")), "{error}");
    assert!(error.to_string().contains("; set `ClientBuilder::credentials`"), "{error}");
}

#[tokio::test]
async fn error_has_the_status_when_post_of_a_call_fails() {
    for (status, kind) in
        [(500, ErrorKind::Unavailable), (503, ErrorKind::Unavailable), (422, ErrorKind::InvalidResponse)]
    {
        let (error, wire) = rejected_call(&closing(status, "text/plain", "")).await;
        assert_eq!((error.kind(), error.http_status()), (kind, Some(status)), "{error}");
        assert!(wire.has_no_connection().await, "the tool may have run");
    }
}

#[tokio::test]
async fn call_is_lost_and_not_repeated_when_connection_of_its_post_closes() {
    let (error, wire) = rejected_call("").await;
    assert!(error.is_connection_lost() && !error.is_unsent(), "{error}");
    assert!(wire.has_no_connection().await, "the tool may have run");
}

#[tokio::test]
async fn error_contains_text_of_error_event_when_stream_ends() {
    // C13
    let wire = Wire::new().await;
    let (client, mut stream) = connect(&wire).await;
    let server = async {
        let (post, mut peer) = wire.asked().await;
        peer.say(closing(202, "text/plain", "")).await;
        // The response may follow such an event.
        let answer = json!({ "jsonrpc": "2.0", "id": post.json()["id"], "result": text("ok") });
        stream.say(chunk(format!("event: error\ndata: upstream is slow\n\ndata: {answer}\n\n"))).await;
        let (_, mut peer) = wire.asked().await;
        peer.say(closing(202, "text/plain", "")).await;
        stream.say(chunk("event: error\ndata: out of quota\u{1b}\n\n")).await;
        stream.say(crate::wire::END).await;
    };
    let calls = async {
        client.call("t", ()).await.expect("a result");
        with_timeout(client.call("t", ())).await.expect_err("lost").to_string()
    };
    let (error, ()) = run_both(calls, server).await;
    assert!(error.contains("the server closed the connection after the error `out of quota\\u{1b}`"), "{error}");
}
