//! What the server writes against the official JSON Schema of each revision.
//!
//! The schemas are looked for in the folder that `FERROMCP_SPEC` names, else in `../shared/spec`
//! beside the workspace. Without them this says that it did not run; with `FERROMCP_REQUIRE_SPEC`
//! set it fails instead.

use std::path::PathBuf;

use ferromcp_core::Revision;
use ferromcp_core::meta::key;
use ferromcp_core::model::{Icon, ResourceLink};
use ferromcp_server::{Audio, Completion, Ctx, File, Image, Json, Notify, Prompt, Resource, Server, Tool};
use serde_json::{Value, json};

use crate::client::{Case, Client, Wire};

fn folder() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/spec");
    let folder = std::env::var_os("FERROMCP_SPEC").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    if folder.join("schema").is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("FERROMCP_REQUIRE_SPEC").is_none(),
        "FERROMCP_REQUIRE_SPEC is set, but there is no `schema` folder in {}",
        folder.display()
    );
    eprintln!("DID NOT RUN: no official schemas in {} (set FERROMCP_SPEC to their folder)", folder.display());
    None
}

/// Holds `instance` to the definition `name` of `revision`, where its schema is at hand.
pub(crate) fn is(revision: Revision, name: &str, instance: &Value) {
    let Some(folder) = folder() else { return };
    let path = folder.join("schema").join(revision.as_str()).join("schema.json");
    hold(&serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap(), name, instance);
}

/// Holds a question to the client to what `revision` has for its method.
pub(crate) fn is_question(revision: Revision, question: &Value) {
    let name = match question["method"].as_str().unwrap() {
        "elicitation/create" => "ElicitRequest",
        "sampling/createMessage" => "CreateMessageRequest",
        "roots/list" => "ListRootsRequest",
        other => panic!("no client is asked {other}"),
    };
    is(revision, name, question);
}

/// Holds `instance` to the definition `name` of a revision's schema.
fn hold(document: &Value, name: &str, instance: &Value) {
    let keyword = if document.get("$defs").is_some() { "$defs" } else { "definitions" };
    assert!(document[keyword][name].is_object(), "no definition {name}");
    let schema =
        json!({ "$schema": document["$schema"], "$ref": format!("#/{keyword}/{name}"), keyword: document[keyword] });
    let validator = jsonschema::validator_for(&schema).unwrap();
    let complaints: Vec<String> =
        validator.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(complaints.is_empty(), "{name}: {complaints:?} in {instance}");
}

fn server() -> Server {
    let icon = || Icon::new("https://example.com/i.png").mime_type("image/png").size("48x48");
    Server::new("official", "1")
        .title("Official")
        .icon(icon())
        .instructions("Ask.")
        .with_tool(
            Tool::new("all", |ctx: Ctx, text: String, number: Option<f64>| async move {
                ctx.progress_with(0.5, 1.0, "half").await;
                ctx.error(text).await;
                (
                    Json(number.unwrap_or(1.0)),
                    (
                        Image::new(*b"\x89PNG\r\n\x1a\n____").ok(),
                        Audio::new(*b"RIFF\x24\0\0\0WAVEfmt ____").ok(),
                        File::new("file:///a.txt", "a"),
                        ResourceLink::new("a://b", "b"),
                    ),
                )
            })
            .args(["ctx", "text", "number"])
            .title("All")
            .describe("Of everything.")
            .read_only(true)
            .icon(icon())
            .meta("com.example/x", &1),
        )
        .with_resource(Resource::sync("notes://one", || "1").title("One").size(1).icon(icon()).priority(0.5))
        .with_resource(
            Resource::sync("notes://{id}", |id: String| id.into_bytes()).args(["id"]).mime_type("text/plain"),
        )
        .with_prompt(Prompt::sync("ask", |what: String| what).args(["what"]).title("Ask").icon(icon()))
        .with_completion(Completion::prompt_sync("ask", "what", |typed: String| vec![typed]).args(["typed"]))
}

#[tokio::test]
async fn every_message_is_valid_in_its_revision() {
    // M26-002, M26-008, M26-084, M26-086, M26-096, M26-275, M26-320, M26-332, S-001, S-038, S-048, S-060, S-232, S-243, S-288, S-289, S-290
    let Some(folder) = folder() else { return };
    for revision in Revision::ALL {
        let path = folder.join("schema").join(revision.as_str()).join("schema.json");
        let document: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let case = Case { revision, wire: Wire::Memory };
        let server = server();
        let notify = server.notify();
        let mut client = Client::raw(server, case);
        if revision.is_modern() {
            hold(&document, "DiscoverResult", &client.result("server/discover", Value::Null).await);
        } else {
            hold(&document, "InitializeResult", &client.initialize().await);
            hold(&document, "EmptyResult", &client.result("ping", Value::Null).await);
        }
        let meta = json!({ "progressToken": "t", key::LOG_LEVEL: "debug" });
        let call = json!({ "name": "all", "arguments": { "text": "hi" }, "_meta": meta });
        let complete =
            json!({ "ref": { "type": "ref/prompt", "name": "ask" }, "argument": { "name": "what", "value": "x" } });
        for (method, params, name) in [
            ("tools/list", json!({}), "ListToolsResult"),
            ("tools/call", call, "CallToolResult"),
            ("tools/call", json!({ "name": "all", "arguments": { "text": 5 } }), "CallToolResult"),
            ("resources/list", json!({}), "ListResourcesResult"),
            ("resources/templates/list", json!({}), "ListResourceTemplatesResult"),
            ("resources/read", json!({ "uri": "notes://one" }), "ReadResourceResult"),
            ("resources/read", json!({ "uri": "notes://two" }), "ReadResourceResult"),
            ("prompts/list", json!({}), "ListPromptsResult"),
            ("prompts/get", json!({ "name": "ask", "arguments": { "what": "x" } }), "GetPromptResult"),
            ("completion/complete", complete, "CompleteResult"),
        ] {
            hold(&document, name, &client.result(method, params).await);
        }
        let said = client.seen();
        assert_eq!(said.len(), 2, "{said:?}");
        hold(&document, "ProgressNotification", &said[0]);
        hold(&document, "LoggingMessageNotification", &said[1]);
        let error = client.request("nobody/knows", Value::Null).await;
        let modern = revision >= Revision::V2025_11_25;
        hold(&document, if modern { "JSONRPCErrorResponse" } else { "JSONRPCError" }, &error);
        news(&document, &notify, client, revision).await;
    }
}

/// What is said of changes, and of the end of a subscription.
async fn news(document: &Value, notify: &Notify, mut client: Client, revision: Revision) {
    if revision.is_modern() {
        client.start(
            "subscriptions/listen",
            json!({ "notifications": {
                "toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true,
                "resourceSubscriptions": ["notes://one"]
            } }),
        );
        hold(document, "SubscriptionsAcknowledgedNotification", &client.recv().await);
    } else {
        let watched = client.result("resources/subscribe", json!({ "uri": "notes://one" })).await;
        hold(document, "EmptyResult", &watched);
    }
    notify.tools_changed();
    hold(document, "ToolListChangedNotification", &client.recv().await);
    notify.prompts_changed();
    hold(document, "PromptListChangedNotification", &client.recv().await);
    notify.resources_changed();
    hold(document, "ResourceListChangedNotification", &client.recv().await);
    notify.resource_updated("notes://one");
    hold(document, "ResourceUpdatedNotification", &client.recv().await);
    let (rest, served) = client.drain().await;
    served.unwrap();
    assert_eq!(rest.len(), if revision.is_modern() { 2 } else { 0 }, "{rest:?}");
    if revision.is_modern() {
        hold(document, "SubscriptionsListenResult", &rest[0]["result"]);
        hold(document, "CancelledNotification", &rest[1]);
    }
}
