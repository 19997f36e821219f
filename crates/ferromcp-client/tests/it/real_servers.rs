//! Servers of this project, with the same code on every revision.

use std::time::Duration;

use ferromcp_client::{Change, ChangeFilter, Client, ClientBuilder};
use ferromcp_core::model::{CacheHint, LogLevel, Reference};
use ferromcp_core::{Era, Revision};
use ferromcp_server::{Completion, Ctx, Json, Prompt, Resource, Server, Tool, ToolError};
use ferromcp_transport::memory;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::script::{builder, soon};

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Sum {
    total: i64,
}

fn server() -> Server {
    Server::new("real", "3")
        .instructions("Add wisely")
        .with_tool(Tool::sync("add", |a: i64, b: i64| Json(Sum { total: a + b })).args(["a", "b"]).read_only(true))
        .with_tool(Tool::sync("plain", |a: i64| a * 2).args(["a"]))
        .with_tool(Tool::sync("fails", || Err::<String, _>(ToolError::new("no cheese"))))
        .with_tool(
            Tool::new("slow", |ctx: Ctx| async move {
                for step in 1..=3 {
                    ctx.progress(f64::from(step), 3.0).await;
                    ctx.warning("on the way").await;
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                "done"
            })
            .args(["ctx"]),
        )
        .with_tool(Tool::sync("tell", |ctx: Ctx| ctx.notify().resource_updated("note://a")).args(["ctx"]))
        .with_resource(Resource::sync("note://a", || "text"))
        .with_prompt(Prompt::sync("ask", |topic: String| format!("What of {topic}?")).args(["topic"]))
        .default_list_cache(CacheHint::public(1000))
        .logging(true)
}

async fn connect(builder: ClientBuilder, revision: Revision) -> Client {
    let (near, peer) = memory();
    tokio::spawn(server().serve(peer));
    soon(builder.only_revision(revision).connect(near)).await.unwrap()
}

#[tokio::test]
async fn negotiates_latest_revision_by_default() {
    let (near, peer) = memory();
    tokio::spawn(server().serve(peer));
    let client = soon(builder().connect(near)).await.unwrap();
    assert_eq!((client.revision(), client.negotiated().era()), (Revision::LATEST, Era::Modern));
}

#[tokio::test]
async fn results_are_equal_on_every_revision() {
    for revision in Revision::ALL {
        let client = connect(builder(), revision).await;
        assert_eq!(client.revision(), revision);
        assert_eq!(client.server_info().unwrap().name, "real");
        assert_eq!(client.instructions().as_deref(), Some("Add wisely"));
        let tools = soon(client.tools()).await.unwrap();
        assert_eq!(tools.len(), 5, "{revision}");
        let sum: Sum = soon(client.call_as("add", json!({ "a": 1, "b": 2 }))).await.unwrap();
        assert_eq!(sum, Sum { total: 3 }, "{revision}");
        let doubled: i64 = soon(client.call_as("plain", json!({ "a": 21 }))).await.unwrap();
        assert_eq!(doubled, 42, "{revision}");
        assert!(soon(client.call("fails", ())).await.unwrap().is_error());
        let error = soon(client.call_as::<String>("fails", ())).await.unwrap_err();
        assert!(error.is_tool() && error.to_string().contains("no cheese"), "{error}");
        let read = soon(client.read("note://a")).await.unwrap();
        assert_eq!(read.contents[0].as_text(), Some("text"));
        assert!(soon(client.read("note://b")).await.unwrap_err().is_resource_not_found(), "{revision}");
        let prompt = soon(client.prompt("ask", json!({ "topic": "tea" }))).await.unwrap();
        assert_eq!(prompt.messages.len(), 1);
        assert_eq!(soon(client.resources()).await.unwrap().len(), 1);
        assert_eq!(soon(client.resource_templates()).await.unwrap().len(), 0);
        assert_eq!(soon(client.prompts()).await.unwrap()[0].name, "ask");
        assert!(soon(client.call("nothing", ())).await.unwrap_err().rpc().is_some());
        soon(client.close()).await;
    }
}

#[tokio::test]
async fn progress_and_logs_arrive_on_every_revision() {
    for revision in Revision::ALL {
        let (sender, mut logs) = tokio::sync::mpsc::unbounded_channel();
        let listening = builder().on_log(LogLevel::Info, move |log| {
            let _ = sender.send(log.level);
        });
        let client = connect(listening, revision).await;
        let (call, progress) = client.call("slow", ()).watch_progress();
        soon(call).await.unwrap();
        assert!(progress.borrow().is_some(), "{revision}");
        assert_eq!(soon(logs.recv()).await, Some(LogLevel::Warning), "{revision}");
    }
}

#[tokio::test]
async fn changes_arrive_on_every_revision() {
    for revision in Revision::ALL {
        let client = connect(builder(), revision).await;
        let mut subscription = soon(client.subscribe(ChangeFilter::new().resource("note://a"))).await.unwrap();
        soon(client.call("tell", ())).await.unwrap();
        let change = soon(subscription.next()).await.unwrap().unwrap();
        assert_eq!(change, Change::Resource("note://a".into()), "{revision}");
    }
}

#[tokio::test]
async fn completes_arguments() {
    // S-307, S-323, M26-398
    let complete = |value: String| vec![format!("{value}!"), format!("{value}?")];
    let server = || {
        Server::new("c", "0")
            .with_prompt(Prompt::sync("ask", |topic: String| topic).args(["topic"]))
            .with_completion(Completion::prompt_sync("ask", "topic", complete).args(["value"]))
    };
    for revision in Revision::ALL {
        let (near, peer) = memory();
        tokio::spawn(server().serve(peer));
        let client = soon(builder().only_revision(revision).connect(near)).await.unwrap();
        let of = Reference::prompt("ask");
        let found = soon(client.complete(of, "topic", "te", [("tone", "kind")])).await.unwrap();
        assert_eq!(found.values, ["te!", "te?"], "{revision}");
    }
}
