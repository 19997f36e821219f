//! Imperfect results over HTTP: the other fields and items are kept.

use ferromcp_client::Client;
use ferromcp_core::{Era, Revision};
use serde_json::{Value, json};

use crate::script::{
    Respond, accept_notification, builder, closing, discovered, initialized, json_result, respond_with,
};
use crate::wire::{ReceivedRequest, Wire, run_both};

const LEGACY: Revision = Revision::LATEST_LEGACY;

/// Responds with this text in place of `$id`.
fn raw(media_type: &'static str, body: &'static str) -> Respond {
    Box::new(move |asked: &ReceivedRequest| {
        closing(200, media_type, &body.replace("$id", &asked.json()["id"].to_string()))
    })
}

async fn connect(wire: &Wire, era: Era) -> Client {
    match era {
        Era::Modern => {
            let mut result = discovered(&[Revision::LATEST.as_str()]);
            result["capabilities"]["experimental"] = Value::Null;
            wire.connect(builder().only_era(era), &[json_result(result)]).await.0
        }
        Era::Legacy => {
            let mut result = initialized(LEGACY);
            result["capabilities"]["experimental"] = Value::Null;
            result["_meta"] = Value::Null;
            result["serverInfo"] = json!({ "name": "s", "icons": null });
            let script = [json_result(result), accept_notification()];
            wire.connect(builder().only_era(era), &script).await.0
        }
    }
    .expect("a client")
}

#[tokio::test]
async fn call_succeeds_when_response_is_imperfect() {
    // C3, C10, C12
    for era in [Era::Modern, Era::Legacy] {
        for body in [
            r#"{"jsonrpc":"2.0","id":"$id","result":{"content":[{"type":"text","text":"ab\ud83d"}]}}"#,
            r#"{"result":{"content":[{"type":"text","text":"ab\udc00","_meta":null}],"_meta":null},"error":null,"id":$id.0,"jsonrpc":"2.0"}"#,
            r#"{"jsonrpc":"2.0","id":$id,"method":null,"result":{"content":[{"type":"x"},{"type":"text","text":"ab\ufffd"}]}}"#,
        ] {
            for in_stream in [false, true] {
                let wire = Wire::new().await;
                let client = connect(&wire, era).await;
                let respond = if in_stream { event(body) } else { raw("application/json", body) };
                let (result, _) = run_both(async { client.call("t", ()).await }, wire.play(&[respond])).await;
                assert_eq!(result.expect("a result").content[0].as_text(), Some("ab\u{fffd}"), "{body}");
            }
        }
    }
}

/// Responds with an SSE stream of one message.
fn event(body: &'static str) -> Respond {
    Box::new(move |asked: &ReceivedRequest| {
        let body = body.replace("$id", &asked.json()["id"].to_string());
        closing(200, "text/event-stream", &format!("data: {body}\n\n"))
    })
}

#[tokio::test]
async fn lists_other_tools_when_one_is_imperfect() {
    // C2
    for era in [Era::Modern, Era::Legacy] {
        let wire = Wire::new().await;
        let client = connect(&wire, era).await;
        let body = r#"{"jsonrpc":"2.0","id":"$id","result":{"tools":[{"name":"a","inputSchema":{"type":"object"}},
            {"name":"b","annotations":{"readOnlyHint":"yes"}},{"title":"nameless"}]}}"#;
        let (tools, _) = run_both(async { client.tools().await }, wire.play(&[raw("application/json", body)])).await;
        let names: Vec<String> = tools.expect("a list").into_iter().map(|tool| tool.name).collect();
        assert_eq!(names, ["a", "b"]);
    }
    let wire = Wire::new().await;
    let client = connect(&wire, Era::Modern).await;
    let respond = respond_with(200, "application/json", "");
    let (tools, _) = run_both(async { client.tools().await }, wire.play(&[respond])).await;
    assert!(tools.is_err());
}
