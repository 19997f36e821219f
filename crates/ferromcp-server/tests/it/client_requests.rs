//! Elicitation, sampling and roots on every revision, with the public test harness.

use std::time::Duration;

use ferromcp_core::model::{
    CallToolParams, ClientCapabilities, ContentBlock, CreateMessageResult, InputRequired, Role, SamplingContent,
    Tool as ToolModel, ToolResultContent, ToolUseContent,
};
use ferromcp_core::{ClientRequest, RawJson, Revision, ServerResult};
use ferromcp_server::testing::{Client, Effects, Way, everything, everywhere, everywhere_as};
use ferromcp_server::{
    Ask, Call, Completion, Ctx, Elicited, Error, ErrorCode, Peer, Prompt, Question, Reply, Resource, Round, Sample,
    Server, State, Tool, ToolError,
};
use serde_json::json;

fn server_with(tool: Tool) -> impl Fn(Effects) -> Server {
    move |effects| Server::new("client-requests", "1").with_tool(tool.clone()).state(effects)
}

// M26-233, M26-234, M26-250, M26-251, M26-502, M26-503, S-436
#[tokio::test]
async fn effects_are_equal_on_every_revision_when_handler_elicits() {
    let tool = Tool::new("book", |State(effects): State<Effects>, ctx: Ctx| async move {
        ctx.once("reserve", || async { effects.note("reserved") }).await?;
        let name = ctx.elicit::<String>("Name?").await?;
        let paid: u32 = ctx
            .once("pay", || async {
                tokio::time::sleep(Duration::from_millis(2)).await;
                effects.note("paid");
                7
            })
            .await?;
        let seats = ctx.elicit::<u8>(format!("How many seats, {name}?")).await?;
        let sure = ctx.try_elicit::<bool>(format!("{seats} seats?")).await?;
        effects.note("done");
        Ok::<_, ToolError>(format!("{name} {seats} {paid} {sure}"))
    });
    everywhere(server_with(tool), async |client| {
        client.accept("Name?", &json!({ "value": "Ada" }));
        client.accept("How many", &json!({ "value": 3 }));
        client.decline("3 seats?");
        assert_eq!(client.text("book", &()).await, "Ada 3 7 declined");
        assert_eq!(client.asked(), ["Name?", "How many seats, Ada?", "3 seats?"]);
    })
    .await;
}

#[tokio::test]
#[should_panic(expected = "`begun` happened 2 times in Rounds, and 1 times live")]
async fn effect_before_question_is_detected_when_not_in_once() {
    let tool = Tool::new("careless", |State(effects): State<Effects>, ctx: Ctx| async move {
        effects.note("begun");
        ctx.elicit::<bool>("Sure?").await.map(|sure| sure.to_string())
    });
    everywhere(server_with(tool), async |client| {
        client.accept("Sure?", &json!({ "value": true }));
        client.text("careless", &()).await;
    })
    .await;
}

#[tokio::test]
async fn question_in_loop_is_repeated_until_answer_is_valid() {
    let tool = Tool::new("guess", |State(effects): State<Effects>, ctx: Ctx| async move {
        for attempt in 1.. {
            let guess = ctx.elicit::<u32>("A number?").await?;
            ctx.once("look", || async { effects.note(format!("looked at {guess}")) }).await?;
            if guess == 7 {
                return Ok::<_, ToolError>(format!("right after {attempt}"));
            }
        }
        unreachable!()
    });
    everywhere(server_with(tool), async |client| {
        for guess in [1, 5, 7] {
            client.accept("A number?", &json!({ "value": guess }));
        }
        assert_eq!(client.text("guess", &()).await, "right after 3");
    })
    .await;
}

// M26-236, M26-237
#[tokio::test]
async fn concurrent_questions_share_one_round() {
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
    let count = async |way: Way| {
        let server = server(Effects::new());
        let peer = Peer::new(Revision::LATEST).with_capabilities(everything());
        let call = |request| server.call(Call::new(request, peer.clone()));
        let mut rounds = 0;
        let mut params = CallToolParams::new("both");
        loop {
            match call(ClientRequest::CallTool(params.clone())).await {
                Reply::NeedsInput(required) => {
                    rounds += 1;
                    answer(&mut params, required, way == Way::OneByOne);
                }
                reply => return (rounds, format!("{reply:?}")),
            }
        }
    };
    let (together, apart) = (count(Way::Rounds).await, count(Way::OneByOne).await);
    assert_eq!((together.0, apart.0), (3, 6));
    assert!(together.1.contains("3 3") && apart.1.contains("3 3"), "{together:?} {apart:?}");
}

/// Accepts all questions, or only the first one, with the value 1.
fn answer(params: &mut CallToolParams, required: InputRequired, few: bool) {
    let mut answers = ferromcp_core::RawMap::new();
    let all = required.input_requests.unwrap();
    for (key, _) in all.into_iter().take(if few { 1 } else { usize::MAX }) {
        answers.insert(key, RawJson::new(&json!({ "action": "accept", "content": { "value": 1 } })).unwrap());
    }
    (params.input_responses, params.request_state) = (Some(answers), required.request_state);
}

#[tokio::test]
async fn invalid_answer_is_rejected_before_the_handler() {
    // M26-523, S-459, S-461
    let tool = Tool::new("age", |ctx: Ctx| async move {
        match ctx.elicit::<u8>("Age?").await {
            Err(error) if error.is_invalid() => Ok(format!("again: {error}")),
            other => other.map(|age| age.to_string()).map_err(ToolError::from),
        }
    });
    everywhere(server_with(tool), async |client| {
        client.accept("Age?", &json!({ "value": 300 }));
        let message = client.text("age", &()).await;
        assert!(message.starts_with("again: invalid answer to \"Age?\": `value`"), "{message}");
    })
    .await;
}

// M26-249, M26-062, M26-480, M26-582, S-367, S-423
#[tokio::test]
async fn question_fails_when_client_lacks_capability() {
    let server = |effects| {
        Server::new("client-requests", "1")
            .state::<Effects>(effects)
            .with_tool(Tool::new("form", |ctx: Ctx| async move { ctx.elicit::<bool>("Sure?").await.map(|_| "?") }))
            .with_tool(Tool::new("model", |ctx: Ctx| async move { ctx.sample("Hello").await.map(|_| "?") }))
            .with_tool(Tool::new("roots", |ctx: Ctx| async move { ctx.roots().await.map(|_| "?") }))
            .with_tool(Tool::new("or", |ctx: Ctx| async move { ctx.elicit::<u8>("Age?").or(18).await.map(i64::from) }))
            .with_tool(Tool::new("can", |ctx: Ctx| async move {
                format!("{} {} {}", ctx.can_elicit(), ctx.can_sample(), ctx.can_list_roots())
            }))
    };
    everywhere_as(ClientCapabilities::default(), server, async |client| {
        for (tool, needed) in [("form", "elicitation"), ("model", "sampling"), ("roots", "roots")] {
            let error = client.call(tool, &()).await.unwrap_err();
            assert_eq!(error.code, ErrorCode::MISSING_CLIENT_CAPABILITY, "{tool}");
            let data: serde_json::Value = error.data.unwrap().decode().unwrap();
            assert!(data["requiredCapabilities"][needed].is_object(), "{data}");
        }
        assert_eq!(client.text("or", &()).await, "18");
        assert_eq!(client.text("can", &()).await, "false false false");
        assert!(client.asked().is_empty());
    })
    .await;
}

// M26-479, S-422
#[tokio::test]
async fn empty_elicitation_capability_means_form() {
    let capabilities: ClientCapabilities = serde_json::from_value(json!({ "elicitation": {} })).unwrap();
    let tool = Tool::new("can", |ctx: Ctx| async move { format!("{} {}", ctx.can_elicit(), ctx.can_elicit_url()) });
    everywhere_as(capabilities, server_with(tool), async |client| {
        assert_eq!(client.text("can", &()).await, "true false");
    })
    .await;
}

#[tokio::test]
async fn form_elicitation_fails_when_revision_is_too_old() {
    let server = Server::new("client-requests", "1").with_tool(Tool::new("can", |ctx: Ctx| async move {
        format!("{} {}", ctx.can_elicit(), ctx.can_elicit_url())
    }));
    for (revision, expected) in [
        (Revision::V2024_11_05, "false false"),
        (Revision::V2025_03_26, "false false"),
        (Revision::V2025_06_18, "true false"),
        (Revision::V2025_11_25, "true true"),
    ] {
        let client = Client::with(server.clone(), Way::Live(revision));
        assert_eq!(client.text("can", &()).await, expected, "{revision:?}");
    }
}

// M26-535, M26-538, S-377, S-380
#[tokio::test]
async fn sampling_with_tools_fails_when_client_lacks_capability() {
    let tool = Tool::new("weather", |ctx: Ctx| async move {
        let offered = ToolModel::new("temperature", RawJson::parse(r#"{"type":"object"}"#)?);
        let sample = Sample::new("Is it warm?").tool(offered);
        let response = ctx.sample(sample.clone()).await?;
        let uses = response.content.iter().filter_map(|block| match block {
            SamplingContent::ToolUse(wanted) => Some(wanted.id.clone()),
            _ => None,
        });
        let results: Vec<_> = uses.map(|id| ToolResultContent::new(id, vec![ContentBlock::text("21")])).collect();
        let response = ctx.sample(sample.tool_results(&response, results)).await?;
        Ok::<_, ToolError>(format!("{:?}", response.content.len()))
    });
    everywhere(server_with(tool.clone()), async |client| {
        let wants = ToolUseContent::new("1", "temperature", RawJson::empty_object());
        client.say_all("Is it warm?", &CreateMessageResult::new("m", SamplingContent::ToolUse(wants)));
        client.say("ToolResult", "Yes");
        assert_eq!(client.text("weather", &()).await, "1");
    })
    .await;
    let without: ClientCapabilities = serde_json::from_value(json!({ "sampling": {} })).unwrap();
    everywhere_as(without, server_with(tool), async |client| {
        let error = client.call("weather", &()).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::MISSING_CLIENT_CAPABILITY);
        assert!(error.data.unwrap().as_str().contains(r#""sampling":{"tools":{}}"#));
    })
    .await;
}

#[tokio::test]
async fn prompts_and_resources_can_elicit() {
    let server = |effects| {
        Server::new("client-requests", "1")
            .state::<Effects>(effects)
            .with_prompt(Prompt::new("greet", |ctx: Ctx| async move {
                ctx.elicit::<String>("Name?").await.map(|name| format!("Greet {name}"))
            }))
            .with_resource(Resource::new("file:///secret", |State(effects): State<Effects>, ctx: Ctx| async move {
                ctx.once("open", || async { effects.note("opened") }).await?;
                let word = ctx.elicit::<String>("Word?").await?;
                Ok::<_, ToolError>(format!("for {word}"))
            }))
            .with_tool(Tool::new("copy", |ctx: Ctx| async move {
                let to = ctx.elicit::<String>("Where to?").await?;
                let read = ctx.read_resource("file:///secret").await?;
                let text = read.contents[0].as_text().unwrap_or_default().to_owned();
                let sure = ctx.elicit::<bool>(format!("Write {text}?")).await?;
                Ok::<_, ToolError>(format!("{text} to {to}: {sure}"))
            }))
    };
    everywhere(server, async |client| {
        client.accept("Name?", &json!({ "value": "Ada" }));
        client.accept("Word?", &json!({ "value": "sesame" }));
        client.accept("Where to?", &json!({ "value": "/tmp" }));
        client.accept("Write", &json!({ "value": true }));
        let prompt = client.prompt("greet", &()).await.unwrap();
        assert_eq!(prompt.messages[0].content.as_text(), Some("Greet Ada"));
        assert_eq!(client.read("file:///secret").await.unwrap().contents[0].as_text(), Some("for sesame"));
        assert_eq!(client.text("copy", &()).await, "for sesame to /tmp: true");
    })
    .await;
}

#[tokio::test]
async fn question_fails_when_its_text_changes_twice() {
    let tool = Tool::new("clock", |State(effects): State<Effects>, ctx: Ctx| async move {
        let run = effects.all().len();
        effects.note(format!("run {run}"));
        ctx.elicit::<bool>(format!("It is {run} o'clock, right?")).await.map(|_| "right")
    });
    let server = server_with(tool)(Effects::new());
    let client = Client::with(server, Way::Rounds);
    client.accept("o'clock", &json!({ "value": true }));
    let message = client.complaint("clock", &()).await;
    assert!(
        message.contains("from \"It is 1 o'clock, right?\"") && message.contains("\"It is 2 o'clock, right?\""),
        "{message}"
    );
    assert!(message.contains("`.key(..)`"), "the error names the remedy: {message}");
}

#[tokio::test]
async fn answer_is_found_by_key_when_text_changes() {
    let tool = Tool::new("clock", |State(effects): State<Effects>, ctx: Ctx| async move {
        let run = effects.all().len();
        effects.note(format!("run {run}"));
        ctx.elicit::<bool>(format!("It is {run} o'clock, right?")).key("right").await.map(|right| right.to_string())
    });
    let client = Client::with(server_with(tool)(Effects::new()), Way::Rounds);
    client.accept("o'clock", &json!({ "value": true }));
    assert_eq!(client.text("clock", &()).await, "true");
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
    let peer = || Peer::new(Revision::LATEST).with_capabilities(everything());
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

#[tokio::test]
async fn failed_effect_is_not_retried_when_handler_reruns() {
    let tool = Tool::new("pay", |State(effects): State<Effects>, ctx: Ctx| async move {
        let paid: Result<u32, ToolError> = ctx
            .try_once("charge", || async {
                effects.note("charged");
                Err(ToolError::new("no money"))
            })
            .await;
        let again = ctx.elicit::<bool>("Another card?").await?;
        Ok::<_, ToolError>(format!("{} {again}", paid.unwrap_err()))
    });
    everywhere(server_with(tool), async |client| {
        client.accept("Another card?", &json!({ "value": false }));
        assert_eq!(client.text("pay", &()).await, "no money false");
    })
    .await;
}

#[tokio::test]
async fn question_fails_with_reason_when_not_allowed() {
    let server = |effects| {
        Server::new("client-requests", "1")
            .state::<Effects>(effects)
            .with_tool(Tool::new("within", |ctx: Ctx| async move {
                let inner = ctx.clone();
                let message =
                    ctx.once("step", || async move { inner.elicit::<bool>("Sure?").await.unwrap_err().to_string() });
                message.await
            }))
            .with_tool(Tool::new(
                "invalid",
                |ctx: Ctx| async move { ctx.elicit_url("Go", "no url").await.map(|_| "?") },
            ))
    };
    everywhere(server, async |client| {
        let message = client.text("within", &()).await;
        assert!(message.contains("what runs once cannot ask"), "{message}");
        let message = client.complaint("invalid", &()).await;
        assert!(message.contains("`no url` is not an absolute URL"), "{message}");
    })
    .await;
}

#[tokio::test]
async fn ask_parameter_is_elicited_before_the_function_runs() {
    fn sure(path: &str) -> Ask<bool> {
        if path == "/tmp" { Ask::known(true) } else { Question::form(format!("Delete {path}?")).into() }
    }
    let tool = Tool::new("delete", |path: String, State(effects): State<Effects>, ctx: Ctx| async move {
        let sure = sure(&path).resolve(&ctx).await?;
        effects.note("ran");
        Ok::<_, ToolError>(format!("{path} {sure}"))
    })
    .args(["path"]);
    everywhere(server_with(tool), async |client| {
        client.accept("Delete /x?", &json!({ "value": false }));
        assert_eq!(client.text("delete", &json!({ "path": "/x" })).await, "/x false");
        assert_eq!(client.text("delete", &json!({ "path": "/tmp" })).await, "/tmp true");
    })
    .await;
}

// M26-239, M26-240
#[tokio::test]
async fn manual_rounds_are_equal_on_every_revision() {
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
            Some(name) => Ok(format!("{name} after {seen}, in words of {:?}", round.raw_answer("other").is_some())),
        }
    }
    let server =
        |effects| Server::new("client-requests", "1").state::<Effects>(effects).with_tool(Tool::new("greet", greet));
    everywhere(server, async |client| {
        client.accept("Name?", &json!({ "value": "Ada" }));
        client.accept("Ada?", &json!({ "value": "Bob" }));
        client.accept("Bob?", &json!({ "value": "Eve" }));
        assert_eq!(client.text("greet", &()).await, "Eve after 3, in words of false");
    })
    .await;
}

#[tokio::test]
async fn plain_function_can_use_manual_rounds() {
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
    let ada = || Peer::new(Revision::LATEST).with_capabilities(everything()).with_identity("ada");
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
    let eve = || Peer::new(Revision::LATEST).with_capabilities(everything()).with_identity("eve");
    let nobody = || Peer::new(Revision::LATEST).with_capabilities(everything());
    for (what, params, peer) in [
        ("altered", with(params("ask", 1), Some(&altered)), ada()),
        ("somebody else's", with(params("ask", 1), None), eve()),
        ("nobody's", with(params("ask", 1), None), nobody()),
        ("another tool's", with(params("other", 1), None), ada()),
        ("other arguments'", with(params("ask", 2), None), ada()),
        ("made up", with(params("ask", 1), Some("x")), ada()),
    ] {
        let Reply::Failed(error) = call(params, peer).await else { panic!("{what} was accepted") };
        assert_eq!(error, Error::invalid_params(error.message.clone()), "{what}: one code, no data");
        assert!(error.message.contains("`requestState` is invalid"), "{what}: {error}");
    }
    let Reply::Done(_) = call(with(params("ask", 1), None), ada()).await else {
        panic!("the call of the state was rejected")
    };
}

#[tokio::test]
async fn decline_is_an_error_unless_try_elicit_is_used() {
    let server = |effects| {
        Server::new("client-requests", "1")
            .state::<Effects>(effects)
            .with_tool(Tool::new("plain", |ctx: Ctx| async move { ctx.elicit::<bool>("Sure?").await.map(|_| "?") }))
            .with_tool(Tool::new("value", |ctx: Ctx| async move {
                ctx.try_elicit::<bool>("Sure?").await.map(|answer| match answer {
                    Elicited::Accepted(_) => "accepted",
                    Elicited::Declined => "declined",
                    Elicited::Cancelled => "closed",
                })
            }))
    };
    everywhere(server, async |client| {
        client.decline("Sure?");
        client.cancel("Sure?");
        client.cancel("Sure?");
        assert_eq!(client.complaint("plain", &()).await, "the user declined to answer: Sure?");
        assert_eq!(client.complaint("plain", &()).await, "the user cancelled the request: Sure?");
        assert_eq!(client.text("value", &()).await, "closed");
    })
    .await;
}

// S-431, S-433, S-443, S-445, S-446, S-447, M26-489, M26-493
#[tokio::test]
async fn url_elicitation_works_on_every_revision() {
    let server = |effects| {
        Server::new("client-requests", "1")
            .state::<Effects>(effects)
            .with_tool(Tool::new("visit", |ctx: Ctx| async move {
                let visit = ctx.elicit_url("Sign in", "https://example.com/in").await?;
                Ok::<_, ToolError>(format!("agreed, {}", visit.id.is_some()))
            }))
            .with_tool(Tool::new("first", |State(effects): State<Effects>, ctx: Ctx| async move {
                if effects.count("been there") == 0 {
                    effects.note("been there");
                    return Err(ctx.url_required([Question::url("Sign in", "https://example.com/in")]));
                }
                Ok("welcome")
            }))
    };
    everywhere(server, async |client| {
        client.agree("Sign in");
        let live = matches!(client.way(), Way::Live(_));
        assert_eq!(client.text("visit", &()).await, format!("agreed, {live}"));
        if live {
            let error = client.call("first", &()).await.unwrap_err();
            assert_eq!(error.code, ErrorCode::URL_ELICITATION_REQUIRED);
            let data: serde_json::Value = error.data.unwrap().decode().unwrap();
            let request = &data["elicitations"][0];
            assert_eq!((&request["mode"], &request["url"]), (&json!("url"), &json!("https://example.com/in")));
            assert!(request["elicitationId"].as_str().is_some_and(|id| id.len() > 20), "{request}");
        }
        assert_eq!(client.text("first", &()).await, "welcome");
    })
    .await;
}

#[tokio::test]
async fn sampling_returns_the_result_of_the_model() {
    let tool = Tool::new("capital", |ctx: Ctx| async move {
        let response = ctx.sample(Sample::new("Capital of France?").system("One word").max_tokens(5)).await?;
        assert_eq!(response.role, Role::Assistant);
        Ok::<_, ToolError>(format!("{:?}", response.content.len()))
    });
    everywhere(server_with(tool), async |client| {
        client.say("Capital of France?", "Paris");
        assert_eq!(client.text("capital", &()).await, "1");
    })
    .await;
}

// M26-235
#[tokio::test]
async fn completion_cannot_elicit() {
    let complete = Completion::prompt("greet", "name", |_typed: String, ctx: Ctx| async move {
        let request = (ctx.can_elicit(), ctx.elicit::<String>("Whose?").await.unwrap_err().to_string());
        vec![format!("{request:?}")]
    });
    let server = Server::new("client-requests", "1")
        .with_prompt(Prompt::sync("greet", |name: String| name).args(["name"]))
        .with_completion(complete.args(["typed"]));
    for revision in [Revision::LATEST_LEGACY, Revision::LATEST] {
        let params =
            json!({ "ref": { "type": "ref/prompt", "name": "greet" }, "argument": { "name": "name", "value": "" } });
        let request = ClientRequest::Complete(serde_json::from_value(params).unwrap());
        let reply = server.call(Call::new(request, Peer::new(revision).with_capabilities(everything()))).await;
        let Reply::Done(ServerResult::Complete(result)) = reply else { panic!("{reply:?}") };
        let message = &result.completion.values[0];
        assert!(
            message.contains("false") && message.contains("only tools, prompts and resources can ask"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn spawned_task_can_elicit() {
    let tool = Tool::new("spawn", |ctx: Ctx| async move {
        let asking = ctx.clone();
        let task = tokio::spawn(async move {
            tokio::task::yield_now().await;
            asking.elicit::<u8>("How many?").await
        });
        Ok::<_, ToolError>(task.await??.to_string())
    });
    everywhere(server_with(tool), async |client| {
        client.accept("How many?", &json!({ "value": 4 }));
        assert_eq!(client.text("spawn", &()).await, "4");
    })
    .await;
}

#[tokio::test]
async fn time_limit_is_paused_while_elicitation_is_pending() {
    let limit = Duration::from_millis(80);
    let tool = Tool::new("slow", |wait: u64, ctx: Ctx| async move {
        let sure = ctx.elicit::<bool>("Sure?").await?;
        tokio::time::sleep(Duration::from_millis(wait)).await;
        Ok::<_, ToolError>(sure.to_string())
    })
    .args(["wait"]);
    let server =
        Server::new("client-requests", "1").with_tool(tool).wrap(ferromcp_server::middleware::time_limit(limit));
    let client = Client::with(server, Way::Live(Revision::LATEST_LEGACY));
    client.hesitate(limit * 3);
    client.accept("Sure?", &json!({ "value": true }));
    assert_eq!(client.text("slow", &json!({ "wait": 0 })).await, "true");
    let error = client.call("slow", &json!({ "wait": 60_000 })).await.unwrap_err();
    assert_eq!(error.message, "tool `slow` took longer than 80ms");
}

// S-094, S-095
#[tokio::test]
async fn question_times_out_when_client_does_not_respond() {
    let tool = Tool::new("wait", |ctx: Ctx| async move {
        let request = ctx.elicit::<bool>("Sure?").timeout(Duration::from_millis(20)).await;
        request.unwrap_err().to_string()
    });
    let client = Client::with(Server::new("client-requests", "1").with_tool(tool), Way::Live(Revision::LATEST_LEGACY));
    client.hesitate(Duration::from_secs(60));
    client.accept("Sure?", &json!({ "value": true }));
    assert_eq!(client.text("wait", &()).await, "timed out after 20ms waiting for an answer: Sure?");
}
