//! Sessions that never exist, errors as plain text, streams without a blank line at the end, and changed ids.

use std::future::IntoFuture;

use ferromcp_client::{Client, ClientError, ErrorKind};
use ferromcp_core::{Era, Revision};
use serde_json::json;
use tokio::task::JoinHandle;

use crate::script::{
    Respond, accept_notification, builder, closing, discovered, impatient_builder, initialized, json_error,
    json_result, methods, respond_with, text, with_session_id, with_timeout,
};
use crate::wire::{END, ReceivedRequest, STREAM, Wire, chunk, run_both};

const LEGACY: Revision = Revision::LATEST_LEGACY;

fn call(client: &Client) -> JoinHandle<Result<(), ClientError>> {
    let client = client.clone();
    tokio::spawn(async move { client.call("t", ()).await.map(drop) })
}

/// Returns the headers of a stream whose connection is not used again.
fn closing_stream() -> String {
    STREAM.replacen("Content-Type", "Connection: close\r\nContent-Type", 1)
}

/// Connects one client of each era. Neither has a session.
async fn clients_of_both_eras(wire: &Wire) -> [Client; 2] {
    let script = [json_result(initialized(LEGACY)), accept_notification()];
    let legacy = wire.connect(impatient_builder().only_era(Era::Legacy), &script).await.0.expect("a client");
    let script = [json_result(discovered(&[Revision::LATEST.as_str()]))];
    [wire.connect(impatient_builder(), &script).await.0.expect("a client"), legacy]
}

/// Returns the outcome of a call whose response is a stream with these events. `ANSWER` stands for the response.
async fn call_with_stream(client: &Client, wire: &Wire, events: &str, is_complete: bool) -> Result<(), ClientError> {
    let calling = call(client);
    let (asked, mut peer) = wire.asked().await;
    let answer = json!({ "jsonrpc": "2.0", "id": asked.json()["id"], "result": text("ok") }).to_string();
    peer.say([closing_stream().as_bytes(), &chunk(events.replace("ANSWER", &answer))].concat()).await;
    if is_complete {
        peer.say(END).await;
    } else {
        drop(peer);
    }
    with_timeout(calling).await.expect("no panic")
}

#[tokio::test]
async fn error_names_the_cause_when_new_session_is_rejected_with_404_too() {
    // C7
    for gone in [json_error(404, -32001, json!(null)), respond_with(404, "text/plain", "no such page")] {
        let wire = Wire::new().await;
        let session = |id| [with_session_id(id, json_result(initialized(LEGACY))), accept_notification()];
        let no_get = || respond_with(405, "text/plain", "");
        let server = async {
            wire.play(&session("s-1")).await;
            wire.play(&[no_get()]).await;
        };
        let (client, ()) = run_both(builder().only_era(Era::Legacy).connect(wire.url("/mcp")), server).await;
        let client = client.expect("a client");
        let calling = call(&client);
        wire.play(std::slice::from_ref(&gone)).await;
        wire.play(&session("s-2")).await;
        let asked = wire.play(&[no_get(), gone]).await;
        assert_eq!(
            (methods(&asked), asked[1].header("mcp-session-id")),
            (vec!["GET".into(), "tools/call".into()], Some("s-2"))
        );
        let error = with_timeout(calling).await.expect("no panic").expect_err("rejected");
        assert_eq!(
            error.to_string(),
            "`tools/call` failed with HTTP status 404 in its session and again in a new one; check the path of the URL, \
             and that each request reaches the server process that has the session"
        );
        assert_eq!((error.kind(), error.http_status()), (ErrorKind::InvalidResponse, Some(404)));
        assert!(wire.has_no_connection().await, "it is retried once");
    }
}

#[tokio::test]
async fn error_names_the_url_when_server_without_session_returns_404() {
    let wire = Wire::new().await;
    let [_, legacy] = clients_of_both_eras(&wire).await;
    let calling = call(&legacy);
    let no = || respond_with(404, "text/html", "<html>");
    let asked = wire.play(&[no(), json_result(initialized(LEGACY)), accept_notification(), no()]).await;
    assert_eq!(methods(&asked), ["tools/call", "initialize", "notifications/initialized", "tools/call"]);
    let error = with_timeout(calling).await.expect("no panic").expect_err("rejected").to_string();
    assert_eq!(error, "`tools/call` failed with HTTP status 404; check that the URL is the MCP endpoint");
}

#[tokio::test]
async fn text_of_error_event_is_the_error_of_the_call_when_no_response_follows() {
    // C13
    let wire = Wire::new().await;
    for client in clients_of_both_eras(&wire).await {
        for (event, message) in [
            ("event: error\ndata: out of quota\n\n", "out of quota"),
            ("event: ERROR\ndata: \"out of quota\"\n\n", "out of quota"),
            ("event: error\ndata: {\"detail\":\"quota\"}\n\n", "{\"detail\":\"quota\"}"),
            ("event: error\ndata: out of\ndata:  quota\n\ndata: [DONE]\n\n", "out of\n quota"),
            ("event: error\ndata: slow\n\nevent: error\ndata: out of quota\n\n", "out of quota"),
            ("event: error\ndata: \u{1b}[31mred\u{202e}\n\n", "\\u{1b}[31mred\\u{202e}"),
            ("event: error\ndata: out of quota", "out of quota"),
        ] {
            for is_complete in [true, false] {
                let error = call_with_stream(&client, &wire, event, is_complete).await.expect_err(event);
                assert_eq!(error.rpc().expect(event).message, message, "{error}");
                assert!(error.to_string().contains(message) && error.kind() == ErrorKind::Server, "{error}");
            }
        }
        let long = format!("event: error\ndata: {}\n\n", "x".repeat(1_000_000));
        let error = call_with_stream(&client, &wire, &long, true).await.expect_err("an error");
        assert!(error.to_string().len() < 5000 && error.rpc().expect("an error").message.len() < 5000);
        // The text is not an error if the response follows.
        let events = "event: error\ndata: upstream is slow\n\ndata: ANSWER\n\n";
        call_with_stream(&client, &wire, events, true).await.expect("a result");
    }
}

#[tokio::test]
async fn response_is_taken_when_stream_ends_without_blank_line() {
    let wire = Wire::new().await;
    for client in clients_of_both_eras(&wire).await {
        for events in [
            "data: ANSWER",
            "data: ANSWER\n",
            "data: ANSWER\r",
            "data: ANSWER\r\n",
            "event: message\ndata: ANSWER",
            ": hi\n\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}\n\nid: 1\ndata: ANSWER",
            "data: [ANSWER]",
        ] {
            for is_complete in [true, false] {
                let outcome = call_with_stream(&client, &wire, events, is_complete).await;
                outcome.unwrap_or_else(|error| panic!("{events:?}: {error}"));
            }
            // The body has a length.
            let calling = call(&client);
            let respond: Respond = Box::new(move |asked: &ReceivedRequest| {
                let answer = json!({ "jsonrpc": "2.0", "id": asked.json()["id"], "result": text("ok") }).to_string();
                closing(200, "text/event-stream", &events.replace("ANSWER", &answer))
            });
            wire.play(&[respond]).await;
            with_timeout(calling).await.expect("no panic").expect(events);
        }
        // A message that is not complete is discarded, as are events with other names.
        for events in ["data: {\"jsonrpc\":\"2.0\"", "data: 7", "data: ", "dat", "event: other\ndata: {}"] {
            for is_complete in [true, false] {
                let error = call_with_stream(&client, &wire, events, is_complete).await.expect_err(events);
                assert!(error.is_connection_lost(), "{events:?}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn resumes_after_last_complete_event_when_stream_ends_within_an_event() {
    let wire = Wire::new().await;
    let [_, legacy] = clients_of_both_eras(&wire).await;
    let calling = tokio::spawn(legacy.call("t", ()).into_future());
    let (asked, mut peer) = wire.asked().await;
    let events = chunk("id: e-1\nretry: 1\ndata:\n\nid: e-2\ndata: {\"jsonrpc\":\"2.0\",");
    peer.say([closing_stream().as_bytes(), &events, END.as_bytes()].concat()).await;
    drop(peer);
    let (get, mut peer) = wire.asked().await;
    assert_eq!((&*get.method, get.header("last-event-id")), ("GET", Some("e-1")));
    let answer = json!({ "jsonrpc": "2.0", "id": asked.json()["id"], "result": text("ok") });
    peer.say([closing_stream().as_bytes(), &chunk(format!("id: e-2\ndata: {answer}")), END.as_bytes()].concat()).await;
    with_timeout(calling).await.expect("no panic").expect("a result");
    // Without an earlier event, the stream cannot be resumed.
    let error = call_with_stream(&legacy, &wire, "id: e-3\ndata: {", true).await.expect_err("lost");
    assert!(error.is_connection_lost(), "{error}");
    assert!(wire.has_no_connection().await);
}

#[tokio::test]
async fn call_fails_immediately_when_response_has_another_id() {
    // C12
    let wire = Wire::new().await;
    for client in clients_of_both_eras(&wire).await {
        for id in [r#""0ID""#, "ID.5", "99999", r#"["ID"]"#] {
            let calling = call(&client);
            let respond: Respond = Box::new(move |asked: &ReceivedRequest| {
                let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{}}}"#, text("ok"));
                closing(200, "application/json", &body.replace("ID", &asked.json()["id"].to_string()))
            });
            wire.play(&[respond]).await;
            let error = with_timeout(calling).await.expect("no panic").expect_err(id);
            assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{id}: {error}");
        }
        // A batch is accepted at every revision.
        let calling = call(&client);
        let respond: Respond = Box::new(move |asked: &ReceivedRequest| {
            let answer = json!({ "jsonrpc": "2.0", "id": asked.json()["id"], "result": text("ok") });
            closing(200, "application/json", &json!([{ "x": 1 }, answer]).to_string())
        });
        wire.play(&[respond]).await;
        with_timeout(calling).await.expect("no panic").expect("a result");
    }
}
