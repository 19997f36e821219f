//! Property test: for any input, the connection stays usable and a final request is answered.

use ferromcp_core::Revision;
use ferromcp_server::{Completion, Ctx, Prompt, Resource, Server, Tool};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::client::{Case, Client, Wire, modern_meta};

fn server() -> Server {
    Server::new("random-input", "0")
        .with_tool(Tool::sync("add", |a: i64, b: Option<f64>| format!("{a} {b:?}")).args(["a", "b"]))
        .with_tool(
            Tool::new("say", |ctx: Ctx, text: String| async move {
                ctx.progress(1.0, None).await;
                tokio::task::yield_now().await;
                ctx.error(&*text).await;
                text
            })
            .args(["ctx", "text"]),
        )
        .with_resource(Resource::sync("notes://{id}", |id: String| id).args(["id"]))
        .with_prompt(Prompt::sync("ask", |what: String| what).args(["what"]))
        .with_completion(Completion::prompt_sync("ask", "what", |typed: String| vec![typed]).args(["typed"]))
}

/// Generates small arbitrary JSON values.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(word(), inner, 0..4)
                .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

/// Generates protocol names and other short strings.
fn word() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] = &[
        "jsonrpc",
        "2.0",
        "id",
        "method",
        "params",
        "result",
        "error",
        "_meta",
        "name",
        "arguments",
        "uri",
        "cursor",
        "level",
        "ref",
        "argument",
        "value",
        "type",
        "ref/prompt",
        "requestId",
        "progressToken",
        "add",
        "say",
        "ask",
        "a",
        "b",
        "text",
        "initialize",
        "ping",
        "tools/list",
        "tools/call",
        "resources/read",
        "resources/list",
        "prompts/get",
        "completion/complete",
        "logging/setLevel",
        "server/discover",
        "subscriptions/listen",
        "notifications/cancelled",
        "notifications/initialized",
        "protocolVersion",
        "capabilities",
        "clientInfo",
        "notes://x",
        "debug",
        "code",
        "message",
        "io.modelcontextprotocol/protocolVersion",
        "io.modelcontextprotocol/clientCapabilities",
    ];
    prop_oneof![8 => proptest::sample::select(KNOWN).prop_map(str::to_owned), 1 => "[a-z/]{0,6}"]
}

/// Generates a valid message of either era.
fn valid_message() -> impl Strategy<Value = Value> {
    let requests = vec![
        ("tools/list", json!({})),
        ("tools/call", json!({ "name": "add", "arguments": { "a": 1, "b": 2.5 } })),
        ("tools/call", json!({ "name": "say", "arguments": { "text": "hi" }, "_meta": { "progressToken": 1 } })),
        ("resources/read", json!({ "uri": "notes://one" })),
        ("prompts/get", json!({ "name": "ask", "arguments": { "what": "x" } })),
        (
            "completion/complete",
            json!({ "ref": { "type": "ref/prompt", "name": "ask" }, "argument": { "name": "what", "value": "x" } }),
        ),
        ("server/discover", json!({})),
        (
            "initialize",
            json!({ "protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": { "name": "c", "version": "0" } }),
        ),
        ("logging/setLevel", json!({ "level": "debug" })),
        ("ping", json!({})),
        ("notifications/cancelled", json!({ "requestId": 1 })),
    ];
    (proptest::sample::select(requests), 0_i64..4, any::<bool>()).prop_map(|((method, mut params), id, modern)| {
        if modern {
            let mut meta = modern_meta();
            if let Some(existing) = params.get("_meta").and_then(Value::as_object) {
                meta.as_object_mut().unwrap().extend(existing.clone());
            }
            params["_meta"] = meta;
        }
        let mut message = json!({ "jsonrpc": "2.0", "method": method, "params": params });
        if !method.starts_with("notifications/") {
            message["id"] = id.into();
        }
        message
    })
}

/// Replaces the value at index `index` (modulo the number of values) of `message` with `other`.
fn mutated(mut message: Value, index: usize, other: Value) -> Value {
    fn count(value: &Value) -> usize {
        1 + match value {
            Value::Array(items) => items.iter().map(count).sum(),
            Value::Object(members) => members.values().map(count).sum(),
            _ => 0,
        }
    }
    fn replace(value: &mut Value, index: &mut usize, other: &mut Option<Value>) {
        if *index == 0 {
            if let Some(other) = other.take() {
                *value = other;
            }
            return;
        }
        *index -= 1;
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| replace(item, index, other)),
            Value::Object(members) => members.values_mut().for_each(|member| replace(member, index, other)),
            _ => {}
        }
    }
    let mut index = index % count(&message);
    replace(&mut message, &mut index, &mut Some(other));
    message
}

/// Generates one line: a valid message, a mutated message, a batch of both, a truncated message, or random bytes.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let mutated_message = || {
        (valid_message(), any::<usize>(), any_json()).prop_map(|(message, index, other)| mutated(message, index, other))
    };
    prop_oneof![
        4 => valid_message().prop_map(|message| message.to_string().into_bytes()),
        4 => mutated_message().prop_map(|message| message.to_string().into_bytes()),
        2 => any_json().prop_map(|json| json.to_string().into_bytes()),
        1 => proptest::collection::vec(prop_oneof![valid_message(), mutated_message()], 0..5)
            .prop_map(|batch| Value::from(batch).to_string().into_bytes()),
        1 => (valid_message(), any::<prop::sample::Index>()).prop_map(|(message, end)| {
            let text = message.to_string().into_bytes();
            text[..end.index(text.len())].to_vec()
        }),
        1 => proptest::collection::vec(any::<u8>().prop_filter("no newline", |byte| *byte != b'\n'), 0..40),
    ]
}

#[test]
fn server_stays_responsive_when_input_is_random() {
    // M26-002, M26-014, M26-019, S-001, S-014, S-021
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() });
    let inputs = (proptest::collection::vec(line(), 1..25), proptest::sample::select(&Wire::ALL[..]));
    let outcome = runner.run(&inputs, |(lines, wire)| {
        runtime.block_on(async {
            // A random `initialize` can select this revision, which allows batch responses. Messages are therefore
            // checked against it.
            let case = Case { revision: Revision::V2025_03_26, wire };
            let mut client = Client::raw(server(), case).allow_both_eras();
            for line in lines {
                client.send_bytes(line);
            }
            let last = json!({ "jsonrpc": "2.0", "id": "last", "method": "tools/call", "params": {
                "name": "add", "arguments": { "a": 4 }, "_meta": modern_meta() } });
            client.send(&last);
            let answer = client.answer("last").await;
            prop_assert_eq!(&answer["result"]["content"][0]["text"], "4 None");
            prop_assert!(client.close().await.is_ok());
            Ok(())
        })
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}
