//! Questions put live over HTTP: each on the stream of the request that it belongs to, answered by a POST of its own.

use std::sync::atomic::Ordering;
use std::time::Duration;

use ferromcp_core::Revision;
use ferromcp_core::header::field;
use ferromcp_core::model::SamplingContent;
use ferromcp_server::http::HttpOptions;
use ferromcp_server::{Ctx, Limits, Server, Tool, ToolError};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::client::{Session, initialize_able, legacy, legacy_message, post};
use crate::events::Events;
use crate::fixture::{Host, Stage, reaches};
use crate::http_sse::Conversation;
use crate::inside;
use crate::message::Response;

/// All that a client can be asked.
fn able() -> Value {
    json!({ "elicitation": { "form": {}, "url": {} }, "sampling": {}, "roots": {} })
}

/// What a model said.
fn said(text: &str) -> Value {
    json!({ "role": "assistant", "model": "m", "content": { "type": "text", "text": text } })
}

/// What the client's model says to `question`.
async fn words(ctx: &Ctx, question: &str) -> Result<String, ToolError> {
    let text = |block: SamplingContent| match block {
        SamplingContent::Text(text) => Some(text.text),
        _ => None,
    };
    Ok(ctx.sample(question).await?.content.into_iter().filter_map(text).collect())
}

/// Counts up when a call is dropped or answered.
struct Over(Stage);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.over.fetch_add(1, Ordering::SeqCst);
    }
}

fn server(stage: &Stage) -> Server {
    let stage = stage.clone();
    Server::new("asking", "1")
        .with_tool(Tool::new("one", move |ctx: Ctx| {
            let stage = stage.clone();
            async move {
                let _over = Over(stage.clone());
                ctx.progress(1.0, None).await;
                let one = words(&ctx, "One?").await?;
                stage.answered.fetch_add(1, Ordering::SeqCst);
                Ok::<_, ToolError>(one)
            }
        }))
        .with_tool(Tool::new("both", |ctx: Ctx| async move {
            let (one, two) = tokio::join!(words(&ctx, "One?"), words(&ctx, "Two?"));
            Ok::<_, ToolError>(format!("{} {}", one?, two?))
        }))
        .with_tool(Tool::new("impatient", |ctx: Ctx| async move {
            match ctx.sample("One?").timeout(Duration::from_millis(30)).await {
                Err(error) => error.to_string(),
                Ok(said) => format!("{said:?}"),
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
    host_with(HttpOptions::new()).await
}

async fn host_with(options: HttpOptions) -> Host {
    let stage = Stage::default();
    Host::of(server(&stage), stage, options).await
}

/// The stream of a call, past what precedes its messages.
async fn stream(response: Response, revision: Revision) -> Events {
    let mut stream = response.events().await;
    if revision == Revision::V2025_11_25 {
        stream.primed().await;
    }
    stream
}

/// The next message, which must be a question, with the id of its event.
async fn question(stream: &mut Events) -> (Option<String>, Value) {
    let (event, question) = stream.identified().await;
    assert!(question["method"].is_string() && question["id"].is_string(), "no question: {question}");
    (event, question)
}

/// Begins `one`, and gives its stream up to the question, with the ids of the events of its progress and question.
async fn begin(session: &Session, id: i64) -> (Events, [String; 2], Value) {
    let mut stream = stream(session.call(id, "one", json!({})).await, session.revision).await;
    let (progress, message) = stream.identified().await;
    assert_eq!(message["params"]["progress"], 1.0, "{message}");
    let (asked, question) = question(&mut stream).await;
    assert_eq!(question["method"], "sampling/createMessage");
    (stream, [progress.unwrap(), asked.unwrap()], question)
}

/// The text of the answer to call `id`, after which the stream ends.
async fn ends_with(mut stream: Events, id: i64) -> String {
    let answer = stream.message().await;
    assert_eq!(answer["id"], id, "{answer}");
    stream.ends().await;
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {answer}")).to_owned()
}

/// Asserts that nothing comes for a while.
async fn is_silent(stream: &mut Events) {
    let said = timeout(Duration::from_millis(50), stream.next()).await;
    assert!(said.is_err(), "{said:?}");
}

#[track_caller]
fn takes_back(message: &Value, question: &Value) {
    assert_eq!(message["method"], "notifications/cancelled", "{message}");
    assert_eq!(message["params"]["requestId"], question["id"], "{message}");
}

#[tokio::test]
async fn a_question_comes_on_the_stream_of_its_call() {
    // S-135, S-145, S-146, S-147, S-148, S-150, S-158, S-163, S-391
    let host = host().await;
    for revision in legacy() {
        let session = Session::able(host.address, revision, able()).await;
        let mut news = stream(session.get().send(host.address).await, revision).await;
        let (mut stream, _, question) = begin(&session, 1).await;
        assert_eq!(question["params"]["messages"][0]["content"]["text"], "One?");
        is_silent(&mut stream).await;
        is_silent(&mut news).await;
        session.reply(&question, said("yes")).await;
        assert_eq!(ends_with(stream, 1).await, "yes");
        is_silent(&mut news).await;
    }
}

#[tokio::test]
async fn questions_side_by_side_are_answered_in_any_order() {
    // S-145, S-146
    let host = host().await;
    for revision in legacy() {
        let session = Session::able(host.address, revision, able()).await;
        let mut stream = stream(session.call(1, "both", json!({})).await, revision).await;
        let (one, two) = (question(&mut stream).await.1, question(&mut stream).await.1);
        session.reply(&two, said("two")).await;
        is_silent(&mut stream).await;
        session.reply(&one, said("one")).await;
        assert_eq!(ends_with(stream, 1).await, "one two");
    }
}

#[tokio::test]
async fn nobody_else_can_answer() {
    // S-135, S-136, S-178, S-180, S-449, S-450, S-457
    let host = host().await;
    for revision in legacy() {
        let session = Session::able(host.address, revision, able()).await;
        let other = Session::able(host.address, revision, able()).await;
        let (mut stream, _, question) = begin(&session, 1).await;
        other.reply(&question, said("of another session")).await;
        for id in [json!("unknown"), json!(1), json!("1")] {
            session.reply(&json!({ "id": id }), said("to nothing")).await;
        }
        let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": said("of nobody") });
        for (id, status) in [(None, 400), (Some("unknown"), 404)] {
            let mut request = session.post(&answer).without(field::SESSION_ID);
            if let Some(id) = id {
                request = request.add(field::SESSION_ID, id);
            }
            assert_eq!(request.send(host.address).await.status, status);
        }
        is_silent(&mut stream).await;
        session.reply(&question, said("mine")).await;
        session.reply(&question, said("twice")).await;
        assert_eq!(ends_with(stream, 1).await, "mine");
        session.reply(&question, said("late")).await;
    }
}

#[tokio::test]
async fn an_answer_is_of_who_was_asked() {
    // S-449, S-450, S-457
    let service = server(&Stage::default()).http_with(HttpOptions::new()).unwrap();
    let revision = Revision::V2025_11_25;
    let opening = post(initialize_able(revision, able()).to_string());
    let opened = inside::ask(&service, &opening, Some("ann")).await;
    let id = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    let session = Session { address: ([127, 0, 0, 1], 0).into(), revision, id };
    let call = session.post(&legacy_message(1, "tools/call", json!({ "name": "sure", "arguments": {} })));
    let mut stream = inside::ask(&service, &call, Some("ann")).await.into_body();
    let mut text = String::new();
    while !text.contains("elicitation/create") {
        text += std::str::from_utf8(&inside::chunk(&mut stream).await.expect("a question")).unwrap();
    }
    let line = text.lines().find_map(|line| line.strip_prefix("data: {")).expect("a message");
    let question: Value = serde_json::from_str(&format!("{{{line}")).unwrap();
    let answer = |sure| {
        let result = json!({ "action": "accept", "content": { "value": sure } });
        session.post(&json!({ "jsonrpc": "2.0", "id": question["id"], "result": result }))
    };
    for stranger in [Some("bob"), None] {
        assert_eq!(inside::answer(&service, &answer(false), stranger).await.0, 404);
    }
    let nothing = timeout(Duration::from_millis(50), inside::chunk(&mut stream)).await;
    assert!(nothing.is_err(), "{nothing:?}");
    assert_eq!(inside::answer(&service, &answer(true), Some("ann")).await.0, 202);
    let rest = inside::chunk(&mut stream).await.expect("the result");
    assert!(std::str::from_utf8(&rest).unwrap().contains(r#""text":"true""#), "{rest:?}");
}

#[tokio::test]
async fn a_question_is_said_again_where_its_stream_was_cut() {
    // S-151, S-153, S-164, S-171, S-172
    let host = host().await;
    for revision in legacy().filter(|revision| *revision >= Revision::V2025_03_26) {
        let session = Session::able(host.address, revision, able()).await;
        let (stream, [progress, asked], first) = begin(&session, 1).await;
        drop(stream);
        let mut again = session.resume(&progress).await.events().await;
        let (event, second) = question(&mut again).await;
        assert_eq!((event, &second), (Some(asked.clone()), &first));
        drop(again);
        // It is answered while nobody reads.
        session.reply(&first, said("yes")).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        let rest = session.resume(&asked).await.events().await;
        assert_eq!(ends_with(rest, 1).await, "yes");
        // Or once somebody reads again.
        let (stream, [progress, _], first) = begin(&session, 2).await;
        drop(stream);
        let mut again = session.resume(&progress).await.events().await;
        assert_eq!(question(&mut again).await.1, first);
        session.reply(&first, said("again")).await;
        assert_eq!(ends_with(again, 2).await, "again");
    }
}

#[tokio::test]
async fn cancelling_a_call_takes_its_questions_back() {
    // S-210, S-211, S-214, S-215, S-216, S-217, S-219
    let host = host().await;
    for (round, revision) in legacy().enumerate() {
        let session = Session::able(host.address, revision, able()).await;
        let (mut stream, _, question) = begin(&session, 1).await;
        session.notify("notifications/cancelled", json!({ "requestId": 1 })).await.empty(202).await;
        takes_back(&stream.message().await, &question);
        stream.ends().await;
        reaches(&host.stage.over, round + 1).await;
        session.reply(&question, said("late")).await;
        assert_eq!(session.send(2, "ping", json!({})).await.json().await["result"], json!({}));
    }
    assert_eq!(host.stage.answered.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_was_taken_back_is_said_to_who_comes_back() {
    // S-171, S-210
    let host = host().await;
    for revision in legacy().filter(|revision| *revision >= Revision::V2025_03_26) {
        let session = Session::able(host.address, revision, able()).await;
        let (stream, [progress, _], first) = begin(&session, 1).await;
        drop(stream);
        let mut again = session.resume(&progress).await.events().await;
        assert_eq!(question(&mut again).await.1, first);
        session.notify("notifications/cancelled", json!({ "requestId": 1 })).await.empty(202).await;
        takes_back(&again.message().await, &first);
        again.ends().await;
    }
}

#[tokio::test]
async fn a_question_that_is_not_answered_in_time_is_taken_back() {
    // S-093, S-094, S-095, S-096, S-098, S-210, S-219
    let host = host().await;
    for revision in legacy() {
        let session = Session::able(host.address, revision, able()).await;
        let mut stream = stream(session.call(1, "impatient", json!({})).await, revision).await;
        let asked = question(&mut stream).await.1;
        takes_back(&stream.message().await, &asked);
        session.reply(&asked, said("late")).await;
        assert_eq!(ends_with(stream, 1).await, "no answer came within 30ms: One?");
    }
}

#[tokio::test]
async fn a_session_that_ends_takes_its_questions_along() {
    // S-149, S-180
    let host = host().await;
    for (round, revision) in legacy().enumerate() {
        let session = Session::able(host.address, revision, able()).await;
        let (mut stream, _, question) = begin(&session, 1).await;
        session.delete().send(host.address).await.empty(204).await;
        stream.ends().await;
        reaches(&host.stage.over, round + 1).await;
        let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": said("late") });
        assert_eq!(session.post(&answer).send(host.address).await.status, 404);
    }
}

#[tokio::test]
async fn there_are_only_so_many_questions_at_a_time() {
    let mut limits = Limits::default();
    limits.questions = 1;
    let stage = Stage::default();
    let host = Host::of(server(&stage).limits(limits), stage, HttpOptions::new()).await;
    let session = Session::able(host.address, Revision::V2025_11_25, able()).await;
    let mut stream = stream(session.call(1, "both", json!({})).await, session.revision).await;
    let asked = question(&mut stream).await.1;
    session.reply(&asked, said("one")).await;
    let told = ends_with(stream, 1).await;
    assert!(told.contains("1 questions to answer already; `Limits::questions`"), "{told}");
}

#[tokio::test]
async fn who_takes_no_stream_cannot_be_asked() {
    // S-138
    let host = host().await;
    for revision in legacy() {
        let session = Session::able(host.address, revision, able()).await;
        let call = legacy_message(1, "tools/call", json!({ "name": "one", "arguments": {} }));
        let mut response = session.post(&call).set("Accept", "application/json").send(host.address).await;
        let answer = response.json().await;
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
}

#[tokio::test]
async fn without_sessions_a_client_is_asked_by_what_it_told() {
    // S-146, S-173, S-175, S-423
    let host = host_with(HttpOptions::new().stateless(true)).await;
    for revision in legacy().filter(|revision| *revision >= Revision::V2025_06_18) {
        let mut opened =
            post(initialize_able(revision, json!({ "elicitation": {} })).to_string()).send(host.address).await;
        let id = opened.header(field::lower::SESSION_ID).expect("an id").to_owned();
        assert!(id.starts_with("told.") && id.bytes().all(|byte| (0x21..=0x7e).contains(&byte)), "{id}");
        opened.json().await;
        let session = Session { address: host.address, revision, id };
        session.notify("notifications/initialized", json!({})).await.empty(202).await;
        let mut stream = session.call(1, "sure", json!({})).await.events().await;
        let asked = question(&mut stream).await.1;
        assert_eq!(asked["method"], "elicitation/create");
        session.reply(&json!({ "id": "unknown" }), json!({ "action": "decline" })).await;
        is_silent(&mut stream).await;
        session.reply(&asked, json!({ "action": "accept", "content": { "value": true } })).await;
        assert_eq!(ends_with(stream, 1).await, "true");
        // What it did not tell it is not asked; without the id it told nothing.
        let call = legacy_message(2, "tools/call", json!({ "name": "sure", "arguments": {} }));
        let other = legacy_message(2, "tools/call", json!({ "name": "both", "arguments": {} }));
        for request in [session.post(&call).without(field::SESSION_ID), session.post(&other)] {
            let answer = request.send(host.address).await.json().await;
            assert_eq!(answer["error"]["code"], -32602, "{answer}");
        }
    }
}

#[tokio::test]
async fn answers_and_calls_that_ask_may_be_in_batches() {
    // S-023, S-135, S-145, S-146, S-150
    let host = host().await;
    let session = Session::able(host.address, Revision::V2025_03_26, able()).await;
    let answer = |question: &Value, text: &str| json!({ "jsonrpc": "2.0", "id": question["id"], "result": said(text) });
    let (stream, _, question) = begin(&session, 1).await;
    session.post(&json!([answer(&question, "alone")])).send(host.address).await.empty(202).await;
    assert_eq!(ends_with(stream, 1).await, "alone");
    let (stream, _, question) = begin(&session, 2).await;
    let batch = json!([legacy_message(3, "ping", json!({})), answer(&question, "beside")]);
    assert_eq!(session.post(&batch).send(host.address).await.json().await[0]["id"], 3);
    assert_eq!(ends_with(stream, 2).await, "beside");
    // The questions of two calls of a batch come on its one stream.
    let call = |id: i64| legacy_message(id, "tools/call", json!({ "name": "both", "arguments": {} }));
    let mut stream = session.post(&json!([call(4), call(5)])).send(host.address).await.events().await;
    let mut questions = Vec::new();
    for _ in 0..4 {
        questions.push(self::question(&mut stream).await.1);
    }
    // The client withdraws the first call, whose questions are then taken back.
    session.notify("notifications/cancelled", json!({ "requestId": 4 })).await.empty(202).await;
    for asked in &questions[..2] {
        takes_back(&stream.message().await, asked);
    }
    let answers: Vec<_> = questions[2..].iter().map(|asked| answer(asked, "yes")).collect();
    session.post(&json!(answers)).send(host.address).await.empty(202).await;
    let answers = stream.message().await;
    assert_eq!(answers.as_array().map(Vec::len), Some(1), "{answers}");
    assert_eq!((&answers[0]["id"], &answers[0]["result"]["content"][0]["text"]), (&json!(5), &json!("yes yes")));
    stream.ends().await;
}

#[tokio::test]
async fn http_and_sse_is_asked_on_its_one_stream() {
    // S-116, S-119, S-391
    let host = host_with(HttpOptions::new().http_sse(true)).await;
    for revision in [Revision::V2024_11_05, Revision::V2025_11_25] {
        let opening = initialize_able(revision, able());
        let mut conversation = Conversation::ready_by(host.address, "/sse", &opening).await;
        let other = Conversation::ready_by(host.address, "/sse", &opening).await;
        conversation.call(1, "both", json!({})).await;
        let (one, two) = (conversation.stream.message().await, conversation.stream.message().await);
        let answer =
            |question: &Value, text: &str| json!({ "jsonrpc": "2.0", "id": question["id"], "result": said(text) });
        other.say(&answer(&one, "of another")).await;
        conversation.say(&answer(&two, "two")).await;
        conversation.say(&answer(&one, "one")).await;
        let result = conversation.stream.message().await;
        assert_eq!((&result["id"], &result["result"]["content"][0]["text"]), (&json!(1), &json!("one two")));
        // A cancelled call takes its questions back.
        conversation.call(2, "both", json!({})).await;
        let (one, two) = (conversation.stream.message().await, conversation.stream.message().await);
        let cancel = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 2 } });
        conversation.say(&cancel).await;
        let back = [conversation.stream.message().await, conversation.stream.message().await];
        for asked in [&one, &two] {
            assert!(back.iter().any(|it| it["params"]["requestId"] == asked["id"]), "{back:?}");
        }
    }
}

#[tokio::test]
async fn the_end_of_a_visit_is_told_to_that_session_alone() {
    // S-157, S-431, S-437, S-438, S-439
    let host = host().await;
    let revision = Revision::V2025_11_25;
    let ada = Session::able(host.address, revision, able()).await;
    let eve = Session::able(host.address, revision, able()).await;
    let mut to_ada = stream(ada.get().send(host.address).await, revision).await;
    let mut to_eve = stream(eve.get().send(host.address).await, revision).await;
    let mut call = stream(ada.call(1, "visit", json!({})).await, revision).await;
    let asked = question(&mut call).await.1;
    assert_eq!(asked["params"]["mode"], "url");
    ada.reply(&asked, json!({ "action": "accept" })).await;
    let id = ends_with(call, 1).await;
    assert_eq!(asked["params"]["elicitationId"], id.as_str());
    assert!(host.server.notify().elicitation_complete(&id));
    let told = to_ada.message().await;
    assert_eq!(told["method"], "notifications/elicitation/complete");
    assert_eq!(told["params"]["elicitationId"], id.as_str());
    is_silent(&mut to_eve).await;
}

#[tokio::test]
async fn a_server_that_ends_leaves_no_question_behind() {
    let stage = Stage::default();
    let service = server(&stage).http_with(HttpOptions::new()).unwrap();
    let opened = inside::ask(&service, &post(initialize_able(Revision::V2025_11_25, able()).to_string()), None).await;
    let id = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    let session = Session { address: ([127, 0, 0, 1], 0).into(), revision: Revision::V2025_11_25, id };
    let call = session.post(&legacy_message(1, "tools/call", json!({ "name": "one", "arguments": {} })));
    let mut stream = inside::ask(&service, &call, None).await.into_body();
    let mut text = String::new();
    while !text.contains("sampling/createMessage") {
        text += std::str::from_utf8(&inside::chunk(&mut stream).await.expect("a question")).unwrap();
    }
    let ending = tokio::spawn(async move { service.shutdown().await });
    let mut rest = String::new();
    while let Some(piece) = inside::chunk(&mut stream).await {
        rest += std::str::from_utf8(&piece).unwrap();
    }
    assert!(rest.contains("the client is gone"), "{rest}");
    timeout(Duration::from_secs(5), ending).await.expect("nobody is waited for").unwrap();
    reaches(&stage.over, 1).await;
}
