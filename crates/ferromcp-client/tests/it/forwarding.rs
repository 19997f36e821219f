//! Requests of other clients, sent by a proxy.

use std::sync::Arc;

use ferromcp_core::model::{CallToolParams, ClientCapabilities, ListChanged, ListParams, LogLevel};
use ferromcp_core::{ClientRequest, RawJson, RequestMeta, ServerResult};
use serde_json::json;

use crate::script::{builder, legacy, modern, soon, text};

/// A request as a server of 2026-07-28 receives it.
fn request() -> ClientRequest {
    let mut params = CallToolParams::new("tool");
    params.arguments = Some(RawJson::from(json!({ "a": 1 })));
    params.request_state = Some("state".into());
    params.input_responses = Some(RawJson::from(json!({ "k": {} })).decode().unwrap());
    let mut meta = RequestMeta::default()
        .protocol_version("2026-07-28")
        .client_info(RawJson::from(json!({ "name": "other", "version": "9" })))
        .log_level(LogLevel::Debug)
        .progress_token("token".into())
        .client_capabilities(Arc::new(ClientCapabilities::default().roots(ListChanged::default())));
    meta.other.set("com.example/k", "v").unwrap();
    params.meta = meta;
    ClientRequest::CallTool(params)
}

#[tokio::test]
async fn keys_of_the_connection_are_replaced_and_others_are_sent() {
    let (client, mut peer) = modern(builder()).await;
    let script = async {
        let sent = peer.expect("tools/call").await;
        let meta = &sent["params"]["_meta"];
        assert_eq!(meta["com.example/k"], "v", "{sent}");
        assert_ne!(meta["io.modelcontextprotocol/clientInfo"]["name"], "other", "{sent}");
        assert_eq!(meta["io.modelcontextprotocol/clientCapabilities"], json!({}), "{sent}");
        assert!(meta.get("io.modelcontextprotocol/logLevel").is_none(), "{sent}");
        assert_ne!(meta["progressToken"], "token", "{sent}");
        assert!(
            sent["params"].get("requestState").is_none() && sent["params"].get("inputResponses").is_none(),
            "{sent}"
        );
        peer.answer(&sent, text("done")).await;
    };
    let (result, ()) = soon(async { tokio::join!(client.forward(request()).into_future(), script) }).await;
    let ServerResult::CallTool(result) = result.unwrap() else { panic!("another result") };
    assert_eq!(result.text_content(), "done");
}

#[tokio::test]
async fn keys_of_modern_requests_are_removed_when_server_is_legacy() {
    let (client, mut peer) = legacy(builder()).await;
    let script = async {
        let sent = peer.expect("tools/call").await;
        let mut meta = sent["params"]["_meta"].clone();
        meta.as_object_mut().unwrap().remove("progressToken");
        assert_eq!(meta, json!({ "com.example/k": "v" }), "{sent}");
        peer.answer(&sent, text("done")).await;
    };
    let (result, ()) = soon(async { tokio::join!(client.forward(request()).into_future(), script) }).await;
    assert!(matches!(result.unwrap(), ServerResult::CallTool(_)));
}

#[tokio::test]
async fn page_is_returned_as_the_server_sent_it() {
    let (client, mut peer) = modern(builder()).await;
    let script = async {
        let sent = peer.expect("tools/list").await;
        assert_eq!(sent["params"]["cursor"], "c1", "{sent}");
        let tools = json!([{ "name": "t", "inputSchema": { "type": "object" } }]);
        peer.answer(&sent, json!({ "resultType": "complete", "tools": tools, "nextCursor": "c2" })).await;
    };
    let list = ClientRequest::ListTools(ListParams::default().cursor("c1"));
    let (result, ()) = soon(async { tokio::join!(client.forward(list).into_future(), script) }).await;
    let ServerResult::ListTools(page) = result.unwrap() else { panic!("another result") };
    assert_eq!((page.tools.len(), page.next_cursor.as_deref()), (1, Some("c2")));
}
