//! Log messages to the client, filtered by log level.

use ferromcp_core::Revision;
use ferromcp_core::meta::key;
use ferromcp_core::model::LogLevel;
use ferromcp_server::{Ctx, Server, Tool};
use serde_json::{Value, json};

use crate::client::{Case, Client};

const LEVELS: [&str; 8] = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

fn server() -> Server {
    let all = [
        LogLevel::Debug,
        LogLevel::Info,
        LogLevel::Notice,
        LogLevel::Warning,
        LogLevel::Error,
        LogLevel::Critical,
        LogLevel::Alert,
        LogLevel::Emergency,
    ];
    Server::new("logging", "0")
        .with_tool(Tool::new("log_all_levels", move |ctx: Ctx| async move {
            for level in all {
                ctx.log(level, &json!({ "at": level })).await;
            }
            "logged"
        }))
        .with_tool(Tool::new("log_helpers", |ctx: Ctx| async move {
            ctx.debug("d").await;
            ctx.info("i").await;
            ctx.warning("w").await;
            ctx.error("e").await;
            ctx.log_as(Some("db"), LogLevel::Error, &json!([1, null])).await;
            ""
        }))
}

/// Calls `log_all_levels` and returns the levels of the received log messages.
async fn received_levels(client: &mut Client, meta: Value) -> Vec<String> {
    let mut params = json!({ "name": "log_all_levels" });
    if !meta.is_null() {
        params["_meta"] = meta;
    }
    let answer = client.request("tools/call", params).await;
    assert_eq!(answer["result"]["content"][0]["text"], "logged");
    let seen = client.seen();
    client.assert_alive().await;
    seen.iter()
        .map(|message| {
            assert_eq!(message["method"], "notifications/message");
            assert_eq!(message["params"]["data"]["at"], message["params"]["level"]);
            message["params"]["level"].as_str().unwrap().to_owned()
        })
        .collect()
}

#[tokio::test]
async fn log_messages_are_filtered_when_session_sets_level() {
    // S-326, S-327, S-328, S-188
    for case in Case::legacy() {
        let mut client = Client::connect(server(), case).await;
        assert_eq!(received_levels(&mut client, Value::Null).await, LEVELS[1..], "the default level is info");
        for (index, level) in LEVELS.iter().enumerate() {
            assert_eq!(client.result("logging/setLevel", json!({ "level": level })).await, json!({}));
            assert_eq!(received_levels(&mut client, Value::Null).await, LEVELS[index..]);
        }
        // The modern era's `_meta` log level is ignored in a session.
        assert_eq!(received_levels(&mut client, json!({ key::LOG_LEVEL: "debug" })).await, ["emergency"]);
    }
}

#[tokio::test]
async fn log_level_is_independent_when_sessions_share_one_server() {
    // S-326, S-340, M26-418
    for case in Case::legacy() {
        let server = server();
        let (mut one, mut two) = (Client::connect(server.clone(), case).await, Client::connect(server, case).await);
        one.result("logging/setLevel", json!({ "level": "emergency" })).await;
        assert_eq!(received_levels(&mut two, Value::Null).await.len(), 7);
        assert_eq!(received_levels(&mut one, Value::Null).await.len(), 1);
    }
}

#[tokio::test]
async fn log_messages_are_filtered_when_request_meta_sets_level() {
    // M26-023, M26-034, M26-416, M26-417, M26-418
    for case in Case::modern() {
        let mut client = Client::connect(server(), case).await;
        assert!(received_levels(&mut client, Value::Null).await.is_empty());
        for (index, level) in LEVELS.iter().enumerate() {
            assert_eq!(received_levels(&mut client, json!({ key::LOG_LEVEL: level })).await, LEVELS[index..]);
            assert!(
                received_levels(&mut client, Value::Null).await.is_empty(),
                "the log level of a request must not affect the next request"
            );
        }
    }
}

#[tokio::test]
async fn log_data_and_logger_are_sent_when_handler_logs() {
    // M26-422, M26-423, S-328, S-332, S-333, M26-020
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        let meta = if case.is_modern() { json!({ key::LOG_LEVEL: "debug" }) } else { json!({}) };
        client.request("tools/call", json!({ "name": "log_helpers", "_meta": meta })).await;
        let mut messages: Vec<Value> = client.seen().into_iter().map(|message| message["params"].clone()).collect();
        if !case.is_modern() {
            messages.insert(0, json!({ "level": "debug", "data": "d" }));
        }
        assert_eq!(
            messages,
            [
                json!({ "level": "debug", "data": "d" }),
                json!({ "level": "info", "data": "i" }),
                json!({ "level": "warning", "data": "w" }),
                json!({ "level": "error", "data": "e" }),
                json!({ "level": "error", "logger": "db", "data": [1, null] }),
            ]
        );
    }
}

#[tokio::test]
async fn request_is_rejected_when_log_level_is_unknown() {
    // M26-419, S-328, S-329
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        for level in [json!("loud"), json!("INFO"), json!(""), json!(3), json!(null), json!([])] {
            let error = if case.is_modern() {
                if level.is_null() {
                    continue; // the same as no level
                }
                client
                    .error("tools/call", json!({ "name": "log_all_levels", "_meta": { key::LOG_LEVEL: level } }))
                    .await
            } else {
                client.error("logging/setLevel", json!({ "level": level })).await
            };
            assert_eq!(error["code"], -32602, "{level}: {error}");
        }
        if !case.is_modern() {
            assert_eq!(client.error("logging/setLevel", json!({})).await["code"], -32602);
            assert_eq!(
                received_levels(&mut client, Value::Null).await.len(),
                7,
                "a rejected level must not change the level"
            );
        }
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn logging_is_not_advertised_when_it_is_disabled() {
    // M26-033, M26-415, S-324, S-080
    for case in Case::all() {
        let mut client = Client::raw(server().logging(false), case);
        if case.is_modern() {
            assert!(received_levels(&mut client, json!({ key::LOG_LEVEL: "debug" })).await.is_empty());
        } else {
            let offered = client.initialize().await["capabilities"].clone();
            assert!(offered.get("logging").is_none(), "{offered}");
            assert_eq!(client.error("logging/setLevel", json!({ "level": "debug" })).await["code"], -32601);
            assert!(received_levels(&mut client, Value::Null).await.is_empty());
        }
    }
}

#[tokio::test]
async fn new_log_level_applies_when_next_call_starts() {
    // S-326
    let case = Case::eras()[0];
    assert_eq!(case.revision, Revision::LATEST_LEGACY);
    let mut client = Client::connect(server(), case).await;
    let level = client.start("logging/setLevel", json!({ "level": "alert" }));
    let call = client.start_call("log_all_levels", json!({}));
    client.answer(level).await;
    client.answer(call).await;
    assert_eq!(client.seen().len(), 2);
}
