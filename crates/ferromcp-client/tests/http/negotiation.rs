//! How a client finds out over HTTP how a server speaks: every row of the specification's table, on the wire.

use std::time::Duration;

use ferromcp_client::{ClientError, ClientLimits, ErrorKind};
use ferromcp_core::{Era, ErrorCode, Revision};
use serde_json::{Value, json};

use crate::script::{
    Say, builder, closing, discovered, gives, hasty, initialized, refuses, says, soon, takes, text, words,
};
use crate::wire::{STREAM, Wire, both, chunk};

const LATEST: &str = Revision::LATEST.as_str();

/// The script of a legacy server from its refusal of the probe on.
fn legacy(refusal: Say) -> [Say; 3] {
    [refusal, gives(initialized(Revision::LATEST_LEGACY)), takes()]
}

const HANDSHAKE: [&str; 3] = ["server/discover", "initialize", "notifications/initialized"];

/// What comes of a server that says this alone.
async fn fails(say: Say) -> ClientError {
    let wire = Wire::new().await;
    let (client, asked) = wire.connect(hasty(), &[say]).await;
    assert_eq!(words(&asked), ["server/discover"]);
    assert!(wire.is_left_alone().await, "there is no fallback");
    client.expect_err("no client")
}

#[tokio::test]
async fn a_modern_server_is_known_by_its_answer() {
    // M26-051, M26-149, M26-150, M26-171, M26-172, M26-177, M26-178, M26-223
    let wire = Wire::new().await;
    let (client, mut asked) = wire.connect(builder(), &[gives(discovered(&[LATEST]))]).await;
    let client = client.expect("a client");
    assert_eq!((client.revision(), client.negotiated().era()), (Revision::LATEST, Era::Modern));
    let (result, call) = both(async { client.call("süß", ()).await }, wire.play(&[gives(text("ok"))])).await;
    result.expect("a result");
    asked.extend(call);
    assert_eq!(words(&asked), ["server/discover", "tools/call"]);
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
    assert!(wire.is_left_alone().await, "nothing is ended");
}

#[tokio::test]
async fn a_modern_server_that_refuses_the_revision_is_asked_once_more() {
    // M26-069, M26-079, M26-224
    let refusal = || refuses(400, -32022, json!({ "supported": [LATEST], "requested": LATEST }));
    let wire = Wire::new().await;
    let (client, asked) = wire.connect(builder(), &[refusal(), gives(discovered(&[LATEST]))]).await;
    assert_eq!(client.expect("a client").revision(), Revision::LATEST);
    assert_eq!(words(&asked), ["server/discover", "server/discover"]);
    assert_ne!(asked[0].json()["id"], asked[1].json()["id"]);
    // And not for ever.
    let wire = Wire::new().await;
    let (client, _) = wire.connect(builder(), &[refusal(), refusal()]).await;
    assert_eq!(client.expect_err("no client").kind(), ErrorKind::Server);
    assert!(wire.is_left_alone().await);
}

#[tokio::test]
async fn what_a_modern_server_speaks_may_be_legacy_or_nothing_shared() {
    let old = [Revision::V2025_06_18.as_str()];
    let wire = Wire::new().await;
    let refusal = refuses(400, -32022, json!({ "supported": old, "requested": LATEST }));
    let script = [refusal, gives(initialized(Revision::V2025_06_18)), takes()];
    let (client, asked) = wire.connect(builder(), &script).await;
    assert_eq!(client.expect("a client").revision(), Revision::V2025_06_18);
    assert_eq!(asked[1].json()["params"]["protocolVersion"], old[0]);
    let error = fails(refuses(400, -32022, json!({ "supported": ["2099-01-01"], "requested": LATEST }))).await;
    assert_eq!(error.kind(), ErrorKind::Negotiation);
    assert!(error.to_string().contains("2099-01-01"), "{error}");
}

#[tokio::test]
async fn modern_errors_are_no_reason_for_a_handshake() {
    // M26-224
    for code in [-32020, -32021] {
        let error = fails(refuses(400, code, Value::Null)).await;
        assert_eq!(error.rpc().expect("the server's words").code, ErrorCode(code));
    }
}

#[tokio::test]
async fn a_4xx_without_a_modern_error_leads_to_the_handshake_and_to_pure_legacy() {
    // M26-225, S-062, S-122
    let refusals = [
        says(400, "text/plain", ""),
        says(404, "text/html", "<html>Not found</html>"),
        says(405, "application/json", "{\"error\":\"no\"}"),
        says(406, "application/json", "{\"jsonrpc\":\"2.0\"}"),
        says(422, "application/json", "garbage"),
        refuses(400, -32000, Value::Null),
        refuses(400, -32600, Value::Null),
        refuses(400, -32602, Value::Null),
        refuses(404, -32601, Value::Null),
        refuses(200, -32601, Value::Null),
        says(400, "application/json", r#"{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"m"}}"#),
        says(400, "application/json", r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"m"}}"#),
        gives(json!({})),
    ];
    for refusal in refusals {
        let wire = Wire::new().await;
        let (client, asked) = wire.connect(builder(), &legacy(refusal)).await;
        let client = client.expect("a client");
        assert_eq!((client.revision(), words(&asked)), (Revision::LATEST_LEGACY, HANDSHAKE.map(String::from).into()));
        let opening = asked[1].json();
        assert_eq!((asked[1].header("mcp-protocol-version"), asked[1].header("mcp-method")), (None, None));
        assert!(!opening.to_string().contains("io.modelcontextprotocol/"), "{opening}");
        assert_eq!(asked[2].header("mcp-protocol-version"), Some(Revision::LATEST_LEGACY.as_str()));
        let (result, call) = both(async { client.call("t", ()).await }, wire.play(&[gives(text("ok"))])).await;
        result.expect("a result");
        assert!(!call[0].body.contains("io.modelcontextprotocol/") && call[0].header("mcp-name").is_none());
    }
}

#[tokio::test]
async fn refusals_outages_and_redirects_say_nothing_of_eras() {
    for (say, kind) in [
        (says(401, "text/plain", ""), ErrorKind::Unauthorized),
        (
            says(403, "application/json", r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"m"}}"#),
            ErrorKind::Unauthorized,
        ),
        (says(500, "text/html", "<html>"), ErrorKind::Unavailable),
        (refuses(500, -32603, Value::Null), ErrorKind::Server),
        (says(503, "text/plain", ""), ErrorKind::Unavailable),
        (says(429, "text/plain", ""), ErrorKind::Unavailable),
    ] {
        let error = fails(say).await;
        assert_eq!(error.kind(), kind, "{error}");
    }
    let challenge: Say = Box::new(|_| {
        closing(401, "text/plain", "").replacen(
            "Content-Type",
            "WWW-Authenticate: Bearer scope=\"a\"\r\nContent-Type",
            1,
        )
    });
    assert!(fails(challenge).await.to_string().contains("Bearer scope"));
    let away: Say = Box::new(|_| {
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

#[tokio::test]
async fn garbage_is_called_so() {
    for say in [
        says(200, "text/html", "<html>Welcome</html>"),
        says(200, "application/json", "garbage"),
        says(200, "application/json", r#"{"jsonrpc":"2.0","id":"other","result":{}}"#),
        says(200, "application/json", "[]"),
        says(200, "text/event-stream", "data: garbage\n\n"),
        says(202, "text/plain", ""),
    ] {
        let error = fails(say).await;
        assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{error}");
    }
    let error = fails(says(200, "text/event-stream", ": nothing\n\n")).await;
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
}

#[tokio::test]
async fn a_server_that_hangs_or_is_not_there_is_not_taken_for_a_legacy_one() {
    let wire = Wire::new().await;
    let mut limits = ClientLimits::default();
    limits.probe_timeout = Duration::from_millis(100);
    let server = async {
        let (asked, peer) = wire.asked().await;
        peer.sees_a_hang_up().await;
        asked
    };
    let (client, asked) = both(builder().limits(limits).connect(wire.url("/mcp")), server).await;
    assert_eq!((client.expect_err("no client").kind(), &*asked.what()), (ErrorKind::Timeout, "server/discover"));
    assert!(wire.is_left_alone().await);
    let url = wire.url("/mcp");
    drop(wire);
    let error = soon(builder().connect(url)).await.expect_err("nobody there");
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    assert!(error.to_string().contains("/mcp` cannot be reached (Connection refused"), "{error}");
}

#[tokio::test]
async fn where_there_is_no_streamable_http_the_old_one_is_tried() {
    // M26-232, S-118, S-122, S-124
    for status in [400, 404, 405] {
        let wire = Wire::new().await;
        let server = async {
            let asked = wire.play(&[says(status, "text/plain", ""), says(status, "text/plain", "")]).await;
            assert_eq!(words(&asked), ["server/discover", "initialize"]);
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
        let (client, _stream) = both(client, server).await;
        assert!(client.negotiated().http_sse);
        assert_eq!(client.revision(), Revision::V2024_11_05);
    }
}

#[tokio::test]
async fn where_there_is_neither_the_refusal_of_the_handshake_is_told() {
    let wire = Wire::new().await;
    let no = || says(404, "text/plain", "");
    let (client, asked) = wire.connect(builder(), &[no(), no(), no()]).await;
    assert_eq!(words(&asked), ["server/discover", "initialize", "GET"]);
    let error = client.expect_err("no client");
    assert!(error.to_string().contains("`initialize` failed with HTTP status 404"), "{error}");
    // An outage of the handshake is one, and nothing else is tried.
    let wire = Wire::new().await;
    let (client, _) = wire.connect(builder(), &[no(), says(502, "text/plain", "")]).await;
    assert_eq!(client.expect_err("no client").kind(), ErrorKind::Unavailable);
    assert!(wire.is_left_alone().await);
}

#[tokio::test]
async fn a_verdict_of_earlier_saves_the_probe_and_does_no_harm_when_it_is_stale() {
    // M26-080, M26-081
    let wire = Wire::new().await;
    let (client, _) = wire.connect(builder(), &legacy(says(400, "text/plain", ""))).await;
    let negotiated = client.expect("a client").negotiated();
    let wire = Wire::new().await;
    let script = [gives(initialized(Revision::LATEST_LEGACY)), takes()];
    let (client, asked) = wire.connect(builder().negotiated(negotiated), &script).await;
    client.expect("a client");
    assert_eq!(words(&asked), HANDSHAKE[1..]);
    let wire = Wire::new().await;
    let no = || says(404, "text/plain", "");
    let (client, asked) = wire.connect(builder().negotiated(negotiated), &[no(), no(), gives(discovered(&[LATEST]))]).await;
    assert_eq!(client.expect("a client").revision(), Revision::LATEST);
    assert_eq!(words(&asked), ["initialize", "GET", "server/discover"]);
}
