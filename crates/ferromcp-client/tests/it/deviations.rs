//! Stray output and changed ids on a pipe: calls continue, and each kind is logged once per connection as a warning.

use std::future::IntoFuture;
use std::time::Duration;

use ferromcp_client::{Client, ErrorKind};
use serde_json::{Value, json};

use crate::recorder::Recorder;
use crate::script::{ScriptedServer, builder, legacy, modern, soon, text};

/// Calls a tool. The server sends `lines` before the response, in which `ID` stands for the id of the call.
async fn call_with_lines(client: &Client, peer: &mut ScriptedServer, lines: &[&str]) {
    let script = async {
        let call = peer.expect("tools/call").await;
        for line in lines {
            peer.line(&line.replace("ID", &call["id"].to_string())).await;
        }
        peer.answer(&call, text("ok")).await;
    };
    let (result, ()) = soon(async { tokio::join!(async { client.call("t", ()).await }, script) }).await;
    assert_eq!(result.unwrap_or_else(|error| panic!("{lines:?}: {error}")).content[0].as_text(), Some("ok"));
}

#[tokio::test]
async fn call_continues_when_line_of_a_log_has_its_id() {
    let recorder = Recorder::default();
    let _subscriber = tracing::subscriber::set_default(recorder.clone());
    let lines = [
        r#"{"level":"info","id":ID,"msg":"x"}"#,
        r#"{"level":30,"time":1700000000000,"pid":1,"id":ID,"msg":"request completed","result":{"rows":1}}"#,
        r#"{"timestamp":"2026-01-01T00:00:00Z","id":"ID","error":"disk full"}"#,
        r#"{"severity":"ERROR","id":ID,"error":{"code":-32000,"message":"m"}}"#,
        r#"{"id":ID,"method":"GET","path":"/x","status":200}"#,
        r#"{"id":ID,"user":"me"}"#,
        r#"{"id":ID}"#,
        r#"{"id":ID,"error":null}"#,
        r#"{"level":"debug","msg":"sent","payload":{"jsonrpc":"2.0","id":ID,"result":{}}}"#,
        r#"{"level":"debug","payload":{"jsonrpc":"2.0","id":ID,"result":"#,
        r#"[{"level":"info","id":ID}]"#,
    ];
    for (client, mut peer) in [modern(builder()).await, legacy(builder()).await] {
        call_with_lines(&client, &mut peer, &lines).await;
        // No error response is sent for such a line: the next message is a call.
        call_with_lines(&client, &mut peer, &[]).await;
    }
    assert_eq!(recorder.warnings("ignored output of the server").len(), 2 * lines.len());
}

#[tokio::test]
async fn call_fails_when_response_has_no_version_or_no_outcome() {
    // C12
    for (line, kind) in [
        (r#"{"id":ID,"error":{"code":-1,"message":"m"}}"#, ErrorKind::Server),
        (r#"{"id":"ID","error":"m"}"#, ErrorKind::Server),
        (r#"{"jsonrpc":"2.0","id":ID,"level":"info"}"#, ErrorKind::InvalidResponse),
    ] {
        for (client, mut peer) in [modern(builder()).await, legacy(builder()).await] {
            let script = async {
                let call = peer.expect("tools/call").await;
                peer.line(&line.replace("ID", &call["id"].to_string())).await;
            };
            let (result, ()) = soon(async { tokio::join!(async { client.call("t", ()).await }, script) }).await;
            assert_eq!(result.unwrap_err().kind(), kind, "{line}");
        }
    }
}

#[tokio::test]
async fn id_is_accepted_with_one_warning_when_returned_as_string_or_fraction() {
    // C12
    for id in [r#""ID""#, "ID.0", r#""ID.0""#] {
        for (client, mut peer) in [modern(builder()).await, legacy(builder()).await] {
            let recorder = Recorder::default();
            let _subscriber = tracing::subscriber::set_default(recorder.clone());
            for _ in 0..3 {
                let script = async {
                    let call = peer.expect("tools/call").await;
                    let line = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{}}}"#, text("ok"));
                    peer.line(&line.replace("ID", &call["id"].to_string())).await;
                };
                soon(async { tokio::join!(async { client.call("t", ()).await }, script) }).await.0.unwrap();
            }
            assert_eq!(recorder.warnings("the numeric id of a request").len(), 1, "{id}");
            assert_eq!(recorder.warnings("").len(), 1, "{id}");
        }
    }
}

#[tokio::test]
async fn unmatched_response_is_logged_once_with_the_waiting_method() {
    let lines = [
        r#"{"jsonrpc":"2.0","id":"0ID","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":"ID.5","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":"+ID","error":{"code":1,"message":"m"}}"#,
        r#"{"jsonrpc":"2.0","id":99999,"result":{}}"#,
    ];
    for (client, mut peer) in [modern(builder()).await, legacy(builder()).await] {
        for first in 0..lines.len() {
            let recorder = Recorder::default();
            let _subscriber = tracing::subscriber::set_default(recorder.clone());
            let (mut lines, is_first) = (lines, first == 0);
            lines.rotate_left(first);
            call_with_lines(&client, &mut peer, &lines).await;
            let warnings = recorder.warnings("matches no request");
            assert_eq!(warnings.len(), usize::from(is_first), "{warnings:?}");
            if is_first {
                assert!(warnings[0].contains("`tools/call` (id ") && warnings[0].contains("\\\"0"), "{warnings:?}");
            }
        }
    }
}

#[tokio::test]
async fn late_response_is_not_a_warning_when_call_was_cancelled() {
    let recorder = Recorder::default();
    let _subscriber = tracing::subscriber::set_default(recorder.clone());
    let (client, mut peer) = modern(builder()).await;
    let calling = tokio::spawn(client.call("t", ()).timeout(Duration::from_millis(50)).into_future());
    let call: Value = peer.expect("tools/call").await;
    assert!(soon(calling).await.unwrap().unwrap_err().is_timeout());
    peer.expect("notifications/cancelled").await;
    peer.answer(&call, text("late")).await;
    call_with_lines(&client, &mut peer, &[]).await;
    assert_eq!(recorder.warnings(""), Vec::<String>::new());
    // The second response to the same request is unexpected.
    peer.send(json!({ "jsonrpc": "2.0", "id": call["id"], "result": {} })).await;
    call_with_lines(&client, &mut peer, &[]).await;
    assert_eq!(recorder.warnings("matches no request").len(), 1);
}
