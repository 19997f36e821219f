//! Multi-round-trip requests: `input_required` results, manual rounds, early answers, and request state.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use ferromcp_core::model::{CallToolParams, CallToolResult, ClientCapabilities, InputRequired};
use ferromcp_core::{ClientRequest, Error, ErrorCode, RawJson, Revision};
use ferromcp_server::testing::{ClientMode, Effects, TestClient, all_capabilities, for_each_mode, for_each_mode_with};
use ferromcp_server::{
    Call, Ctx, Peer, Prompt, Question, Reply, Resource, Round, RoundOutcome, Server, State, Tool, ToolError, ToolOutput,
};
use serde_json::json;

use crate::client_requests::server_with;

// M26-236, M26-237
#[tokio::test]
async fn questions_share_one_round_when_asked_concurrently() {
    async fn branch(ctx: &Ctx, effects: &Effects, name: &str) -> Result<u32, ToolError> {
        let mut sum = 0;
        for _ in 0..3 {
            sum += ctx.elicit::<u32>("How many?").await?; // the same text in both branches
            let noted = ctx.once("add", || async { effects.record(format!("{name} {sum}")) });
            noted.await?;
        }
        Ok(sum)
    }
    let tool = Tool::new("both", |State(effects): State<Effects>, ctx: Ctx| async move {
        let (left, right) = tokio::join!(branch(&ctx, &effects, "left"), branch(&ctx, &effects, "right"));
        Ok::<_, ToolError>(format!("{} {}", left?, right?))
    });
    let server = server_with(tool);
    let count = async |mode: ClientMode| {
        let server = server(Effects::new());
        let peer = Peer::new(Revision::LATEST).with_capabilities(all_capabilities());
        let call = |request| server.call(Call::new(request, peer.clone()));
        let mut rounds = 0;
        let mut params = CallToolParams::new("both");
        loop {
            match call(ClientRequest::CallTool(params.clone())).await {
                Reply::NeedsInput(required) => {
                    rounds += 1;
                    answer(&mut params, required, mode == ClientMode::OneByOne);
                }
                reply => return (rounds, format!("{reply:?}")),
            }
        }
    };
    let (batched, one_by_one) = (count(ClientMode::Rounds).await, count(ClientMode::OneByOne).await);
    assert_eq!((batched.0, one_by_one.0), (3, 6));
    assert!(batched.1.contains("3 3") && one_by_one.1.contains("3 3"), "{batched:?} {one_by_one:?}");
}

/// Accepts all questions, or only the first one, with the value 1.
fn answer(params: &mut CallToolParams, required: InputRequired, first_only: bool) {
    let mut answers = ferromcp_core::RawMap::new();
    let all = required.input_requests.unwrap();
    for (key, _) in all.into_iter().take(if first_only { 1 } else { usize::MAX }) {
        answers.insert(key, RawJson::new(&json!({ "action": "accept", "content": { "value": 1 } })).unwrap());
    }
    (params.input_responses, params.request_state) = (Some(answers), required.request_state);
}

// M26-262
#[tokio::test]
async fn early_answer_is_used_when_question_has_key() {
    let tool = |name: &str, key: Option<&'static str>| {
        Tool::new(name, move |ctx: Ctx| async move {
            let question = ctx.elicit::<bool>("Sure?");
            let question = if let Some(key) = key { question.key(key) } else { question };
            question.await.map(|sure| sure.to_string())
        })
    };
    let server =
        Server::new("client-requests", "1").with_tool(tool("keyed", Some("sure"))).with_tool(tool("plain", None));
    let peer = || Peer::new(Revision::LATEST).with_capabilities(all_capabilities());
    let call = async |tool: &str, answers: serde_json::Value| {
        let mut params = CallToolParams::new(tool);
        params.input_responses = Some(serde_json::from_value(answers).unwrap());
        server.call(Call::new(ClientRequest::CallTool(params), peer())).await
    };
    let yes = json!({ "action": "accept", "content": { "value": true } });
    let answered = call("keyed", json!({ "sure": yes, "other": 5 })).await;
    assert!(matches!(answered, Reply::Done(_)), "{answered:?}");
    for (tool, answers) in [("plain", json!({ "q1": yes })), ("keyed", json!({ "sure": 5 })), ("keyed", json!({}))] {
        let request = call(tool, answers).await;
        assert!(matches!(request, Reply::NeedsInput(_)), "{tool}: {request:?}");
    }
}

// M26-239, M26-240
#[tokio::test]
async fn result_is_equal_on_every_revision_when_rounds_are_manual() {
    async fn greet(round: Round, State(effects): State<Effects>) -> Result<RoundOutcome<String>, ToolError> {
        let name = || Question::<String>::form("Name?");
        let seen: u32 = round.state()?.unwrap_or_default();
        effects.record(format!("round {}", round.number()));
        match round.answer("name", &name())? {
            None => Ok(round.next().ask("name", name()).with_state(&(seen + 1)).into()),
            Some(name) if seen < 3 => {
                let question = Question::<String>::form(format!("{name}?"));
                Ok(round.next().ask("name", question).with_state(&(seen + 1)).into())
            }
            Some(name) => {
                let other = round.raw_answer("other").is_some();
                Ok(RoundOutcome::Complete(format!("{name} after {seen}, other answer: {other:?}")))
            }
        }
    }
    let server =
        |effects| Server::new("client-requests", "1").state::<Effects>(effects).with_tool(Tool::new("greet", greet));
    for_each_mode(server, async |client| {
        client.accept("Name?", &json!({ "value": "Ada" }));
        client.accept("Ada?", &json!({ "value": "Bob" }));
        client.accept("Bob?", &json!({ "value": "Eve" }));
        assert_eq!(client.text("greet", &()).await, "Eve after 3, other answer: false");
    })
    .await;
}

/// Asks for confirmation in a manual round.
fn confirm(round: Round) -> Result<RoundOutcome<String>, ToolError> {
    let question = || Question::<bool>::form("Ok?");
    Ok(match round.answer("ok", &question())? {
        Some(ok) => RoundOutcome::Complete(ok.to_string()),
        None => round.next().ask("ok", question()).into(),
    })
}

#[tokio::test]
async fn manual_round_succeeds_when_function_is_sync_or_blocking() {
    let server = |effects| {
        Server::new("client-requests", "1")
            .state::<Effects>(effects)
            .with_tool(Tool::sync("plain", confirm))
            .with_tool(Tool::blocking("pool", confirm))
            .with_tool(Tool::sync("can", |ctx: Ctx| ctx.can_elicit().to_string()))
    };
    for_each_mode(server, async |client| {
        client.accept("Ok?", &json!({ "value": true }));
        assert_eq!(client.text("plain", &()).await, "true");
        assert_eq!(client.text("pool", &()).await, "true");
    })
    .await;
}

#[tokio::test]
async fn manual_round_succeeds_when_handler_is_prompt_or_resource() {
    let server = |effects| {
        Server::new("client-requests", "1")
            .state::<Effects>(effects)
            .with_prompt(Prompt::sync("prompt", confirm))
            .with_resource(Resource::new("manual:plain", |round: Round| async move { confirm(round) }))
            .with_resource(Resource::sync("manual:option", |round: Round| confirm(round).map(Some)))
    };
    for_each_mode(server, async |client| {
        client.accept("Ok?", &json!({ "value": true }));
        let prompt = client.prompt("prompt", &()).await.unwrap();
        assert_eq!(prompt.messages[0].content.as_text(), Some("true"));
        for uri in ["manual:plain", "manual:option"] {
            assert_eq!(client.read(uri).await.unwrap().contents[0].as_text(), Some("true"), "{uri}");
        }
    })
    .await;
}

#[tokio::test]
async fn error_is_returned_when_manual_round_is_invalid() {
    type Outcome = Result<RoundOutcome<String>, ToolError>;
    let server = |effects| {
        Server::new("client-requests", "1")
            .state::<Effects>(effects)
            .with_tool(Tool::sync("empty", |round: Round| -> Outcome { Ok(round.next().into()) }))
            .with_tool(Tool::sync("url", |round: Round| -> Outcome {
                Ok(round.next().ask("url", Question::url("Go", "nowhere")).into())
            }))
            .with_tool(Tool::sync("state", |round: Round| -> Outcome {
                let unserializable = std::collections::BTreeMap::from([((1, 2), 3)]);
                Ok(round.next().with_state(&unserializable).into())
            }))
            .with_tool(Tool::sync("confirm", confirm))
    };
    for_each_mode(server, async |client| {
        for (tool, expected) in [
            ("empty", "NextRound has neither a question nor state; call `ask` or `with_state`"),
            ("url", "`nowhere` is not an absolute URL; use https://…"),
            ("state", "cannot serialize the state of the round: key must be a string"),
        ] {
            assert_eq!(client.error_text(tool, &()).await, expected);
        }
    })
    .await;
    for_each_mode_with(ClientCapabilities::default(), server, async |client| {
        let error = client.call("confirm", &()).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::MISSING_CLIENT_CAPABILITY);
    })
    .await;
}

/// A resource that starts manual rounds, and a tool that reads it between two questions.
fn nested() -> Server {
    let tool = Tool::new("read", |ctx: Ctx| async move {
        let first = ctx.elicit::<bool>("First?").await?;
        let read = match ctx.read_resource("manual:ok").await {
            Ok(read) => read.contents[0].as_text().unwrap_or_default().to_owned(),
            Err(error) => error.message.clone(),
        };
        let last = ctx.elicit::<bool>("Last?").await?;
        Ok::<_, ToolError>(format!("{first}, {read}, {last}"))
    });
    Server::new("nested", "1").with_tool(tool).with_resource(Resource::sync("manual:ok", confirm))
}

#[tokio::test]
async fn manual_round_fails_without_losing_answers_when_handler_reads_resource() {
    for (mode, expected) in [
        (ClientMode::Live(Revision::LATEST_LEGACY), "true, true, true"),
        (
            ClientMode::Rounds,
            "true, cannot send a request to the client here: a handler that another handler calls \
          (`Ctx::read_resource`, `Ctx::call_tool`) cannot start a round; use `ctx.elicit(..)`, true",
        ),
    ] {
        let client = TestClient::with(nested(), mode);
        client.accept("", &json!({ "value": true }));
        assert_eq!(client.text("read", &()).await, expected);
    }
}

#[tokio::test]
async fn manual_round_fails_when_round_belongs_to_another_call() {
    let stored = Arc::new(OnceLock::<Round>::new());
    let (first, second, third) = (Arc::clone(&stored), Arc::clone(&stored), stored);
    let next = |stored: &OnceLock<Round>| RoundOutcome::<String>::from(stored.get().unwrap().next().with_state(&1));
    let server = Server::new("foreign", "1")
        .with_tool(Tool::sync("store", move |round: Round| {
            first.set(round).map(|()| "stored").map_err(|_| "stored twice")
        }))
        .with_tool(Tool::sync("bare", move || next(&second)))
        .with_tool(Tool::new("with_context", move |_: Ctx| std::future::ready(next(&third))));
    let client = TestClient::with(server, ClientMode::Rounds);
    assert_eq!(client.text("store", &()).await, "stored");
    for tool in ["bare", "with_context"] {
        let error = client.call(tool, &()).await.unwrap_err();
        assert_eq!(error.message, "cannot start the next round: its `Round` belongs to another call", "{tool}");
    }
}

#[test]
fn output_schema_is_of_result_when_tool_returns_round_outcome() {
    assert_eq!(<Result<RoundOutcome<u32>, ToolError>>::schema(), u32::schema());
    assert_eq!(RoundOutcome::<String>::schema(), None);
}

// M26-243, M26-245, M26-247, M26-494, S-449, S-457
#[tokio::test]
async fn request_state_is_rejected_when_call_differs() {
    let ask = |name| {
        let function = |n: u8, ctx: Ctx| async move { ctx.elicit::<bool>(format!("{n}?")).await.map(|_| "ok") };
        Tool::new(name, function).args(["n"])
    };
    let server = Server::new("client-requests", "1").with_tool(ask("ask")).with_tool(ask("other"));
    let ada = || Peer::new(Revision::LATEST).with_capabilities(all_capabilities()).with_identity("ada");
    let params = |tool: &str, n: u8| CallToolParams::new(tool).arguments(RawJson::new(&json!({ "n": n })).unwrap());
    let call =
        async |params: CallToolParams, peer: Peer| server.call(Call::new(ClientRequest::CallTool(params), peer)).await;
    let Reply::NeedsInput(required) = call(params("ask", 1), ada()).await else { panic!() };
    let with = |mut params: CallToolParams, state: Option<&str>| {
        answer(&mut params, required.clone(), false);
        if let Some(state) = state {
            params.request_state = Some(state.into());
        }
        params
    };
    let state = required.request_state.clone().unwrap();
    let mut altered = state.to_string();
    let last = altered.pop().unwrap();
    altered.push(if last == 'A' { 'B' } else { 'A' });
    let eve = || Peer::new(Revision::LATEST).with_capabilities(all_capabilities()).with_identity("eve");
    let anonymous = || Peer::new(Revision::LATEST).with_capabilities(all_capabilities());
    for (case, params, peer) in [
        ("altered", with(params("ask", 1), Some(&altered)), ada()),
        ("different identity", with(params("ask", 1), None), eve()),
        ("no identity", with(params("ask", 1), None), anonymous()),
        ("different tool", with(params("other", 1), None), ada()),
        ("different arguments", with(params("ask", 2), None), ada()),
        ("malformed", with(params("ask", 1), Some("x")), ada()),
    ] {
        let Reply::Failed(error) = call(params, peer).await else { panic!("{case}: the request state was accepted") };
        assert_eq!(error, Error::invalid_params(error.message.clone()), "{case}: unexpected error data");
        assert!(error.message.contains("`requestState` is invalid"), "{case}: {error}");
    }
    let Reply::Done(_) = call(with(params("ask", 1), None), ada()).await else {
        panic!("the original call was rejected")
    };
}

/// Calls the tool once per set of answers, and returns the keys of the input requests and the last reply.
async fn call_with_answers(server: &Server, answers: &[serde_json::Value]) -> (Vec<Vec<String>>, Reply) {
    let peer = Peer::new(Revision::LATEST).with_capabilities(all_capabilities());
    let mut params = CallToolParams::new("pay");
    let mut keys = Vec::new();
    let mut answers = answers.iter();
    loop {
        match server.call(Call::new(ClientRequest::CallTool(params.clone()), peer.clone())).await {
            Reply::NeedsInput(required) => {
                keys.push(required.input_requests.unwrap().into_iter().map(|(key, _)| key).collect());
                let Some(next) = answers.next() else { panic!("more rounds than answers: {keys:?}") };
                params.input_responses = Some(serde_json::from_value(next.clone()).unwrap());
                params.request_state = required.request_state;
            }
            reply => return (keys, reply),
        }
    }
}

// M26-489, M26-493
#[tokio::test]
async fn all_urls_share_one_round_when_required() {
    let visits = Arc::new(AtomicU32::new(0));
    let tool = Tool::new("pay", move |ctx: Ctx| {
        let visits = Arc::clone(&visits);
        async move {
            while visits.fetch_add(1, Ordering::Relaxed) % 4 < 3 {
                let url = |page: &str| Question::url("Pay, please", format!("https://example.com/{page}"));
                ctx.require_urls([url("a"), url("b").key("card"), url("c")]).await?;
            }
            Ok::<_, ToolError>("paid")
        }
    });
    let server = Server::new("urls", "1").with_tool(tool);
    let yes = || json!({ "action": "accept" });
    let partly = json!({ "url1": yes(), "url3": yes() });
    let rest = json!({ "card": yes() });
    let again = json!({ "url1-2": yes(), "card-2": yes(), "url3-2": yes() });
    // Checks of the visits: one in the first run, one in the second, two in the third.
    let (keys, reply) = call_with_answers(&server, &[partly.clone(), rest]).await;
    assert_eq!(keys, [vec!["url1", "card", "url3"], vec!["card"]]);
    assert_eq!(reply, Reply::Done(CallToolResult::text("paid").into()));
    // Checks of the visits: one in the first run, two in the second, one in the third.
    let all = json!({ "url1": yes(), "card": yes(), "url3": yes() });
    let (keys, reply) = call_with_answers(&server, &[all, again]).await;
    assert_eq!(keys, [["url1", "card", "url3"], ["url1-2", "card-2", "url3-2"]]);
    assert_eq!(reply, Reply::Done(CallToolResult::text("paid").into()));
    let no = json!({ "url1": { "action": "decline" } });
    let (keys, reply) = call_with_answers(&server, &[no]).await;
    assert_eq!(keys.len(), 1);
    let declined = CallToolResult::error("the user declined to answer: Pay, please");
    assert_eq!(reply, Reply::Done(declined.into()));
}

#[tokio::test]
async fn call_continues_when_no_url_is_required() {
    let tool = Tool::new("pay", |ctx: Ctx| async move { ctx.require_urls([]).await.map(|()| "already paid") });
    for_each_mode(server_with(tool), async |client| assert_eq!(client.text("pay", &()).await, "already paid")).await;
}
