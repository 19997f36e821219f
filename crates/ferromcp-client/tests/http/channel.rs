//! The HTTP channel of a connected client: sessions, streams, server requests and cancellation.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ferromcp_client::{Change, ChangeFilter, Client, ClientBuilder, ClientLimits, ErrorKind};
use ferromcp_core::Revision;
use ferromcp_core::model::LogLevel;
use serde_json::{Value, json};
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::script::{
    Respond, accept_notification, builder, closing, discovered, impatient_builder, initialized, json_error,
    json_result, methods, options, respond_with, text, with_session_id, with_timeout,
};
use crate::wire::{END, Peer, ReceivedRequest, STREAM, Wire, chunk, run_both};

const LEGACY: Revision = Revision::LATEST_LEGACY;

async fn modern(wire: &Wire, builder: ClientBuilder) -> Client {
    wire.connect(builder, &[json_result(discovered(&[Revision::LATEST.as_str()]))]).await.0.expect("a client")
}

/// Creates a client in the session `s-1`. Returns it with the connection of its GET stream.
async fn session(wire: &Wire, builder: ClientBuilder) -> (Client, Peer) {
    let script = [with_session_id("s-1", json_result(initialized(LEGACY))), accept_notification()];
    let server = async {
        wire.play(&script).await;
        let (get, mut peer) = wire.asked().await;
        assert_eq!((&*get.method, get.header("accept")), ("GET", Some("text/event-stream")));
        in_session(&get, "s-1");
        peer.say(STREAM).await;
        peer
    };
    let (client, peer) = run_both(builder.only_revision(LEGACY).connect(wire.url("/mcp")), server).await;
    (client.expect("a client"), peer)
}

fn in_session(asked: &ReceivedRequest, id: &str) {
    assert_eq!(asked.header("mcp-session-id"), Some(id), "{asked:?}");
    assert_eq!(asked.header("mcp-protocol-version"), Some(LEGACY.as_str()), "{asked:?}");
}

/// Creates a client without a session.
async fn plain(wire: &Wire) -> Client {
    let script = [json_result(initialized(LEGACY)), accept_notification()];
    wire.connect(impatient_builder().only_revision(LEGACY), &script).await.0.expect("a client")
}

fn event(message: &Value) -> Vec<u8> {
    chunk(format!("data: {message}\n\n"))
}

fn answer(asked: &ReceivedRequest, result: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": asked.json()["id"], "result": result })
}

fn calls(client: &Client) -> JoinHandle<Result<(), ErrorKind>> {
    let client = client.clone();
    tokio::spawn(async move { client.call("t", ()).await.map(drop).map_err(|error| error.kind()) })
}

#[tokio::test]
async fn sends_session_id_and_deletes_session_when_closed() {
    // S-154, S-155, S-177, S-182, S-184, S-185
    let wire = Wire::new().await;
    let (client, _stream) = session(&wire, builder()).await;
    let call = calls(&client);
    // A session ID in later responses is ignored.
    in_session(&wire.play(&[with_session_id("s-2", json_result(text("ok")))]).await[0], "s-1");
    with_timeout(call).await.expect("no panic").expect("a result");
    let ((), asked) = run_both(client.close(), wire.play(&[respond_with(200, "text/plain", "")])).await;
    assert_eq!(asked[0].method, "DELETE");
    in_session(&asked[0], "s-1");
    assert_eq!(client.call("t", ()).await.expect_err("closed").kind(), ErrorKind::Closed);
    assert!(wire.has_no_connection().await);
}

#[tokio::test]
async fn deletes_session_when_client_is_dropped() {
    // S-182, S-183
    let wire = Wire::new().await;
    let (client, stream) = session(&wire, builder()).await;
    drop(client);
    assert_eq!(wire.play(&[respond_with(405, "text/plain", "")]).await[0].method, "DELETE");
    stream.expects_disconnect().await;
}

#[tokio::test]
async fn opens_no_get_stream_when_server_has_no_session() {
    let wire = Wire::new().await;
    let client = plain(&wire).await;
    assert!(wire.has_no_connection().await);
    client.close().await;
    assert!(wire.has_no_connection().await);
}

#[tokio::test]
async fn get_stream_delivers_notifications_and_requests() {
    // S-139, S-154
    let (log_tx, mut logs) = unbounded_channel();
    let wire = Wire::new().await;
    let builder = builder()
        .on_log(LogLevel::Info, move |log| drop(log_tx.send(log.data.to_string())))
        .on_form(|form| async move { ferromcp_client::accept(&json!({ "said": form.message })) });
    let script = [with_session_id("s-1", json_result(initialized(LEGACY))), accept_notification()];
    let server = async {
        wire.play(&script).await;
        // The log level is set while the GET stream opens, in any order.
        let mut stream = None;
        for _ in 0..2 {
            let (asked, mut peer) = wire.asked().await;
            if asked.method == "GET" {
                stream = Some(peer);
            } else {
                assert_eq!(asked.method_name(), "logging/setLevel");
                peer.say(closing(200, "application/json", &answer(&asked, &json!({})).to_string())).await;
            }
        }
        let mut stream = stream.expect("a stream");
        stream.say(STREAM).await;
        stream
    };
    let (client, mut stream) = run_both(builder.only_revision(LEGACY).connect(wire.url("/mcp")), server).await;
    let client = client.expect("a client");
    let mut changes = with_timeout(client.subscribe(ChangeFilter::default().tools())).await.expect("a subscription");
    let log =
        json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": { "level": "info", "data": "x" } });
    stream.say(event(&log)).await;
    assert_eq!(with_timeout(logs.recv()).await.as_deref(), Some("\"x\""));
    stream.say(chunk("data: garbage\n\n")).await;
    stream.say(event(&json!({ "jsonrpc": "2.0", "method": "notifications/tools/list_changed" }))).await;
    assert_eq!(with_timeout(changes.next()).await.expect("a change").expect("no end"), Change::Tools);
    let params = json!({ "message": "Who?", "requestedSchema": { "type": "object", "properties": { "said": { "type": "string" } } } });
    stream.say(event(&json!({ "jsonrpc": "2.0", "id": "q", "method": "elicitation/create", "params": params }))).await;
    let asked = wire.play(&[accept_notification()]).await;
    in_session(&asked[0], "s-1");
    assert_eq!(
        asked[0].json(),
        json!({ "jsonrpc": "2.0", "id": "q", "result": { "action": "accept", "content": { "said": "Who?" } } })
    );
    // An invalid request gets an error response.
    stream.say(event(&json!({ "jsonrpc": "2.0", "id": 7, "method": "elicitation/create", "params": 1 }))).await;
    let asked = wire.play(&[accept_notification()]).await;
    assert_eq!((&asked[0].json()["id"], &asked[0].json()["error"]["code"]), (&json!(7), &json!(-32602)));
}

#[tokio::test]
async fn connect_waits_until_get_stream_is_open() {
    // S-154
    let wire = Wire::new().await;
    let script = [with_session_id("s-1", json_result(initialized(LEGACY))), accept_notification()];
    let connecting = tokio::spawn(builder().only_revision(LEGACY).connect(wire.url("/mcp")).into_future());
    wire.play(&script).await;
    let (_, mut stream) = wire.asked().await;
    sleep(Duration::from_millis(50)).await;
    assert!(!connecting.is_finished(), "messages sent before the GET stream is open may be lost");
    stream.say(STREAM).await;
    let client = with_timeout(connecting).await.expect("no panic").expect("a client");
    drop(client);
}

#[tokio::test]
async fn connects_when_server_never_responds_to_get_stream() {
    let wire = Wire::new().await;
    let script = [with_session_id("s-1", json_result(initialized(LEGACY))), accept_notification()];
    let client = wire.connect(builder().only_revision(LEGACY), &script).await.0.expect("a client");
    let (get, _silent) = wire.asked().await;
    assert_eq!(get.method, "GET");
    let call = calls(&client);
    wire.play(&[json_result(text("ok"))]).await;
    with_timeout(call).await.expect("no panic").expect("a result");
}

#[tokio::test]
async fn call_continues_when_server_rejects_late_response() {
    let wire = Wire::new().await;
    let client = plain(&wire).await;
    let call = calls(&client);
    let (asked, mut peer) = wire.asked().await;
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    peer.say([STREAM.as_bytes(), &event(&ping)].concat()).await;
    assert_eq!(wire.play(&[respond_with(400, "text/plain", "unexpected response")]).await[0].json()["id"], 1);
    peer.say(event(&answer(&asked, &text("ok")))).await;
    with_timeout(call).await.expect("no panic").expect("a result");
}

#[tokio::test]
async fn reads_stream_of_call_until_response() {
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
    let pong = wire.play(&[accept_notification()]).await;
    assert_eq!(pong[0].json(), json!({ "jsonrpc": "2.0", "id": 1, "result": {} }));
    peer.say(event(&json!({ "jsonrpc": "2.0", "id": "no such", "result": {} }))).await;
    peer.say(event(&answer(&asked, &text("ok")))).await;
    with_timeout(call).await.expect("no panic").expect("a result");
    assert_eq!(*seen.lock().unwrap(), [1.0]);
    // The client closes the stream after the response.
    peer.expects_disconnect().await;
    assert!(wire.has_no_connection().await);
}

#[tokio::test]
async fn accepts_response_when_sent_on_get_stream() {
    let wire = Wire::new().await;
    let (client, mut stream) = session(&wire, builder()).await;
    let call = calls(&client);
    let (asked, mut peer) = wire.asked().await;
    peer.say(STREAM).await;
    stream.say(event(&answer(&asked, &text("ok")))).await;
    with_timeout(call).await.expect("no panic").expect("a result");
    // The call is complete, so no cancellation is sent.
    peer.expects_disconnect().await;
    assert!(wire.has_no_connection().await);
}

#[tokio::test]
async fn reuses_connection_when_stream_ends_with_response() {
    let wire = Wire::new().await;
    let client = modern(&wire, builder()).await;
    let mut call = calls(&client);
    let (mut asked, mut peer) = wire.asked().await;
    for _ in 0..3 {
        peer.say([STREAM.as_bytes(), &event(&answer(&asked, &text("ok"))), END.as_bytes()].concat()).await;
        with_timeout(call).await.expect("no panic").expect("a result");
        call = calls(&client);
        asked = peer.asked().await;
        assert_eq!(asked.method_name(), "tools/call");
    }
    call.abort();
}

#[tokio::test]
async fn connect_times_out_when_server_does_not_accept_notification() {
    let wire = Wire::new().await;
    let limits = ClientLimits::new().request_timeout(Duration::from_millis(100));
    let server = async {
        wire.play(&[json_result(initialized(LEGACY))]).await;
        wire.asked().await.1.expects_disconnect().await;
    };
    let builder = builder().only_revision(LEGACY).limits(limits);
    let (client, ()) = run_both(builder.connect(wire.url("/mcp")), server).await;
    let error = client.expect_err("connect error");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(!error.to_string().contains("may have run"), "{error}");
}

#[tokio::test]
async fn posts_cancellation_when_legacy_call_is_dropped() {
    // S-152
    let wire = Wire::new().await;
    let (client, _stream) = session(&wire, builder()).await;
    let call = calls(&client);
    let (asked, peer) = wire.asked().await;
    call.abort();
    let cancelled = wire.play(&[accept_notification()]).await;
    in_session(&cancelled[0], "s-1");
    assert_eq!(cancelled[0].method_name(), "notifications/cancelled");
    assert_eq!(cancelled[0].json()["params"]["requestId"], asked.json()["id"]);
    peer.expects_disconnect().await;
}

#[tokio::test]
async fn closes_stream_without_cancellation_when_modern_call_is_dropped() {
    // M26-022, M26-304
    let wire = Wire::new().await;
    let client = modern(&wire, builder()).await;
    let call = calls(&client);
    let (_, mut peer) = wire.asked().await;
    peer.say(STREAM).await;
    // A request of a modern server gets no response.
    peer.say(event(&json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }))).await;
    assert!(wire.has_no_connection().await);
    call.abort();
    peer.expects_disconnect().await;
    assert!(wire.has_no_connection().await);
}

#[tokio::test]
async fn in_flight_calls_fail_when_client_is_closed() {
    let wire = Wire::new().await;
    let client = modern(&wire, impatient_builder()).await;
    let call = calls(&client);
    let (_, peer) = wire.asked().await;
    client.close().await;
    assert_eq!(with_timeout(call).await.expect("no panic"), Err(ErrorKind::ConnectionLost));
    peer.expects_disconnect().await;
}

#[tokio::test]
async fn reopens_session_once_when_session_expires() {
    // S-181
    let wire = Wire::new().await;
    let (client, stream) = session(&wire, builder()).await;
    let calls = [calls(&client), calls(&client), calls(&client)];
    let gone = || json_error(404, -32001, Value::Null);
    let asked = wire.play(&[gone(), gone(), gone()]).await;
    assert_eq!(methods(&asked), ["tools/call"; 3]);
    let asked = wire.play(&[with_session_id("s-2", json_result(initialized(LEGACY))), accept_notification()]).await;
    assert_eq!(methods(&asked), ["initialize", "notifications/initialized"]);
    assert_eq!((asked[0].header("mcp-session-id"), asked[0].header("mcp-protocol-version")), (None, None));
    // The GET stream of the new session and the calls, in any order.
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
        seen.push(asked.method_name());
    }
    seen.sort();
    assert_eq!(seen, ["GET", "tools/call", "tools/call", "tools/call"]);
    for call in calls {
        with_timeout(call).await.expect("no panic").expect("a result");
    }
    stream.expects_disconnect().await;
}

#[tokio::test]
async fn detects_expired_session_when_get_stream_fails() {
    // S-181
    let wire = Wire::new().await;
    let (client, mut stream) = session(&wire, builder()).await;
    stream.say([&chunk("retry: 1\n\n"), END.as_bytes()].concat()).await;
    drop(stream);
    // The response to a POST shows that the session is gone.
    let asked = wire.play(&[respond_with(404, "text/plain", ""), respond_with(404, "text/plain", "")]).await;
    assert_eq!(methods(&asked), ["GET", "ping"]);
    // The client does not use the old session again.
    tokio::time::sleep(Duration::from_millis(20)).await;
    let call = calls(&client);
    let script = [with_session_id("s-2", json_result(initialized(LEGACY))), accept_notification()];
    assert_eq!(methods(&wire.play(&script).await), ["initialize", "notifications/initialized"]);
    call.abort();
}

#[tokio::test]
async fn resumes_stream_after_retry_delay_when_disconnected() {
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
    with_timeout(call).await.expect("no panic").expect("a result");
}

#[tokio::test]
async fn retries_request_when_modern_stream_disconnects_only_if_idempotent() {
    // M26-167
    let wire = Wire::new().await;
    let client = modern(&wire, builder()).await;
    let cut: fn() -> Respond =
        || Box::new(|_| format!("{STREAM}{}", String::from_utf8_lossy(&chunk("id: 1\ndata:\n\n"))));
    let call = calls(&client);
    let first = wire.play(&[cut()]).await;
    assert_eq!(with_timeout(call).await.expect("no panic"), Err(ErrorKind::ConnectionLost));
    let list = {
        let client = client.clone();
        tokio::spawn(async move { client.tools().await })
    };
    let asked = wire.play(&[cut(), json_result(json!({ "tools": [] }))]).await;
    with_timeout(list).await.expect("no panic").expect("a list");
    assert_eq!(methods(&asked), ["tools/list"; 2]);
    assert_ne!(asked[0].json()["id"], asked[1].json()["id"]);
    assert_eq!(first[0].header("last-event-id"), None);
}

#[tokio::test]
async fn sends_annotated_arguments_in_headers_when_calling_tool() {
    // M26-193, M26-206, M26-207, M26-211, M26-217, M26-218
    let wire = Wire::new().await;
    let client = modern(&wire, builder()).await;
    let schema = json!({ "type": "object", "properties": {
        "region": { "type": "string", "x-mcp-header": "Region" }, "n": { "type": "integer", "x-mcp-header": "N" },
        "dry": { "type": "boolean", "x-mcp-header": "Dry" } } });
    let list = json_result(json!({ "resultType": "complete", "tools": [{ "name": "t", "inputSchema": schema }] }));
    run_both(async { client.tools().await }, wire.play(&[list])).await.0.expect("a list");
    let arguments = json!({ "region": "Süd", "n": 7, "dry": null });
    let (result, asked) =
        run_both(async { client.call("t", &arguments).await }, wire.play(&[json_result(text("ok"))])).await;
    result.expect("a result");
    assert_eq!(asked[0].header("mcp-param-region"), Some("=?base64?U8O8ZA==?="));
    assert_eq!((asked[0].header("mcp-param-n"), asked[0].header("mcp-param-dry")), (Some("7"), None));
    // A call whose argument does not fit into a header is not sent.
    let error = client.call("t", json!({ "n": 9_007_199_254_740_993_i64 })).await.expect_err("not representable");
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
    assert!(wire.has_no_connection().await);
}

#[tokio::test]
async fn error_kind_is_limit_when_response_is_too_large() {
    let wire = Wire::new().await;
    let client = modern(&wire, impatient_builder().http(options().body_bytes(1000).event_bytes(1000))).await;
    let long = "x".repeat(2000);
    let bodies = [
        json_result(text(&long)),
        Box::new(move |_: &ReceivedRequest| {
            format!("{STREAM}{}", String::from_utf8_lossy(&chunk(format!("data: {long}\n\n"))))
        }) as Respond,
    ];
    for body in bodies {
        let call = calls(&client);
        let (asked, mut peer) = wire.asked().await;
        peer.try_write(body(&asked)).await;
        assert_eq!(with_timeout(call).await.expect("no panic"), Err(ErrorKind::Limit));
    }
}

#[tokio::test]
async fn sends_builder_headers_and_credentials_with_every_request() {
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
    let (client, asked) = wire.connect(asking, &[json_result(discovered(&[Revision::LATEST.as_str()]))]).await;
    client.expect("a client");
    assert_eq!((asked[0].header("x-api-key"), asked[0].header("authorization")), (Some("KEY"), Some("Bearer s3cret")));
    let error = with_timeout(builder().credentials(Missing).connect(wire.url("/mcp"))).await.expect_err("no key");
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.to_string().contains("the key ring is locked"), "{error}");
    let error = with_timeout(builder().header("Accept", "text/plain").connect(wire.url("/mcp")))
        .await
        .expect_err("reserved header");
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(wire.has_no_connection().await);
}
