//! What a client does over HTTP once it is connected: sessions, streams, questions, and giving up.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ferromcp_client::{Change, Client, ClientBuilder, ClientLimits, ErrorKind, ChangeFilter};
use ferromcp_core::Revision;
use ferromcp_core::model::LogLevel;
use serde_json::{Value, json};
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::script::{
    Say, builder, closing, discovered, gives, hasty, initialized, refuses, says, soon, takes, text, within, words,
};
use crate::wire::{Asked, END, Peer, STREAM, Wire, both, chunk};

const LEGACY: Revision = Revision::LATEST_LEGACY;

async fn modern(wire: &Wire, builder: ClientBuilder) -> Client {
    wire.connect(builder, &[gives(discovered(&[Revision::LATEST.as_str()]))]).await.0.expect("a client")
}

/// A client in the session `s-1`, and the connection on which it listens.
async fn session(wire: &Wire, builder: ClientBuilder) -> (Client, Peer) {
    let script = [within("s-1", gives(initialized(LEGACY))), takes()];
    let server = async {
        wire.play(&script).await;
        let (get, mut peer) = wire.asked().await;
        assert_eq!((&*get.method, get.header("accept")), ("GET", Some("text/event-stream")));
        in_session(&get, "s-1");
        peer.say(STREAM).await;
        peer
    };
    let (client, peer) = both(builder.only_revision(LEGACY).connect(wire.url("/mcp")), server).await;
    (client.expect("a client"), peer)
}

fn in_session(asked: &Asked, id: &str) {
    assert_eq!(asked.header("mcp-session-id"), Some(id), "{asked:?}");
    assert_eq!(asked.header("mcp-protocol-version"), Some(LEGACY.as_str()), "{asked:?}");
}

/// A client without a session.
async fn plain(wire: &Wire) -> Client {
    let script = [gives(initialized(LEGACY)), takes()];
    wire.connect(hasty().only_revision(LEGACY), &script).await.0.expect("a client")
}

fn event(message: &Value) -> Vec<u8> {
    chunk(format!("data: {message}\n\n"))
}

fn answer(asked: &Asked, result: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": asked.json()["id"], "result": result })
}

fn calls(client: &Client) -> JoinHandle<Result<(), ErrorKind>> {
    let client = client.clone();
    tokio::spawn(async move { client.call("t", ()).await.map(drop).map_err(|error| error.kind()) })
}

#[tokio::test]
async fn a_session_is_kept_to_and_ended() {
    // S-154, S-155, S-177, S-182, S-184, S-185
    let wire = Wire::new().await;
    let (client, _stream) = session(&wire, builder()).await;
    let call = calls(&client);
    // Later replies may name another session, which says nothing.
    in_session(&wire.play(&[within("s-2", gives(text("ok")))]).await[0], "s-1");
    soon(call).await.expect("no panic").expect("a result");
    let ((), asked) = both(client.close(), wire.play(&[says(200, "text/plain", "")])).await;
    assert_eq!(asked[0].method, "DELETE");
    in_session(&asked[0], "s-1");
    assert_eq!(client.call("t", ()).await.expect_err("closed").kind(), ErrorKind::Closed);
    assert!(wire.is_left_alone().await);
}

#[tokio::test]
async fn a_session_whose_client_is_dropped_is_ended_too() {
    // S-182, S-183
    let wire = Wire::new().await;
    let (client, stream) = session(&wire, builder()).await;
    drop(client);
    assert_eq!(wire.play(&[says(405, "text/plain", "")]).await[0].method, "DELETE");
    stream.sees_a_hang_up().await;
}

#[tokio::test]
async fn a_server_without_a_session_has_nothing_to_listen_to() {
    let wire = Wire::new().await;
    let client = plain(&wire).await;
    assert!(wire.is_left_alone().await);
    client.close().await;
    assert!(wire.is_left_alone().await);
}

#[tokio::test]
async fn the_sessions_own_stream_brings_news_and_questions() {
    // S-139, S-154
    let (tell, mut told) = unbounded_channel();
    let wire = Wire::new().await;
    let builder = builder()
        .on_log(LogLevel::Info, move |log| drop(tell.send(log.data.to_string())))
        .on_form(|form| async move { ferromcp_client::accept(&json!({ "said": form.message })) });
    let script = [within("s-1", gives(initialized(LEGACY))), takes()];
    let server = async {
        wire.play(&script).await;
        // The level of logs is set while the session's stream is opened; which comes first is nobody's matter.
        let mut stream = None;
        for _ in 0..2 {
            let (asked, mut peer) = wire.asked().await;
            if asked.method == "GET" {
                stream = Some(peer);
            } else {
                assert_eq!(asked.what(), "logging/setLevel");
                peer.say(closing(200, "application/json", &answer(&asked, &json!({})).to_string())).await;
            }
        }
        let mut stream = stream.expect("a stream");
        stream.say(STREAM).await;
        stream
    };
    let (client, mut stream) = both(builder.only_revision(LEGACY).connect(wire.url("/mcp")), server).await;
    let client = client.expect("a client");
    let mut changes = soon(client.subscribe(ChangeFilter::default().tools())).await.expect("a subscription");
    let log =
        json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": { "level": "info", "data": "x" } });
    stream.say(event(&log)).await;
    assert_eq!(soon(told.recv()).await.as_deref(), Some("\"x\""));
    stream.say(chunk("data: garbage\n\n")).await;
    stream.say(event(&json!({ "jsonrpc": "2.0", "method": "notifications/tools/list_changed" }))).await;
    assert_eq!(soon(changes.next()).await.expect("a change").expect("no end"), Change::Tools);
    let params = json!({ "message": "Who?", "requestedSchema": { "type": "object", "properties": { "said": { "type": "string" } } } });
    stream.say(event(&json!({ "jsonrpc": "2.0", "id": "q", "method": "elicitation/create", "params": params }))).await;
    let asked = wire.play(&[takes()]).await;
    in_session(&asked[0], "s-1");
    assert_eq!(
        asked[0].json(),
        json!({ "jsonrpc": "2.0", "id": "q", "result": { "action": "accept", "content": { "said": "Who?" } } })
    );
    // One that cannot be read is refused.
    stream.say(event(&json!({ "jsonrpc": "2.0", "id": 7, "method": "elicitation/create", "params": 1 }))).await;
    let asked = wire.play(&[takes()]).await;
    assert_eq!((&asked[0].json()["id"], &asked[0].json()["error"]["code"]), (&json!(7), &json!(-32602)));
}

#[tokio::test]
async fn a_client_is_connected_once_the_sessions_own_stream_is_there() {
    // S-154
    let wire = Wire::new().await;
    let script = [within("s-1", gives(initialized(LEGACY))), takes()];
    let connecting = tokio::spawn(builder().only_revision(LEGACY).connect(wire.url("/mcp")).into_future());
    wire.play(&script).await;
    let (_, mut stream) = wire.asked().await;
    sleep(Duration::from_millis(50)).await;
    assert!(!connecting.is_finished(), "what the server says now may be lost");
    stream.say(STREAM).await;
    let client = soon(connecting).await.expect("no panic").expect("a client");
    drop(client);
}

#[tokio::test]
async fn a_server_that_never_answers_the_listening_is_connected_to_all_the_same() {
    let wire = Wire::new().await;
    let script = [within("s-1", gives(initialized(LEGACY))), takes()];
    let client = wire.connect(builder().only_revision(LEGACY), &script).await.0.expect("a client");
    let (get, _silent) = wire.asked().await;
    assert_eq!(get.method, "GET");
    let call = calls(&client);
    wire.play(&[gives(text("ok"))]).await;
    soon(call).await.expect("no panic").expect("a result");
}

#[tokio::test]
async fn a_call_outlives_the_refusal_of_an_answer_that_came_too_late() {
    let wire = Wire::new().await;
    let client = plain(&wire).await;
    let call = calls(&client);
    let (asked, mut peer) = wire.asked().await;
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    peer.say([STREAM.as_bytes(), &event(&ping)].concat()).await;
    assert_eq!(wire.play(&[says(400, "text/plain", "nobody asked")]).await[0].json()["id"], 1);
    peer.say(event(&answer(&asked, &text("ok")))).await;
    soon(call).await.expect("no panic").expect("a result");
}

#[tokio::test]
async fn what_belongs_to_a_call_comes_on_its_stream_which_is_read_up_to_the_answer() {
    // S-139
    let seen = Arc::new(Mutex::new(Vec::new()));
    let wire = Wire::new().await;
    let client = plain(&wire).await;
    let call = {
        let (client, seen) = (client.clone(), Arc::clone(&seen));
        tokio::spawn(async move {
            let listener = move |progress: ferromcp_client::Progress| seen.lock().unwrap().push(progress.progress);
            client.call("t", ()).on_progress(listener).await
        })
    };
    let (asked, mut peer) = wire.asked().await;
    let token = &asked.json()["params"]["_meta"]["progressToken"];
    let progress = json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": { "progressToken": token, "progress": 1 } });
    peer.say([STREAM.as_bytes(), &event(&progress)].concat()).await;
    peer.say(event(&json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }))).await;
    let pong = wire.play(&[takes()]).await;
    assert_eq!(pong[0].json(), json!({ "jsonrpc": "2.0", "id": 1, "result": {} }));
    peer.say(event(&json!({ "jsonrpc": "2.0", "id": "no such", "result": {} }))).await;
    peer.say(event(&answer(&asked, &text("ok")))).await;
    soon(call).await.expect("no panic").expect("a result");
    assert_eq!(*seen.lock().unwrap(), [1.0]);
    // The server has not ended the stream, and the client wants no more of it.
    peer.sees_a_hang_up().await;
    assert!(wire.is_left_alone().await);
}

#[tokio::test]
async fn an_answer_that_comes_on_the_sessions_stream_is_one_all_the_same() {
    let wire = Wire::new().await;
    let (client, mut stream) = session(&wire, builder()).await;
    let call = calls(&client);
    let (asked, mut peer) = wire.asked().await;
    peer.say(STREAM).await;
    stream.say(event(&answer(&asked, &text("ok")))).await;
    soon(call).await.expect("no panic").expect("a result");
    // It is answered, so there is nothing to cancel.
    peer.sees_a_hang_up().await;
    assert!(wire.is_left_alone().await);
}

#[tokio::test]
async fn a_stream_that_ends_with_its_answer_leaves_its_connection_for_the_next_call() {
    let wire = Wire::new().await;
    let client = modern(&wire, builder()).await;
    let mut call = calls(&client);
    let (mut asked, mut peer) = wire.asked().await;
    for _ in 0..3 {
        peer.say([STREAM.as_bytes(), &event(&answer(&asked, &text("ok"))), END.as_bytes()].concat()).await;
        soon(call).await.expect("no panic").expect("a result");
        call = calls(&client);
        asked = peer.asked().await;
        assert_eq!(asked.what(), "tools/call");
    }
    call.abort();
}

#[tokio::test]
async fn a_server_that_does_not_take_a_notification_is_not_waited_for_for_ever() {
    let wire = Wire::new().await;
    let mut limits = ClientLimits::default();
    limits.request_timeout = Duration::from_millis(100);
    let server = async {
        wire.play(&[gives(initialized(LEGACY))]).await;
        wire.asked().await.1.sees_a_hang_up().await;
    };
    let builder = builder().only_revision(LEGACY).limits(limits);
    let (client, ()) = both(builder.connect(wire.url("/mcp")), server).await;
    assert_eq!(client.expect_err("no client").kind(), ErrorKind::ConnectionLost);
}

#[tokio::test]
async fn giving_up_a_legacy_call_is_said() {
    // S-152
    let wire = Wire::new().await;
    let (client, _stream) = session(&wire, builder()).await;
    let call = calls(&client);
    let (asked, peer) = wire.asked().await;
    call.abort();
    let cancelled = wire.play(&[takes()]).await;
    in_session(&cancelled[0], "s-1");
    assert_eq!(cancelled[0].what(), "notifications/cancelled");
    assert_eq!(cancelled[0].json()["params"]["requestId"], asked.json()["id"]);
    peer.sees_a_hang_up().await;
}

#[tokio::test]
async fn giving_up_a_modern_call_closes_its_stream_and_says_nothing() {
    // M26-022, M26-304
    let wire = Wire::new().await;
    let client = modern(&wire, builder()).await;
    let call = calls(&client);
    let (_, mut peer) = wire.asked().await;
    peer.say(STREAM).await;
    // A modern server asks nothing; one that does gets no answer.
    peer.say(event(&json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }))).await;
    assert!(wire.is_left_alone().await);
    call.abort();
    peer.sees_a_hang_up().await;
    assert!(wire.is_left_alone().await);
}

#[tokio::test]
async fn closing_ends_what_is_in_flight() {
    let wire = Wire::new().await;
    let client = modern(&wire, hasty()).await;
    let call = calls(&client);
    let (_, peer) = wire.asked().await;
    client.close().await;
    assert_eq!(soon(call).await.expect("no panic"), Err(ErrorKind::ConnectionLost));
    peer.sees_a_hang_up().await;
}

#[tokio::test]
async fn a_session_that_is_gone_is_opened_anew_once_for_all() {
    // S-181
    let wire = Wire::new().await;
    let (client, stream) = session(&wire, builder()).await;
    let calls = [calls(&client), calls(&client), calls(&client)];
    let gone = || refuses(404, -32001, Value::Null);
    let asked = wire.play(&[gone(), gone(), gone()]).await;
    assert_eq!(words(&asked), ["tools/call"; 3]);
    let asked = wire.play(&[within("s-2", gives(initialized(LEGACY))), takes()]).await;
    assert_eq!(words(&asked), ["initialize", "notifications/initialized"]);
    assert_eq!((asked[0].header("mcp-session-id"), asked[0].header("mcp-protocol-version")), (None, None));
    // The stream of the new session, and the calls; in whichever order.
    let mut seen = Vec::new();
    let mut listening = Vec::new();
    for _ in 0..4 {
        let (asked, mut peer) = wire.asked().await;
        in_session(&asked, "s-2");
        if asked.method == "GET" {
            listening.push(peer);
        } else {
            peer.say(closing(200, "application/json", &answer(&asked, &text("ok")).to_string())).await;
        }
        seen.push(asked.what());
    }
    seen.sort();
    assert_eq!(seen, ["GET", "tools/call", "tools/call", "tools/call"]);
    for call in calls {
        soon(call).await.expect("no panic").expect("a result");
    }
    stream.sees_a_hang_up().await;
}

#[tokio::test]
async fn a_session_that_ends_in_silence_is_noticed_on_its_stream() {
    // S-181
    let wire = Wire::new().await;
    let (client, mut stream) = session(&wire, builder()).await;
    stream.say([&chunk("retry: 1\n\n"), END.as_bytes()].concat()).await;
    drop(stream);
    assert_eq!(wire.play(&[says(404, "text/plain", "")]).await[0].method, "GET");
    // The client does not even try the old one.
    tokio::time::sleep(Duration::from_millis(20)).await;
    let call = calls(&client);
    let script = [within("s-2", gives(initialized(LEGACY))), takes()];
    assert_eq!(words(&wire.play(&script).await), ["initialize", "notifications/initialized"]);
    call.abort();
}

#[tokio::test]
async fn a_stream_that_is_cut_is_resumed_when_the_server_said() {
    // S-142, S-144, S-169, S-170
    let wire = Wire::new().await;
    let client = plain(&wire).await;
    let call = calls(&client);
    let (asked, mut peer) = wire.asked().await;
    peer.say([STREAM.as_bytes(), &chunk("id: e-1\nretry: 300\ndata:\n\n"), END.as_bytes()].concat()).await;
    drop(peer);
    let cut = Instant::now();
    let (get, mut peer) = wire.asked().await;
    assert!(cut.elapsed() >= Duration::from_millis(295), "{:?}", cut.elapsed());
    assert_eq!((&*get.method, get.header("last-event-id")), ("GET", Some("e-1")));
    peer.say([STREAM.as_bytes(), &event(&answer(&asked, &text("ok")))].concat()).await;
    soon(call).await.expect("no panic").expect("a result");
}

#[tokio::test]
async fn a_stream_that_breaks_loses_its_request_which_is_repeated_only_where_it_is_safe() {
    // M26-167
    let wire = Wire::new().await;
    let client = modern(&wire, builder()).await;
    let cut: fn() -> Say = || Box::new(|_| format!("{STREAM}{}", String::from_utf8_lossy(&chunk("id: 1\ndata:\n\n"))));
    let call = calls(&client);
    let first = wire.play(&[cut()]).await;
    assert_eq!(soon(call).await.expect("no panic"), Err(ErrorKind::ConnectionLost));
    let list = {
        let client = client.clone();
        tokio::spawn(async move { client.tools().await })
    };
    let asked = wire.play(&[cut(), gives(json!({ "tools": [] }))]).await;
    soon(list).await.expect("no panic").expect("a list");
    assert_eq!(words(&asked), ["tools/list"; 2]);
    assert_ne!(asked[0].json()["id"], asked[1].json()["id"]);
    assert_eq!(first[0].header("last-event-id"), None);
}

#[tokio::test]
async fn arguments_that_the_tool_marks_go_into_headers_on_the_wire() {
    // M26-193, M26-206, M26-207, M26-211, M26-217, M26-218
    let wire = Wire::new().await;
    let client = modern(&wire, builder()).await;
    let schema = json!({ "type": "object", "properties": {
        "region": { "type": "string", "x-mcp-header": "Region" }, "n": { "type": "integer", "x-mcp-header": "N" },
        "dry": { "type": "boolean", "x-mcp-header": "Dry" } } });
    let list = gives(json!({ "resultType": "complete", "tools": [{ "name": "t", "inputSchema": schema }] }));
    both(async { client.tools().await }, wire.play(&[list])).await.0.expect("a list");
    let arguments = json!({ "region": "Süd", "n": 7, "dry": null });
    let (result, asked) = both(async { client.call("t", &arguments).await }, wire.play(&[gives(text("ok"))])).await;
    result.expect("a result");
    assert_eq!(asked[0].header("mcp-param-region"), Some("=?base64?U8O8ZA==?="));
    assert_eq!((asked[0].header("mcp-param-n"), asked[0].header("mcp-param-dry")), (Some("7"), None));
    // What no header can say is not sent at all.
    let error = client.call("t", json!({ "n": 9_007_199_254_740_993_i64 })).await.expect_err("unfit");
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
    assert!(wire.is_left_alone().await);
}

#[tokio::test]
async fn an_answer_beyond_the_limit_is_told_apart_from_a_bad_one() {
    let wire = Wire::new().await;
    let mut limits = ferromcp_client::http::HttpLimits::default();
    limits.body_bytes = 1000;
    limits.event_bytes = 1000;
    let client = modern(&wire, hasty().http(crate::wire::options().limits(limits))).await;
    let long = "x".repeat(2000);
    let bodies = [
        gives(text(&long)),
        Box::new(move |_: &Asked| format!("{STREAM}{}", String::from_utf8_lossy(&chunk(format!("data: {long}\n\n")))))
            as Say,
    ];
    for body in bodies {
        let call = calls(&client);
        let (asked, mut peer) = wire.asked().await;
        peer.tries_to_say(body(&asked)).await;
        assert_eq!(soon(call).await.expect("no panic"), Err(ErrorKind::Limit));
    }
}

#[tokio::test]
async fn headers_and_credentials_of_the_builder_go_with_every_request() {
    use ferromcp_client::http::{Credentials, CredentialsFuture, Request};
    struct Key;
    impl Credentials for Key {
        fn authorize<'a>(&'a self, _: Request<'a>, headers: &'a mut http::HeaderMap) -> CredentialsFuture<'a, ()> {
            headers.insert("authorization", http::HeaderValue::from_static("Bearer s3cret"));
            Box::pin(std::future::ready(Ok(())))
        }
    }
    struct Missing;
    impl Credentials for Missing {
        fn authorize<'a>(&'a self, _: Request<'a>, _: &'a mut http::HeaderMap) -> CredentialsFuture<'a, ()> {
            Box::pin(std::future::ready(Err("the key ring is locked".into())))
        }
    }
    let wire = Wire::new().await;
    let asking = builder().header("X-Api-Key", "KEY").credentials(Key);
    assert!(!format!("{asking:?}").contains("s3cret"));
    let (client, asked) = wire.connect(asking, &[gives(discovered(&[Revision::LATEST.as_str()]))]).await;
    client.expect("a client");
    assert_eq!((asked[0].header("x-api-key"), asked[0].header("authorization")), (Some("KEY"), Some("Bearer s3cret")));
    let error = soon(builder().credentials(Missing).connect(wire.url("/mcp"))).await.expect_err("no key");
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.to_string().contains("the key ring is locked"), "{error}");
    let error = soon(builder().header("Accept", "text/plain").connect(wire.url("/mcp"))).await.expect_err("ours");
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(wire.is_left_alone().await);
}
