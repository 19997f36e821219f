//! Servers whose messages are imperfect: the other fields and items are kept, and errors name the path.

use std::future::IntoFuture;
use std::sync::{Arc, Mutex};

use ferromcp_client::{Client, ErrorKind, accept};
use ferromcp_core::Era;
use ferromcp_core::model::LogLevel;
use serde_json::{Value, json};

use crate::recorder::Recorder;
use crate::script::{ScriptedServer, builder, connect_to, discovered, initialized, legacy, modern, soon, text};

/// Answers the next request with this text in place of `$id`.
async fn answer_raw(peer: &mut ScriptedServer, method: &str, line: &str) -> Value {
    let request = peer.expect(method).await;
    peer.line(&line.replace("$id", &request["id"].to_string())).await;
    request
}

async fn list_tools(client: &Client, peer: &mut ScriptedServer, result: &str) -> Result<Vec<String>, String> {
    let line = format!(r#"{{"jsonrpc":"2.0","id":$id,"result":{result}}}"#);
    let script = answer_raw(peer, "tools/list", &line);
    let (tools, _) = soon(async { tokio::join!(async { client.tools().await }, script) }).await;
    let tools = tools.map_err(|error| format!("{:?}: {error}", error.kind()))?;
    Ok(tools.into_iter().map(|tool| tool.name).collect())
}

#[tokio::test]
async fn lists_other_tools_when_one_is_imperfect() {
    // C2, C3
    let lines = [
        (r#"{"tools":[{"name":"a","inputSchema":{}},{"name":"noschema"}]}"#, vec!["a", "noschema"]),
        (
            r#"{"tools":[{"name":"a","inputSchema":{}},{"name":"b","inputSchema":{},"annotations":{"readOnlyHint":"yes"}}]}"#,
            vec!["a", "b"],
        ),
        (r#"{"tools":[{"name":"a","inputSchema":{},"icons":null},{"inputSchema":{}}],"_meta":null}"#, vec!["a"]),
        (r#"{"tools":[7,{"name":"a","inputSchema":[],"icons":[{}],"description":{"en":"x"}}]}"#, vec!["a"]),
        (r#"{"tools":[{"name":"a","inputSchema":{},"title":"\ud83d"}],"nextCursor":null}"#, vec!["a"]),
    ];
    for (result, expected) in lines {
        let (client, mut peer) = modern(builder()).await;
        assert_eq!(list_tools(&client, &mut peer, result).await.unwrap(), expected, "{result}");
        let (client, mut peer) = legacy(builder()).await;
        assert_eq!(list_tools(&client, &mut peer, result).await.unwrap(), expected, "{result}");
    }
    let (client, mut peer) = modern(builder()).await;
    let error = list_tools(&client, &mut peer, r#"{"tools":{"a":1}}"#).await.unwrap_err();
    assert!(error.contains("`result.tools`: invalid type: map, expected a sequence"), "{error}");
}

/// Returns an object with this number of levels.
fn nested(levels: usize) -> String {
    format!("{}{{}}{}", r#"{"not":"#.repeat(levels - 1), "}".repeat(levels - 1))
}

#[tokio::test]
async fn lists_other_tools_when_schema_of_one_is_nested_too_deep() {
    let recorder = Recorder::default();
    let _subscriber = tracing::subscriber::set_default(recorder.clone());
    let result = r#"{"tools":[{"name":"a","inputSchema":FIT},{"name":"deep","inputSchema":DEEP},
        {"name":"out","inputSchema":{},"outputSchema":DEEP},{"name":"z","inputSchema":{}}]}"#;
    let result = result.replace('\n', "").replace("FIT", &nested(64)).replace("DEEP", &nested(65));
    for (client, mut peer) in [modern(builder()).await, legacy(builder()).await] {
        assert_eq!(list_tools(&client, &mut peer, &result).await.unwrap(), ["a", "out", "z"]);
    }
    assert_eq!(recorder.warnings("skipped `result.tools[1]` (`deep`): `result.tools[1].inputSchema`: nested").len(), 2);
    assert_eq!(recorder.warnings("ignored `result.tools[2].outputSchema` (`out`): nested deeper than 64").len(), 2);
    // The depth of the message is limited, and the error belongs to its call.
    let (client, mut peer) = modern(builder()).await;
    let other = client.call("t", ()).into_future();
    let waiting = tokio::spawn(other);
    let call = peer.expect("tools/call").await;
    let result = format!(r#"{{"tools":[{{"name":"deep","inputSchema":{}}}]}}"#, nested(1000));
    let error = list_tools(&client, &mut peer, &result).await.unwrap_err();
    assert!(error.contains("InvalidResponse") && error.contains("nested deeper than 1000 levels"), "{error}");
    peer.answer(&call, text("ok")).await;
    soon(waiting).await.unwrap().unwrap();
}

#[tokio::test]
async fn fetches_next_page_when_cursor_is_a_number() {
    let recorder = Recorder::default();
    let _subscriber = tracing::subscriber::set_default(recorder.clone());
    for (cursor, sent) in
        [("3", "3"), ("0", "0"), ("-1.50", "-1.50"), ("1e3", "1e3"), ("12345678901234567890", "12345678901234567890")]
    {
        for (client, mut peer) in [modern(builder()).await, legacy(builder()).await] {
            let script = async {
                let page = format!(r#"{{"tools":[{{"name":"a","inputSchema":{{}}}}],"nextCursor":{cursor}}}"#);
                answer_raw(&mut peer, "tools/list", &format!(r#"{{"jsonrpc":"2.0","id":$id,"result":{page}}}"#)).await;
                let list = peer.expect("tools/list").await;
                assert_eq!(list["params"]["cursor"], sent);
                peer.answer(&list, json!({ "tools": [{ "name": "b", "inputSchema": {} }] })).await;
            };
            let (tools, ()) = soon(async { tokio::join!(async { client.tools().await }, script) }).await;
            let names: Vec<String> = tools.unwrap().into_iter().map(|tool| tool.name).collect();
            assert_eq!(names, ["a", "b"], "{cursor}");
        }
    }
    assert_eq!(recorder.warnings("converted `result.nextCursor`: invalid type").len(), 10);
    // Other types do not identify a page.
    for cursor in ["{}", "[3]", "true"] {
        let (client, mut peer) = modern(builder()).await;
        let result = format!(r#"{{"tools":[{{"name":"a","inputSchema":{{}}}}],"nextCursor":{cursor}}}"#);
        assert_eq!(list_tools(&client, &mut peer, &result).await.unwrap(), ["a"], "{cursor}");
    }
    assert_eq!(recorder.warnings("ignored `result.nextCursor`").len(), 3);
}

#[tokio::test]
async fn call_succeeds_when_result_is_imperfect() {
    // C2, C3, C10
    for (result, expected) in [
        (r#"{"_meta":null,"content":[{"type":"text","text":"x","annotations":null}]}"#, "x"),
        (r#"{"content":[{"type":"text","text":"ab\ud83d"}]}"#, "ab\u{fffd}"),
        (r#"{"content":[{"type":"text","text":"a"}],"\udc00":1}"#, "a"),
        (r#"{"content":[{"type":"hologram"},{"type":"text","text":"x","annotations":{"audience":"user"}}]}"#, "x"),
        (r#"{"content":[{"type":"text","text":"{\"a\":\"\\ud83d\"}"}],"isError":null}"#, r#"{"a":"\ud83d"}"#),
    ] {
        for (client, mut peer) in [modern(builder()).await, legacy(builder()).await] {
            let line = format!(r#"{{"jsonrpc":"2.0","id":$id,"error":null,"result":{result}}}"#);
            let script = answer_raw(&mut peer, "tools/call", &line);
            let (result, _) = soon(async { tokio::join!(async { client.call("t", ()).await }, script) }).await;
            assert_eq!(result.unwrap().content[0].as_text(), Some(expected));
        }
    }
}

#[tokio::test]
async fn call_succeeds_when_id_is_returned_as_string() {
    // C12
    for id in [r#""$id""#, "$id.0", r#""$id.0""#] {
        for (client, mut peer) in [modern(builder()).await, legacy(builder()).await] {
            let progress = Arc::new(Mutex::new(Vec::new()));
            let seen = Arc::clone(&progress);
            let line = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{}}}"#, text("ok"));
            let script = async {
                let call = peer.expect("tools/call").await;
                let token = call["params"]["_meta"]["progressToken"].to_string();
                peer.notify("notifications/progress", json!({ "progressToken": token, "progress": 1, "total": "x" }))
                    .await;
                peer.line(&line.replace("$id", &call["id"].to_string())).await;
            };
            let call =
                async { client.call("t", ()).on_progress(move |step| seen.lock().unwrap().push(step.progress)).await };
            soon(async { tokio::join!(call, script) }).await.0.unwrap();
            assert_eq!(*progress.lock().unwrap(), [1.0]);
        }
    }
    // The error of a call, too.
    let (client, mut peer) = modern(builder()).await;
    let script = answer_raw(&mut peer, "tools/call", r#"{"jsonrpc":"2.0","id":"$id","error":{"code":-1}}"#);
    let (result, _) = soon(async { tokio::join!(async { client.call("t", ()).await }, script) }).await;
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.rpc().map(|error| error.code.0)), (ErrorKind::Server, Some(-1)));
}

#[tokio::test]
async fn connects_when_description_of_server_is_imperfect() {
    // C2, C3
    let (client, _peer) = connect_to(builder().only_era(Era::Legacy), async |peer: &mut ScriptedServer| {
        let opening = peer.expect("initialize").await;
        let mut result = initialized(opening["params"]["protocolVersion"].as_str().unwrap());
        result["capabilities"]["experimental"] = Value::Null;
        result["capabilities"]["prompts"] = json!({ "listChanged": "yes" });
        result["serverInfo"] = json!({ "name": "s", "icons": [{}], "title": null });
        result["instructions"] = json!(["be", "kind"]);
        peer.send(json!({ "jsonrpc": "2.0", "id": opening["id"].to_string(), "result": result, "error": null })).await;
        peer.expect("notifications/initialized").await;
    })
    .await;
    let client = client.unwrap();
    assert_eq!(client.server_info().unwrap().name, "s");
    assert!(client.capabilities().prompts.is_some() && client.instructions().is_none());

    let (client, _peer) = connect_to(builder(), async |peer: &mut ScriptedServer| {
        let probe = peer.expect("server/discover").await;
        let mut result = discovered(&[ferromcp_core::Revision::LATEST.as_str()]);
        result["supportedVersions"].as_array_mut().unwrap().push(json!(7));
        result["capabilities"]["extensions"] = Value::Null;
        result["_meta"]["io.modelcontextprotocol/serverInfo"] = json!({ "name": "s", "version": 2, "icons": 1 });
        peer.answer(&probe, result).await;
    })
    .await;
    assert_eq!(client.unwrap().server_info().unwrap().name, "s");

    let (client, _peer) = connect_to(builder().only_era(Era::Legacy), async |peer: &mut ScriptedServer| {
        let opening = peer.expect("initialize").await;
        peer.answer(&opening, json!({ "protocolVersion": "2025-11-25", "serverInfo": {}, "capabilities": 7 })).await;
    })
    .await;
    let error = client.unwrap_err().to_string();
    assert!(error.contains("`result.capabilities`: invalid type: integer `7`"), "{error}");
}

#[tokio::test]
async fn handlers_run_when_server_messages_are_imperfect() {
    // C2, C3
    let (sender, mut logs) = tokio::sync::mpsc::unbounded_channel();
    let (_client, mut peer) = modern(builder().on_log(LogLevel::Debug, move |log| drop(sender.send(log)))).await;
    peer.notify("notifications/message", json!({ "level": "info", "data": 1, "logger": 7, "_meta": null })).await;
    peer.notify("notifications/message", json!({ "level": "verbose", "data": 2 })).await;
    assert_eq!(soon(logs.recv()).await.unwrap().logger, None);
    assert_eq!(soon(logs.recv()).await.unwrap().level, LogLevel::Info);

    let (_client, mut peer) = legacy(builder().on_form(|form| async move {
        assert_eq!(form.message, "m\u{fffd}");
        accept(&json!({ "a": "b" }))
    }))
    .await;
    peer.line(concat!(
        r#"{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"message":"m\ud83d","mode":null,"task":[],"#,
        r#""requestedSchema":{"type":"object","required":null,"properties":{"a":{"type":"string","title":7}}}}}"#
    ))
    .await;
    let answer = peer.recv().await;
    assert_eq!((&answer["id"], &answer["result"]["action"]), (&json!("q"), &json!("accept")), "{answer}");
    let schema = json!({ "type": "object", "properties": {} });
    peer.ask(json!(1), "elicitation/create", json!({ "message": 7, "requestedSchema": schema })).await;
    let error = peer.recv().await["error"]["message"].as_str().unwrap().to_owned();
    assert!(error.contains("`params.message`: invalid type: integer `7`, expected a string"), "{error}");
}
