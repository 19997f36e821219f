//! Prompts: messages and the arguments that make them.

use ferromcp_core::Revision;
use ferromcp_core::model::{ContentBlock, GetPromptResult, PromptMessage};
use ferromcp_server::{Arg, Audio, File, Image, Prompt, Server, ToolError};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Case, Client};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Tone {
    Kind,
    Stern,
}

fn server() -> Server {
    Server::new("prompts", "0")
        .with_prompt(
            Prompt::sync("review", |code: String, tone: Option<Tone>| format!("{tone:?}: {code}"))
                .title("Review code")
                .describe("Asks for a review.")
                .args([Arg::new("code").title("The code").describe("What to review"), Arg::new("tone")]),
        )
        .with_prompt(
            Prompt::sync("count", |n: u8| n.to_string()).args([Arg::new("n").range::<u8>(1..=9).default::<u8>(3)]),
        )
        .with_prompt(Prompt::new("talk", || async {
            [PromptMessage::user("Hello"), PromptMessage::assistant("Hello you")]
        }))
        .with_prompt(Prompt::blocking("media", || {
            let image = Image::new(*b"\x89PNG\r\n\x1a\n____")?;
            let audio = Audio::new(*b"RIFF\x24\0\0\0WAVEfmt ____")?;
            Ok::<_, ToolError>(vec![
                PromptMessage::user(ContentBlock::from(image)),
                PromptMessage::user(ContentBlock::from(audio)),
                PromptMessage::user(ContentBlock::from(File::new("file:///a.txt", "a"))),
                PromptMessage::user(ContentBlock::from(File::new("file:///a.bin", b"\xff\xfe".to_vec()))),
            ])
        }))
        .with_prompt(Prompt::sync("described", || {
            let mut result = GetPromptResult::new(vec![PromptMessage::user("x")]);
            result.description = Some("of its own".into());
            result
        }))
        .with_prompt(Prompt::sync("broken", || Err::<String, _>(ToolError::new("no muse"))))
        .with_prompt(Prompt::sync("panics", || -> String { panic!("secret") }))
}

#[tokio::test]
async fn messages_are_returned_when_prompt_is_requested() {
    // M26-380, M26-387, S-297
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        let result = client.result("prompts/get", json!({ "name": "review", "arguments": { "code": "x=1" } })).await;
        assert_eq!(result["description"], "Asks for a review.");
        assert_eq!(result["messages"], json!([{ "role": "user", "content": { "type": "text", "text": "None: x=1" } }]));
        let result = client
            .result("prompts/get", json!({ "name": "review", "arguments": { "code": "", "tone": "stern" } }))
            .await;
        assert_eq!(result["messages"][0]["content"]["text"], "Some(Stern): ");
        let result = client.result("prompts/get", json!({ "name": "talk" })).await;
        assert_eq!(
            (&result["messages"][0]["role"], &result["messages"][1]["role"]),
            (&json!("user"), &json!("assistant"))
        );
        let result = client.result("prompts/get", json!({ "name": "described", "arguments": {} })).await;
        assert_eq!(result["description"], "of its own");
        for (arguments, expected) in [(json!({}), "3"), (json!({ "n": "9" }), "9")] {
            let result = client.result("prompts/get", json!({ "name": "count", "arguments": arguments })).await;
            assert_eq!(result["messages"][0]["content"]["text"], expected);
        }
    }
}

#[tokio::test]
async fn media_is_base64_with_mime_type_when_prompt_returns_media() {
    // M26-385, M26-386, M26-388, S-294, S-295, S-296, S-244, S-245
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        let messages = client.result("prompts/get", json!({ "name": "media" })).await["messages"].clone();
        assert_eq!(
            messages[0]["content"],
            json!({ "type": "image", "data": "iVBORw0KGgpfX19f", "mimeType": "image/png" })
        );
        if case.revision >= Revision::V2025_03_26 {
            assert_eq!(messages[1]["content"]["type"], "audio");
            assert!(messages[1]["content"]["mimeType"].as_str().unwrap().starts_with("audio/"));
        } else {
            assert_eq!(messages[1]["content"]["type"], "text");
        }
        assert_eq!(
            messages[2]["content"]["resource"],
            json!({ "uri": "file:///a.txt", "mimeType": "text/plain", "text": "a" })
        );
        let blob = &messages[3]["content"]["resource"];
        assert_eq!(
            (&blob["uri"], &blob["blob"], &blob["mimeType"]),
            (&json!("file:///a.bin"), &json!("//4="), &json!("application/octet-stream"))
        );
    }
}

#[tokio::test]
async fn invalid_params_is_returned_when_prompt_arguments_are_invalid() {
    // M26-389, M26-390, M26-392, M26-395, S-297, S-298, S-299, S-301, S-304
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        for (name, arguments, word) in [
            ("nobody", json!({}), "nobody"),
            ("", json!({}), "Unknown prompt"),
            ("REVIEW", json!({ "code": "x" }), "REVIEW"),
            ("review", json!({}), "code"),
            ("review", json!({ "tone": "kind" }), "code"),
            ("review", json!({ "code": 7 }), "code"),
            ("review", json!({ "code": null }), "code"),
            ("review", json!({ "code": "x", "tone": "rude" }), "tone"),
            ("review", json!({ "code": "x", "shoe": "43" }), ""),
            ("count", json!({ "n": "many" }), "n"),
            ("count", json!({ "n": "0" }), "at least 1"),
            ("count", json!({ "n": "256" }), "n"),
        ] {
            let error = client.error("prompts/get", json!({ "name": name, "arguments": arguments })).await;
            assert_eq!(error["code"], -32602, "{name} {arguments}");
            assert!(error["message"].as_str().unwrap().contains(word), "{name} {arguments}: {error}");
        }
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn internal_error_is_returned_when_prompt_fails_or_panics() {
    // M26-391, S-300, M26-428
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        assert_eq!(client.error("prompts/get", json!({ "name": "broken" })).await["code"], -32603);
        let error = client.error("prompts/get", json!({ "name": "panics" })).await;
        assert_eq!(error["code"], -32603);
        assert!(!error.to_string().contains("secret"), "{error}");
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn required_arguments_are_marked_when_prompts_are_listed() {
    // M26-380, M26-381, M26-382
    for case in Case::all() {
        let server = server();
        let registry = server.registry().clone();
        let mut client = Client::connect(server, case).await;
        let prompts = client.result("prompts/list", Value::Null).await["prompts"].clone();
        let titled = case.revision >= Revision::V2025_06_18;
        assert_eq!(prompts[0]["title"], if titled { json!("Review code") } else { Value::Null });
        let mut code = json!({ "name": "code", "description": "What to review", "required": true });
        if titled {
            code["title"] = json!("The code");
        }
        assert_eq!(prompts[0]["arguments"], json!([code, { "name": "tone", "required": false }]));
        assert_eq!(prompts[1]["arguments"], json!([{ "name": "n", "required": false }]));
        registry.add_prompt(Prompt::sync("late", || "late")).unwrap();
        assert!(registry.remove_prompt("review"));
        let prompts = client.result("prompts/list", Value::Null).await["prompts"].clone();
        assert_eq!((&prompts[0]["name"], &prompts[6]["name"]), (&json!("count"), &json!("late")));
        assert_eq!(client.error("prompts/get", json!({ "name": "review" })).await["code"], -32602);
    }
}
