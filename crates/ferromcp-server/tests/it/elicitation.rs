//! Form and URL elicitation at the wire level, for each revision with sessions.

use ferromcp_core::Revision;
use ferromcp_core::model::{Choice, ChoiceItems, FieldType, FormSchema, PrimitiveSchema};
use ferromcp_server::{Ctx, Elicited, Question, Server, Tool, ToolError};
use serde_json::{Value, json};

use crate::client::{Case, Client, only_text};
use crate::schema_validation;
use crate::server_requests::all_capabilities;

/// A form with one field of each type.
fn form() -> FormSchema {
    let text = || PrimitiveSchema::new(FieldType::String);
    let classes = [Choice::new("1", "First"), Choice::new("2", "Second")];
    let meals = ChoiceItems::titled([Choice::new("v", "Vegetarian")]);
    let fields = [
        ("name", text().title("Name").default(json!("Ada")).max_length(20)),
        ("seats", PrimitiveSchema::new(FieldType::Integer).default(json!(2))),
        ("sure", PrimitiveSchema::new(FieldType::Boolean).default(json!(true))),
        ("class", text().one_of(classes).default(json!("2"))),
        ("place", text().choices(["aisle", "window"])),
        ("meals", PrimitiveSchema::new(FieldType::Array).items(meals)),
    ];
    FormSchema::new(fields.map(|(name, field)| (name.to_owned(), field)).to_vec()).required(["name"])
}

fn server() -> Server {
    Server::new("forms", "1")
        .with_tool(Tool::new("book", |ctx: Ctx| async move {
            Ok::<_, ToolError>(match ctx.ask(Question::dynamic("Your flight?", form())).await? {
                Elicited::Accepted(content) => serde_json::to_string(&content)?,
                other => other.to_string(),
            })
        }))
        .with_tool(Tool::new("visit", |ctx: Ctx| async move {
            let consent = ctx.elicit_url("Sign in, please", "https://example.com/sign-in").await?;
            Ok::<_, ToolError>(consent.id.unwrap_or_default())
        }))
        .with_tool(Tool::new("first", |ctx: Ctx| async move {
            let pages = ["a", "b"].map(|page| Question::url("Pay, please", format!("https://example.com/{page}")));
            ctx.require_urls(pages).await?;
            Ok::<_, ToolError>("paid")
        }))
}

/// Connects a client with all capabilities, and completes the handshake.
async fn connect(server: Server, case: Case) -> Client {
    let mut client = Client::raw(server, case).with_capabilities(all_capabilities());
    client.initialize().await;
    client
}

/// Iterates over the session revisions from `revision` on.
fn since(revision: Revision) -> impl Iterator<Item = Case> {
    Case::legacy().filter(move |case| case.revision >= revision)
}

#[tokio::test]
async fn form_schema_matches_revision_when_form_is_elicited() {
    // S-424, S-425, S-427, S-428, S-429
    for case in since(Revision::V2025_06_18) {
        let mut client = connect(server(), case).await;
        let call = client.start_call("book", json!({}));
        let question = client.question("elicitation/create").await;
        let params = &question["params"];
        assert_eq!(params["message"], "Your flight?");
        let fields = &params["requestedSchema"]["properties"];
        assert_eq!(params["requestedSchema"]["required"], json!(["name"]));
        assert_eq!(fields["sure"], json!({ "type": "boolean", "default": true }));
        assert_eq!(fields["place"], json!({ "type": "string", "enum": ["aisle", "window"] }));
        if case.revision == Revision::V2025_06_18 {
            assert!(params.get("mode").is_none(), "{params}");
            assert_eq!(fields["name"], json!({ "type": "string", "title": "Name", "maxLength": 20 }));
            assert_eq!(fields["seats"], json!({ "type": "integer" }));
            let class = json!({ "type": "string", "enum": ["1", "2"], "enumNames": ["First", "Second"] });
            assert_eq!(fields["class"], class);
            assert!(fields.get("meals").is_none(), "{fields}");
        } else {
            assert_eq!(params["mode"], "form");
            assert_eq!((&fields["name"]["default"], &fields["seats"]["default"]), (&json!("Ada"), &json!(2)));
            let titled = json!([{ "const": "1", "title": "First" }, { "const": "2", "title": "Second" }]);
            assert_eq!(fields["class"], json!({ "type": "string", "oneOf": titled, "default": "2" }));
            assert_eq!(fields["meals"]["items"]["anyOf"], json!([{ "const": "v", "title": "Vegetarian" }]));
        }
        client.reply(&question, json!({ "action": "accept", "content": { "name": "Ada", "class": "1" } }));
        let text = only_text(&client.answer(call).await["result"]);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json!({ "name": "Ada", "class": "1" }));
    }
}

#[tokio::test]
async fn handler_receives_action_when_client_answers_elicitation() {
    // S-436, S-461
    for case in since(Revision::V2025_06_18) {
        let mut client = connect(server(), case).await;
        for (answer, expected) in [
            (json!({ "action": "decline" }), "declined"),
            (json!({ "action": "cancel" }), "cancelled"),
            (json!({ "action": "decline", "content": { "name": "ignored" } }), "declined"),
        ] {
            let call = client.start_call("book", json!({}));
            let question = client.question("elicitation/create").await;
            client.reply(&question, answer);
            assert_eq!(only_text(&client.answer(call).await["result"]), expected);
        }
        for (answer, expected) in [
            (json!({ "action": "accept" }), "name"),
            (json!({ "action": "accept", "content": { "name": 5 } }), "name"),
            (json!({ "action": "accept", "content": { "name": "Ada", "class": "9" } }), "class"),
            (json!({ "action": "accept", "content": [] }), "invalid answer"),
            (json!({ "action": "shrug" }), "invalid answer"),
        ] {
            let call = client.start_call("book", json!({}));
            let question = client.question("elicitation/create").await;
            client.reply(&question, answer);
            let result = client.answer(call).await["result"].clone();
            assert_eq!(result["isError"], true, "{result}");
            assert!(only_text(&result).contains(expected), "{result}");
        }
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn elicitation_complete_is_sent_once_when_session_is_open() {
    // S-431, S-432, S-433, S-437, S-438, S-439
    for case in since(Revision::V2025_11_25) {
        let server = server();
        let notify = server.notify();
        let (mut ada, mut eve) = (connect(server.clone(), case).await, connect(server, case).await);
        let (of_ada, of_eve) = (ada.start_call("visit", json!({})), eve.start_call("visit", json!({})));
        let mut ids = Vec::new();
        for client in [&mut ada, &mut eve] {
            let question = client.question("elicitation/create").await;
            let params = &question["params"];
            assert_eq!((&params["mode"], &params["message"]), (&json!("url"), &json!("Sign in, please")));
            assert_eq!(params["url"], "https://example.com/sign-in");
            ids.push(params["elicitationId"].as_str().expect("an id").to_owned());
            client.reply(&question, json!({ "action": "accept" }));
        }
        assert_ne!(ids[0], ids[1]);
        assert_eq!(only_text(&ada.answer(of_ada).await["result"]), ids[0], "the handler gets the same id");
        assert_eq!(only_text(&eve.answer(of_eve).await["result"]), ids[1]);
        assert!(!notify.elicitation_complete("unknown"));
        assert!(notify.elicitation_complete(&ids[0]));
        let notification = ada.recv().await;
        assert_eq!(notification["method"], "notifications/elicitation/complete");
        assert_eq!(notification["params"]["elicitationId"], ids[0].as_str());
        schema_validation::assert_valid(case.revision, "ElicitationCompleteNotification", &notification);
        assert!(!notify.elicitation_complete(&ids[0]), "a completion is sent once");
        ada.assert_alive().await;
        eve.assert_alive().await;
        ada.close().await.unwrap();
        eve.close().await.unwrap();
        assert!(!notify.elicitation_complete(&ids[1]), "the session has ended");
    }
}

#[tokio::test]
async fn error_contains_elicitations_when_url_is_required() {
    // S-022, S-437, S-438, S-439, S-443, S-444, S-445, S-446, S-447
    for case in since(Revision::V2025_11_25) {
        let server = server();
        let notify = server.notify();
        let (mut client, mut other) = (connect(server.clone(), case).await, connect(server, case).await);
        let answer = client.request("tools/call", json!({ "name": "first", "arguments": {} })).await;
        schema_validation::assert_valid(case.revision, "URLElicitationRequiredError", &answer);
        assert_eq!(answer["error"]["code"], -32042, "{answer}");
        let elicitations = answer["error"]["data"]["elicitations"].as_array().unwrap();
        let pages: Vec<_> = elicitations.iter().map(|it| it["url"].as_str().unwrap()).collect();
        assert_eq!(pages, ["https://example.com/a", "https://example.com/b"]);
        let ids: Vec<_> = elicitations.iter().map(|it| it["elicitationId"].as_str().unwrap()).collect();
        assert_ne!(ids[0], ids[1]);
        assert!(notify.elicitation_complete(ids[1]));
        assert_eq!(client.recv().await["params"]["elicitationId"], ids[1]);
        client.assert_alive().await;
        other.assert_alive().await;
    }
}

#[tokio::test]
async fn url_elicitation_fails_when_revision_is_too_old() {
    // S-423
    for case in Case::legacy().filter(|case| case.revision < Revision::V2025_11_25) {
        let mut client = connect(server(), case).await;
        for tool in ["visit", "first"] {
            let error = client.error("tools/call", json!({ "name": tool, "arguments": {} })).await;
            assert_eq!(error["code"], -32602, "{error}");
        }
        client.assert_alive().await;
    }
}
