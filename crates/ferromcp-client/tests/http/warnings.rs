//! Warnings in the log about servers that deviate from the specification.

use ferromcp_client::{Client, ClientBuilder};
use ferromcp_core::{Era, Revision};
use serde_json::json;

use crate::recorder::Recorder;
use crate::script::{accept_notification, builder, discovered, initialized, json_result, text};
use crate::wire::{STREAM, Wire, chunk, run_both};

fn both_eras() -> [ClientBuilder; 2] {
    [builder().only_era(Era::Modern), builder().only_era(Era::Legacy)]
}

/// Connects a client without a session.
async fn connect(wire: &Wire, builder: ClientBuilder) -> Client {
    let (client, ()) = run_both(builder.connect(wire.url("/mcp")), async {
        let (asked, mut peer) = wire.asked().await;
        let respond = match &*asked.method_name() {
            "initialize" => json_result(initialized(Revision::LATEST_LEGACY)),
            _ => json_result(discovered(&[Revision::LATEST.as_str()])),
        };
        peer.say(respond(&asked)).await;
        if asked.method_name() == "initialize" {
            wire.play(&[accept_notification()]).await;
        }
    })
    .await;
    client.expect("a client")
}

/// Records the events of a call whose response follows `events` on a stream. `ID` stands for the ID of the request.
async fn call_with_events(events: &str, builder: ClientBuilder) -> Recorder {
    let wire = Wire::new().await;
    let recorder = Recorder::default();
    let _subscriber = tracing::subscriber::set_default(recorder.clone());
    let client = connect(&wire, builder).await;
    assert_eq!(recorder.warnings(""), [""; 0], "the handshake is regular");
    let server = async {
        let (asked, mut peer) = wire.asked().await;
        let id = asked.json()["id"].to_string();
        let answer = json!({ "jsonrpc": "2.0", "id": asked.json()["id"], "result": text("ok") });
        peer.say(STREAM).await;
        peer.say(chunk(events.replace("ID", &id))).await;
        peer.say(chunk(format!("data: {answer}\n\n"))).await;
        peer
    };
    let (result, _peer) = run_both(async { client.call("t", ()).await }, server).await;
    result.expect("a result");
    recorder
}

#[tokio::test]
async fn warning_is_logged_when_event_is_skipped() {
    // C13
    for (events, warning) in [
        ("data: connected\n\n", "ignored an event that is not a message"),
        ("data: [DONE]\n\n", "ignored an event that is not a message"),
        ("data: {\n\n", "ignored an event that is not a message"),
        ("data: {\"type\":\"heartbeat\",\"at\":1}\n\n", "ignored an event that is not a message"),
        ("event: error\ndata: upstream is slow\n\n", "upstream is slow"),
        ("data: {\"jsonrpc\":\"2.0\",\"id\":\"other\",\"result\":{}}\n\n", "id matches no request"),
    ] {
        for builder in both_eras() {
            let recorder = call_with_events(events, builder).await;
            assert_eq!(recorder.warnings(warning).len(), 1, "{events:?}: {:?}", recorder.warnings(""));
            assert_eq!(recorder.warnings("").len(), 1, "{events:?}: {:?}", recorder.warnings(""));
        }
    }
}

#[tokio::test]
async fn no_warning_is_logged_when_event_is_regular() {
    // C13
    for events in [
        ": comment\n\nid: 1\ndata:\n\n",
        "event: ping\ndata: {}\n\n",
        "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":ID,\"progress\":1}}\n\n",
    ] {
        for builder in both_eras() {
            let recorder = call_with_events(events, builder).await;
            assert_eq!(recorder.warnings(""), [""; 0], "{events:?}");
        }
    }
}

#[tokio::test]
async fn warning_names_tool_and_field_when_list_is_repaired() {
    // C2
    for builder in both_eras() {
        let wire = Wire::new().await;
        let recorder = Recorder::default();
        let _subscriber = tracing::subscriber::set_default(recorder.clone());
        let client = connect(&wire, builder).await;
        let tools = json!([
            { "name": "good", "inputSchema": { "type": "object" } },
            { "name": "noschema" },
            { "name": "hinted", "inputSchema": { "type": "object" }, "annotations": { "readOnlyHint": "yes" } },
            { "title": "nameless" },
        ]);
        let page = json!({ "resultType": "complete", "tools": tools, "ttlMs": 0, "cacheScope": "private" });
        let script = [json_result(page)];
        let (tools, _) = run_both(async { client.tools().await }, wire.play(&script)).await;
        assert_eq!(tools.expect("a list").len(), 3);
        let warnings = recorder.warnings("the server sent an invalid field");
        assert_eq!(warnings.len(), 3, "{warnings:?}");
        for (warning, parts) in warnings.iter().zip([
            ["noschema", "result.tools[1].inputSchema"],
            ["hinted", "result.tools[2].annotations"],
            ["tools/list", "result.tools[3]"],
        ]) {
            assert!(parts.iter().all(|part| warning.contains(part)), "{parts:?}: {warning}");
        }
    }
}
