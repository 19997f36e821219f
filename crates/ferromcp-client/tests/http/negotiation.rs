//! Version negotiation over HTTP: every row of the table in the specification.

use std::time::Duration;

use ferromcp_client::{ClientError, ClientLimits, ErrorKind};
use ferromcp_core::{Era, ErrorCode, Revision};
use serde_json::{Value, json};

use crate::script::{
    Respond, accept_notification, builder, closing, discovered, impatient_builder, initialized, json_error,
    json_result, methods, respond_with, text, with_timeout,
};
use crate::wire::{STREAM, Wire, chunk, run_both};

const LATEST: &str = Revision::LATEST.as_str();

/// Script of a legacy server that rejects the probe.
fn legacy(refusal: Respond) -> [Respond; 3] {
    [refusal, json_result(initialized(Revision::LATEST_LEGACY)), accept_notification()]
}

const HANDSHAKE: [&str; 3] = ["server/discover", "initialize", "notifications/initialized"];

/// Returns the error of connecting to a server with this response.
async fn fails(say: Respond) -> ClientError {
    let wire = Wire::new().await;
    let (client, asked) = wire.connect(impatient_builder(), &[say]).await;
    assert_eq!(methods(&asked), ["server/discover"]);
    assert!(wire.has_no_connection().await, "there is no fallback");
    client.expect_err("connect error")
}

#[tokio::test]
async fn negotiates_modern_when_discover_succeeds() {
    // M26-051, M26-149, M26-150, M26-171, M26-172, M26-177, M26-178, M26-223
    let wire = Wire::new().await;
    let (client, mut asked) = wire.connect(builder(), &[json_result(discovered(&[LATEST]))]).await;
    let client = client.expect("a client");
    assert_eq!((client.revision(), client.negotiated().era()), (Revision::LATEST, Era::Modern));
    let (result, call) = run_both(async { client.call("süß", ()).await }, wire.play(&[json_result(text("ok"))])).await;
    result.expect("a result");
    asked.extend(call);
    assert_eq!(methods(&asked), ["server/discover", "tools/call"]);
    for asked in &asked {
        let body = asked.json();
        assert_eq!(asked.header("mcp-protocol-version"), Some(LATEST));
        assert_eq!(body["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"], LATEST);
        assert_eq!(asked.header("mcp-method"), body["method"].as_str());
        assert_eq!(asked.header("accept"), Some("application/json, text/event-stream"));
        assert_eq!(asked.header("mcp-session-id"), None);
    }
    assert_eq!(asked[1].header("mcp-name"), Some("=?base64?c8O8w58=?="));
    client.close().await;
    assert!(wire.has_no_connection().await, "no session to delete");
}

#[tokio::test]
async fn retries_discover_once_when_revision_is_unsupported() {
    // M26-069, M26-079, M26-224
    let refusal = || json_error(400, -32022, json!({ "supported": [LATEST], "requested": LATEST }));
    let wire = Wire::new().await;
    let (client, asked) = wire.connect(builder(), &[refusal(), json_result(discovered(&[LATEST]))]).await;
    assert_eq!(client.expect("a client").revision(), Revision::LATEST);
    assert_eq!(methods(&asked), ["server/discover", "server/discover"]);
    assert_ne!(asked[0].json()["id"], asked[1].json()["id"]);
    // Only one retry.
    let wire = Wire::new().await;
    let (client, _) = wire.connect(builder(), &[refusal(), refusal()]).await;
    assert_eq!(client.expect_err("connect error").kind(), ErrorKind::Server);
    assert!(wire.has_no_connection().await);
}

#[tokio::test]
async fn negotiates_common_revision_or_fails_when_discover_lists_revisions() {
    let old = [Revision::V2025_06_18.as_str()];
    let wire = Wire::new().await;
    let refusal = json_error(400, -32022, json!({ "supported": old, "requested": LATEST }));
    let script = [refusal, json_result(initialized(Revision::V2025_06_18)), accept_notification()];
    let (client, asked) = wire.connect(builder(), &script).await;
    assert_eq!(client.expect("a client").revision(), Revision::V2025_06_18);
    assert_eq!(asked[1].json()["params"]["protocolVersion"], old[0]);
    let error = fails(json_error(400, -32022, json!({ "supported": ["2099-01-01"], "requested": LATEST }))).await;
    assert_eq!(error.kind(), ErrorKind::Negotiation);
    assert!(error.to_string().contains("2099-01-01"), "{error}");
}

#[tokio::test]
async fn no_fallback_to_handshake_when_error_is_modern_only() {
    // M26-224
    for code in [-32020, -32021] {
        let error = fails(json_error(400, code, Value::Null)).await;
        assert_eq!(error.rpc().expect("a JSON-RPC error").code, ErrorCode(code));
    }
}

#[tokio::test]
async fn falls_back_to_handshake_when_status_is_4xx() {
    // M26-225, S-062, S-122
    let refusals = [
        respond_with(400, "text/plain", ""),
        respond_with(404, "text/html", "<html>Not found</html>"),
        respond_with(405, "application/json", "{\"error\":\"no\"}"),
        respond_with(406, "application/json", "{\"jsonrpc\":\"2.0\"}"),
        respond_with(422, "application/json", "garbage"),
        json_error(400, -32000, Value::Null),
        json_error(400, -32600, Value::Null),
        json_error(400, -32602, Value::Null),
        json_error(404, -32601, Value::Null),
        json_error(200, -32601, Value::Null),
        respond_with(
            400,
            "application/json",
            r#"{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"m"}}"#,
        ),
        respond_with(400, "application/json", r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"m"}}"#),
        json_result(json!({})),
    ];
    for refusal in refusals {
        let wire = Wire::new().await;
        let (client, asked) = wire.connect(builder(), &legacy(refusal)).await;
        let client = client.expect("a client");
        assert_eq!((client.revision(), methods(&asked)), (Revision::LATEST_LEGACY, HANDSHAKE.map(String::from).into()));
        let opening = asked[1].json();
        assert_eq!((asked[1].header("mcp-protocol-version"), asked[1].header("mcp-method")), (None, None));
        assert!(!opening.to_string().contains("io.modelcontextprotocol/"), "{opening}");
        assert_eq!(asked[2].header("mcp-protocol-version"), Some(Revision::LATEST_LEGACY.as_str()));
        let (result, call) =
            run_both(async { client.call("t", ()).await }, wire.play(&[json_result(text("ok"))])).await;
        result.expect("a result");
        assert!(!call[0].body.contains("io.modelcontextprotocol/") && call[0].header("mcp-name").is_none());
    }
}

#[tokio::test]
async fn no_fallback_when_unauthorized_unavailable_or_redirected() {
    for (status, say, kind) in [
        (401, respond_with(401, "text/plain", ""), ErrorKind::Unauthorized),
        (
            403,
            respond_with(403, "application/json", r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"m"}}"#),
            ErrorKind::Unauthorized,
        ),
        (502, respond_with(502, "text/html", "<html>"), ErrorKind::Unavailable),
        (503, json_error(503, -32603, Value::Null), ErrorKind::Server),
        (503, respond_with(503, "text/plain", ""), ErrorKind::Unavailable),
        (429, respond_with(429, "text/plain", ""), ErrorKind::Unavailable),
    ] {
        let error = fails(say).await;
        assert_eq!((error.kind(), error.http_status()), (kind, Some(status)), "{error}");
    }
    let challenge: Respond = Box::new(|_| {
        closing(401, "text/plain", "").replacen(
            "Content-Type",
            "WWW-Authenticate: Bearer scope=\"a\"\r\nContent-Type",
            1,
        )
    });
    let error = fails(challenge).await;
    assert_eq!(error.challenge(), Some("Bearer scope=\"a\""));
    assert!(error.to_string().contains("Bearer scope"), "{error}");
    let away: Respond = Box::new(|_| {
        closing(302, "text/plain", "").replacen(
            "Content-Type",
            "Location: https://elsewhere.example/mcp?key=s3cret\r\nContent-Type",
            1,
        )
    });
    let error = fails(away).await;
    assert!(
        error.to_string().contains("https://elsewhere.example/mcp") && !error.to_string().contains("s3cret"),
        "{error}"
    );
}

/// Responses that answer no request, and a part of the error if `initialize` gets the same response.
fn unusable() -> Vec<(Respond, &'static str)> {
    let compressed: Respond = Box::new(|_| {
        closing(200, "application/json", "?").replacen("Content-Type", "Content-Encoding: gzip\r\nContent-Type", 1)
    });
    vec![
        (respond_with(200, "text/html", "<html>Welcome</html>"), "`text/html`"),
        (respond_with(200, "text/plain", "OK"), "`text/plain`"),
        (respond_with(200, "application/json", ""), "HTTP status 200 without a body"),
        (respond_with(200, "text/event-stream", ""), "HTTP status 200 without a body"),
        (respond_with(202, "text/plain", ""), "HTTP status 202 without a body"),
        (Box::new(|_| "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n".to_owned()), "HTTP status 204"),
        (respond_with(200, "application/json", "null"), "invalid response"),
        (respond_with(200, "application/json", "garbage"), "Parse error"),
        (respond_with(200, "application/json", "[]"), "empty batch"),
        (respond_with(200, "application/json", r#"{"jsonrpc":"2.0","id":"other","result":{}}"#), "the response"),
        (respond_with(200, "application/json", r#"{"jsonrpc":"2.0","result":{}}"#), "a result has no `id`"),
        (respond_with(200, "text/event-stream", ": nothing\n\n"), "the stream ended without the response"),
        (respond_with(200, "text/event-stream", "data: garbage\n\n"), "the stream ended without the response"),
        (respond_with(500, "text/plain", "Internal Server Error"), "HTTP status 500"),
        (respond_with(501, "text/html", "<html>"), "HTTP status 501"),
        (json_error(500, -32603, Value::Null), "-32603"),
        (Box::new(|_| String::new()), "connection lost"),
        (compressed, "`Content-Encoding: gzip`"),
    ]
}

#[tokio::test]
async fn falls_back_to_handshake_when_discover_response_is_unusable() {
    // C4
    for (say, what) in unusable() {
        let wire = Wire::new().await;
        let (client, asked) = wire.connect(impatient_builder(), &legacy(say)).await;
        assert_eq!(client.expect(what).revision(), Revision::LATEST_LEGACY);
        assert_eq!(methods(&asked), HANDSHAKE, "{what}");
    }
    // The error has no ID, or another one.
    for error in [
        r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"m"}}"#,
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"m"}}"#,
    ] {
        let wire = Wire::new().await;
        let (client, _) =
            wire.connect(impatient_builder(), &legacy(respond_with(200, "application/json", error))).await;
        assert_eq!(client.expect(error).revision(), Revision::LATEST_LEGACY);
    }
}

#[tokio::test]
async fn reports_both_errors_when_handshake_fails_after_unusable_probe() {
    // C4
    for ((probe, _), (initialize, cause)) in unusable().into_iter().zip(unusable()) {
        let wire = Wire::new().await;
        let (client, asked) = wire.connect(impatient_builder(), &[probe, initialize]).await;
        assert_eq!(methods(&asked), ["server/discover", "initialize"], "{cause}");
        assert!(wire.has_no_connection().await, "{cause}");
        let error = client.expect_err("connect error");
        let text = error.to_string();
        assert!(text.contains("server/discover") && text.contains(cause), "{cause}: {text}");
        assert!(!text.contains("may have run") && !text.contains("retry"), "{text}");
        assert!(!error.is_connection_lost(), "{text}");
    }
    let wire = Wire::new().await;
    let probe = respond_with(200, "text/html", "<html>");
    let (client, _) = wire.connect(impatient_builder(), &[probe, json_error(200, -32602, Value::Null)]).await;
    let error = client.expect_err("connect error");
    let text = error.to_string();
    // The cause is first.
    assert!(text.starts_with("server returned an error: ") && text.contains("before that, "), "{text}");
    assert!(text.contains("`text/html`") && error.rpc().is_some(), "{text}");
}

#[tokio::test]
async fn notification_is_accepted_when_status_is_success_with_a_body() {
    // C5
    for taken in [
        respond_with(200, "text/plain", "OK"),
        respond_with(200, "application/json", "{}"),
        respond_with(200, "application/json", "true"),
        respond_with(201, "text/html", "<html>"),
        respond_with(202, "application/json", r#"{"jsonrpc":"2.0","result":{}}"#),
        respond_with(200, "text/event-stream", ": nothing\n\n"),
    ] {
        let wire = Wire::new().await;
        let script = [json_result(initialized(Revision::LATEST_LEGACY)), taken];
        let (client, _) = wire.connect(builder().only_era(Era::Legacy), &script).await;
        let client = client.expect("a client");
        let (result, _) = run_both(async { client.call("t", ()).await }, wire.play(&[json_result(text("ok"))])).await;
        result.expect("a result");
    }
}

#[tokio::test]
async fn connects_when_initialized_notification_is_rejected() {
    // C5
    for status in [400, 404, 405, 422, 500, 501] {
        let wire = Wire::new().await;
        let script = [json_result(initialized(Revision::LATEST_LEGACY)), respond_with(status, "text/plain", "no")];
        let (client, _) = wire.connect(builder().only_era(Era::Legacy), &script).await;
        let client = client.expect("a client");
        let (result, _) = run_both(async { client.call("t", ()).await }, wire.play(&[json_result(text("ok"))])).await;
        result.expect("a result");
    }
    for (status, kind) in [(401, ErrorKind::Unauthorized), (503, ErrorKind::Unavailable)] {
        let wire = Wire::new().await;
        let script = [json_result(initialized(Revision::LATEST_LEGACY)), respond_with(status, "text/plain", "no")];
        let (client, _) = wire.connect(builder().only_era(Era::Legacy), &script).await;
        assert_eq!(client.expect_err("rejected").kind(), kind);
    }
}

#[tokio::test]
async fn no_fallback_when_probe_times_out_or_connection_is_refused() {
    let wire = Wire::new().await;
    let limits = ClientLimits::new().probe_timeout(Duration::from_millis(100));
    let server = async {
        let (asked, peer) = wire.asked().await;
        peer.expects_disconnect().await;
        asked
    };
    let (client, asked) = run_both(builder().limits(limits).connect(wire.url("/mcp")), server).await;
    assert_eq!(
        (client.expect_err("connect error").kind(), &*asked.method_name()),
        (ErrorKind::Timeout, "server/discover")
    );
    assert!(wire.has_no_connection().await);
    let url = wire.url("/mcp");
    drop(wire);
    let error = with_timeout(builder().connect(url)).await.expect_err("connection refused");
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    assert!(error.to_string().contains("/mcp` (Connection refused"), "{error}");
    assert!(error.to_string().starts_with("cannot reach `"), "the cause is first: {error}");
}

#[tokio::test]
async fn falls_back_to_http_sse_when_streamable_http_is_missing() {
    // M26-232, S-118, S-122, S-124
    for status in [400, 404, 405] {
        let wire = Wire::new().await;
        let server = async {
            let asked =
                wire.play(&[respond_with(status, "text/plain", ""), respond_with(status, "text/plain", "")]).await;
            assert_eq!(methods(&asked), ["server/discover", "initialize"]);
            let (get, mut stream) = wire.asked().await;
            assert_eq!((&*get.method, get.header("accept")), ("GET", Some("text/event-stream")));
            stream.say([STREAM.as_bytes(), &chunk("event: endpoint\ndata: /say?to=1\n\n")].concat()).await;
            for result in [Some(initialized(Revision::V2024_11_05)), None, Some(text("ok"))] {
                let (post, mut peer) = wire.asked().await;
                assert_eq!((&*post.target, post.header("mcp-protocol-version")), ("/say?to=1", None));
                peer.say(closing(202, "text/plain", "")).await;
                if let Some(result) = result {
                    let message = json!({ "jsonrpc": "2.0", "id": post.json()["id"], "result": result });
                    stream.say(chunk(format!("event: message\ndata: {message}\n\n"))).await;
                }
            }
            stream
        };
        let client = async {
            let client = builder().connect(wire.url("/mcp")).await.expect("a client");
            client.call("t", ()).await.expect("a result");
            client
        };
        let (client, _stream) = run_both(client, server).await;
        assert!(client.negotiated().http_sse);
        assert_eq!(client.revision(), Revision::V2024_11_05);
    }
}

#[tokio::test]
async fn returns_handshake_error_when_http_sse_is_missing() {
    let wire = Wire::new().await;
    let no = || respond_with(404, "text/plain", "");
    let (client, asked) = wire.connect(builder(), &[no(), no(), no()]).await;
    assert_eq!(methods(&asked), ["server/discover", "initialize", "GET"]);
    let error = client.expect_err("connect error");
    let all = "`initialize` failed with HTTP status 404; HTTP+SSE failed as well: `GET` failed with HTTP status 404; \
               before that, the server responded to `server/discover` with HTTP status 404; check that the URL is an MCP \
               endpoint";
    assert_eq!(error.to_string(), all);
    // If the handshake fails with 5xx, there is no fallback.
    let wire = Wire::new().await;
    let (client, _) = wire.connect(builder(), &[no(), respond_with(502, "text/plain", "")]).await;
    assert_eq!(client.expect_err("connect error").kind(), ErrorKind::Unavailable);
    assert!(wire.has_no_connection().await);
}

#[tokio::test]
async fn reports_cause_first_when_http_sse_stream_is_unusable() {
    // C9
    let no = || respond_with(405, "text/plain", "");
    let stream = |events: &'static str| -> Respond { Box::new(move |_| closing(200, "text/event-stream", events)) };
    for (get, cause, kind) in [
        (
            stream("event: ping\ndata: 1\n\nevent: endpoint\ndata: http://elsewhere.example/say\n\n"),
            "cannot use HTTP+SSE: the `endpoint` event has a URL of the origin `http://elsewhere.example`",
            ErrorKind::InvalidResponse,
        ),
        (
            stream("event: ping\ndata: 1\n\n"),
            "cannot use HTTP+SSE: the stream ended before the `endpoint` event",
            ErrorKind::InvalidResponse,
        ),
        (respond_with(401, "text/plain", ""), "unauthorized: `GET` failed", ErrorKind::Unauthorized),
    ] {
        let wire = Wire::new().await;
        let (client, asked) = wire.connect(builder(), &[no(), no(), get]).await;
        assert_eq!(methods(&asked), ["server/discover", "initialize", "GET"]);
        let error = client.expect_err("connect error");
        assert!(error.to_string().starts_with(cause) && error.kind() == kind, "{error}");
        assert!(error.to_string().contains("`initialize` failed with HTTP status 405"), "{error}");
    }
}

#[tokio::test]
async fn saved_negotiation_skips_probe_and_is_replaced_when_stale() {
    // M26-080, M26-081
    let wire = Wire::new().await;
    let (client, _) = wire.connect(builder(), &legacy(respond_with(400, "text/plain", ""))).await;
    let negotiated = client.expect("a client").negotiated();
    let wire = Wire::new().await;
    let script = [json_result(initialized(Revision::LATEST_LEGACY)), accept_notification()];
    let (client, asked) = wire.connect(builder().negotiated(negotiated), &script).await;
    client.expect("a client");
    assert_eq!(methods(&asked), HANDSHAKE[1..]);
    let wire = Wire::new().await;
    let no = || respond_with(404, "text/plain", "");
    let (client, asked) =
        wire.connect(builder().negotiated(negotiated), &[no(), no(), json_result(discovered(&[LATEST]))]).await;
    assert_eq!(client.expect("a client").revision(), Revision::LATEST);
    assert_eq!(methods(&asked), ["initialize", "GET", "server/discover"]);
}
