//! Sessions of the handshake revisions: start, validation, isolation, expiry.

use std::time::Duration;

use ferromcp_core::Revision;
use ferromcp_core::header::field;
use ferromcp_server::http::{HttpServerLimits, HttpServerOptions};
use serde_json::{Value, json};

use crate::client::{Session, initialize, legacy, legacy_message, modern_call, post};
use crate::fixture::{CallControl, Host, server, wait_for};
use crate::in_process;
use crate::message::{Request, Response};

/// Asserts an error with this status.
async fn assert_error(mut response: Response, status: u16) {
    let body = response.json().await;
    assert_eq!(response.status, status, "{body}");
    assert!(body["error"]["message"].is_string(), "{body}");
}

/// Returns one of each kind of request that requires a session, without the session headers.
fn session_requests() -> [Request; 5] {
    [
        post(legacy_message(1, "tools/list", json!({})).to_string()),
        post(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#),
        post(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#),
        Request::new("GET", "/mcp").add("Accept", "text/event-stream"),
        Request::new("DELETE", "/mcp"),
    ]
}

#[tokio::test]
async fn each_initialize_starts_a_session() {
    // S-070, S-125, S-135, S-138, S-173, S-174, S-175
    let host = Host::new().await;
    let mut ids: Vec<String> = Vec::new();
    for revision in legacy() {
        for _ in 0..3 {
            let session = Session::open(host.address, revision).await;
            assert!(session.id.len() >= 32 && session.id.bytes().all(|byte| (0x21..=0x7e).contains(&byte)));
            assert!(!ids.contains(&session.id));
            let mut response = session.call(1, "add", json!({ "a": 1, "b": 2 })).await;
            let answer = response.json().await;
            assert_eq!(response.status, 200);
            assert_eq!(answer["result"]["content"][0]["text"], "3");
            assert!(answer["result"].get("resultType").is_none(), "{answer}");
            assert!(response.header(field::lower::SESSION_ID).is_none());
            // `ping` succeeds, an unknown method is an error with status 200, invalid params are an error.
            assert_eq!(session.send(2, "ping", json!({})).await.json().await["result"], json!({}));
            for (method, code) in [("no/such", -32601), ("server/discover", -32602), ("prompts/get", -32602)] {
                let mut response = session.send(3, method, json!({})).await;
                let answer = response.json().await;
                assert_eq!(answer["error"]["code"], code, "{answer}");
                assert_eq!(response.status == 200, method == "no/such", "{method}: {}", response.status);
            }
            ids.push(session.id);
        }
    }
}

#[tokio::test]
async fn starts_no_session_when_initialize_fails() {
    // S-173
    let host = Host::new().await;
    let mut response = post(legacy_message(0, "initialize", json!({})).to_string()).send(host.address).await;
    let answer = response.json().await;
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(0), &json!(-32602)), "{answer}");
    assert!(response.header(field::lower::SESSION_ID).is_none());
}

#[tokio::test]
async fn responds_400_when_a_session_is_initialized_again() {
    let host = Host::new().await;
    for revision in legacy() {
        let session = Session::open(host.address, revision).await;
        assert_error(session.post(&initialize(revision)).send(host.address).await, 400).await;
        assert_eq!(session.send(1, "ping", json!({})).await.status, 200);
    }
}

#[tokio::test]
async fn rejects_a_request_when_the_session_id_is_missing_or_unknown() {
    // S-136, S-137, S-178, S-180
    let host = Host::new().await;
    for revision in legacy() {
        let ended = Session::open(host.address, revision).await;
        ended.delete().send(host.address).await.empty(204).await;
        let live = Session::open(host.address, revision).await;
        for request in session_requests() {
            assert_error(request.send(host.address).await, 400).await;
            for unknown in ["x", "", &ended.id, &live.id[1..]] {
                assert_error(request.clone().add(field::SESSION_ID, unknown).send(host.address).await, 404).await;
            }
            let twice = live.add_headers(request.clone()).add(field::SESSION_ID, &live.id);
            assert_error(twice.send(host.address).await, 400).await;
        }
        let mut response = ended.post(&initialize(revision)).send(host.address).await;
        let message = response.json().await["error"]["message"].to_string();
        assert!(response.status == 404 && message.contains("without the Mcp-Session-Id header"), "{message}");
        assert_eq!(live.send(1, "ping", json!({})).await.status, 200);
    }
}

#[tokio::test]
async fn rejects_a_request_when_the_version_header_is_invalid() {
    // S-187
    let host = Host::new().await;
    for revision in legacy() {
        let session = Session::open(host.address, revision).await;
        for request in session_requests() {
            let named = |version: &[u8]| {
                request.clone().add(field::SESSION_ID, &session.id).add(field::PROTOCOL_VERSION, version)
            };
            for wrong in [&b"2099-01-01"[..], b"x", b"", b"1.0", b"2025-11-25\xff", b"2025-11-2"] {
                assert_error(named(wrong).send(host.address).await, 400).await;
            }
            let twice = named(b"2025-06-18").add(field::PROTOCOL_VERSION, "2025-11-25");
            assert_error(twice.send(host.address).await, 400).await;
        }
        // The header must name the negotiated revision.
        let other = legacy().find(|other| *other != revision).unwrap();
        for request in session_requests() {
            let request = request.add(field::SESSION_ID, &session.id).add(field::PROTOCOL_VERSION, other.as_str());
            let mut response = request.send(host.address).await;
            let error = response.json().await["error"]["message"].to_string();
            assert_eq!(response.status, 400);
            assert!(error.contains(other.as_str()) && error.contains(revision.as_str()), "{error}");
        }
        // The header is optional, because the session has a revision.
        for message in [legacy_message(1, "tools/list", json!({})), legacy_message(2, "ping", json!({}))] {
            let request = post(message.to_string()).add(field::SESSION_ID, &session.id);
            assert_eq!(request.clone().send(host.address).await.status, 200);
            let named = request.add(field::PROTOCOL_VERSION, revision.as_str());
            assert_eq!(named.send(host.address).await.status, 200);
        }
    }
}

#[tokio::test]
async fn delete_ends_the_calls_and_streams_of_a_session() {
    // S-149, S-160, S-179, S-180
    let host = Host::new().await;
    for (round, revision) in legacy().enumerate() {
        let session = Session::open(host.address, revision).await;
        let other = Session::open(host.address, revision).await;
        let mut notifications = session.get().send(host.address).await.events().await;
        if revision == Revision::V2025_11_25 {
            notifications.primed().await;
        }
        let mut unaffected = other.get().send(host.address).await;
        assert_eq!(unaffected.status, 200);
        let call = tokio::spawn({
            let session = session.clone();
            async move { session.call(1, "wait", json!({})).await.events().await.ends().await }
        });
        wait_for(&host.control.started, round + 1).await;
        session.delete().send(host.address).await.empty(204).await;
        wait_for(&host.control.finished, round + 1).await;
        call.await.unwrap();
        notifications.ends().await;
        assert_error(session.delete().send(host.address).await, 404).await;
        assert_eq!(other.send(1, "ping", json!({})).await.status, 200);
        other.delete().send(host.address).await.empty(204).await;
        while unaffected.chunk().await.is_some() {}
    }
    assert_eq!(host.control.answered.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn sessions_are_isolated() {
    // S-172
    let host = Host::new().await;
    let [one, two] = [(); 2].map(|()| Session::open(host.address, Revision::V2025_11_25));
    let (one, two) = (one.await, two.await);
    // The same request id in both sessions.
    let calls = [&one, &two].map(|session| {
        let session = session.clone();
        tokio::spawn(async move { session.call(7, "wait", json!({})).await.json().await })
    });
    wait_for(&host.control.started, 2).await;
    // The id is in use in this session, so it cannot be reused.
    assert_error(one.send(7, "ping", json!({})).await, 400).await;
    let cancel = json!({ "requestId": 8 });
    two.notify("notifications/cancelled", cancel).await.empty(202).await;
    host.control.go(2);
    for call in calls {
        assert_eq!(call.await.unwrap()["result"]["content"][0]["text"], "waited");
    }
    // Log levels.
    assert_eq!(one.send(1, "logging/setLevel", json!({ "level": "error" })).await.status, 200);
    assert!(!one.call(2, "say", json!({})).await.is_stream());
    assert!(two.call(2, "say", json!({})).await.is_stream());
    // Streams: an event id of another session is unknown.
    let mut stream = two.call(3, "say", json!({})).await.events().await;
    while stream.next().await.is_some() {}
    let last = stream.last_id().unwrap().to_owned();
    assert_error(one.resume(&last).await, 400).await;
    assert_eq!(two.resume(&last).await.status, 200);
}

#[tokio::test]
async fn responds_404_when_the_identity_differs() {
    // S-130
    let service = server(&CallControl::default()).http_with(HttpServerOptions::new()).unwrap();
    for revision in legacy() {
        for owner in [Some("ann"), None] {
            let opened = in_process::send(&service, &post(initialize(revision).to_string()), owner).await;
            let id = opened.headers()[field::lower::SESSION_ID].clone();
            for request in session_requests() {
                let request = request.add(field::SESSION_ID, id.as_bytes());
                for stranger in [Some("bob"), Some("ann"), None].into_iter().filter(|who| *who != owner) {
                    let (status, body) = in_process::answer(&service, &request, stranger).await;
                    assert_eq!(status, 404, "{owner:?} {stranger:?} {body}");
                }
            }
            let ping = post(legacy_message(1, "ping", json!({})).to_string()).add(field::SESSION_ID, id.as_bytes());
            assert_eq!(in_process::answer(&service, &ping, owner).await.0, 200);
        }
    }
}

#[tokio::test]
async fn handler_receives_the_identity_when_authenticated() {
    let who = ferromcp_server::Tool::sync("who", |ctx: ferromcp_server::Ctx| ctx.identity().map(str::to_owned));
    let server = ferromcp_server::Server::new("who", "1").with_tool(who.args(["ctx"]));
    let service = server.http_with(HttpServerOptions::new()).unwrap();
    for (who, expected) in [(Some("ann"), "ann"), (None, "null")] {
        let (_, answer) = in_process::answer(&service, &modern_call("who", json!({})), who).await;
        assert_eq!(answer["result"]["content"][0]["text"].as_str().unwrap_or("null"), expected, "{answer}");
        let opened = in_process::send(&service, &post(initialize(Revision::LATEST_LEGACY).to_string()), who).await;
        let call = legacy_message(1, "tools/call", json!({ "name": "who", "arguments": {} })).to_string();
        let call = post(call).add(field::SESSION_ID, opened.headers()[field::lower::SESSION_ID].as_bytes());
        let (_, answer) = in_process::answer(&service, &call, who).await;
        assert_eq!(answer["result"]["content"][0]["text"].as_str().unwrap_or("null"), expected, "{answer}");
    }
}

#[tokio::test]
async fn idle_sessions_expire_and_active_ones_do_not() {
    // S-179, S-180
    let limits = HttpServerLimits::new().session_idle(Duration::from_millis(300));
    let host = Host::with(HttpServerOptions::new().limits(limits)).await;
    let [idle, reading] = [(); 2].map(|()| Session::open(host.address, Revision::V2025_11_25));
    let (idle, reading) = (idle.await, reading.await);
    let mut stream = reading.get().send(host.address).await.events().await;
    stream.primed().await;
    let ended = async {
        // Each check is a use, so check rarely.
        loop {
            tokio::time::sleep(Duration::from_millis(900)).await;
            match idle.send(1, "ping", json!({})).await.status {
                200 => {}
                404 => return,
                other => panic!("{other}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), ended).await.expect("the idle session does not expire");
    assert_eq!(reading.send(1, "ping", json!({})).await.status, 200);
}

#[tokio::test]
async fn responds_503_when_the_session_limit_is_exceeded() {
    let limits = HttpServerLimits::new().sessions(2);
    let host = Host::with(HttpServerOptions::new().limits(limits)).await;
    let first = Session::open(host.address, Revision::LATEST_LEGACY).await;
    let second = Session::open(host.address, Revision::LATEST_LEGACY).await;
    let streams = [first.get().send(host.address).await, second.get().send(host.address).await];
    let response = post(initialize(Revision::LATEST_LEGACY).to_string()).send(host.address).await;
    assert_eq!(response.header("retry-after"), Some("1"));
    assert!(response.header(field::lower::SESSION_ID).is_none());
    assert_error(response, 503).await;
    drop(streams);
    first.delete().send(host.address).await.empty(204).await;
    Session::open(host.address, Revision::LATEST_LEGACY).await;
}

#[tokio::test]
async fn stateless_requests_need_no_session() {
    // M26-175, S-156, S-183, S-186, S-187
    let host = Host::with(HttpServerOptions::new().stateless(true)).await;
    for revision in legacy() {
        let mut response = post(initialize(revision).to_string()).send(host.address).await;
        assert!(response.header(field::lower::SESSION_ID).is_none());
        assert_eq!(response.json().await["result"]["protocolVersion"], revision.as_str());
        let named = |body: Value| post(body.to_string()).add(field::PROTOCOL_VERSION, revision.as_str());
        let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        named(ready).send(host.address).await.empty(202).await;
        let call = legacy_message(1, "tools/call", json!({ "name": "add", "arguments": { "a": 1, "b": 2 } }));
        for request in [named(call.clone()), post(call.to_string()), named(call).add(field::SESSION_ID, "x")] {
            let mut response = request.send(host.address).await;
            assert_eq!(response.json().await["result"]["content"][0]["text"], "3");
            assert_eq!(response.status, 200);
        }
        // Events have no ids, because the stream cannot be resumed.
        let say = legacy_message(1, "tools/call", json!({ "name": "say", "arguments": {} }));
        let mut stream = named(say).send(host.address).await.events().await;
        let (id, message) = stream.identified().await;
        assert_eq!((id, &message["method"]), (None, &json!("notifications/message")));
        assert_eq!(stream.message().await["id"], 1);
        stream.ends().await;
        let wrong = post(legacy_message(1, "ping", json!({})).to_string()).add(field::PROTOCOL_VERSION, "2099-01-01");
        assert_error(wrong.send(host.address).await, 400).await;
    }
    // Without a version header, the revision is 2025-03-26, which supports batches.
    let batch = json!([legacy_message(1, "ping", json!({})), legacy_message(2, "ping", json!({}))]);
    let answers = post(batch.to_string()).send(host.address).await.json().await;
    assert_eq!(answers.as_array().map(Vec::len), Some(2), "{answers}");
    for method in ["GET", "DELETE", "PUT"] {
        let response = Request::new(method, "/mcp").add("Accept", "text/event-stream").send(host.address).await;
        assert_eq!((response.status, response.header("allow")), (405, Some("POST")));
    }
    assert_eq!(modern_call("add", json!({ "a": 1, "b": 2 })).send(host.address).await.status, 200);
}
