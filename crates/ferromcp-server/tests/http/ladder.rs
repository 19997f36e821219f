//! The rungs of the modern era: which mistake of a request is named, in which order, with which status.

use std::net::SocketAddr;

use ferromcp_core::Revision;
use ferromcp_core::header::field;
use ferromcp_core::meta::key;
use serde_json::{Value, json};

use crate::client::{modern, modern_call, modern_message, modern_post, post};
use crate::fixture::Host;
use crate::message::Request;

/// Asserts that a request is refused with this status and code; gives the error.
async fn refused(address: SocketAddr, request: &Request, status: u16, code: i64) -> Value {
    let mut response = request.send(address).await;
    let answer = response.json().await;
    assert_eq!((response.status, &answer["error"]["code"]), (status, &json!(code)), "{request:?}: {answer}");
    assert_eq!(answer["jsonrpc"], "2.0", "{answer}");
    assert!(response.header("mcp-session-id").is_none());
    answer
}

/// The result of a request that must succeed.
async fn result(address: SocketAddr, request: &Request) -> Value {
    let mut response = request.send(address).await;
    let answer = response.json().await;
    assert_eq!(response.status, 200, "{request:?}: {answer}");
    answer.get("result").unwrap_or_else(|| panic!("{request:?}: {answer}")).clone()
}

#[tokio::test]
async fn each_request_stands_alone() {
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
        // A session id and the id of an event say nothing here.
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
async fn what_is_no_request_is_refused_before_anything_is_compared() {
    // M26-154, M26-155, M26-183
    let host = Host::new().await;
    let whole = modern_message(1, "tools/list", json!({}));
    let dressed = |body: &str| modern_post(&whole).body(body);
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
        let answer = refused(host.address, &dressed(body), 400, code).await;
        assert!(answer.get("id").is_none(), "{answer}");
    }
    let of_another = whole.to_string().replace("2.0", "1.0");
    assert_eq!(refused(host.address, &dressed(&of_another), 400, -32600).await["id"], 1);
    refused(host.address, &dressed(&format!("[{whole}]")), 400, -32600).await;
    refused(host.address, &dressed("\u{1}\u{fffd}"), 400, -32700).await;
    refused(host.address, &modern_post(&whole).body(b"{\"a\":\"\xff\"}".to_vec()), 400, -32700).await;
}

#[tokio::test]
async fn what_a_request_must_say_of_itself() {
    // M26-173, M26-183
    let host = Host::new().await;
    for (lost, in_place) in [
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
            meta.remove(lost);
            meta.extend(in_place.clone().map(|value| (lost.to_owned(), value)));
            // The headers are right, and wrong headers would come after this.
            for request in [modern_post(&message), modern_post(&message).without(field::METHOD)] {
                let answer = refused(host.address, &request, 400, -32602).await;
                assert_eq!(answer["id"], "x");
                let names_it = answer["error"]["message"].as_str().unwrap().contains(lost);
                assert!(names_it || in_place.is_some(), "{answer}");
            }
        }
    }
    // A header alone makes a request modern: it is never taken for a legacy one.
    let bare = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    refused(host.address, &modern_post(&bare), 400, -32602).await;
}

#[tokio::test]
async fn the_revision_is_said_twice_alike() {
    // M26-066, M26-067, M26-068, M26-173, M26-176, M26-180, M26-184, M26-185
    let host = Host::new().await;
    let whole = modern("tools/list", json!({}));
    let version = field::PROTOCOL_VERSION;
    refused(host.address, &whole.clone().without(version), 400, -32020).await;
    for other in ["2025-11-25", "2099-01-01", "2026-07-280", "", "x", "\"2026-07-28\"", "=?base64?MjAyNi0wNy0yOA==?="] {
        refused(host.address, &whole.clone().set(version, other), 400, -32020).await;
    }
    let twice = whole.clone().add(version, Revision::LATEST.as_str());
    refused(host.address, &twice, 400, -32020).await;
    refused(host.address, &whole.clone().set(version, b"2026-07-28\xff"), 400, -32020).await;
    for same in [" 2026-07-28 ", "\t2026-07-28"] {
        result(host.address, &whole.clone().set("mCP-protocol-VERSION", same)).await;
    }

    // Where both name the same but unknown revision, that is what is wrong; where they differ, that comes first.
    for unknown in ["2099-01-01", "2025-11-25", "1.0.0"] {
        let meta = json!({ "_meta": { key::PROTOCOL_VERSION: unknown } });
        let message = modern_message(7, "tools/list", meta);
        let alike = modern_post(&message).set(version, unknown);
        // What comes after is not looked at.
        for request in [alike.clone(), alike.without(field::METHOD)] {
            let answer = refused(host.address, &request, 400, -32022).await;
            assert_eq!((&answer["id"], &answer["error"]["data"]["requested"]), (&json!(7), &json!(unknown)));
            let supported = answer["error"]["data"]["supported"].as_array().unwrap();
            assert!(supported.contains(&json!(Revision::LATEST.as_str())), "{answer}");
        }
        refused(host.address, &modern_post(&message), 400, -32020).await;
        refused(host.address, &modern_post(&message).without(version), 400, -32020).await;
    }
}

#[tokio::test]
async fn the_method_is_said_twice_alike() {
    // M26-180, M26-181, M26-182, M26-183, M26-184, M26-185, M26-186
    let host = Host::new().await;
    let whole = modern("tools/list", json!({}));
    refused(host.address, &whole.clone().without(field::METHOD), 400, -32020).await;
    for other in ["tools/call", "Tools/List", "TOOLS/LIST", "tools/list/", "", "=?base64?dG9vbHMvbGlzdA==?="] {
        let answer = refused(host.address, &whole.clone().set(field::METHOD, other), 400, -32020).await;
        assert_eq!(answer["id"], 1);
        assert!(answer["error"]["message"].as_str().unwrap().contains(field::METHOD), "{answer}");
    }
    refused(host.address, &whole.clone().add(field::METHOD, "tools/list"), 400, -32020).await;
    refused(host.address, &whole.clone().set(field::METHOD, b"tools/list\xc3\xa9"), 400, -32020).await;
    result(host.address, &whole.clone().set("MCP-METHOD", "  tools/list\t")).await;
    // The method is compared before it is asked whether there is one.
    let unknown = modern("no/such", json!({}));
    refused(host.address, &unknown.clone().set(field::METHOD, "tools/list"), 400, -32020).await;
    refused(host.address, &unknown, 404, -32601).await;
}

#[tokio::test]
async fn the_name_is_said_twice_alike() {
    // M26-180, M26-181, M26-182, M26-183, M26-184, M26-185, M26-186, M26-187
    let host = Host::new().await;
    for (whole, name) in [
        (modern_call("add", json!({ "a": 1, "b": 2 })), "add"),
        (modern("prompts/get", json!({ "name": "ask" })), "ask"),
        (modern("resources/read", json!({ "uri": "file:///a" })), "file:///a"),
    ] {
        refused(host.address, &whole.clone().without(field::NAME), 400, -32020).await;
        refused(host.address, &whole.clone().add(field::NAME, name), 400, -32020).await;
        let upper = name.to_uppercase();
        for other in ["", "none", &upper, "=?base64?=", "=?base64??=", "=?base64?bm9uZQ==?="] {
            let answer = refused(host.address, &whole.clone().set(field::NAME, other), 400, -32020).await;
            assert!(answer["error"]["message"].as_str().unwrap().contains(field::NAME), "{answer}");
        }
        refused(host.address, &whole.clone().set(field::NAME, [name.as_bytes(), b"\xff"].concat()), 400, -32020).await;
        result(host.address, &whole.clone().set("mcp-NAME", format!(" {name} "))).await;
    }
    // On other methods it says nothing.
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
        refused(host.address, &whole.clone().set(field::NAME, not), 400, -32020).await;
    }
    // `ad` is `YWQ=`: no padding may be left out, none may be too much, and no bits may be hidden in it.
    let two = modern_call("ad", json!({}));
    refused(host.address, &two.clone().set(field::NAME, "=?base64?YWQ=?="), 200, -32602).await;
    for not in ["=?base64?YWQ?=", "=?base64?YWQ==?=", "=?base64?YWR=?=", "=?base64?YWQ=\t?="] {
        refused(host.address, &two.clone().set(field::NAME, not), 400, -32020).await;
    }
    // A name that looks encoded is encoded; ten characters are too few to be both markers.
    for trap in ["=?base64?=", "=?base64?YWRk?=", "=?base64??="] {
        let named = modern_call(trap, json!({}));
        refused(host.address, &named, 200, -32602).await;
    }
    let literal = modern_call("=?base64?=", json!({})).set(field::NAME, "=?base64?=");
    refused(host.address, &literal, 200, -32602).await;
    let decoded = modern_call("=?base64?YWRk?=", json!({})).set(field::NAME, "=?base64?YWRk?=");
    refused(host.address, &decoded, 400, -32020).await;
}

#[tokio::test]
async fn methods_that_are_not_there_are_not_found() {
    // M26-174
    let host = Host::new().await;
    for method in
        ["no/such", "ping", "logging/setLevel", "resources/subscribe", "tasks/list", "roots/list", "Tools/list"]
    {
        let answer = refused(host.address, &modern(method, json!({})), 404, -32601).await;
        assert_eq!(answer["id"], 1);
    }
    let opening = json!({
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "test", "version": "0" }
    });
    refused(host.address, &modern("initialize", opening), 404, -32601).await;
    // However little its parameters fit.
    refused(host.address, &modern("initialize", json!({})), 404, -32601).await;
    // What nobody offers here is as good as not there.
    let stage = crate::fixture::Stage::default();
    let bare = Host::of(ferromcp_server::Server::new("bare", "1"), stage, ferromcp_server::http::HttpOptions::new());
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
        refused(bare.address, &modern(method, params), 404, -32601).await;
    }
}

#[tokio::test]
async fn what_is_found_further_up_is_an_answer() {
    // M26-156
    let host = Host::new().await;
    for request in [
        modern_call("none", json!({})),
        modern("prompts/get", json!({ "name": "none" })),
        modern("resources/read", json!({ "uri": "file:///none" })),
        modern("tools/list", json!({ "cursor": "none" })),
    ] {
        let answer = refused(host.address, &request, 200, -32602).await;
        assert_eq!(answer["id"], 1);
    }
    // What the model can mend is a result.
    let said = result(host.address, &modern_call("add", json!({ "a": "x" }))).await;
    assert_eq!(said["isError"], true, "{said}");
    // A capability the client lacks has a status of its own.
    let answer = refused(host.address, &modern_call("needy", json!({})), 400, -32021).await;
    assert_eq!(answer["error"]["data"], json!({ "requiredCapabilities": { "sampling": {} } }));
}

#[tokio::test]
async fn sessions_are_of_the_other_era() {
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
async fn notifications_are_taken_without_a_word() {
    // M26-153, M26-296, M26-301
    let host = Host::new().await;
    for method in ["notifications/cancelled", "notifications/initialized", "notifications/whatever"] {
        let message = json!({ "jsonrpc": "2.0", "method": method, "params": { "requestId": 1 } });
        for request in [modern_post(&message), modern_post(&message).without(field::METHOD)] {
            request.send(host.address).await.empty(202).await;
        }
    }
    // Without a word of the era it belongs to a session, of which there is none.
    let message = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(post(message.to_string()).send(host.address).await.status, 400);
}
