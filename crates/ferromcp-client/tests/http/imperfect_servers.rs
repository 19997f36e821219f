//! Servers that deviate from the specification, or are down for a while.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ferromcp_client::{Client, ClientBuilder, ClientLimits, ConnectionState, ErrorKind};
use ferromcp_core::{Era, ErrorCode, Revision};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::script::{
    Respond, accept_notification, builder, closing, discovered, initialized, json_error, json_result, methods,
    respond_with, text, with_session_id, with_timeout,
};
use crate::wire::{ReceivedRequest, STREAM, Wire, chunk, run_both};

const LEGACY: Revision = Revision::LATEST_LEGACY;

/// Responses of a server that starts a session.
fn session_script(id: &'static str) -> [Respond; 2] {
    [with_session_id(id, json_result(initialized(LEGACY))), accept_notification()]
}

/// Connects in a session whose first GET gets this response.
async fn session(wire: &Wire, get: Respond) -> Client {
    let server = async {
        wire.play(&session_script("s-1")).await;
        assert_eq!(methods(&wire.play(&[get]).await), ["GET"]);
    };
    run_both(builder().only_era(Era::Legacy).connect(wire.url("/mcp")), server).await.0.expect("a client")
}

async fn modern(wire: &Wire, builder: ClientBuilder) -> Client {
    let script = [json_result(discovered(&[Revision::LATEST.as_str()]))];
    wire.connect(builder, &script).await.0.expect("a client")
}

fn call(client: &Client) -> JoinHandle<Result<(), ferromcp_client::ClientError>> {
    let client = client.clone();
    tokio::spawn(async move { client.call("t", ()).await.map(drop) })
}

/// Calls a tool whose response is this one, in the session `id`.
async fn call_in_session(wire: &Wire, client: &Client, id: &str) {
    let calling = call(client);
    let asked = wire.play(&[json_result(text("ok"))]).await;
    assert_eq!((methods(&asked), asked[0].header("mcp-session-id")), (vec!["tools/call".to_owned()], Some(id)));
    with_timeout(calling).await.expect("no panic").expect("a result");
}

/// Responses to the first GET of servers without a GET stream.
fn without_get_stream() -> Vec<Respond> {
    let redirect: Respond =
        Box::new(|_| closing(302, "text/plain", "").replacen("Content-Type", "Location: /login\r\nContent-Type", 1));
    vec![
        respond_with(404, "text/html", "<html>Not found</html>"),
        respond_with(404, "application/json", r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32601,"message":"m"}}"#),
        respond_with(405, "text/plain", ""),
        respond_with(501, "text/plain", "Unsupported method ('GET')"),
        respond_with(400, "application/json", r#"{"error":"no GET"}"#),
        respond_with(406, "text/plain", ""),
        respond_with(200, "text/html", "<html>Welcome</html>"),
        respond_with(200, "application/json", "{}"),
        respond_with(204, "text/plain", ""),
        respond_with(403, "text/plain", ""),
        redirect,
    ]
}

#[tokio::test]
async fn session_continues_when_first_get_is_rejected() {
    // C1
    for get in without_get_stream() {
        let wire = Wire::new().await;
        let client = session(&wire, get).await;
        for _ in 0..2 {
            call_in_session(&wire, &client, "s-1").await;
        }
        assert!(wire.has_no_connection().await, "no other GET and no other session");
    }
}

#[tokio::test]
async fn session_continues_when_first_get_fails_temporarily() {
    // C1
    for status in [500, 502, 503, 504, 429] {
        let wire = Wire::new().await;
        let client = session(&wire, respond_with(status, "text/html", "<html>Bad gateway</html>")).await;
        for _ in 0..2 {
            call_in_session(&wire, &client, "s-1").await;
        }
        assert!(wire.has_no_connection().await, "{status}: no other session, and the next GET is later");
        assert_eq!(client.state(), ConnectionState::Connected);
    }
}

#[tokio::test]
async fn session_continues_when_connection_of_first_get_is_closed_or_reset() {
    // C1
    for is_reset in [true, false] {
        let wire = Wire::new().await;
        let server = async {
            wire.play(&session_script("s-1")).await;
            if is_reset {
                wire.reset_connection().await;
            } else {
                assert_eq!(wire.asked().await.0.method, "GET");
            }
        };
        let client = run_both(builder().only_era(Era::Legacy).connect(wire.url("/mcp")), server).await.0;
        let client = client.expect("a client");
        for _ in 0..2 {
            call_in_session(&wire, &client, "s-1").await;
        }
        assert!(wire.has_no_connection().await, "no other session, and the next GET is later");
    }
}

#[tokio::test]
async fn reopens_session_when_post_is_rejected_and_there_is_no_get() {
    // C1, S-181
    let wire = Wire::new().await;
    let client = session(&wire, respond_with(404, "text/plain", "")).await;
    let calling = call(&client);
    let [initialize, notification] = session_script("s-2");
    let script = [
        json_error(404, -32001, Value::Null),
        initialize,
        notification,
        respond_with(404, "text/plain", ""),
        json_result(text("ok")),
    ];
    let asked = wire.play(&script).await;
    assert_eq!(methods(&asked), ["tools/call", "initialize", "notifications/initialized", "GET", "tools/call"]);
    with_timeout(calling).await.expect("no panic").expect("a result");
    call_in_session(&wire, &client, "s-2").await;
}

#[tokio::test]
async fn session_continues_when_get_stream_is_gone_and_post_is_accepted() {
    // C1
    let wire = Wire::new().await;
    let stream: Respond = Box::new(|_| closing(200, "text/event-stream", "retry: 1\n\n"));
    let client = session(&wire, stream).await;
    let asked = wire.play(&[respond_with(404, "text/plain", ""), json_result(json!({}))]).await;
    assert_eq!(methods(&asked), ["GET", "ping"]);
    call_in_session(&wire, &client, "s-1").await;
    assert!(wire.has_no_connection().await);
}

/// Responds with status 400 and this JSON-RPC error.
fn rejected(id: Option<Value>, code: i64, message: &'static str) -> Respond {
    Box::new(move |asked: &ReceivedRequest| {
        let mut body = json!({ "jsonrpc": "2.0", "error": { "code": code, "message": message } });
        match &id {
            Some(id) if id == "same" => body["id"] = asked.json()["id"].clone(),
            Some(id) => body["id"] = id.clone(),
            None => {}
        }
        closing(400, "application/json", &body.to_string())
    })
}

#[tokio::test]
async fn retries_once_in_new_session_when_status_is_400() {
    // C7
    for (id, code, message) in [
        (Some(Value::Null), -32000, "Bad Request: No valid session ID provided"),
        (None, -32000, "Bad Request: Server not initialized"),
        (Some(json!("server-error")), -32600, "Bad Request: Missing session ID"),
        (Some(json!(4711)), -32602, "m"),
        (Some(json!("same")), -32001, "Session not found"),
    ] {
        let wire = Wire::new().await;
        let client = session(&wire, respond_with(405, "text/plain", "")).await;
        let calling = call(&client);
        let [initialize, notification] = session_script("s-2");
        let get = respond_with(405, "text/plain", "");
        let script = [rejected(id, code, message), initialize, notification, get, json_result(text("ok"))];
        let mut asked = wire.play(&script[..2]).await;
        // The old session is deleted at any time after the new one was opened.
        while asked.last().is_none_or(|last| last.method_name() != "tools/call") {
            let (request, mut peer) = wire.asked().await;
            let respond = match &*request.method_name() {
                "notifications/initialized" => &script[2],
                "tools/call" => &script[4],
                _ => &script[3],
            };
            peer.say(respond(&request)).await;
            asked.push(request);
        }
        assert_eq!(methods(&asked)[..3], ["tools/call", "initialize", "notifications/initialized"], "{message}");
        assert_eq!(asked.last().expect("a call").header("mcp-session-id"), Some("s-2"));
        with_timeout(calling).await.expect("no panic").expect("a result");
    }
}

#[tokio::test]
async fn error_of_server_is_returned_when_new_session_is_rejected_too() {
    // C7
    let wire = Wire::new().await;
    let script = [json_result(initialized(LEGACY)), accept_notification()];
    let client = wire.connect(builder().only_era(Era::Legacy), &script).await.0.expect("a client");
    let calling = call(&client);
    let no = || rejected(None, -32000, "the licence has expired");
    let script = [no(), json_result(initialized(LEGACY)), accept_notification(), no()];
    let asked = wire.play(&script).await;
    assert_eq!(methods(&asked), ["tools/call", "initialize", "notifications/initialized", "tools/call"]);
    let error = with_timeout(calling).await.expect("no panic").expect_err("rejected");
    assert!(error.to_string().contains("the licence has expired"), "{error}");
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::Server, Some(400)));
}

#[tokio::test]
async fn session_continues_when_error_with_status_400_names_the_request() {
    // C7
    let wire = Wire::new().await;
    let client = session(&wire, respond_with(405, "text/plain", "")).await;
    let calling = call(&client);
    wire.play(&[rejected(Some(json!("same")), -32602, "Unknown tool: t")]).await;
    let error = with_timeout(calling).await.expect("no panic").expect_err("rejected");
    assert_eq!(error.rpc().expect("an error").code, ErrorCode::INVALID_PARAMS);
    call_in_session(&wire, &client, "s-1").await;
}

#[tokio::test]
async fn session_continues_when_error_with_status_404_is_of_the_method() {
    // C1, C7
    let wire = Wire::new().await;
    let client = session(&wire, respond_with(404, "text/plain", "")).await;
    for code in [-32601, -32602, -32002] {
        let calling = call(&client);
        assert_eq!(methods(&wire.play(&[json_error(404, code, Value::Null)]).await), ["tools/call"]);
        let error = with_timeout(calling).await.expect("no panic").expect_err("an error");
        assert_eq!(error.rpc().expect("an error").code, ErrorCode(code), "{error}");
        call_in_session(&wire, &client, "s-1").await;
    }
    assert!(wire.has_no_connection().await);
}

/// Returns the outcome of a call whose response is a stream with these events. `ID` stands for the ID of the request.
async fn call_with_events(client: &Client, wire: &Wire, events: &str) -> Result<(), ferromcp_client::ClientError> {
    let calling = call(client);
    let (asked, mut peer) = wire.asked().await;
    peer.say(STREAM).await;
    peer.say(chunk(events.replace("ID", &asked.json()["id"].to_string()))).await;
    with_timeout(calling).await.expect("no panic")
}

async fn clients_of_both_eras(wire: &Wire) -> [Client; 2] {
    let script = [json_result(initialized(LEGACY)), accept_notification()];
    let legacy = wire.connect(builder().only_era(Era::Legacy), &script).await.0.expect("a client");
    [modern(wire, builder()).await, legacy]
}

#[tokio::test]
async fn error_event_on_stream_is_the_error_of_the_call() {
    // C13
    let wire = Wire::new().await;
    for client in clients_of_both_eras(&wire).await {
        for data in [
            r#"{"jsonrpc":"2.0","id":ID,"error":{"code":-32001,"message":"out of quota"}}"#,
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"out of quota"}}"#,
            r#"{"jsonrpc":"2.0","error":{"code":-32001,"message":"out of quota"}}"#,
            r#"{"jsonrpc":"2.0","id":"server-error","error":{"code":-32001,"message":"out of quota"}}"#,
            r#"{"error":{"code":-32001,"message":"out of quota","data":{"n":1}}}"#,
            r#"{"code":-32001,"message":"out of quota","data":[1]}"#,
            r#"{"error":"out of quota"}"#,
            r#"{"error":{"code":"E_QUOTA","message":"out of quota"}}"#,
            r#"{"message":"out of quota","detail":null}"#,
        ] {
            let outcome = call_with_events(&client, &wire, &format!("event: error\ndata: {data}\n\n")).await;
            let error = outcome.expect_err(data);
            assert_eq!(error.rpc().expect(data).message, "out of quota", "{error}");
            assert_eq!(error.kind(), ErrorKind::Server, "{error}");
        }
    }
}

#[tokio::test]
async fn event_with_another_name_is_the_response_when_it_is_json_rpc() {
    // C13
    let wire = Wire::new().await;
    let answer = json!({ "jsonrpc": "2.0", "id": "ID", "result": text("ok") }).to_string().replace("\"ID\"", "ID");
    for client in clients_of_both_eras(&wire).await {
        for name in ["response", "result", "Message"] {
            let outcome = call_with_events(&client, &wire, &format!("event: {name}\ndata: {answer}\n\n")).await;
            assert!(outcome.is_ok(), "{name} {outcome:?}");
        }
    }
}

#[tokio::test]
async fn stray_events_before_the_response_are_skipped() {
    // C13
    let wire = Wire::new().await;
    let answer = json!({ "jsonrpc": "2.0", "id": "ID", "result": text("ok") }).to_string().replace("\"ID\"", "ID");
    for client in clients_of_both_eras(&wire).await {
        for stray in [
            "data: connected\n\n",
            "data: [DONE]\n\n",
            "data: {\n\n",
            "data: null\n\ndata: 7\n\ndata: []\n\n",
            "data: {\"type\":\"heartbeat\",\"at\":1}\n\n",
            "event: error\ndata: upstream is slow\n\n",
            "event: ping\ndata: {\"jsonrpc\":\"2.0\"}\n\n",
            ": comment\n\nid: 1\ndata:\n\n",
            "data: {\"jsonrpc\":\"2.0\",\"id\":\"other\",\"result\":{}}\n\n",
        ] {
            let outcome = call_with_events(&client, &wire, &format!("{stray}data: {answer}\n\n")).await;
            assert!(outcome.is_ok(), "{stray:?} {outcome:?}");
        }
    }
}

/// Listens on `address` again after `time`.
async fn restarted(address: SocketAddr, time: Duration) -> Wire {
    sleep(time).await;
    Wire::at(address).await
}

#[tokio::test]
async fn retries_with_backoff_when_connection_is_refused() {
    // C14
    let wire = Wire::new().await;
    let client = modern(&wire, builder()).await;
    let address = wire.address();
    drop(wire);
    // Nothing was sent, so a tool that is not idempotent is called as well.
    let calling = call(&client);
    let wire = restarted(address, Duration::from_millis(700)).await;
    assert_eq!(methods(&wire.play(&[json_result(text("ok"))]).await), ["tools/call"]);
    with_timeout(calling).await.expect("no panic").expect("a result");
    assert!(wire.has_no_connection().await, "it is sent once");
}

#[tokio::test]
async fn reopens_session_when_server_is_down_and_restarts_without_it() {
    // C14
    let wire = Wire::new().await;
    let client = session(&wire, respond_with(404, "text/plain", "")).await;
    let address = wire.address();
    drop(wire);
    let calling = call(&client);
    let wire = restarted(address, Duration::from_millis(300)).await;
    assert_eq!(methods(&wire.play(&[respond_with(404, "text/plain", "")]).await), ["tools/call"]);
    drop(wire);
    // The handshake is retried with the same backoff.
    let wire = restarted(address, Duration::from_millis(300)).await;
    let [initialize, notification] = session_script("s-2");
    let script = [initialize, notification, respond_with(404, "text/plain", ""), json_result(text("ok"))];
    let asked = wire.play(&script).await;
    assert_eq!(methods(&asked), ["initialize", "notifications/initialized", "GET", "tools/call"]);
    with_timeout(calling).await.expect("no panic").expect("a result");
}

#[tokio::test]
async fn retries_end_when_attempts_or_timeout_are_exhausted() {
    // C14
    for (attempts, timeout, time) in [(0, 10_000, 0..300), (3, 10_000, 600..1500), (50, 500, 100..900)] {
        let wire = Wire::new().await;
        let limits = ClientLimits::new().restart_attempts(attempts);
        let client = modern(&wire, builder().limits(limits)).await;
        drop(wire);
        let since = Instant::now();
        let error = with_timeout(client.call("t", ()).timeout(Duration::from_millis(timeout))).await;
        let (error, took) = (error.expect_err("refused"), since.elapsed().as_millis());
        assert!(time.contains(&took), "{attempts} {timeout}: {took}");
        assert!(error.kind() == ErrorKind::Connect && error.is_unsent(), "{error}");
        assert!(error.to_string().starts_with("cannot reach `"), "the cause is first: {error}");
        assert!(error.to_string().ends_with("`tools/call` did not run and can be retried"), "{error}");
    }
}

#[tokio::test]
async fn does_not_retry_when_request_can_never_be_sent() {
    // C14
    let wire = Wire::new().await;
    let client = modern(&wire, builder()).await;
    let calling = call(&client);
    let away: Respond = Box::new(|_| {
        closing(302, "text/plain", "").replacen("Content-Type", "Location: https://example.com/\r\nContent-Type", 1)
    });
    wire.play(&[away]).await;
    let error = with_timeout(calling).await.expect("no panic").expect_err("redirected");
    assert!(error.is_unsent() && !error.to_string().contains("retried"), "{error}");
    assert!(wire.has_no_connection().await);
}

#[tokio::test]
async fn error_names_tool_and_type_when_result_has_another_type() {
    let wire = Wire::new().await;
    let client = modern(&wire, builder()).await;
    let calling = async { client.call_as::<Vec<u8>>("count", ()).await };
    let error = run_both(calling, wire.play(&[json_result(text("many"))])).await.0.expect_err("not a list");
    assert!(error.to_string().starts_with("tool `count`: cannot deserialize the result as `Vec<u8>`: "), "{error}");
}
