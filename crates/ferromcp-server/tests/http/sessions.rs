//! Sessions of the legacy era: how they begin, who may use them, how they end.

use std::time::Duration;

use ferromcp_core::Revision;
use ferromcp_core::header::field;
use ferromcp_server::http::{HttpLimits, HttpOptions};
use serde_json::{Value, json};

use crate::client::{Session, initialize, legacy, legacy_message, modern_call, post};
use crate::fixture::{Host, Stage, reaches, server};
use crate::inside;
use crate::message::{Request, Response};

/// Asserts an error with this status.
async fn refused(mut response: Response, status: u16) {
    let body = response.json().await;
    assert_eq!(response.status, status, "{body}");
    assert!(body["error"]["message"].is_string(), "{body}");
}

/// One of each kind of request that belongs to a session, without its headers.
fn of_a_session() -> [Request; 5] {
    [
        post(legacy_message(1, "tools/list", json!({})).to_string()),
        post(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#),
        post(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#),
        Request::new("GET", "/mcp").add("Accept", "text/event-stream"),
        Request::new("DELETE", "/mcp"),
    ]
}

#[tokio::test]
async fn each_initialize_begins_a_session() {
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
            // A ping is answered, an unknown method is an error that is an answer, and so are wrong parameters.
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
async fn an_initialize_that_fails_begins_nothing() {
    // S-173
    let host = Host::new().await;
    let mut response = post(legacy_message(0, "initialize", json!({})).to_string()).send(host.address).await;
    let answer = response.json().await;
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(0), &json!(-32602)), "{answer}");
    assert!(response.header(field::lower::SESSION_ID).is_none());
}

#[tokio::test]
async fn a_session_is_initialized_once() {
    let host = Host::new().await;
    for revision in legacy() {
        let session = Session::open(host.address, revision).await;
        refused(session.post(&initialize(revision)).send(host.address).await, 400).await;
        assert_eq!(session.send(1, "ping", json!({})).await.status, 200);
    }
}

#[tokio::test]
async fn without_an_id_and_with_a_wrong_one() {
    // S-136, S-137, S-178, S-180
    let host = Host::new().await;
    for revision in legacy() {
        let over = Session::open(host.address, revision).await;
        over.delete().send(host.address).await.empty(204).await;
        let live = Session::open(host.address, revision).await;
        for request in of_a_session() {
            refused(request.send(host.address).await, 400).await;
            for unknown in ["x", "", &over.id, &live.id[1..]] {
                refused(request.clone().add(field::SESSION_ID, unknown).send(host.address).await, 404).await;
            }
            let twice = live.dress(request.clone()).add(field::SESSION_ID, &live.id);
            refused(twice.send(host.address).await, 400).await;
        }
        refused(over.post(&initialize(revision)).send(host.address).await, 404).await;
        assert_eq!(live.send(1, "ping", json!({})).await.status, 200);
    }
}

#[tokio::test]
async fn the_revision_is_named_rightly_or_not_at_all() {
    // S-187
    let host = Host::new().await;
    for revision in legacy() {
        let session = Session::open(host.address, revision).await;
        for request in of_a_session() {
            let named = |version: &[u8]| {
                request.clone().add(field::SESSION_ID, &session.id).add(field::PROTOCOL_VERSION, version)
            };
            for wrong in [&b"2099-01-01"[..], b"x", b"", b"1.0", b"2025-11-25\xff", b"2025-11-2"] {
                refused(named(wrong).send(host.address).await, 400).await;
            }
            let twice = named(b"2025-06-18").add(field::PROTOCOL_VERSION, "2025-11-25");
            refused(twice.send(host.address).await, 400).await;
        }
        // The session knows its revision.
        for message in [legacy_message(1, "tools/list", json!({})), legacy_message(2, "ping", json!({}))] {
            let request = post(message.to_string()).add(field::SESSION_ID, &session.id);
            assert_eq!(request.clone().send(host.address).await.status, 200);
            let named = request.add(field::PROTOCOL_VERSION, revision.as_str());
            assert_eq!(named.send(host.address).await.status, 200);
        }
    }
}

#[tokio::test]
async fn a_delete_ends_everything_of_its_session() {
    // S-149, S-160, S-179, S-180
    let host = Host::new().await;
    for (round, revision) in legacy().enumerate() {
        let session = Session::open(host.address, revision).await;
        let other = Session::open(host.address, revision).await;
        let mut news = session.get().send(host.address).await.events().await;
        if revision == Revision::V2025_11_25 {
            news.primed().await;
        }
        let mut kept = other.get().send(host.address).await;
        assert_eq!(kept.status, 200);
        let call = tokio::spawn({
            let session = session.clone();
            async move { session.call(1, "wait", json!({})).await.events().await.ends().await }
        });
        reaches(&host.stage.begun, round + 1).await;
        session.delete().send(host.address).await.empty(204).await;
        reaches(&host.stage.over, round + 1).await;
        call.await.unwrap();
        news.ends().await;
        refused(session.delete().send(host.address).await, 404).await;
        assert_eq!(other.send(1, "ping", json!({})).await.status, 200);
        other.delete().send(host.address).await.empty(204).await;
        while kept.chunk().await.is_some() {}
    }
    assert_eq!(host.stage.answered.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn sessions_know_nothing_of_each_other() {
    // S-172
    let host = Host::new().await;
    let [one, two] = [(); 2].map(|()| Session::open(host.address, Revision::V2025_11_25));
    let (one, two) = (one.await, two.await);
    // The same id at the same time.
    let calls = [&one, &two].map(|session| {
        let session = session.clone();
        tokio::spawn(async move { session.call(7, "wait", json!({})).await.json().await })
    });
    reaches(&host.stage.begun, 2).await;
    // In use in this session, so not to be used again; in another it would be another.
    refused(one.send(7, "ping", json!({})).await, 400).await;
    let cancel = json!({ "requestId": 8 });
    two.notify("notifications/cancelled", cancel).await.empty(202).await;
    host.stage.go(2);
    for call in calls {
        assert_eq!(call.await.unwrap()["result"]["content"][0]["text"], "waited");
    }
    // Levels of logging.
    assert_eq!(one.send(1, "logging/setLevel", json!({ "level": "error" })).await.status, 200);
    assert!(!one.call(2, "say", json!({})).await.is_stream());
    assert!(two.call(2, "say", json!({})).await.is_stream());
    // Streams: the id of an event of another session names nothing here.
    let mut said = two.call(3, "say", json!({})).await.events().await;
    while said.next().await.is_some() {}
    let last = said.last_id().unwrap().to_owned();
    refused(one.resume(&last).await, 400).await;
    assert_eq!(two.resume(&last).await.status, 200);
}

#[tokio::test]
async fn a_session_belongs_to_who_opened_it() {
    // S-130
    let service = server(&Stage::default()).http_with(HttpOptions::new()).unwrap();
    for revision in legacy() {
        for owner in [Some("ann"), None] {
            let opened = inside::ask(&service, &post(initialize(revision).to_string()), owner).await;
            let id = opened.headers()[field::lower::SESSION_ID].clone();
            for request in of_a_session() {
                let request = request.add(field::SESSION_ID, id.as_bytes());
                for stranger in [Some("bob"), Some("ann"), None].into_iter().filter(|who| *who != owner) {
                    let (status, body) = inside::answer(&service, &request, stranger).await;
                    assert_eq!(status, 404, "{owner:?} {stranger:?} {body}");
                }
            }
            let ping = post(legacy_message(1, "ping", json!({})).to_string()).add(field::SESSION_ID, id.as_bytes());
            assert_eq!(inside::answer(&service, &ping, owner).await.0, 200);
        }
    }
}

#[tokio::test]
async fn handlers_know_who_asks() {
    let who = ferromcp_server::Tool::sync("who", |ctx: ferromcp_server::Ctx| ctx.identity().map(str::to_owned));
    let server = ferromcp_server::Server::new("who", "1").with_tool(who.args(["ctx"]));
    let service = server.http_with(HttpOptions::new()).unwrap();
    for (who, said) in [(Some("ann"), "ann"), (None, "null")] {
        let (_, answer) = inside::answer(&service, &modern_call("who", json!({})), who).await;
        assert_eq!(answer["result"]["content"][0]["text"].as_str().unwrap_or("null"), said, "{answer}");
        let opened = inside::ask(&service, &post(initialize(Revision::LATEST_LEGACY).to_string()), who).await;
        let call = legacy_message(1, "tools/call", json!({ "name": "who", "arguments": {} })).to_string();
        let call = post(call).add(field::SESSION_ID, opened.headers()[field::lower::SESSION_ID].as_bytes());
        let (_, answer) = inside::answer(&service, &call, who).await;
        assert_eq!(answer["result"]["content"][0]["text"].as_str().unwrap_or("null"), said, "{answer}");
    }
}

#[tokio::test]
async fn idle_sessions_end_and_busy_ones_do_not() {
    // S-179, S-180
    let mut limits = HttpLimits::default();
    limits.session_idle = Duration::from_millis(300);
    let host = Host::with(HttpOptions::new().limits(limits)).await;
    let [idle, reading] = [(); 2].map(|()| Session::open(host.address, Revision::V2025_11_25));
    let (idle, reading) = (idle.await, reading.await);
    let mut stream = reading.get().send(host.address).await.events().await;
    stream.primed().await;
    let ended = async {
        // Looking is using, so look rarely.
        loop {
            tokio::time::sleep(Duration::from_millis(900)).await;
            match idle.send(1, "ping", json!({})).await.status {
                200 => {}
                404 => return,
                other => panic!("{other}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), ended).await.expect("an idle session ends");
    assert_eq!(reading.send(1, "ping", json!({})).await.status, 200);
}

#[tokio::test]
async fn there_is_room_for_so_many() {
    let mut limits = HttpLimits::default();
    limits.sessions = 2;
    let host = Host::with(HttpOptions::new().limits(limits)).await;
    let first = Session::open(host.address, Revision::LATEST_LEGACY).await;
    let second = Session::open(host.address, Revision::LATEST_LEGACY).await;
    let streams = [first.get().send(host.address).await, second.get().send(host.address).await];
    let response = post(initialize(Revision::LATEST_LEGACY).to_string()).send(host.address).await;
    assert_eq!(response.header("retry-after"), Some("1"));
    assert!(response.header(field::lower::SESSION_ID).is_none());
    refused(response, 503).await;
    drop(streams);
    first.delete().send(host.address).await.empty(204).await;
    Session::open(host.address, Revision::LATEST_LEGACY).await;
}

#[tokio::test]
async fn without_sessions_each_request_stands_alone() {
    // M26-175, S-156, S-183, S-186, S-187
    let host = Host::with(HttpOptions::new().stateless(true)).await;
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
        // What is said before the answer has no id: there is nothing to come back to.
        let say = legacy_message(1, "tools/call", json!({ "name": "say", "arguments": {} }));
        let mut said = named(say).send(host.address).await.events().await;
        let (id, message) = said.identified().await;
        assert_eq!((id, &message["method"]), (None, &json!("notifications/message")));
        assert_eq!(said.message().await["id"], 1);
        said.ends().await;
        let wrong = post(legacy_message(1, "ping", json!({})).to_string()).add(field::PROTOCOL_VERSION, "2099-01-01");
        refused(wrong.send(host.address).await, 400).await;
    }
    // Who names no revision is of one that had batches.
    let batch = json!([legacy_message(1, "ping", json!({})), legacy_message(2, "ping", json!({}))]);
    let answers = post(batch.to_string()).send(host.address).await.json().await;
    assert_eq!(answers.as_array().map(Vec::len), Some(2), "{answers}");
    for method in ["GET", "DELETE", "PUT"] {
        let response = Request::new(method, "/mcp").add("Accept", "text/event-stream").send(host.address).await;
        assert_eq!((response.status, response.header("allow")), (405, Some("POST")));
    }
    assert_eq!(modern_call("add", json!({ "a": 1, "b": 2 })).send(host.address).await.status, 200);
}
