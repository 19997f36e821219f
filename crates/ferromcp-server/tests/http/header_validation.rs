//! Validation of modern requests: the errors, their order, and their statuses.

use std::net::SocketAddr;

use ferromcp_core::Revision;
use ferromcp_core::header::field;
use ferromcp_core::meta::key;
use serde_json::{Value, json};

use crate::client::{modern, modern_call, modern_message, modern_post, post};
use crate::fixture::Host;
use crate::message::Request;

/// Asserts the status and the error code of a response, and returns its body.
async fn assert_error(address: SocketAddr, request: &Request, status: u16, code: i64) -> Value {
    let mut response = request.send(address).await;
    let answer = response.json().await;
    assert_eq!((response.status, &answer["error"]["code"]), (status, &json!(code)), "{request:?}: {answer}");
    assert_eq!(answer["jsonrpc"], "2.0", "{answer}");
    assert!(response.header("mcp-session-id").is_none());
    answer
}

/// Sends a request that must succeed, and returns its result.
async fn result(address: SocketAddr, request: &Request) -> Value {
    let mut response = request.send(address).await;
    let answer = response.json().await;
    assert_eq!(response.status, 200, "{request:?}: {answer}");
    answer.get("result").unwrap_or_else(|| panic!("{request:?}: {answer}")).clone()
}

#[tokio::test]
async fn modern_requests_need_no_session() {
    // M26-075, M26-076, M26-143, M26-156, M26-227
    let host = Host::new().await;
    let requests = [
        modern("server/discover", json!({})),
        modern("tools/list", json!({})),
        modern_call("add", json!({ "a": 1, "b": 2 })),
        modern("prompts/get", json!({ "name": "ask" })),
        modern("resources/read", json!({ "uri": "file:///a" })),
    ];
    for request in requests {
        // A session id and a last event id are ignored.
        for request in [request.clone(), request.add(field::SESSION_ID, "x").add("Last-Event-ID", "a1-0")] {
            let mut response = request.send(host.address).await;
            let answer = response.json().await;
            assert_eq!((response.status, &answer["id"]), (200, &json!(1)), "{answer}");
            assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
            assert_eq!(answer["result"]["_meta"][key::SERVER_INFO], json!({ "name": "http", "version": "1" }));
            assert!(response.header(field::lower::SESSION_ID).is_none());
        }
    }
}

#[tokio::test]
async fn rejects_invalid_messages_before_checking_headers() {
    // M26-154, M26-155, M26-183
    let host = Host::new().await;
    let whole = modern_message(1, "tools/list", json!({}));
    let with_headers = |body: &str| modern_post(&whole).body(body);
    for (body, code) in [
        ("", -32700),
        ("{", -32700),
        ("nonsense", -32700),
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}x", -32700),
        ("\"text\"", -32600),
        ("{}", -32600),
        ("[]", -32600),
        ("{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"tools/list\",\"params\":{}}", -32600),
        ("{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"tools/list\",\"params\":{}}", -32600),
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", -32600),
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"\"}}", -32600),
    ] {
        let answer = assert_error(host.address, &with_headers(body), 400, code).await;
        assert!(answer.get("id").is_none(), "{answer}");
    }
    let wrong_version = whole.to_string().replace("2.0", "1.0");
    assert_eq!(assert_error(host.address, &with_headers(&wrong_version), 400, -32600).await["id"], 1);
    assert_error(host.address, &with_headers(&format!("[{whole}]")), 400, -32600).await;
    assert_error(host.address, &with_headers("\u{1}\u{fffd}"), 400, -32700).await;
    assert_error(host.address, &modern_post(&whole).body(b"{\"a\":\"\xff\"}".to_vec()), 400, -32700).await;
}

#[tokio::test]
async fn rejects_a_request_when_required_meta_is_missing_or_invalid() {
    // M26-173, M26-183
    let host = Host::new().await;
    for (missing, replacement) in [
        (key::PROTOCOL_VERSION, None),
        (key::CLIENT_CAPABILITIES, None),
        (key::PROTOCOL_VERSION, Some(json!(20_260_728))),
        (key::CLIENT_CAPABILITIES, Some(json!("none"))),
    ] {
        for (method, params) in [
            ("tools/list", json!({})),
            ("server/discover", json!({})),
            ("tools/call", json!({ "name": "add", "arguments": { "a": 1, "b": 2 } })),
        ] {
            let mut message = modern_message("x", method, params);
            let meta = message["params"]["_meta"].as_object_mut().unwrap();
            meta.remove(missing);
            meta.extend(replacement.clone().map(|value| (missing.to_owned(), value)));
            // The headers are valid; missing headers would be reported later.
            for request in [modern_post(&message), modern_post(&message).without(field::METHOD)] {
                let answer = assert_error(host.address, &request, 400, -32602).await;
                assert_eq!(answer["id"], "x");
                let names_it = answer["error"]["message"].as_str().unwrap().contains(missing);
                assert!(names_it || replacement.is_some(), "{answer}");
            }
        }
    }
    // The header alone makes a request modern.
    let bare = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    assert_error(host.address, &modern_post(&bare), 400, -32602).await;
}

#[tokio::test]
async fn rejects_a_request_when_the_version_header_differs_from_the_body() {
    // M26-066, M26-067, M26-068, M26-173, M26-176, M26-180, M26-184, M26-185
    let host = Host::new().await;
    let whole = modern("tools/list", json!({}));
    let version = field::PROTOCOL_VERSION;
    assert_error(host.address, &whole.clone().without(version), 400, -32020).await;
    for other in ["2025-11-25", "2099-01-01", "2026-07-280", "", "x", "\"2026-07-28\"", "=?base64?MjAyNi0wNy0yOA==?="] {
        assert_error(host.address, &whole.clone().set(version, other), 400, -32020).await;
    }
    let twice = whole.clone().add(version, Revision::LATEST.as_str());
    assert_error(host.address, &twice, 400, -32020).await;
    assert_error(host.address, &whole.clone().set(version, b"2026-07-28\xff"), 400, -32020).await;
    for same in [" 2026-07-28 ", "\t2026-07-28"] {
        result(host.address, &whole.clone().set("mCP-protocol-VERSION", same)).await;
    }

    // An unsupported revision is reported only if header and body agree.
    for unknown in ["2099-01-01", "2025-11-25", "1.0.0"] {
        let meta = json!({ "_meta": { key::PROTOCOL_VERSION: unknown } });
        let message = modern_message(7, "tools/list", meta);
        let alike = modern_post(&message).set(version, unknown);
        // Later checks do not run.
        for request in [alike.clone(), alike.without(field::METHOD)] {
            let answer = assert_error(host.address, &request, 400, -32022).await;
            assert_eq!((&answer["id"], &answer["error"]["data"]["requested"]), (&json!(7), &json!(unknown)));
            let supported = answer["error"]["data"]["supported"].as_array().unwrap();
            assert!(supported.contains(&json!(Revision::LATEST.as_str())), "{answer}");
        }
        assert_error(host.address, &modern_post(&message), 400, -32020).await;
        assert_error(host.address, &modern_post(&message).without(version), 400, -32020).await;
    }
}

#[tokio::test]
async fn rejects_a_request_when_the_method_header_differs_from_the_body() {
    // M26-180, M26-181, M26-182, M26-183, M26-184, M26-185, M26-186
    let host = Host::new().await;
    let whole = modern("tools/list", json!({}));
    assert_error(host.address, &whole.clone().without(field::METHOD), 400, -32020).await;
    for other in ["tools/call", "Tools/List", "TOOLS/LIST", "tools/list/", "", "=?base64?dG9vbHMvbGlzdA==?="] {
        let answer = assert_error(host.address, &whole.clone().set(field::METHOD, other), 400, -32020).await;
        assert_eq!(answer["id"], 1);
        assert!(answer["error"]["message"].as_str().unwrap().contains(field::METHOD), "{answer}");
    }
    assert_error(host.address, &whole.clone().add(field::METHOD, "tools/list"), 400, -32020).await;
    assert_error(host.address, &whole.clone().set(field::METHOD, b"tools/list\xc3\xa9"), 400, -32020).await;
    result(host.address, &whole.clone().set("MCP-METHOD", "  tools/list\t")).await;
    // The header is checked before the method is looked up.
    let unknown = modern("no/such", json!({}));
    assert_error(host.address, &unknown.clone().set(field::METHOD, "tools/list"), 400, -32020).await;
    assert_error(host.address, &unknown, 404, -32601).await;
}

#[tokio::test]
async fn rejects_a_request_when_the_name_header_differs_from_the_body() {
    // M26-180, M26-181, M26-182, M26-183, M26-184, M26-185, M26-186, M26-187
    let host = Host::new().await;
    for (whole, name) in [
        (modern_call("add", json!({ "a": 1, "b": 2 })), "add"),
        (modern("prompts/get", json!({ "name": "ask" })), "ask"),
        (modern("resources/read", json!({ "uri": "file:///a" })), "file:///a"),
    ] {
        assert_error(host.address, &whole.clone().without(field::NAME), 400, -32020).await;
        assert_error(host.address, &whole.clone().add(field::NAME, name), 400, -32020).await;
        let upper = name.to_uppercase();
        for other in ["", "none", &upper, "=?base64?=", "=?base64??=", "=?base64?bm9uZQ==?="] {
            let answer = assert_error(host.address, &whole.clone().set(field::NAME, other), 400, -32020).await;
            assert!(answer["error"]["message"].as_str().unwrap().contains(field::NAME), "{answer}");
        }
        assert_error(host.address, &whole.clone().set(field::NAME, [name.as_bytes(), b"\xff"].concat()), 400, -32020)
            .await;
        result(host.address, &whole.clone().set("mcp-NAME", format!(" {name} "))).await;
    }
    // Other methods ignore the header.
    result(host.address, &modern("tools/list", json!({})).add(field::NAME, "whatever")).await;
}

#[tokio::test]
async fn encoded_names_are_decoded_strictly() {
    // M26-186, M26-187, M26-210
    let host = Host::new().await;
    let whole = modern_call("add", json!({ "a": 1, "b": 2 }));
    result(host.address, &whole.clone().set(field::NAME, "=?base64?YWRk?=")).await;
    result(host.address, &whole.clone().set(field::NAME, "\t=?base64?YWRk?= ")).await;
    for not in ["=?BASE64?YWRk?=", "=?base64?YWRk", "YWRk?=", "=?base64?Y WRk?=", "=?base64?YWR?=", "=?base64?/w==?="] {
        assert_error(host.address, &whole.clone().set(field::NAME, not), 400, -32020).await;
    }
    // `ad` is `YWQ=`: padding must be exact, and its bits must be zero.
    let two = modern_call("ad", json!({}));
    assert_error(host.address, &two.clone().set(field::NAME, "=?base64?YWQ=?="), 200, -32602).await;
    for not in ["=?base64?YWQ?=", "=?base64?YWQ==?=", "=?base64?YWR=?=", "=?base64?YWQ=\t?="] {
        assert_error(host.address, &two.clone().set(field::NAME, not), 400, -32020).await;
    }
    // A name that looks encoded must be encoded. Ten characters are too short for both markers.
    for name in ["=?base64?=", "=?base64?YWRk?=", "=?base64??="] {
        let named = modern_call(name, json!({}));
        assert_error(host.address, &named, 200, -32602).await;
    }
    let literal = modern_call("=?base64?=", json!({})).set(field::NAME, "=?base64?=");
    assert_error(host.address, &literal, 200, -32602).await;
    let decoded = modern_call("=?base64?YWRk?=", json!({})).set(field::NAME, "=?base64?YWRk?=");
    assert_error(host.address, &decoded, 400, -32020).await;
}

#[tokio::test]
async fn responds_404_when_the_method_is_unknown() {
    // M26-174
    let host = Host::new().await;
    for method in
        ["no/such", "ping", "logging/setLevel", "resources/subscribe", "tasks/list", "roots/list", "Tools/list"]
    {
        let answer = assert_error(host.address, &modern(method, json!({})), 404, -32601).await;
        assert_eq!(answer["id"], 1);
    }
    let opening = json!({
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "test", "version": "0" }
    });
    assert_error(host.address, &modern("initialize", opening), 404, -32601).await;
    // Even if the params are invalid.
    assert_error(host.address, &modern("initialize", json!({})), 404, -32601).await;
    // Methods of missing capabilities are unknown too.
    let control = crate::fixture::CallControl::default();
    let bare =
        Host::of(ferromcp_server::Server::new("bare", "1"), control, ferromcp_server::http::HttpServerOptions::new());
    let bare = bare.await;
    for (method, params) in [
        ("tools/list", json!({})),
        ("prompts/list", json!({})),
        ("resources/list", json!({})),
        (
            "completion/complete",
            json!({ "ref": { "type": "ref/prompt", "name": "x" }, "argument": { "name": "a", "value": "" } }),
        ),
    ] {
        assert_error(bare.address, &modern(method, params), 404, -32601).await;
    }
}

#[tokio::test]
async fn errors_of_handlers_and_lookups_have_status_200() {
    // M26-156
    let host = Host::new().await;
    for request in [
        modern_call("none", json!({})),
        modern("prompts/get", json!({ "name": "none" })),
        modern("resources/read", json!({ "uri": "file:///none" })),
        modern("tools/list", json!({ "cursor": "none" })),
    ] {
        let answer = assert_error(host.address, &request, 200, -32602).await;
        assert_eq!(answer["id"], 1);
    }
    // An error that the model can correct is a result.
    let failed = result(host.address, &modern_call("add", json!({ "a": "x" }))).await;
    assert_eq!(failed["isError"], true, "{failed}");
    // A missing client capability has status 400.
    let answer = assert_error(host.address, &modern_call("needy", json!({})), 400, -32021).await;
    assert_eq!(answer["error"]["data"], json!({ "requiredCapabilities": { "sampling": {} } }));
}

#[tokio::test]
async fn responds_405_to_get_and_delete_when_the_revision_is_modern() {
    // M26-226, M26-227, M26-228
    let host = Host::new().await;
    for method in ["GET", "DELETE"] {
        for request in [
            Request::new(method, "/mcp").add(field::PROTOCOL_VERSION, Revision::LATEST.as_str()),
            Request::new(method, "/mcp")
                .add(field::PROTOCOL_VERSION, Revision::LATEST.as_str())
                .add(field::SESSION_ID, "x"),
        ] {
            let response = request.add("Accept", "text/event-stream").send(host.address).await;
            assert_eq!((response.status, response.header("allow")), (405, Some("POST")));
        }
    }
}

#[tokio::test]
async fn responds_202_to_modern_notifications() {
    // M26-153, M26-296, M26-301
    let host = Host::new().await;
    for method in ["notifications/cancelled", "notifications/initialized", "notifications/whatever"] {
        let message = json!({ "jsonrpc": "2.0", "method": method, "params": { "requestId": 1 } });
        for request in [modern_post(&message), modern_post(&message).without(field::METHOD)] {
            request.send(host.address).await.empty(202).await;
        }
    }
    // Without a version header, a notification requires a session.
    let message = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(post(message.to_string()).send(host.address).await.status, 400);
}
