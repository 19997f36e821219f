//! Handlers that ask their client in the middle: the same on every era, by the harness that users have.

use std::time::Duration;

use ferromcp_core::model::{
    CallToolParams, ClientCapabilities, ContentBlock, CreateMessageResult, InputRequired, Role, SamplingContent,
    Tool as ToolModel, ToolResultContent, ToolUseContent,
};
use ferromcp_core::{ClientRequest, RawJson, Revision};
use ferromcp_server::testing::{Client, Effects, Way, everything, everywhere, everywhere_as};
use ferromcp_server::{
    Ask, Call, Ctx, Elicited, Error, ErrorCode, Peer, Prompt, Question, Reply, Resource, Round, Sample, Server, State,
    Tool, ToolError,
};
use serde_json::json;

fn of(tool: Tool) -> impl Fn(Effects) -> Server {
    move |effects| Server::new("asks", "1").with_tool(tool.clone()).state(effects)
}

// M26-233, M26-234, M26-250, M26-251, M26-502, M26-503, S-436
#[tokio::test]
async fn a_conversation_has_the_same_effects_on_every_era() {
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
    everywhere(of(tool), async |client| {
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
async fn an_effect_before_a_question_is_found_out() {
    let tool = Tool::new("careless", |State(effects): State<Effects>, ctx: Ctx| async move {
        effects.note("begun");
        ctx.elicit::<bool>("Sure?").await.map(|sure| sure.to_string())
    });
    everywhere(of(tool), async |client| {
        client.accept("Sure?", &json!({ "value": true }));
        client.text("careless", &()).await;
    })
    .await;
}

#[tokio::test]
async fn a_loop_of_the_same_question_goes_on_until_it_is_answered_well() {
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
    everywhere(of(tool), async |client| {
        for guess in [1, 5, 7] {
            client.accept("A number?", &json!({ "value": guess }));
        }
        assert_eq!(client.text("guess", &()).await, "right after 3");
    })
    .await;
}

// M26-236, M26-237
#[tokio::test]
async fn questions_side_by_side_are_one_round_and_their_branches_keep_apart() {
    async fn branch(ctx: &Ctx, effects: &Effects, name: &str) -> Result<u32, ToolError> {
        let mut sum = 0;
        for _ in 0..3 {
            sum += ctx.elicit::<u32>("How many?").await?; // the same words in both branches
            let noted = ctx.once("add", || async { effects.note(format!("{name} {sum}")) });
            noted.await?;
        }
        Ok(sum)
    }
    let tool = Tool::new("both", |State(effects): State<Effects>, ctx: Ctx| async move {
        let (left, right) = tokio::join!(branch(&ctx, &effects, "left"), branch(&ctx, &effects, "right"));
        Ok::<_, ToolError>(format!("{} {}", left?, right?))
    });
    let server = of(tool);
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

/// Answers all questions, or the first, with one.
fn answer(params: &mut CallToolParams, required: InputRequired, few: bool) {
    let mut answers = ferromcp_core::RawMap::new();
    let all = required.input_requests.unwrap();
    for (key, _) in all.into_iter().take(if few { 1 } else { usize::MAX }) {
        answers.insert(key, RawJson::new(&json!({ "action": "accept", "content": { "value": 1 } })).unwrap());
    }
    (params.input_responses, params.request_state) = (Some(answers), required.request_state);
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_told_and_not_seen() {
    // M26-523, S-459, S-461
    let tool = Tool::new("age", |ctx: Ctx| async move {
        match ctx.elicit::<u8>("Age?").await {
            Err(error) if error.is_invalid() => Ok(format!("again: {error}")),
            other => other.map(|age| age.to_string()).map_err(ToolError::from),
        }
    });
    everywhere(of(tool), async |client| {
        client.accept("Age?", &json!({ "value": 300 }));
        let told = client.text("age", &()).await;
        assert!(told.starts_with("again: the answer to \"Age?\" does not fit: `value`"), "{told}");
    })
    .await;
}

// M26-249, M26-062, M26-480, M26-582, S-367, S-423
#[tokio::test]
async fn who_did_not_declare_it_is_not_asked() {
    let server = |effects| {
        Server::new("asks", "1")
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
async fn an_empty_capability_is_that_of_forms() {
    let capabilities: ClientCapabilities = serde_json::from_value(json!({ "elicitation": {} })).unwrap();
    let tool = Tool::new("can", |ctx: Ctx| async move { format!("{} {}", ctx.can_elicit(), ctx.can_elicit_url()) });
    everywhere_as(capabilities, of(tool), async |client| {
        assert_eq!(client.text("can", &()).await, "true false");
    })
    .await;
}

#[tokio::test]
async fn forms_go_no_further_back_than_their_revision() {
    let server = Server::new("asks", "1").with_tool(Tool::new("can", |ctx: Ctx| async move {
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
async fn tools_for_the_model_need_a_client_that_has_them() {
    let tool = Tool::new("weather", |ctx: Ctx| async move {
        let offered = ToolModel::new("temperature", RawJson::parse(r#"{"type":"object"}"#)?);
        let sample = Sample::new("Is it warm?").tool(offered);
        let said = ctx.sample(sample.clone()).await?;
        let uses = said.content.iter().filter_map(|block| match block {
            SamplingContent::ToolUse(wanted) => Some(wanted.id.clone()),
            _ => None,
        });
        let results: Vec<_> = uses.map(|id| ToolResultContent::new(id, vec![ContentBlock::text("21")])).collect();
        let said = ctx.sample(sample.answered(&said, results)).await?;
        Ok::<_, ToolError>(format!("{:?}", said.content.len()))
    });
    everywhere(of(tool.clone()), async |client| {
        let wants = ToolUseContent::new("1", "temperature", RawJson::empty_object());
        client.say_all("Is it warm?", &CreateMessageResult::new("m", SamplingContent::ToolUse(wants)));
        client.say("ToolResult", "Yes");
        assert_eq!(client.text("weather", &()).await, "1");
    })
    .await;
    let without: ClientCapabilities = serde_json::from_value(json!({ "sampling": {} })).unwrap();
    everywhere_as(without, of(tool), async |client| {
        let error = client.call("weather", &()).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::MISSING_CLIENT_CAPABILITY);
        assert!(error.data.unwrap().as_str().contains(r#""sampling":{"tools":{}}"#));
    })
    .await;
}

#[tokio::test]
async fn prompts_and_resources_ask_too_and_resources_within_a_call() {
    let server = |effects| {
        Server::new("asks", "1")
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
async fn a_question_that_changes_is_asked_once_more_and_then_named() {
    let tool = Tool::new("clock", |State(effects): State<Effects>, ctx: Ctx| async move {
        let run = effects.all().len();
        effects.note(format!("run {run}"));
        ctx.elicit::<bool>(format!("It is {run} o'clock, right?")).await.map(|_| "right")
    });
    let server = of(tool)(Effects::new());
    let client = Client::with(server, Way::Rounds);
    client.accept("o'clock", &json!({ "value": true }));
    let told = client.complaint("clock", &()).await;
    assert!(told.contains("was \"It is 1 o'clock, right?\"") && told.contains("\"It is 2 o'clock, right?\""), "{told}");
    assert!(told.contains("`.key(..)`"), "it names the remedy: {told}");
}

#[tokio::test]
async fn a_key_stands_for_a_question_whatever_it_says() {
    let tool = Tool::new("clock", |State(effects): State<Effects>, ctx: Ctx| async move {
        let run = effects.all().len();
        effects.note(format!("run {run}"));
        ctx.elicit::<bool>(format!("It is {run} o'clock, right?")).key("right").await.map(|right| right.to_string())
    });
    let client = Client::with(of(tool)(Effects::new()), Way::Rounds);
    client.accept("o'clock", &json!({ "value": true }));
    assert_eq!(client.text("clock", &()).await, "true");
}

// M26-262
#[tokio::test]
async fn an_answer_before_the_question_counts_where_there_is_a_key() {
    let tool = |name: &str, key: Option<&'static str>| {
        Tool::new(name, move |ctx: Ctx| async move {
            let asking = ctx.elicit::<bool>("Sure?");
            let asking = if let Some(key) = key { asking.key(key) } else { asking };
            asking.await.map(|sure| sure.to_string())
        })
    };
    let server = Server::new("asks", "1").with_tool(tool("keyed", Some("sure"))).with_tool(tool("plain", None));
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
        let asked = call(tool, answers).await;
        assert!(matches!(asked, Reply::NeedsInput(_)), "{tool}: {asked:?}");
    }
}

#[tokio::test]
async fn a_failed_effect_is_not_tried_again() {
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
    everywhere(of(tool), async |client| {
        client.accept("Another card?", &json!({ "value": false }));
        assert_eq!(client.text("pay", &()).await, "no money false");
    })
    .await;
}

#[tokio::test]
async fn where_nothing_can_be_asked_the_reason_is_told() {
    let server = |effects| {
        Server::new("asks", "1")
            .state::<Effects>(effects)
            .with_tool(Tool::new("within", |ctx: Ctx| async move {
                let inner = ctx.clone();
                let told =
                    ctx.once("step", || async move { inner.elicit::<bool>("Sure?").await.unwrap_err().to_string() });
                told.await
            }))
            .with_tool(Tool::new("flawed", |ctx: Ctx| async move { ctx.elicit_url("Go", "no url").await.map(|_| "?") }))
    };
    everywhere(server, async |client| {
        let told = client.text("within", &()).await;
        assert!(told.contains("what runs once cannot ask"), "{told}");
        let told = client.complaint("flawed", &()).await;
        assert!(told.contains("`no url` is no absolute URL"), "{told}");
    })
    .await;
}

#[tokio::test]
async fn a_declared_answer_is_there_before_the_function_runs() {
    fn sure(path: &str) -> Ask<bool> {
        if path == "/tmp" { Ask::known(true) } else { Question::form(format!("Delete {path}?")).into() }
    }
    let tool = Tool::new("delete", |path: String, State(effects): State<Effects>, ctx: Ctx| async move {
        let sure = sure(&path).answered(&ctx).await?;
        effects.note("ran");
        Ok::<_, ToolError>(format!("{path} {sure}"))
    })
    .args(["path"]);
    everywhere(of(tool), async |client| {
        client.accept("Delete /x?", &json!({ "value": false }));
        assert_eq!(client.text("delete", &json!({ "path": "/x" })).await, "/x false");
        assert_eq!(client.text("delete", &json!({ "path": "/tmp" })).await, "/tmp true");
    })
    .await;
}

// M26-239, M26-240
#[tokio::test]
async fn rounds_by_hand_are_the_same_on_every_era() {
    async fn greet(round: Round, State(effects): State<Effects>) -> Result<String, ToolError> {
        let name = || Question::<String>::form("Name?");
        let seen: u32 = round.state()?.unwrap_or_default();
        effects.note(format!("round {}", round.number()));
        match round.answer("name", &name())? {
            None => Err(round.next().ask("name", name()).keep(&(seen + 1)).into()),
            Some(name) if seen < 3 => {
                Err(round.next().ask("name", Question::<String>::form(format!("{name}?"))).keep(&(seen + 1)).into())
            }
            Some(name) => Ok(format!("{name} after {seen}, in words of {:?}", round.raw_answer("other").is_some())),
        }
    }
    let server = |effects| Server::new("asks", "1").state::<Effects>(effects).with_tool(Tool::new("greet", greet));
    everywhere(server, async |client| {
        client.accept("Name?", &json!({ "value": "Ada" }));
        client.accept("Ada?", &json!({ "value": "Bob" }));
        client.accept("Bob?", &json!({ "value": "Eve" }));
        assert_eq!(client.text("greet", &()).await, "Eve after 3, in words of false");
    })
    .await;
}

#[tokio::test]
async fn a_plain_function_may_drive_rounds_but_not_wait() {
    let server = |effects| {
        Server::new("asks", "1")
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
async fn a_state_is_good_for_its_own_call_alone() {
    let ask = |name| {
        let function = |n: u8, ctx: Ctx| async move { ctx.elicit::<bool>(format!("{n}?")).await.map(|_| "ok") };
        Tool::new(name, function).args(["n"])
    };
    let server = Server::new("asks", "1").with_tool(ask("ask")).with_tool(ask("other"));
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
        let Reply::Failed(error) = call(params, peer).await else { panic!("{what} was taken") };
        assert_eq!(error, Error::invalid_params(error.message.clone()), "{what}: one code, no data");
        assert!(error.message.contains("`requestState` is not valid"), "{what}: {error}");
    }
    let Reply::Done(_) = call(with(params("ask", 1), None), ada()).await else { panic!("its own") };
}

#[tokio::test]
async fn declining_is_an_error_that_names_the_question_unless_it_is_a_value() {
    let server = |effects| {
        Server::new("asks", "1")
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
        assert_eq!(client.complaint("plain", &()).await, "the user closed the question without an answer: Sure?");
        assert_eq!(client.text("value", &()).await, "closed");
    })
    .await;
}

// S-431, S-433, S-443, S-445, S-446, S-447, M26-489, M26-493
#[tokio::test]
async fn a_url_is_visited_on_every_era_and_may_be_wanted_first() {
    let server = |effects| {
        Server::new("asks", "1")
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
            let asked = &data["elicitations"][0];
            assert_eq!((&asked["mode"], &asked["url"]), (&json!("url"), &json!("https://example.com/in")));
            assert!(asked["elicitationId"].as_str().is_some_and(|id| id.len() > 20), "{asked}");
        }
        assert_eq!(client.text("first", &()).await, "welcome");
    })
    .await;
}

#[tokio::test]
async fn the_model_of_the_client_speaks() {
    let tool = Tool::new("capital", |ctx: Ctx| async move {
        let said = ctx.sample(Sample::new("Capital of France?").system("One word").max_tokens(5)).await?;
        assert_eq!(said.role, Role::Assistant);
        Ok::<_, ToolError>(format!("{:?}", said.content.len()))
    });
    everywhere(of(tool), async |client| {
        client.say("Capital of France?", "Paris");
        assert_eq!(client.text("capital", &()).await, "1");
    })
    .await;
}

#[tokio::test]
async fn a_task_of_its_own_may_ask_too() {
    let tool = Tool::new("spawn", |ctx: Ctx| async move {
        let asking = ctx.clone();
        let task = tokio::spawn(async move {
            tokio::task::yield_now().await;
            asking.elicit::<u8>("How many?").await
        });
        Ok::<_, ToolError>(task.await??.to_string())
    });
    everywhere(of(tool), async |client| {
        client.accept("How many?", &json!({ "value": 4 }));
        assert_eq!(client.text("spawn", &()).await, "4");
    })
    .await;
}

#[tokio::test]
async fn the_time_a_person_takes_is_not_counted() {
    let limit = Duration::from_millis(80);
    let tool = Tool::new("slow", |wait: u64, ctx: Ctx| async move {
        let sure = ctx.elicit::<bool>("Sure?").await?;
        tokio::time::sleep(Duration::from_millis(wait)).await;
        Ok::<_, ToolError>(sure.to_string())
    })
    .args(["wait"]);
    let server = Server::new("asks", "1").with_tool(tool).wrap(ferromcp_server::middleware::time_limit(limit));
    let client = Client::with(server, Way::Live(Revision::LATEST_LEGACY));
    client.hesitate(limit * 3);
    client.accept("Sure?", &json!({ "value": true }));
    assert_eq!(client.text("slow", &json!({ "wait": 0 })).await, "true");
    let error = client.call("slow", &json!({ "wait": 60_000 })).await.unwrap_err();
    assert_eq!(error.message, "tool `slow` took longer than 80ms");
}

// S-094, S-095
#[tokio::test]
async fn who_does_not_answer_in_time_is_not_waited_for() {
    let tool = Tool::new("wait", |ctx: Ctx| async move {
        let asked = ctx.elicit::<bool>("Sure?").timeout(Duration::from_millis(20)).await;
        asked.unwrap_err().to_string()
    });
    let client = Client::with(Server::new("asks", "1").with_tool(tool), Way::Live(Revision::LATEST_LEGACY));
    client.hesitate(Duration::from_secs(60));
    client.accept("Sure?", &json!({ "value": true }));
    assert_eq!(client.text("wait", &()).await, "no answer came within 20ms: Sure?");
}
