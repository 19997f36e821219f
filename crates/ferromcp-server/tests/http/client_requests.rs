//! Server-to-client requests over HTTP: sent on the stream of their call, and answered with a separate POST.

use std::sync::atomic::Ordering;
use std::time::Duration;

use ferromcp_core::Revision;
use ferromcp_core::header::field;
use ferromcp_core::model::SamplingContent;
use ferromcp_server::http::HttpServerOptions;
use ferromcp_server::{Ctx, Server, ServerLimits, Tool, ToolError};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::client::{Session, initialize_with, legacy, legacy_message, post};
use crate::events::Events;
use crate::fixture::{CallControl, Host, wait_for};
use crate::http_sse::SseClient;
use crate::in_process;
use crate::message::Response;

/// All client capabilities for server requests.
fn all_capabilities() -> Value {
    json!({ "elicitation": { "form": {}, "url": {} }, "sampling": {}, "roots": {} })
}

/// A sampling result with this text.
fn sampled(text: &str) -> Value {
    json!({ "role": "assistant", "model": "m", "content": { "type": "text", "text": text } })
}

/// Samples `question`, and returns the text of the result.
async fn sample(ctx: &Ctx, question: &str) -> Result<String, ToolError> {
    let text = |block: SamplingContent| match block {
        SamplingContent::Text(text) => Some(text.text),
        _ => None,
    };
    Ok(ctx.sample(question).await?.content.into_iter().filter_map(text).collect())
}

/// Increments a counter when a call is dropped or answered.
struct CallGuard(CallControl);

impl Drop for CallGuard {
    fn drop(&mut self) {
        self.0.finished.fetch_add(1, Ordering::SeqCst);
    }
}

fn server(control: &CallControl) -> Server {
    let control = control.clone();
    Server::new("asking", "1")
        .with_tool(Tool::new("one", move |ctx: Ctx| {
            let control = control.clone();
            async move {
                let _guard = CallGuard(control.clone());
                ctx.progress(1.0, None).await;
                let one = sample(&ctx, "One?").await?;
                control.answered.fetch_add(1, Ordering::SeqCst);
                Ok::<_, ToolError>(one)
            }
        }))
        .with_tool(Tool::new("both", |ctx: Ctx| async move {
            let (one, two) = tokio::join!(sample(&ctx, "One?"), sample(&ctx, "Two?"));
            Ok::<_, ToolError>(format!("{} {}", one?, two?))
        }))
        .with_tool(Tool::new("impatient", |ctx: Ctx| async move {
            match ctx.sample("One?").timeout(Duration::from_millis(30)).await {
                Err(error) => error.to_string(),
                Ok(response) => format!("{response:?}"),
            }
        }))
        .with_tool(Tool::new(
            "sure",
            |ctx: Ctx| async move { ctx.elicit::<bool>("Sure?").await.map(|it| it.to_string()) },
        ))
        .with_tool(Tool::new("visit", |ctx: Ctx| async move {
            let visit = ctx.elicit_url("Sign in, please", "https://example.com/sign-in").await?;
            Ok::<_, ToolError>(visit.id.unwrap_or_default())
        }))
}

async fn host() -> Host {
    host_with(HttpServerOptions::new()).await
}

async fn host_with(options: HttpServerOptions) -> Host {
    let control = CallControl::default();
    Host::of(server(&control), control, options).await
}

/// Returns the stream of a call, after its priming event.
async fn stream(response: Response, revision: Revision) -> Events {
    let mut stream = response.events().await;
    if revision == Revision::V2025_11_25 {
        stream.primed().await;
    }
    stream
}

/// Receives the next message, which must be a server request, with its event id.
async fn question(stream: &mut Events) -> (Option<String>, Value) {
    let (event, question) = stream.identified().await;
    assert!(question["method"].is_string() && question["id"].is_string(), "not a server request: {question}");
    (event, question)
}

/// Calls `one`, and returns its stream after the request, the event ids of progress and request, and the request.
async fn begin(session: &Session, id: i64) -> (Events, [String; 2], Value) {
    let mut stream = stream(session.call(id, "one", json!({})).await, session.revision).await;
    let (progress, message) = stream.identified().await;
    assert_eq!(message["params"]["progress"], 1.0, "{message}");
    let (request, question) = question(&mut stream).await;
    assert_eq!(question["method"], "sampling/createMessage");
    (stream, [progress.unwrap(), request.unwrap()], question)
}

/// Returns the text of the result of call `id`. Asserts that the stream ends after it.
async fn ends_with(mut stream: Events, id: i64) -> String {
    let answer = stream.message().await;
    assert_eq!(answer["id"], id, "{answer}");
    stream.ends().await;
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {answer}")).to_owned()
}

/// Asserts that no message arrives within 50 ms.
async fn is_silent(stream: &mut Events) {
    let response = timeout(Duration::from_millis(50), stream.next()).await;
    assert!(response.is_err(), "{response:?}");
}

#[track_caller]
fn assert_cancels(message: &Value, question: &Value) {
    assert_eq!(message["method"], "notifications/cancelled", "{message}");
    assert_eq!(message["params"]["requestId"], question["id"], "{message}");
}

#[tokio::test]
async fn request_is_sent_on_the_stream_of_its_call() {
    // S-135, S-145, S-146, S-147, S-148, S-150, S-158, S-163, S-391
    let host = host().await;
    for revision in legacy() {
        let session = Session::open_with(host.address, revision, all_capabilities()).await;
        let mut news = stream(session.get().send(host.address).await, revision).await;
        let (mut stream, _, question) = begin(&session, 1).await;
        assert_eq!(question["params"]["messages"][0]["content"]["text"], "One?");
        is_silent(&mut stream).await;
        is_silent(&mut news).await;
        session.reply(&question, sampled("yes")).await;
        assert_eq!(ends_with(stream, 1).await, "yes");
        is_silent(&mut news).await;
    }
}

#[tokio::test]
async fn concurrent_requests_are_resolved_in_any_order() {
    // S-145, S-146
    let host = host().await;
    for revision in legacy() {
        let session = Session::open_with(host.address, revision, all_capabilities()).await;
        let mut stream = stream(session.call(1, "both", json!({})).await, revision).await;
        let (one, two) = (question(&mut stream).await.1, question(&mut stream).await.1);
        session.reply(&two, sampled("two")).await;
        is_silent(&mut stream).await;
        session.reply(&one, sampled("one")).await;
        assert_eq!(ends_with(stream, 1).await, "one two");
    }
}

#[tokio::test]
async fn response_is_ignored_when_session_differs() {
    // S-135, S-136, S-178, S-180, S-449, S-450, S-457
    let host = host().await;
    for revision in legacy() {
        let session = Session::open_with(host.address, revision, all_capabilities()).await;
        let other = Session::open_with(host.address, revision, all_capabilities()).await;
        let (mut stream, _, question) = begin(&session, 1).await;
        other.reply(&question, sampled("from another session")).await;
        for id in [json!("unknown"), json!(1), json!("1")] {
            session.reply(&json!({ "id": id }), sampled("unmatched")).await;
        }
        let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": sampled("without session") });
        for (id, status) in [(None, 400), (Some("unknown"), 404)] {
            let mut request = session.post(&answer).without(field::SESSION_ID);
            if let Some(id) = id {
                request = request.add(field::SESSION_ID, id);
            }
            assert_eq!(request.send(host.address).await.status, status);
        }
        is_silent(&mut stream).await;
        session.reply(&question, sampled("mine")).await;
        session.reply(&question, sampled("twice")).await;
        assert_eq!(ends_with(stream, 1).await, "mine");
        session.reply(&question, sampled("late")).await;
    }
}

#[tokio::test]
async fn response_is_ignored_when_identity_differs() {
    // S-449, S-450, S-457
    let service = server(&CallControl::default()).http_with(HttpServerOptions::new()).unwrap();
    let revision = Revision::V2025_11_25;
    let opening = post(initialize_with(revision, all_capabilities()).to_string());
    let opened = in_process::send(&service, &opening, Some("ann")).await;
    let id = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    let session = Session { address: ([127, 0, 0, 1], 0).into(), revision, id };
    let call = session.post(&legacy_message(1, "tools/call", json!({ "name": "sure", "arguments": {} })));
    let mut stream = in_process::send(&service, &call, Some("ann")).await.into_body();
    let mut text = String::new();
    while !text.contains("elicitation/create") {
        text += std::str::from_utf8(&in_process::chunk(&mut stream).await.expect("a question")).unwrap();
    }
    let line = text.lines().find_map(|line| line.strip_prefix("data: {")).expect("a message");
    let question: Value = serde_json::from_str(&format!("{{{line}")).unwrap();
    let answer = |sure| {
        let result = json!({ "action": "accept", "content": { "value": sure } });
        session.post(&json!({ "jsonrpc": "2.0", "id": question["id"], "result": result }))
    };
    for stranger in [Some("bob"), None] {
        assert_eq!(in_process::answer(&service, &answer(false), stranger).await.0, 404);
    }
    let nothing = timeout(Duration::from_millis(50), in_process::chunk(&mut stream)).await;
    assert!(nothing.is_err(), "{nothing:?}");
    assert_eq!(in_process::answer(&service, &answer(true), Some("ann")).await.0, 202);
    let rest = in_process::chunk(&mut stream).await.expect("the result");
    assert!(std::str::from_utf8(&rest).unwrap().contains(r#""text":"true""#), "{rest:?}");
}

#[tokio::test]
async fn request_is_replayed_when_stream_is_resumed() {
    // S-151, S-153, S-164, S-171, S-172
    let host = host().await;
    for revision in legacy().filter(|revision| *revision >= Revision::V2025_03_26) {
        let session = Session::open_with(host.address, revision, all_capabilities()).await;
        let (stream, [progress, request], first) = begin(&session, 1).await;
        drop(stream);
        let mut again = session.resume(&progress).await.events().await;
        let (event, second) = question(&mut again).await;
        assert_eq!((event, &second), (Some(request.clone()), &first));
        drop(again);
        // The response is sent while no stream is open.
        session.reply(&first, sampled("yes")).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        let rest = session.resume(&request).await.events().await;
        assert_eq!(ends_with(rest, 1).await, "yes");
        // The response is sent after the stream was resumed.
        let (stream, [progress, _], first) = begin(&session, 2).await;
        drop(stream);
        let mut again = session.resume(&progress).await.events().await;
        assert_eq!(question(&mut again).await.1, first);
        session.reply(&first, sampled("again")).await;
        assert_eq!(ends_with(again, 2).await, "again");
    }
}

#[tokio::test]
async fn pending_requests_are_cancelled_when_call_is_cancelled() {
    // S-210, S-211, S-214, S-215, S-216, S-217, S-219
    let host = host().await;
    for (round, revision) in legacy().enumerate() {
        let session = Session::open_with(host.address, revision, all_capabilities()).await;
        let (mut stream, _, question) = begin(&session, 1).await;
        session.notify("notifications/cancelled", json!({ "requestId": 1 })).await.empty(202).await;
        assert_cancels(&stream.message().await, &question);
        stream.ends().await;
        wait_for(&host.control.finished, round + 1).await;
        session.reply(&question, sampled("late")).await;
        assert_eq!(session.send(2, "ping", json!({})).await.json().await["result"], json!({}));
    }
    assert_eq!(host.control.answered.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn cancellation_is_replayed_when_stream_is_resumed() {
    // S-171, S-210
    let host = host().await;
    for revision in legacy().filter(|revision| *revision >= Revision::V2025_03_26) {
        let session = Session::open_with(host.address, revision, all_capabilities()).await;
        let (stream, [progress, _], first) = begin(&session, 1).await;
        drop(stream);
        let mut again = session.resume(&progress).await.events().await;
        assert_eq!(question(&mut again).await.1, first);
        session.notify("notifications/cancelled", json!({ "requestId": 1 })).await.empty(202).await;
        assert_cancels(&again.message().await, &first);
        again.ends().await;
    }
}

#[tokio::test]
async fn request_is_cancelled_when_it_times_out() {
    // S-093, S-094, S-095, S-096, S-098, S-210, S-219
    let host = host().await;
    for revision in legacy() {
        let session = Session::open_with(host.address, revision, all_capabilities()).await;
        let mut stream = stream(session.call(1, "impatient", json!({})).await, revision).await;
        let request = question(&mut stream).await.1;
        assert_cancels(&stream.message().await, &request);
        session.reply(&request, sampled("late")).await;
        assert_eq!(ends_with(stream, 1).await, "timed out after 30ms waiting for an answer: One?");
    }
}

#[tokio::test]
async fn pending_requests_fail_when_session_ends() {
    // S-149, S-180
    let host = host().await;
    for (round, revision) in legacy().enumerate() {
        let session = Session::open_with(host.address, revision, all_capabilities()).await;
        let (mut stream, _, question) = begin(&session, 1).await;
        session.delete().send(host.address).await.empty(204).await;
        stream.ends().await;
        wait_for(&host.control.finished, round + 1).await;
        let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": sampled("late") });
        assert_eq!(session.post(&answer).send(host.address).await.status, 404);
    }
}

#[tokio::test]
async fn request_fails_when_pending_limit_is_reached() {
    let limits = ServerLimits::new().questions(1);
    let control = CallControl::default();
    let host = Host::of(server(&control).limits(limits), control, HttpServerOptions::new()).await;
    let session = Session::open_with(host.address, Revision::V2025_11_25, all_capabilities()).await;
    let mut stream = stream(session.call(1, "both", json!({})).await, session.revision).await;
    let request = question(&mut stream).await.1;
    session.reply(&request, sampled("one")).await;
    let message = ends_with(stream, 1).await;
    assert!(
        message.contains("1 requests to the client are already pending; raise `ServerLimits::questions`"),
        "{message}"
    );
}

#[tokio::test]
async fn request_fails_when_client_accepts_no_stream() {
    // S-138
    let host = host().await;
    for revision in legacy() {
        let session = Session::open_with(host.address, revision, all_capabilities()).await;
        let call = legacy_message(1, "tools/call", json!({ "name": "one", "arguments": {} }));
        let mut response = session.post(&call).set("Accept", "application/json").send(host.address).await;
        let answer = response.json().await;
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
}

#[tokio::test]
async fn stateless_client_is_identified_by_its_session_id() {
    // S-146, S-173, S-175, S-423
    let host = host_with(HttpServerOptions::new().stateless(true)).await;
    for revision in legacy().filter(|revision| *revision >= Revision::V2025_06_18) {
        let mut opened =
            post(initialize_with(revision, json!({ "elicitation": {} })).to_string()).send(host.address).await;
        let id = opened.header(field::lower::SESSION_ID).expect("an id").to_owned();
        assert!(id.starts_with("told.") && id.bytes().all(|byte| (0x21..=0x7e).contains(&byte)), "{id}");
        opened.json().await;
        let session = Session { address: host.address, revision, id };
        session.notify("notifications/initialized", json!({})).await.empty(202).await;
        let mut stream = session.call(1, "sure", json!({})).await.events().await;
        let request = question(&mut stream).await.1;
        assert_eq!(request["method"], "elicitation/create");
        session.reply(&json!({ "id": "unknown" }), json!({ "action": "decline" })).await;
        is_silent(&mut stream).await;
        session.reply(&request, json!({ "action": "accept", "content": { "value": true } })).await;
        assert_eq!(ends_with(stream, 1).await, "true");
        // Undeclared capabilities fail; without the session id no capability is declared.
        let call = legacy_message(2, "tools/call", json!({ "name": "sure", "arguments": {} }));
        let other = legacy_message(2, "tools/call", json!({ "name": "both", "arguments": {} }));
        for request in [session.post(&call).without(field::SESSION_ID), session.post(&other)] {
            let answer = request.send(host.address).await.json().await;
            assert_eq!(answer["error"]["code"], -32602, "{answer}");
        }
    }
}

#[tokio::test]
async fn batches_can_contain_responses_and_calls_with_requests() {
    // S-023, S-135, S-145, S-146, S-150
    let host = host().await;
    let session = Session::open_with(host.address, Revision::V2025_03_26, all_capabilities()).await;
    let answer =
        |question: &Value, text: &str| json!({ "jsonrpc": "2.0", "id": question["id"], "result": sampled(text) });
    let (stream, _, question) = begin(&session, 1).await;
    session.post(&json!([answer(&question, "alone")])).send(host.address).await.empty(202).await;
    assert_eq!(ends_with(stream, 1).await, "alone");
    let (stream, _, question) = begin(&session, 2).await;
    let batch = json!([legacy_message(3, "ping", json!({})), answer(&question, "beside")]);
    assert_eq!(session.post(&batch).send(host.address).await.json().await[0]["id"], 3);
    assert_eq!(ends_with(stream, 2).await, "beside");
    // The requests of two calls in a batch are sent on the same stream.
    let call = |id: i64| legacy_message(id, "tools/call", json!({ "name": "both", "arguments": {} }));
    let mut stream = session.post(&json!([call(4), call(5)])).send(host.address).await.events().await;
    let mut questions = Vec::new();
    for _ in 0..2 {
        questions.push(self::question(&mut stream).await.1);
    }
    // The client cancels the first call, so its requests are cancelled, and the second call starts.
    session.notify("notifications/cancelled", json!({ "requestId": 4 })).await.empty(202).await;
    for request in questions.drain(..) {
        assert_cancels(&stream.message().await, &request);
    }
    for _ in 0..2 {
        questions.push(self::question(&mut stream).await.1);
    }
    let answers: Vec<_> = questions.iter().map(|request| answer(request, "yes")).collect();
    session.post(&json!(answers)).send(host.address).await.empty(202).await;
    let answers = stream.message().await;
    assert_eq!(answers.as_array().map(Vec::len), Some(1), "{answers}");
    assert_eq!((&answers[0]["id"], &answers[0]["result"]["content"][0]["text"]), (&json!(5), &json!("yes yes")));
    stream.ends().await;
}

#[tokio::test]
async fn http_sse_request_is_sent_on_the_session_stream() {
    // S-116, S-119, S-391
    let host = host_with(HttpServerOptions::new().http_sse(true)).await;
    for revision in [Revision::V2024_11_05, Revision::V2025_11_25] {
        let opening = initialize_with(revision, all_capabilities());
        let mut client = SseClient::connect_with(host.address, "/sse", &opening).await;
        let other = SseClient::connect_with(host.address, "/sse", &opening).await;
        client.call(1, "both", json!({})).await;
        let (one, two) = (client.stream.message().await, client.stream.message().await);
        let answer =
            |question: &Value, text: &str| json!({ "jsonrpc": "2.0", "id": question["id"], "result": sampled(text) });
        other.send(&answer(&one, "of another")).await;
        client.send(&answer(&two, "two")).await;
        client.send(&answer(&one, "one")).await;
        let result = client.stream.message().await;
        assert_eq!((&result["id"], &result["result"]["content"][0]["text"]), (&json!(1), &json!("one two")));
        // Cancelling a call cancels its requests.
        client.call(2, "both", json!({})).await;
        let (one, two) = (client.stream.message().await, client.stream.message().await);
        let cancel = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 2 } });
        client.send(&cancel).await;
        let back = [client.stream.message().await, client.stream.message().await];
        for request in [&one, &two] {
            assert!(back.iter().any(|it| it["params"]["requestId"] == request["id"]), "{back:?}");
        }
    }
}

#[tokio::test]
async fn elicitation_complete_is_sent_only_to_its_session() {
    // S-157, S-431, S-437, S-438, S-439
    let host = host().await;
    let revision = Revision::V2025_11_25;
    let ada = Session::open_with(host.address, revision, all_capabilities()).await;
    let eve = Session::open_with(host.address, revision, all_capabilities()).await;
    let mut to_ada = stream(ada.get().send(host.address).await, revision).await;
    let mut to_eve = stream(eve.get().send(host.address).await, revision).await;
    let mut call = stream(ada.call(1, "visit", json!({})).await, revision).await;
    let request = question(&mut call).await.1;
    assert_eq!(request["params"]["mode"], "url");
    ada.reply(&request, json!({ "action": "accept" })).await;
    let id = ends_with(call, 1).await;
    assert_eq!(request["params"]["elicitationId"], id.as_str());
    assert!(host.server.notify().elicitation_complete(&id));
    let message = to_ada.message().await;
    assert_eq!(message["method"], "notifications/elicitation/complete");
    assert_eq!(message["params"]["elicitationId"], id.as_str());
    is_silent(&mut to_eve).await;
}

#[tokio::test]
async fn pending_requests_fail_when_server_shuts_down() {
    let control = CallControl::default();
    let service = server(&control).http_with(HttpServerOptions::new()).unwrap();
    let opened =
        in_process::send(&service, &post(initialize_with(Revision::V2025_11_25, all_capabilities()).to_string()), None)
            .await;
    let id = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    let session = Session { address: ([127, 0, 0, 1], 0).into(), revision: Revision::V2025_11_25, id };
    let call = session.post(&legacy_message(1, "tools/call", json!({ "name": "one", "arguments": {} })));
    let mut stream = in_process::send(&service, &call, None).await.into_body();
    let mut text = String::new();
    while !text.contains("sampling/createMessage") {
        text += std::str::from_utf8(&in_process::chunk(&mut stream).await.expect("a question")).unwrap();
    }
    let ending = tokio::spawn(async move { service.shutdown().await });
    let mut rest = String::new();
    while let Some(piece) = in_process::chunk(&mut stream).await {
        rest += std::str::from_utf8(&piece).unwrap();
    }
    assert!(rest.contains("cannot reach the client"), "{rest}");
    timeout(Duration::from_secs(5), ending).await.expect("shutdown does not wait for the client").unwrap();
    wait_for(&control.finished, 1).await;
}
