//! Failing handlers, clients that exceed limits, and invalid ids.

use ferromcp_core::header::field;
use ferromcp_core::{Error, ErrorCode, Revision};
use ferromcp_server::http::{HttpServerLimits, HttpServerOptions};
use ferromcp_server::{Ctx, Server, ServerLimits, Tool};
use serde_json::json;

use crate::client::{Session, initialize, legacy, legacy_message, modern, modern_call, post};
use crate::fixture::{CallControl, Host, server, wait_for};

#[tokio::test]
async fn responds_with_an_error_when_a_handler_panics() {
    let server =
        Server::new("panics", "1").with_tool(Tool::sync("at_once", || -> i64 { panic!("on purpose") })).with_tool(
            Tool::new("later", |ctx: Ctx| async move {
                ctx.progress(1.0, None).await;
                tokio::task::yield_now().await;
                panic!("on purpose");
                #[allow(unreachable_code, reason = "the type of the result")]
                0_i64
            })
            .args(["ctx"]),
        );
    let host = Host::of(server, CallControl::default(), HttpServerOptions::new()).await;
    let mut response = modern_call("at_once", json!({})).send(host.address).await;
    let answer = response.json().await;
    assert_eq!(
        (response.status, &answer["id"], &answer["error"]["code"]),
        (200, &json!(1), &json!(-32603)),
        "{answer}"
    );
    let call = json!({ "name": "later", "arguments": {}, "_meta": { "progressToken": 1 } });
    let mut stream = modern("tools/call", call).send(host.address).await.events().await;
    assert_eq!(stream.message().await["params"]["progress"], 1.0);
    assert_eq!(stream.message().await["error"]["code"], -32603);
    stream.ends().await;
    for revision in legacy() {
        let session = Session::open(host.address, revision).await;
        let mut response = session.call(1, "at_once", json!({})).await;
        assert_eq!(response.json().await["error"]["code"], -32603);
        assert_eq!(response.status, 200);
    }
}

#[tokio::test]
async fn error_is_an_event_when_the_stream_has_started() {
    let needy = Tool::new("needy", |ctx: Ctx| async move {
        ctx.progress(1.0, None).await;
        Err::<String, _>(Error::new(ErrorCode::MISSING_CLIENT_CAPABILITY, "Sampling is needed"))
    });
    let server = Server::new("needy", "1").with_tool(needy.args(["ctx"]));
    let host = Host::of(server, CallControl::default(), HttpServerOptions::new()).await;
    let call = json!({ "name": "needy", "arguments": {}, "_meta": { "progressToken": 1 } });
    let mut stream = modern("tools/call", call).send(host.address).await.events().await;
    assert_eq!(stream.message().await["params"]["progress"], 1.0);
    assert_eq!(stream.message().await["error"]["code"], -32021);
    stream.ends().await;
    // Before the stream starts, the error sets the status.
    assert_eq!(modern_call("needy", json!({})).send(host.address).await.status, 400);
}

#[tokio::test]
async fn responds_503_when_in_flight_is_exceeded() {
    let limits = HttpServerLimits::new().in_flight(1);
    let host = Host::with(HttpServerOptions::new().limits(limits)).await;
    let session = Session::open(host.address, Revision::LATEST_LEGACY).await;
    let address = host.address;
    let busy = tokio::spawn(async move { modern_call("wait", json!({})).send(address).await.json().await });
    wait_for(&host.control.started, 1).await;
    let ping = session.post(&legacy_message(1, "ping", json!({})));
    for request in [modern("tools/list", json!({})), ping, post(initialize(Revision::LATEST_LEGACY).to_string())] {
        let mut rejected = request.send(host.address).await;
        let body = rejected.json().await;
        assert_eq!((rejected.status, rejected.header("retry-after")), (503, Some("1")), "{body}");
        assert!(rejected.header(field::lower::SESSION_ID).is_none());
    }
    host.control.go(1);
    assert_eq!(busy.await.unwrap()["result"]["content"][0]["text"], "waited");
    assert_eq!(modern("tools/list", json!({})).send(host.address).await.status, 200);
}

#[tokio::test]
async fn rejects_calls_when_the_session_exceeds_in_flight() {
    let limits = ServerLimits::new().in_flight(1);
    let control = CallControl::default();
    let host = Host::of(server(&control).limits(limits), control, HttpServerOptions::new()).await;
    let greedy = Session::open(host.address, Revision::V2025_03_26).await;
    let request = greedy.post(&legacy_message(1, "tools/call", json!({ "name": "wait", "arguments": {} })));
    let address = host.address;
    let busy = tokio::spawn(async move { request.send(address).await.json().await });
    wait_for(&host.control.started, 1).await;
    let answer = greedy.send(2, "ping", json!({})).await.json().await;
    assert_eq!(answer["error"]["code"], -32603, "{answer}");
    let batch = json!([legacy_message(3, "ping", json!({})), legacy_message(4, "ping", json!({}))]);
    let answers = greedy.post(&batch).send(host.address).await.json().await;
    assert!(answers.as_array().unwrap().iter().all(|answer| answer["error"]["code"] == -32603), "{answers}");
    // Other sessions are unaffected.
    let modest = Session::open(host.address, Revision::LATEST_LEGACY).await;
    assert_eq!(modest.send(1, "ping", json!({})).await.json().await["result"], json!({}));
    host.control.go(1);
    assert_eq!(busy.await.unwrap()["result"]["content"][0]["text"], "waited");
}

#[tokio::test]
async fn responds_202_when_a_call_is_cancelled_and_the_client_accepts_only_json() {
    let host = Host::new().await;
    for (round, revision) in legacy().enumerate() {
        let session = Session::open(host.address, revision).await;
        let call = legacy_message(1, "tools/call", json!({ "name": "wait", "arguments": {} }));
        let request = session.post(&call).set("Accept", "application/json");
        let address = host.address;
        let waiting = tokio::spawn(async move { request.send(address).await.empty(202).await });
        wait_for(&host.control.started, round + 1).await;
        session.notify("notifications/cancelled", json!({ "requestId": 1 })).await.empty(202).await;
        waiting.await.unwrap();
        wait_for(&host.control.finished, round + 1).await;
    }
}

#[tokio::test]
async fn resumes_only_from_event_ids_that_were_sent() {
    // S-159, S-171, S-172
    let host = Host::new().await;
    for revision in legacy().filter(|revision| *revision >= Revision::V2025_03_26) {
        let session = Session::open(host.address, revision).await;
        host.control.go(1);
        let mut answer = session.call(1, "steps", json!({ "count": 1 })).await.events().await;
        let mut notifications = session.get().send(host.address).await.events().await;
        if revision == Revision::V2025_11_25 {
            answer.primed().await;
            notifications.primed().await;
        }
        answer.message().await;
        host.server.notify().tools_changed();
        notifications.message().await;
        let mut sent = Vec::new();
        for ended in [false, true] {
            for stream in [&answer, &notifications] {
                let id = stream.last_id().unwrap().to_owned();
                // An id that was not sent yet, and one of the other kind of stream.
                let (name, number) = id.split_once('-').unwrap();
                let later = format!("{name}-{}", number.parse::<u64>().unwrap() + 1);
                let other =
                    if let Some(rest) = id.strip_prefix('a') { format!("n{rest}") } else { format!("a{}", &id[1..]) };
                for wrong in [later, other] {
                    let mut response = session.resume(&wrong).await;
                    assert!(!response.is_stream(), "{wrong} {ended}");
                    let body = response.json().await;
                    assert_eq!(response.status, 400, "{wrong} {ended}: {body}");
                }
                sent.push(id);
            }
            if !ended {
                // The live streams are unaffected.
                host.control.go(1);
                assert_eq!(answer.message().await["id"], 1);
                answer.ends().await;
                host.server.notify().prompts_changed();
                assert_eq!(notifications.message().await["method"], "notifications/prompts/list_changed");
            }
        }
        for id in sent {
            assert_eq!(session.resume(&id).await.status, 200, "{id}");
        }
    }
}

#[tokio::test]
async fn initialize_ignores_a_stale_session_id_when_stateless() {
    let host = Host::with(HttpServerOptions::new().stateless(true)).await;
    for revision in legacy() {
        let old = post(initialize(revision).to_string()).add(field::SESSION_ID, "from-before");
        let mut response = old.send(host.address).await;
        let answer = response.json().await;
        assert_eq!(
            (response.status, &answer["result"]["protocolVersion"]),
            (200, &json!(revision.as_str())),
            "{answer}"
        );
    }
}
