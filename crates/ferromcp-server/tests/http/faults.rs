//! Functions that fail, clients that want too much, and ids that nobody gave.

use ferromcp_core::Revision;
use ferromcp_core::header::field;
use ferromcp_server::http::{HttpLimits, HttpOptions};
use ferromcp_server::{Ctx, Error, ErrorCode, Limits, Server, Tool};
use serde_json::json;

use crate::client::{Session, initialize, legacy, legacy_message, modern, modern_call, post};
use crate::fixture::{Host, Stage, reaches, server};

#[tokio::test]
async fn a_panic_is_an_answer() {
    let server =
        Server::new("panics", "1").with_tool(Tool::sync("at_once", || -> i64 { panic!("on purpose") })).with_tool(
            Tool::new("later", |ctx: Ctx| async move {
                ctx.progress(1.0, None).await;
                tokio::task::yield_now().await;
                panic!("on purpose");
                #[allow(unreachable_code, reason = "says what is returned")]
                0_i64
            })
            .args(["ctx"]),
        );
    let host = Host::of(server, Stage::default(), HttpOptions::new()).await;
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
async fn once_a_stream_has_begun_an_error_is_an_event() {
    let needy = Tool::new("needy", |ctx: Ctx| async move {
        ctx.progress(1.0, None).await;
        Err::<String, _>(Error::new(ErrorCode::MISSING_CLIENT_CAPABILITY, "Sampling is needed"))
    });
    let server = Server::new("needy", "1").with_tool(needy.args(["ctx"]));
    let host = Host::of(server, Stage::default(), HttpOptions::new()).await;
    let call = json!({ "name": "needy", "arguments": {}, "_meta": { "progressToken": 1 } });
    let mut stream = modern("tools/call", call).send(host.address).await.events().await;
    assert_eq!(stream.message().await["params"]["progress"], 1.0);
    assert_eq!(stream.message().await["error"]["code"], -32021);
    stream.ends().await;
    // Before one has, it has its status.
    assert_eq!(modern_call("needy", json!({})).send(host.address).await.status, 400);
}

#[tokio::test]
async fn so_many_requests_are_under_way() {
    let mut limits = HttpLimits::default();
    limits.in_flight = 1;
    let host = Host::with(HttpOptions::new().limits(limits)).await;
    let session = Session::open(host.address, Revision::LATEST_LEGACY).await;
    let address = host.address;
    let busy = tokio::spawn(async move { modern_call("wait", json!({})).send(address).await.json().await });
    reaches(&host.stage.begun, 1).await;
    let ping = session.post(&legacy_message(1, "ping", json!({})));
    for request in [modern("tools/list", json!({})), ping, post(initialize(Revision::LATEST_LEGACY).to_string())] {
        let mut refused = request.send(host.address).await;
        let body = refused.json().await;
        assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")), "{body}");
        assert!(refused.header(field::lower::SESSION_ID).is_none());
    }
    host.stage.go(1);
    assert_eq!(busy.await.unwrap()["result"]["content"][0]["text"], "waited");
    assert_eq!(modern("tools/list", json!({})).send(host.address).await.status, 200);
}

#[tokio::test]
async fn one_session_has_only_so_many_calls_under_way() {
    let mut limits = Limits::default();
    limits.in_flight = 1;
    let stage = Stage::default();
    let host = Host::of(server(&stage).limits(limits), stage, HttpOptions::new()).await;
    let greedy = Session::open(host.address, Revision::V2025_03_26).await;
    let request = greedy.post(&legacy_message(1, "tools/call", json!({ "name": "wait", "arguments": {} })));
    let address = host.address;
    let busy = tokio::spawn(async move { request.send(address).await.json().await });
    reaches(&host.stage.begun, 1).await;
    let answer = greedy.send(2, "ping", json!({})).await.json().await;
    assert_eq!(answer["error"]["code"], -32603, "{answer}");
    let batch = json!([legacy_message(3, "ping", json!({})), legacy_message(4, "ping", json!({}))]);
    let answers = greedy.post(&batch).send(host.address).await.json().await;
    assert!(answers.as_array().unwrap().iter().all(|answer| answer["error"]["code"] == -32603), "{answers}");
    // Others are not held to what this one does.
    let modest = Session::open(host.address, Revision::LATEST_LEGACY).await;
    assert_eq!(modest.send(1, "ping", json!({})).await.json().await["result"], json!({}));
    host.stage.go(1);
    assert_eq!(busy.await.unwrap()["result"]["content"][0]["text"], "waited");
}

#[tokio::test]
async fn a_cancelled_call_of_a_client_without_streams_is_answered_with_nothing() {
    let host = Host::new().await;
    for (round, revision) in legacy().enumerate() {
        let session = Session::open(host.address, revision).await;
        let call = legacy_message(1, "tools/call", json!({ "name": "wait", "arguments": {} }));
        let request = session.post(&call).set("Accept", "application/json");
        let address = host.address;
        let waiting = tokio::spawn(async move { request.send(address).await.empty(202).await });
        reaches(&host.stage.begun, round + 1).await;
        session.notify("notifications/cancelled", json!({ "requestId": 1 })).await.empty(202).await;
        waiting.await.unwrap();
        reaches(&host.stage.over, round + 1).await;
    }
}

#[tokio::test]
async fn only_ids_that_were_given_are_gone_on_from() {
    // S-159, S-171, S-172
    let host = Host::new().await;
    for revision in legacy().filter(|revision| *revision >= Revision::V2025_03_26) {
        let session = Session::open(host.address, revision).await;
        host.stage.go(1);
        let mut answer = session.call(1, "steps", json!({ "count": 1 })).await.events().await;
        let mut news = session.get().send(host.address).await.events().await;
        if revision == Revision::V2025_11_25 {
            answer.primed().await;
            news.primed().await;
        }
        answer.message().await;
        host.server.notify().tools_changed();
        news.message().await;
        let mut given = Vec::new();
        for over in [false, true] {
            for stream in [&answer, &news] {
                let id = stream.last_id().unwrap().to_owned();
                // One that is still to come, and one of the other kind.
                let (name, number) = id.split_once('-').unwrap();
                let later = format!("{name}-{}", number.parse::<u64>().unwrap() + 1);
                let other =
                    if let Some(rest) = id.strip_prefix('a') { format!("n{rest}") } else { format!("a{}", &id[1..]) };
                for wrong in [later, other] {
                    let mut response = session.resume(&wrong).await;
                    assert!(!response.is_stream(), "{wrong} {over}");
                    let body = response.json().await;
                    assert_eq!(response.status, 400, "{wrong} {over}: {body}");
                }
                given.push(id);
            }
            if !over {
                // Nobody was disturbed.
                host.stage.go(1);
                assert_eq!(answer.message().await["id"], 1);
                answer.ends().await;
                host.server.notify().prompts_changed();
                assert_eq!(news.message().await["method"], "notifications/prompts/list_changed");
            }
        }
        for id in given {
            assert_eq!(session.resume(&id).await.status, 200, "{id}");
        }
    }
}

#[tokio::test]
async fn without_sessions_an_old_session_id_says_nothing() {
    let host = Host::with(HttpOptions::new().stateless(true)).await;
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
