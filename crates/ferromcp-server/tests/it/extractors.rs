//! Async extractors, and extractors of values that may be missing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ferromcp_core::model::CallToolParams;
use ferromcp_core::{ClientRequest, Error, ErrorCode};
use ferromcp_server::testing::{Effects, for_each_mode};
use ferromcp_server::{
    Args, AsyncFromCtx, Call, Completion, Ctx, Extension, Peer, Prompt, Requirements, Resource, Server, State, Tool,
    ToolError,
};
use serde_json::{Value, json};

use crate::client::{Case, Client};

/// The users, in place of a database. Counts its queries.
#[derive(Clone, Default)]
struct Db(Arc<AtomicUsize>);

/// The user that the database contains.
struct User(String);

impl AsyncFromCtx for User {
    async fn from_ctx(ctx: &Ctx) -> Result<Self, ToolError> {
        let db = ctx.state::<Db>().ok_or_else(|| ToolError::new("no database"))?;
        db.0.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
        match ctx.extensions().get::<&str>() {
            Some(&"nobody") => Err(ToolError::new("the user does not exist")),
            Some(&"banned") => Err(Error::new(ErrorCode(-1), "banned").into()),
            Some(name) => Ok(Self((*name).to_owned())),
            None => Ok(Self("ann".to_owned())),
        }
    }

    fn requirements(requirements: &mut Requirements<'_>) {
        requirements.state::<Db>();
    }
}

/// A server with functions of every kind that extract the user `name`.
fn server(name: &'static str, db: Db) -> Server {
    Server::new("users", "0")
        .state(db)
        .wrap(move |mut call: Call, next: ferromcp_server::middleware::Next| async move {
            call.extensions.insert(name);
            next.run(call).await
        })
        .with_tool(
            Tool::new("new", |n: i64, user: User, ctx: Ctx| async move {
                assert!(!ctx.has_ended());
                format!("{n} {}", user.0)
            })
            .args(["n", "", ""]),
        )
        .with_tool(Tool::sync("sync", |user: User, n: i64| format!("{n} {}", user.0)).args(["", "n"]))
        .with_tool(
            Tool::blocking("blocking", |user: User, n: i64, State(_): State<Db>| format!("{n} {}", user.0))
                .args(["", "n", ""]),
        )
        .with_tool(Tool::new("args", |Args(args): Args<Value>, user: User| async move { format!("{args} {}", user.0) }))
        .with_resource(
            Resource::new("user://{n}", |n: i64, user: User| async move { format!("{n} {}", user.0) }).args(["n", ""]),
        )
        .with_prompt(Prompt::sync("user", |n: i64, user: User| format!("{n} {}", user.0)).args(["n", ""]))
        .with_completion(
            Completion::prompt(
                "user",
                "n",
                |typed: String, user: User| async move { vec![format!("{typed}{}", user.0)] },
            )
            .args(["typed", ""]),
        )
}

fn completion_of_n() -> Value {
    json!({ "ref": { "type": "ref/prompt", "name": "user" }, "argument": { "name": "n", "value": "1" } })
}

#[tokio::test]
async fn value_is_awaited_when_parameter_is_an_async_extractor() {
    for case in Case::all() {
        let db = Db::default();
        let mut client = Client::connect(server("ann", db.clone()), case).await;
        for tool in ["new", "sync", "blocking"] {
            assert_eq!(client.text(tool, json!({ "n": 1 })).await, "1 ann");
        }
        assert_eq!(client.text("args", json!({})).await, "{} ann");
        let read = client.result("resources/read", json!({ "uri": "user://2" })).await;
        assert_eq!(read["contents"][0]["text"], "2 ann");
        let prompt = client.result("prompts/get", json!({ "name": "user", "arguments": { "n": "3" } })).await;
        assert_eq!(prompt["messages"][0]["content"]["text"], "3 ann");
        let completed = client.result("completion/complete", completion_of_n()).await;
        assert_eq!(completed["completion"]["values"], json!(["1ann"]));
        assert_eq!(db.0.load(Ordering::Relaxed), 7);
        // The schema has the arguments only.
        let tools = client.result("tools/list", Value::Null).await;
        let properties = tools["tools"][0]["inputSchema"]["properties"].as_object().unwrap();
        assert_eq!(properties.keys().collect::<Vec<_>>(), ["n"]);
    }
}

#[tokio::test]
async fn function_is_not_called_when_async_extractor_fails() {
    for case in Case::eras() {
        let mut client = Client::connect(server("nobody", Db::default()), case).await;
        for tool in ["new", "sync", "blocking"] {
            assert_eq!(client.tool_error(tool, json!({ "n": 1 })).await, "the user does not exist");
        }
        for (method, params) in [
            ("resources/read", json!({ "uri": "user://2" })),
            ("prompts/get", json!({ "name": "user", "arguments": { "n": "3" } })),
            ("completion/complete", completion_of_n()),
        ] {
            let error = client.error(method, params).await;
            assert_eq!((&error["code"], &error["message"]), (&json!(-32603), &json!("the user does not exist")));
        }
        let mut client = Client::connect(server("banned", Db::default()), case).await;
        for tool in ["new", "sync", "blocking"] {
            let error = client.error("tools/call", json!({ "name": tool, "arguments": { "n": 1 } })).await;
            assert_eq!((&error["code"], &error["message"]), (&json!(-1), &json!("banned")));
        }
    }
}

#[tokio::test]
async fn arguments_are_validated_first_when_a_function_has_an_async_extractor() {
    for case in Case::eras() {
        let db = Db::default();
        let mut client = Client::connect(server("ann", db.clone()), case).await;
        for tool in ["new", "sync", "blocking"] {
            let error = client.tool_error(tool, json!({ "n": "x", "m": 1 })).await;
            assert!(error.contains("`n` must be") && error.contains("unknown argument `m`"), "{error}");
        }
        assert_eq!(db.0.load(Ordering::Relaxed), 0);
    }
}

#[test]
fn server_does_not_start_when_state_of_async_extractor_is_missing() {
    let server = Server::new("none", "0").with_tool(Tool::new("t", |user: User| async move { user.0 }));
    let error = server.check().unwrap_err().to_string();
    assert!(error.contains("tool `t`") && error.contains("Db"), "{error}");
}

/// An extractor that asks the user.
struct Confirmed(bool);

impl AsyncFromCtx for Confirmed {
    async fn from_ctx(ctx: &Ctx) -> Result<Self, ToolError> {
        Ok(Self(ctx.elicit::<bool>("Sure?").await?))
    }
}

#[tokio::test]
async fn extractor_asks_the_client_when_it_needs_an_answer() {
    let server = |effects: Effects| {
        let recorded = effects.clone();
        Server::new("asks", "0")
            .with_tool(Tool::new("new", move |Confirmed(first): Confirmed, ctx: Ctx| {
                let effects = effects.clone();
                async move {
                    ctx.once("effect", || async { effects.record("new") }).await?;
                    let name = ctx.elicit::<String>("Name?").await?;
                    Ok::<_, ToolError>(format!("{first} {name}"))
                }
            }))
            .with_tool(Tool::sync("sync", move |Confirmed(yes): Confirmed| {
                recorded.record("sync");
                yes
            }))
            .with_tool(Tool::blocking("blocking", |Confirmed(yes): Confirmed| yes))
    };
    for_each_mode(server, async |client| {
        client.accept("Sure?", &json!({ "value": true }));
        client.accept("Name?", &json!({ "value": "ann" }));
        assert_eq!(client.text("new", &()).await, "true ann");
        assert_eq!(client.text("sync", &()).await, "true");
        assert_eq!(client.text("blocking", &()).await, "true");
    })
    .await;
}

#[derive(Clone)]
struct Tenant(&'static str);

#[tokio::test]
async fn none_is_extracted_when_optional_extension_is_missing() {
    let tenant = |tenant: Option<Extension<Tenant>>| tenant.map_or("none", |Extension(Tenant(name))| name);
    let server = Server::new("tenants", "0").with_tool(Tool::sync("tenant", tenant));
    for case in Case::all() {
        let mut client = Client::connect(server.clone(), case).await;
        assert_eq!(client.text("tenant", json!({})).await, "none");
        let tools = client.result("tools/list", Value::Null).await;
        assert_eq!(tools["tools"][0]["inputSchema"]["properties"], json!({}));
        let mut call = Call::new(ClientRequest::CallTool(CallToolParams::new("tenant")), Peer::new(case.revision));
        call.extensions.insert(Tenant("acme"));
        assert!(format!("{:?}", server.call(call).await).contains("acme"));
    }
}

#[tokio::test]
async fn both_contexts_belong_to_the_call_when_a_function_takes_two() {
    let twice = |first: Ctx, second: Ctx| async move {
        first.progress(1.0, None).await;
        second.progress(2.0, None).await;
        first.peer().revision() == second.peer().revision()
    };
    for case in Case::all() {
        let server = Server::new("twice", "0").with_tool(Tool::new("twice", twice));
        let mut client = Client::connect(server, case).await;
        let params = json!({ "name": "twice", "arguments": {}, "_meta": { "progressToken": 1 } });
        let id = client.start("tools/call", params);
        for step in [1.0, 2.0] {
            assert_eq!(client.recv().await["params"]["progress"], step);
        }
        assert_eq!(client.answer(id).await["result"]["content"][0]["text"], "true");
    }
}
