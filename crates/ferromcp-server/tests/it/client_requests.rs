//! Elicitation, sampling and roots on every revision, with the public test harness.

use std::time::Duration;

use ferromcp_core::model::{
    ClientCapabilities, ContentBlock, CreateMessageResult, Role, SamplingContent, ToolDefinition, ToolResultContent,
    ToolUseContent,
};
use ferromcp_core::{ClientRequest, ErrorCode, RawJson, Revision, ServerResult};
use ferromcp_server::testing::{ClientMode, Effects, TestClient, all_capabilities, for_each_mode, for_each_mode_with};
use ferromcp_server::{
    Ask, Call, Completion, Ctx, Elicited, Peer, Prompt, Question, Reply, Resource, Sample, Server, State, Tool,
    ToolError,
};
use serde_json::json;

/// Returns a factory of servers with this tool and an effects log as state.
pub(crate) fn server_with(tool: Tool) -> impl Fn(Effects) -> Server {
    move |effects| Server::new("client-requests", "1").with_tool(tool.clone()).state(effects)
}

// M26-233, M26-234, M26-250, M26-251, M26-502, M26-503, S-436
#[tokio::test]
async fn effects_are_equal_on_every_revision_when_handler_elicits() {
    let tool = Tool::new("book", |State(effects): State<Effects>, ctx: Ctx| async move {
        ctx.once("reserve", || async { effects.record("reserved") }).await?;
        let name = ctx.elicit::<String>("Name?").await?;
        let paid: u32 = ctx
            .once("pay", || async {
                tokio::time::sleep(Duration::from_millis(2)).await;
                effects.record("paid");
                7
            })
            .await?;
        let seats = ctx.elicit::<u8>(format!("How many seats, {name}?")).await?;
        let sure = ctx.try_elicit::<bool>(format!("{seats} seats?")).await?;
        effects.record("done");
        Ok::<_, ToolError>(format!("{name} {seats} {paid} {sure}"))
    });
    for_each_mode(server_with(tool), async |client| {
        client.accept("Name?", &json!({ "value": "Ada" }));
        client.accept("How many", &json!({ "value": 3 }));
        client.decline("3 seats?");
        assert_eq!(client.text("book", &()).await, "Ada 3 7 declined");
        assert_eq!(client.asked(), ["Name?", "How many seats, Ada?", "3 seats?"]);
    })
    .await;
}

#[tokio::test]
#[should_panic(expected = "`started` ran 2 times in Rounds but 1 times live")]
async fn effect_before_question_is_detected_when_not_in_once() {
    let tool = Tool::new("careless", |State(effects): State<Effects>, ctx: Ctx| async move {
        effects.record("started");
        ctx.elicit::<bool>("Sure?").await.map(|sure| sure.to_string())
    });
    for_each_mode(server_with(tool), async |client| {
        client.accept("Sure?", &json!({ "value": true }));
        client.text("careless", &()).await;
    })
    .await;
}

#[tokio::test]
async fn question_is_repeated_when_answer_in_loop_is_invalid() {
    let tool = Tool::new("guess", |State(effects): State<Effects>, ctx: Ctx| async move {
        for attempt in 1.. {
            let guess = ctx.elicit::<u32>("A number?").await?;
            ctx.once("look", || async { effects.record(format!("looked at {guess}")) }).await?;
            if guess == 7 {
                return Ok::<_, ToolError>(format!("right after {attempt}"));
            }
        }
        unreachable!()
    });
    for_each_mode(server_with(tool), async |client| {
        for guess in [1, 5, 7] {
            client.accept("A number?", &json!({ "value": guess }));
        }
        assert_eq!(client.text("guess", &()).await, "right after 3");
    })
    .await;
}

#[tokio::test]
async fn question_fails_when_answer_is_invalid() {
    // M26-523, S-459, S-461
    let tool = Tool::new("age", |ctx: Ctx| async move {
        match ctx.elicit::<u8>("Age?").await {
            Err(error) if error.is_invalid() => Ok(format!("again: {error}")),
            other => other.map(|age| age.to_string()).map_err(ToolError::from),
        }
    });
    for_each_mode(server_with(tool), async |client| {
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
    for_each_mode_with(ClientCapabilities::default(), server, async |client| {
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
async fn form_elicitation_is_supported_when_capability_is_empty() {
    let capabilities: ClientCapabilities = serde_json::from_value(json!({ "elicitation": {} })).unwrap();
    let tool = Tool::new("can", |ctx: Ctx| async move { format!("{} {}", ctx.can_elicit(), ctx.can_elicit_url()) });
    for_each_mode_with(capabilities, server_with(tool), async |client| {
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
        let client = TestClient::with(server.clone(), ClientMode::Live(revision));
        assert_eq!(client.text("can", &()).await, expected, "{revision:?}");
    }
}

// M26-535, M26-538, S-377, S-380
#[tokio::test]
async fn sampling_with_tools_fails_when_client_lacks_capability() {
    let tool = Tool::new("weather", |ctx: Ctx| async move {
        let offered = ToolDefinition::new("temperature", RawJson::parse(r#"{"type":"object"}"#)?);
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
    for_each_mode(server_with(tool.clone()), async |client| {
        let wants = ToolUseContent::new("1", "temperature", RawJson::empty_object());
        client.sample("Is it warm?", &CreateMessageResult::new("m", SamplingContent::ToolUse(wants)));
        client.sample_text("ToolResult", "Yes");
        assert_eq!(client.text("weather", &()).await, "1");
    })
    .await;
    let without: ClientCapabilities = serde_json::from_value(json!({ "sampling": {} })).unwrap();
    for_each_mode_with(without, server_with(tool), async |client| {
        let error = client.call("weather", &()).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::MISSING_CLIENT_CAPABILITY);
        assert!(error.data.unwrap().as_str().contains(r#""sampling":{"tools":{}}"#));
    })
    .await;
}

#[tokio::test]
async fn elicitation_succeeds_when_called_from_prompt_or_resource() {
    let server = |effects| {
        Server::new("client-requests", "1")
            .state::<Effects>(effects)
            .with_prompt(Prompt::new("greet", |ctx: Ctx| async move {
                ctx.elicit::<String>("Name?").await.map(|name| format!("Greet {name}"))
            }))
            .with_resource(Resource::new("file:///secret", |State(effects): State<Effects>, ctx: Ctx| async move {
                ctx.once("open", || async { effects.record("opened") }).await?;
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
    for_each_mode(server, async |client| {
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
        effects.record(format!("run {run}"));
        ctx.elicit::<bool>(format!("It is {run} o'clock, right?")).await.map(|_| "right")
    });
    let server = server_with(tool)(Effects::new());
    let client = TestClient::with(server, ClientMode::Rounds);
    client.accept("o'clock", &json!({ "value": true }));
    let message = client.error_text("clock", &()).await;
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
        effects.record(format!("run {run}"));
        ctx.elicit::<bool>(format!("It is {run} o'clock, right?")).key("right").await.map(|right| right.to_string())
    });
    let client = TestClient::with(server_with(tool)(Effects::new()), ClientMode::Rounds);
    client.accept("o'clock", &json!({ "value": true }));
    assert_eq!(client.text("clock", &()).await, "true");
}

#[tokio::test]
async fn failed_effect_is_not_retried_when_handler_reruns() {
    let tool = Tool::new("pay", |State(effects): State<Effects>, ctx: Ctx| async move {
        let paid: Result<u32, ToolError> = ctx
            .try_once("charge", || async {
                effects.record("charged");
                Err(ToolError::new("no money"))
            })
            .await;
        let again = ctx.elicit::<bool>("Another card?").await?;
        Ok::<_, ToolError>(format!("{} {again}", paid.unwrap_err()))
    });
    for_each_mode(server_with(tool), async |client| {
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
    for_each_mode(server, async |client| {
        let message = client.text("within", &()).await;
        assert!(message.contains("cannot ask inside `once`"), "{message}");
        let message = client.error_text("invalid", &()).await;
        assert!(message.contains("`no url` is not an absolute URL"), "{message}");
    })
    .await;
}

#[tokio::test]
async fn function_is_resumed_with_answer_when_ask_parameter_is_elicited() {
    fn sure(path: &str) -> Ask<bool> {
        if path == "/tmp" { Ask::known(true) } else { Question::form(format!("Delete {path}?")).into() }
    }
    let tool = Tool::new("delete", |path: String, State(effects): State<Effects>, ctx: Ctx| async move {
        let sure = sure(&path).resolve(&ctx).await?;
        effects.record("ran");
        Ok::<_, ToolError>(format!("{path} {sure}"))
    })
    .args(["path"]);
    for_each_mode(server_with(tool), async |client| {
        client.accept("Delete /x?", &json!({ "value": false }));
        assert_eq!(client.text("delete", &json!({ "path": "/x" })).await, "/x false");
        assert_eq!(client.text("delete", &json!({ "path": "/tmp" })).await, "/tmp true");
    })
    .await;
}

#[tokio::test]
async fn elicit_fails_and_try_elicit_succeeds_when_user_declines_or_cancels() {
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
    for_each_mode(server, async |client| {
        client.decline("Sure?");
        client.cancel("Sure?");
        client.cancel("Sure?");
        assert_eq!(client.error_text("plain", &()).await, "the user declined to answer: Sure?");
        assert_eq!(client.error_text("plain", &()).await, "the user cancelled the request: Sure?");
        assert_eq!(client.text("value", &()).await, "closed");
    })
    .await;
}

// S-431, S-433, S-443, S-445, S-446, S-447, M26-489, M26-493
#[tokio::test]
async fn consent_is_returned_on_every_revision_when_url_is_elicited() {
    let server = |effects| {
        Server::new("client-requests", "1")
            .state::<Effects>(effects)
            .with_tool(Tool::new("visit", |ctx: Ctx| async move {
                let consent = ctx.elicit_url("Sign in", "https://example.com/in").await?;
                Ok::<_, ToolError>(format!("accepted, {}", consent.id.is_some()))
            }))
            .with_tool(Tool::new("first", |State(effects): State<Effects>, ctx: Ctx| async move {
                if effects.count("visited") == 0 {
                    effects.record("visited");
                    ctx.require_urls([Question::url("Sign in", "https://example.com/in")]).await?;
                }
                Ok::<_, ToolError>("welcome")
            }))
    };
    for_each_mode(server, async |client| {
        client.accept_url("Sign in");
        let live = matches!(client.mode(), ClientMode::Live(_));
        assert_eq!(client.text("visit", &()).await, format!("accepted, {live}"));
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
async fn model_result_is_returned_when_handler_samples() {
    let tool = Tool::new("capital", |ctx: Ctx| async move {
        let response = ctx.sample(Sample::new("Capital of France?").system("One word").max_tokens(5)).await?;
        assert_eq!(response.role, Role::Assistant);
        Ok::<_, ToolError>(format!("{:?}", response.content.len()))
    });
    for_each_mode(server_with(tool), async |client| {
        client.sample_text("Capital of France?", "Paris");
        assert_eq!(client.text("capital", &()).await, "1");
    })
    .await;
}

// M26-235
#[tokio::test]
async fn elicitation_fails_when_called_from_completion() {
    let complete = Completion::prompt("greet", "name", |_typed: String, ctx: Ctx| async move {
        let request = (ctx.can_elicit(), ctx.elicit::<String>("Name?").await.unwrap_err().to_string());
        vec![format!("{request:?}")]
    });
    let server = Server::new("client-requests", "1")
        .with_prompt(Prompt::sync("greet", |name: String| name).args(["name"]))
        .with_completion(complete.args(["typed"]));
    for revision in [Revision::LATEST_LEGACY, Revision::LATEST] {
        let params =
            json!({ "ref": { "type": "ref/prompt", "name": "greet" }, "argument": { "name": "name", "value": "" } });
        let request = ClientRequest::Complete(serde_json::from_value(params).unwrap());
        let reply = server.call(Call::new(request, Peer::new(revision).with_capabilities(all_capabilities()))).await;
        let Reply::Done(ServerResult::Complete(result)) = reply else { panic!("{reply:?}") };
        let message = &result.completion.values[0];
        assert!(
            message.contains("false") && message.contains("only tools, prompts and resources can ask"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn elicitation_succeeds_when_called_from_spawned_task() {
    let tool = Tool::new("spawn", |ctx: Ctx| async move {
        let task_ctx = ctx.clone();
        let task = tokio::spawn(async move {
            tokio::task::yield_now().await;
            task_ctx.elicit::<u8>("How many?").await
        });
        Ok::<_, ToolError>(task.await??.to_string())
    });
    for_each_mode(server_with(tool), async |client| {
        client.accept("How many?", &json!({ "value": 4 }));
        assert_eq!(client.text("spawn", &()).await, "4");
    })
    .await;
}

#[tokio::test]
async fn time_limit_is_paused_when_elicitation_is_pending() {
    let limit = Duration::from_millis(80);
    let tool = Tool::new("slow", |wait: u64, ctx: Ctx| async move {
        let sure = ctx.elicit::<bool>("Sure?").await?;
        tokio::time::sleep(Duration::from_millis(wait)).await;
        Ok::<_, ToolError>(sure.to_string())
    })
    .args(["wait"]);
    let server =
        Server::new("client-requests", "1").with_tool(tool).wrap(ferromcp_server::middleware::time_limit(limit));
    let client = TestClient::with(server, ClientMode::Live(Revision::LATEST_LEGACY));
    client.set_response_delay(limit * 3);
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
    let client = TestClient::with(
        Server::new("client-requests", "1").with_tool(tool),
        ClientMode::Live(Revision::LATEST_LEGACY),
    );
    client.set_response_delay(Duration::from_secs(60));
    client.accept("Sure?", &json!({ "value": true }));
    assert_eq!(client.text("wait", &()).await, "timed out after 20ms waiting for an answer: Sure?");
}
