//! Validates server messages against the official JSON Schema of each revision.
//!
//! The schemas are read from the directory in `FERROMCP_SPEC`; the default is `../shared/spec` relative
//! to the workspace. If they are missing, the test prints that it did not run, or fails if
//! `FERROMCP_REQUIRE_SPEC` is set.

use std::path::PathBuf;

use ferromcp_core::Revision;
use ferromcp_core::meta::key;
use ferromcp_core::model::{Icon, ResourceLink};
use ferromcp_server::{Audio, ChangeNotifier, Completion, Ctx, File, Image, Json, Prompt, Resource, Server, Tool};
use serde_json::{Value, json};

use crate::client::{Case, Client, Wire};

fn directory() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/spec");
    let directory = std::env::var_os("FERROMCP_SPEC").map_or_else(|| PathBuf::from(default), PathBuf::from);
    if directory.join("schema").is_dir() {
        return Some(directory);
    }
    assert!(
        std::env::var_os("FERROMCP_REQUIRE_SPEC").is_none(),
        "FERROMCP_REQUIRE_SPEC is set, but no `schema` directory exists in {}",
        directory.display()
    );
    eprintln!("DID NOT RUN: no official schemas in {} (set FERROMCP_SPEC to their directory)", directory.display());
    None
}

/// Validates `instance` against the definition `name` of `revision`, if the schemas are available.
pub(crate) fn assert_valid(revision: Revision, name: &str, instance: &Value) {
    let Some(directory) = directory() else { return };
    let path = directory.join("schema").join(revision.as_str()).join("schema.json");
    assert_matches_definition(&serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap(), name, instance);
}

/// Validates a server request against the definition of its method in `revision`.
pub(crate) fn assert_valid_request(revision: Revision, question: &Value) {
    let name = match question["method"].as_str().unwrap() {
        "elicitation/create" => "ElicitRequest",
        "sampling/createMessage" => "CreateMessageRequest",
        "roots/list" => "ListRootsRequest",
        other => panic!("`{other}` is not a server request"),
    };
    assert_valid(revision, name, question);
}

/// Validates `instance` against the definition `name` of a schema document.
fn assert_matches_definition(document: &Value, name: &str, instance: &Value) {
    let keyword = if document.get("$defs").is_some() { "$defs" } else { "definitions" };
    assert!(document[keyword][name].is_object(), "the schema has no definition `{name}`");
    let schema =
        json!({ "$schema": document["$schema"], "$ref": format!("#/{keyword}/{name}"), keyword: document[keyword] });
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{name}: {errors:?} in {instance}");
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
async fn every_message_is_valid_when_checked_with_schema_of_revision() {
    // M26-002, M26-008, M26-084, M26-086, M26-096, M26-275, M26-320, M26-332, S-001, S-038, S-048, S-060, S-232, S-243, S-288, S-289, S-290
    let Some(directory) = directory() else { return };
    for revision in Revision::ALL {
        let path = directory.join("schema").join(revision.as_str()).join("schema.json");
        let document: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let case = Case { revision, wire: Wire::Memory };
        let server = server();
        let notify = server.notify();
        let mut client = Client::raw(server, case);
        if revision.is_modern() {
            assert_matches_definition(
                &document,
                "DiscoverResult",
                &client.result("server/discover", Value::Null).await,
            );
        } else {
            assert_matches_definition(&document, "InitializeResult", &client.initialize().await);
            assert_matches_definition(&document, "EmptyResult", &client.result("ping", Value::Null).await);
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
            assert_matches_definition(&document, name, &client.result(method, params).await);
        }
        let notifications = client.seen();
        assert_eq!(notifications.len(), 2, "{notifications:?}");
        assert_matches_definition(&document, "ProgressNotification", &notifications[0]);
        assert_matches_definition(&document, "LoggingMessageNotification", &notifications[1]);
        let error = client.request("unknown/method", Value::Null).await;
        let modern = revision >= Revision::V2025_11_25;
        assert_matches_definition(&document, if modern { "JSONRPCErrorResponse" } else { "JSONRPCError" }, &error);
        check_change_notifications(&document, &notify, client, revision).await;
    }
}

/// Validates change notifications and the messages that end a subscription.
async fn check_change_notifications(document: &Value, notify: &ChangeNotifier, mut client: Client, revision: Revision) {
    if revision.is_modern() {
        client.start(
            "subscriptions/listen",
            json!({ "notifications": {
                "toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true,
                "resourceSubscriptions": ["notes://one"]
            } }),
        );
        assert_matches_definition(document, "SubscriptionsAcknowledgedNotification", &client.recv().await);
    } else {
        let subscribed = client.result("resources/subscribe", json!({ "uri": "notes://one" })).await;
        assert_matches_definition(document, "EmptyResult", &subscribed);
    }
    notify.tools_changed();
    assert_matches_definition(document, "ToolListChangedNotification", &client.recv().await);
    notify.prompts_changed();
    assert_matches_definition(document, "PromptListChangedNotification", &client.recv().await);
    notify.resources_changed();
    assert_matches_definition(document, "ResourceListChangedNotification", &client.recv().await);
    notify.resource_updated("notes://one");
    assert_matches_definition(document, "ResourceUpdatedNotification", &client.recv().await);
    let (rest, served) = client.drain().await;
    served.unwrap();
    assert_eq!(rest.len(), if revision.is_modern() { 2 } else { 0 }, "{rest:?}");
    if revision.is_modern() {
        assert_matches_definition(document, "SubscriptionsListenResult", &rest[0]["result"]);
        assert_matches_definition(document, "CancelledNotification", &rest[1]);
    }
}
