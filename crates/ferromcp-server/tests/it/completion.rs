//! Completions of prompt arguments and template variables.

use ferromcp_core::model::CompletionValues as Values;
use ferromcp_server::{Completion, Prompt, Resource, Server, ToolError};
use serde_json::{Value, json};

use crate::client::{Case, Client};

fn server() -> Server {
    let languages = |typed: String| {
        ["rust", "ruby", "python"].into_iter().filter(|name| name.starts_with(&typed)).collect::<Vec<_>>()
    };
    let frameworks = |typed: String, language: Option<String>| {
        let known = match language.as_deref() {
            Some("rust") => vec!["axum", "actix"],
            Some("python") => vec!["flask"],
            _ => vec![],
        };
        known.into_iter().filter(|name| name.contains(&typed)).collect::<Vec<_>>()
    };
    let many = |typed: String| (0..typed.parse::<usize>().unwrap_or(0)).map(|n| n.to_string()).collect::<Vec<String>>();
    Server::new("completion", "0")
        .with_prompt(
            Prompt::sync("review", |language: String, framework: String, bare: String| language + &framework + &bare)
                .args(["language", "framework", "bare"]),
        )
        .with_resource(
            Resource::sync("repo://{owner}/{name}", |owner: String, name: String| owner + &name)
                .args(["owner", "name"]),
        )
        .with_resource(Resource::sync("repo://plain", || "plain"))
        .with_completion(Completion::prompt_sync("review", "language", languages).args(["typed"]))
        .with_completion(Completion::prompt_sync("review", "framework", frameworks).args(["typed", "language"]))
        .with_completion(
            Completion::resource("repo://{owner}/{name}", "owner", move |typed: String| async move { many(typed) })
                .args(["typed"]),
        )
        .with_completion(
            Completion::resource_sync("repo://{owner}/{name}", "name", |typed: String| {
                if typed == "fail" {
                    return Err(ToolError::new("no index"));
                }
                let mut values = Values::new(["a", "b"]);
                values.total = Some(1234);
                values.has_more = Some(true);
                Ok(values)
            })
            .args(["typed"]),
        )
}

fn ask(reference: Value, name: &str, value: &str) -> Value {
    json!({ "ref": reference, "argument": { "name": name, "value": value } })
}

fn review() -> Value {
    json!({ "type": "ref/prompt", "name": "review" })
}

fn repo() -> Value {
    json!({ "type": "ref/resource", "uri": "repo://{owner}/{name}" })
}

#[tokio::test]
async fn values_are_suggested_when_completion_is_registered() {
    // M26-396, M26-402, S-306, S-312, S-319
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        let mut values = async |params: Value| client.result("completion/complete", params).await["completion"].clone();
        assert_eq!(values(ask(review(), "language", "ru")).await["values"], json!(["rust", "ruby"]));
        assert_eq!(values(ask(review(), "language", "")).await["values"], json!(["rust", "ruby", "python"]));
        assert_eq!(values(ask(review(), "language", "xyz")).await["values"], json!([]));
        assert_eq!(values(ask(review(), "bare", "x")).await["values"], json!([]), "nothing is registered for it");
        assert_eq!(values(ask(repo(), "owner", "2")).await["values"], json!(["0", "1"]));
        let told = values(ask(repo(), "name", "a")).await;
        assert_eq!(told, json!({ "values": ["a", "b"], "total": 1234, "hasMore": true }));
        let plain = json!({ "type": "ref/resource", "uri": "repo://plain" });
        let error = client.error("completion/complete", ask(plain, "x", "")).await;
        assert_eq!(error["code"], -32602, "a fixed resource has no variables");
    }
}

#[tokio::test]
async fn completion_receives_context_arguments_when_request_has_context() {
    // M26-405, S-315, S-319
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        let mut with = async |context: Value| {
            let mut params = ask(review(), "framework", "a");
            params["context"] = context;
            client.result("completion/complete", params).await["completion"]["values"].clone()
        };
        assert_eq!(with(json!({ "arguments": { "language": "rust" } })).await, json!(["axum", "actix"]));
        assert_eq!(with(json!({ "arguments": { "language": "python", "shoe": "43" } })).await, json!(["flask"]));
        assert_eq!(with(json!({ "arguments": {} })).await, json!([]));
        assert_eq!(with(json!({})).await, json!([]));
    }
}

#[tokio::test]
async fn completion_is_truncated_when_values_exceed_one_hundred() {
    // M26-397, S-306
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        for (count, sent) in [(99, 99), (100, 100), (101, 100), (5000, 100)] {
            let result = client.result("completion/complete", ask(repo(), "owner", &count.to_string())).await;
            let completion = &result["completion"];
            assert_eq!(completion["values"].as_array().unwrap().len(), sent);
            if count > 100 {
                assert_eq!((&completion["total"], &completion["hasMore"]), (&json!(count), &json!(true)));
            } else {
                assert_ne!(completion["hasMore"], true);
            }
        }
    }
}

#[tokio::test]
async fn invalid_params_is_returned_when_completion_reference_is_unknown() {
    // M26-400, M26-401, M26-405, M26-409, S-309, S-310, S-311, S-315, S-319
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        for params in [
            ask(json!({ "type": "ref/prompt", "name": "nobody" }), "language", ""),
            ask(review(), "shoe", ""),
            ask(repo(), "shoe", ""),
            ask(json!({ "type": "ref/other", "name": "x" }), "language", ""),
            ask(json!({ "type": "ref/prompt" }), "language", ""),
            json!({ "ref": review() }),
            json!({ "ref": review(), "argument": { "name": "language" } }),
            json!({ "ref": review(), "argument": { "value": "x" } }),
            json!({ "ref": review(), "argument": { "name": "language", "value": 7 } }),
            json!({ "argument": { "name": "language", "value": "" } }),
            json!({}),
        ] {
            let error = client.error("completion/complete", params.clone()).await;
            assert_eq!(error["code"], -32602, "{params}: {error}");
        }
        let unknown = json!({ "type": "ref/resource", "uri": "repo://{nobody}" });
        let error = client.error("completion/complete", ask(unknown, "x", "")).await;
        assert_eq!(error["code"], if case.is_modern() { -32602 } else { -32002 });
        assert_eq!(client.error("completion/complete", ask(repo(), "name", "fail")).await["code"], -32603);
        client.assert_alive().await;
    }
}
