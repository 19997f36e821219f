//! Calls that a handler makes to its own server, and their errors.

use ferromcp_core::model::ToolDefinition;
use ferromcp_core::{Error, RawJson};
use ferromcp_server::testing::{Effects, for_each_mode};
use ferromcp_server::{Ctx, Prompt, Question, Resource, Sample, Server, Tool, ToolError};
use serde_json::{Value, json};

use crate::client::{Case, Client};

/// A tool, a prompt and a resource that read the resource at `uri`.
fn readers(uri: &'static str) -> Server {
    let text = move |ctx: Ctx| async move {
        let read = ctx.read_resource(uri).await?;
        Ok::<_, ToolError>(read.contents[0].as_text().unwrap_or_default().to_owned())
    };
    Server::new("reads", "0")
        .with_tool(Tool::new("read", text))
        .with_prompt(Prompt::new("read", text))
        .with_resource(Resource::new("reads://it", text))
}

#[tokio::test]
async fn tool_error_is_returned_when_a_tool_reads_a_missing_resource() {
    // S4
    for case in Case::all() {
        for (uri, part) in [
            ("note://missing", "cannot read resource `note://missing`: Resource not found: note://missing"),
            ("broken://1", "cannot read resource `broken://1`: no database"),
            ("panics://1", "cannot read resource `panics://1`: Internal error"),
            ("number://x", "cannot read resource `number://x`: Invalid arguments"),
            ("path://%2e%2e", "cannot read resource `path://%2e%2e`"),
            ("denied://1", "cannot read resource `denied://1`: forbidden"),
        ] {
            let server = readers(uri)
                .with_resource(
                    Resource::sync("broken://{id}", |_: u8| Err::<String, _>(ToolError::new("no database")))
                        .args(["id"]),
                )
                .with_resource(Resource::sync("panics://{id}", |_: u8| -> String { panic!("secret") }).args(["id"]))
                .with_resource(Resource::sync("number://{id}", |id: u8| id.to_string()).args(["id"]))
                .with_resource(Resource::sync("path://{path}", |path: String| path).args(["path"]))
                .with_resource(
                    Resource::sync("denied://{id}", |_: u8| {
                        Err::<String, _>(ToolError::from(Error::new(ferromcp_core::ErrorCode(-1), "forbidden")))
                    })
                    .args(["id"]),
                );
            let mut client = Client::connect(server, case).await;
            let text = client.tool_error("read", json!({})).await;
            assert!(text.contains(part) && !text.contains("secret"), "{part}: {text}");
            client.assert_alive().await;
        }
    }
}

#[tokio::test]
async fn tool_error_is_returned_when_the_server_has_no_resources() {
    // S4
    for case in Case::all() {
        let tool = Tool::new("read", async |ctx: Ctx| {
            let Err(error) = ctx.read_resource("note://x").await else { return Ok("read".to_owned()) };
            assert!(error.is_not_found());
            Err::<String, ToolError>(error.into())
        });
        let mut client = Client::connect(Server::new("none", "0").with_tool(tool), case).await;
        assert!(client.tool_error("read", json!({})).await.contains("Resource not found: note://x"));
    }
}

#[tokio::test]
async fn protocol_error_is_unchanged_when_another_handler_reads_a_missing_resource() {
    // S4
    for case in Case::all() {
        let mut client = Client::connect(readers("note://missing"), case).await;
        let direct = client.error("resources/read", json!({ "uri": "note://missing" })).await;
        assert_eq!(client.error("resources/read", json!({ "uri": "reads://it" })).await, direct);
        assert_eq!(client.error("prompts/get", json!({ "name": "read" })).await, direct);
        // A tool returns the protocol error if it converts it.
        let tool = Tool::new("strict", async |ctx: Ctx| {
            ctx.read_resource("note://missing").await.map(|_| ()).map_err(Error::from)
        });
        let mut client = Client::connect(readers("note://missing").with_tool(tool), case).await;
        assert_eq!(client.error("tools/call", json!({ "name": "strict" })).await, direct);
    }
}

#[tokio::test]
async fn error_names_the_capability_when_the_client_lacks_it() {
    // S5
    let url = |ctx: Ctx| async move { ctx.elicit_url("Sign in", "https://example.com").await.map(|_| ()) };
    let tools = |ctx: Ctx| async move {
        ctx.sample(Sample::new("hello").tool(ToolDefinition::new("add", RawJson::empty_object()))).await.map(|_| ())
    };
    let server = || {
        Server::new("asks", "0")
            .with_tool(Tool::new("form", |ctx: Ctx| async move { ctx.elicit::<bool>("Sure?").await.map(|_| ()) }))
            .with_tool(Tool::new("ask", |ctx: Ctx| async move {
                ctx.ask(Question::<bool>::form("Sure?")).await.map(|_| ())
            }))
            .with_tool(Tool::new("url", url))
            .with_tool(Tool::new("sample", |ctx: Ctx| async move { ctx.sample("hello").await.map(|_| ()) }))
            .with_tool(Tool::new("tools", tools))
            .with_tool(Tool::new("roots", |ctx: Ctx| async move { ctx.roots().await.map(|_| ()) }))
            .with_resource(Resource::new("asks://it", |ctx: Ctx| async move { ctx.elicit::<String>("Word?").await }))
            .with_tool(Tool::new("reads", |ctx: Ctx| async move { ctx.read_resource("asks://it").await.map(|_| ()) }))
            .with_tool(Tool::new("text", |ctx: Ctx| async move { ctx.roots().await.unwrap_err().to_string() }))
    };
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        for (tool, capability) in [
            ("form", "elicitation"),
            ("ask", "elicitation"),
            ("url", "elicitation.url"),
            ("sample", "sampling"),
            ("tools", "sampling.tools"),
            ("roots", "roots"),
            ("reads", "elicitation"),
        ] {
            let error = client.error("tools/call", json!({ "name": tool, "arguments": {} })).await;
            let expected =
                format!("The client did not declare the capability `{capability}`, which this request needs");
            assert_eq!(error["message"], expected, "{tool}: {error}");
            assert_eq!(error["code"], if case.is_modern() { -32021 } else { -32602 });
            assert_ne!(error["data"], Value::Null);
        }
        let text = client.text("text", json!({})).await;
        assert_eq!(text, "cannot send the request: the client did not declare the capability `roots`");
    }
}

/// A server with tools that other handlers call.
fn callers() -> Server {
    let call = |name: String, arguments: Value, ctx: Ctx| async move {
        Ok::<_, ToolError>(ctx.call_tool(&name, arguments).await?.text_content())
    };
    Server::new("calls", "0")
        .with_tool(Tool::new("call", call).args(["name", "arguments", ""]))
        .with_tool(Tool::sync("add", |a: i64, b: i64| a + b).args(["a", "b"]))
        .with_tool(Tool::sync("fail", || Err::<String, _>(ToolError::new("no database"))))
        .with_tool(Tool::sync("panic", || -> String { panic!("secret") }))
        .with_tool(Tool::sync("deny", || {
            Err::<String, _>(ToolError::from(Error::new(ferromcp_core::ErrorCode(-1), "forbidden")))
        }))
        .with_tool(Tool::new("loop", |ctx: Ctx| async move {
            Ok::<_, ToolError>(ctx.call_tool("loop", ()).await?.text_content())
        }))
        .with_resource(Resource::new("sum://2", |ctx: Ctx| async move {
            let sum: i64 = ctx.call_tool("add", json!({ "a": 1, "b": 1 })).await?.parse()?;
            Ok::<_, ToolError>(sum.to_string())
        }))
        .with_resource(Resource::new("fail://it", |ctx: Ctx| async move {
            ctx.call_tool("fail", ()).await.map(|result| result.text_content())
        }))
        .with_resource(Resource::new("loop://it", |ctx: Ctx| async move {
            Ok::<_, ToolError>(ctx.read_resource("loop://it").await?.contents.len().to_string())
        }))
}

#[tokio::test]
async fn result_is_returned_when_a_handler_calls_a_tool() {
    for case in Case::all() {
        let mut client = Client::connect(callers(), case).await;
        let sum = client.text("call", json!({ "name": "add", "arguments": { "a": 1, "b": 2 } })).await;
        assert_eq!(sum, "3");
        let read = client.result("resources/read", json!({ "uri": "sum://2" })).await;
        assert_eq!(read["contents"][0]["text"], "2");
    }
}

#[tokio::test]
async fn tool_error_is_returned_when_the_called_tool_fails() {
    for case in Case::all() {
        let mut client = Client::connect(callers(), case).await;
        for (name, arguments, expected) in [
            ("fail", json!({}), "cannot call tool `fail`: no database"),
            ("fail", Value::Null, "cannot call tool `fail`: no database"),
            ("panic", json!({}), "cannot call tool `panic`: Internal error: the handler panicked"),
            ("deny", json!({}), "cannot call tool `deny`: forbidden"),
            ("none", json!({}), "cannot call tool `none`: Unknown tool: none"),
            ("add", json!([1]), "cannot call tool `add`: the arguments must serialize to a JSON object"),
        ] {
            let text = client.tool_error("call", json!({ "name": name, "arguments": arguments })).await;
            assert_eq!(text, expected);
        }
        let text = client.tool_error("call", json!({ "name": "add", "arguments": { "a": 1 } })).await;
        assert!(text.contains("cannot call tool `add`: Invalid arguments for tool `add`: `b` is missing"), "{text}");
        let error = client.error("resources/read", json!({ "uri": "fail://it" })).await;
        assert_eq!((&error["code"], &error["message"]), (&json!(-32603), &json!("no database")));
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn call_fails_when_handlers_call_each_other_without_end() {
    for case in Case::eras() {
        let mut client = Client::connect(callers(), case).await;
        let text = client.tool_error("loop", json!({})).await;
        assert_eq!(text.matches("cannot call tool `loop`").count(), 17, "{text}");
        assert!(text.ends_with("nested calls exceed the limit of 16 levels; check for infinite recursion"));
        let error = client.error("resources/read", json!({ "uri": "loop://it" })).await;
        assert!(error["message"].as_str().unwrap().starts_with("nested calls exceed"), "{error}");
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn questions_and_effects_of_both_handlers_are_recorded_once_when_a_tool_calls_a_tool() {
    let server = |effects: Effects| {
        let inner = effects.clone();
        let ask = move |ctx: Ctx| {
            let effects = inner.clone();
            async move {
                let word = ctx.elicit::<String>("Inner?").await?;
                ctx.once("inner", || async { effects.record(format!("inner {word}")) }).await?;
                let again = ctx.elicit::<String>("Again?").await?;
                Ok::<_, ToolError>(format!("{word} {again}"))
            }
        };
        Server::new("nested", "0").with_tool(Tool::new("ask", ask)).with_tool(Tool::new("outer", move |ctx: Ctx| {
            let effects = effects.clone();
            async move {
                let first = ctx.elicit::<String>("Outer?").await?;
                ctx.once("outer", || async { effects.record("outer") }).await?;
                let text = ctx.call_tool("ask", ()).await?.text_content();
                let last = ctx.elicit::<String>("Last?").await?;
                Ok::<_, ToolError>(format!("{first} {text} {last}"))
            }
        }))
    };
    for_each_mode(server, async |client| {
        for (question, word) in [("Outer?", "a"), ("Inner?", "b"), ("Again?", "c"), ("Last?", "d")] {
            client.accept(question, &json!({ "value": word }));
        }
        assert_eq!(client.text("outer", &()).await, "a b c d");
        assert_eq!(client.asked(), ["Outer?", "Inner?", "Again?", "Last?"]);
    })
    .await;
}
