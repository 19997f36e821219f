//! Multi-round-trip requests: `input_required` results, manual rounds, early answers, and request state.

use ferromcp_core::model::{CallToolParams, InputRequired};
use ferromcp_core::{ClientRequest, Error, RawJson, Revision};
use ferromcp_server::testing::{ClientMode, Effects, all_capabilities, everywhere};
use ferromcp_server::{Call, Ctx, Peer, Question, Reply, Round, Server, State, Tool, ToolError};
use serde_json::json;

use crate::client_requests::server_with;

// M26-236, M26-237
#[tokio::test]
async fn questions_share_one_round_when_asked_concurrently() {
    async fn branch(ctx: &Ctx, effects: &Effects, name: &str) -> Result<u32, ToolError> {
        let mut sum = 0;
        for _ in 0..3 {
            sum += ctx.elicit::<u32>("How many?").await?; // the same text in both branches
            let noted = ctx.once("add", || async { effects.note(format!("{name} {sum}")) });
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
    async fn greet(round: Round, State(effects): State<Effects>) -> Result<String, ToolError> {
        let name = || Question::<String>::form("Name?");
        let seen: u32 = round.state()?.unwrap_or_default();
        effects.note(format!("round {}", round.number()));
        match round.answer("name", &name())? {
            None => Err(round.next().ask("name", name()).with_state(&(seen + 1)).into()),
            Some(name) if seen < 3 => Err(round
                .next()
                .ask("name", Question::<String>::form(format!("{name}?")))
                .with_state(&(seen + 1))
                .into()),
            Some(name) => Ok(format!("{name} after {seen}, other answer: {:?}", round.raw_answer("other").is_some())),
        }
    }
    let server =
        |effects| Server::new("client-requests", "1").state::<Effects>(effects).with_tool(Tool::new("greet", greet));
    everywhere(server, async |client| {
        client.accept("Name?", &json!({ "value": "Ada" }));
        client.accept("Ada?", &json!({ "value": "Bob" }));
        client.accept("Bob?", &json!({ "value": "Eve" }));
        assert_eq!(client.text("greet", &()).await, "Eve after 3, other answer: false");
    })
    .await;
}

#[tokio::test]
async fn manual_round_succeeds_when_function_is_sync_or_blocking() {
    let server = |effects| {
        Server::new("client-requests", "1")
            .state::<Effects>(effects)
            .with_tool(Tool::sync("plain", |round: Round| {
                match round.answer("ok", &Question::<bool>::form("Ok?"))? {
                    Some(ok) => Ok(ok.to_string()),
                    None => Err(ToolError::from(round.next().ask("ok", Question::<bool>::form("Ok?")))),
                }
            }))
            .with_tool(Tool::blocking("pool", |round: Round| {
                match round.answer("ok", &Question::<bool>::form("Ok?"))? {
                    Some(ok) => Ok(ok.to_string()),
                    None => Err(ToolError::from(round.next().ask("ok", Question::<bool>::form("Ok?")))),
                }
            }))
            .with_tool(Tool::sync("can", |ctx: Ctx| ctx.can_elicit().to_string()))
    };
    everywhere(server, async |client| {
        client.accept("Ok?", &json!({ "value": true }));
        assert_eq!(client.text("plain", &()).await, "true");
        assert_eq!(client.text("pool", &()).await, "true");
    })
    .await;
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
