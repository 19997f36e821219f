//! Text of clients in logs: without escape sequences and line feeds, and of bounded length.

use std::time::Duration;

use ferromcp_core::Revision;
use ferromcp_server::middleware::timing;
use ferromcp_server::{Completion, Ctx, Prompt, Resource, ServeError, Server, Tool, ToolError};
use ferromcp_transport::{Frame, FrameRx, FrameTx, MemoryRx, MemoryTx, Outbound, Transport, memory};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::client::{Case, modern_meta};
use crate::log_recorder::LogRecorder;

/// Sets a terminal's title, forges a line, clears it, and reverses the text that follows.
const ATTACK: &str = "a\u{1b}]0;owned\u{7}\r\n2026-01-01 ERROR forged\t\u{9b}2K\u{202e}b\u{7f}";

const TIMEOUT: Duration = Duration::from_secs(10);

fn server() -> Server {
    Server::new("untrusted", "1")
        .with_tool(Tool::sync("add", |a: i64, b: Option<String>| format!("{a} {b:?}")).args(["a", "b"]))
        .with_tool(Tool::sync("fail", |text: String| Err::<String, _>(ToolError::new(text))).args(["text"]))
        .with_tool(Tool::sync("panic", |text: String| -> String { panic!("{text}") }).args(["text"]))
        .with_tool(
            Tool::new("ask", |ctx: Ctx| async move { Ok::<_, ToolError>(ctx.elicit::<String>("Who?").await?) })
                .args(["ctx"]),
        )
        .with_prompt(Prompt::sync("ask", |topic: String| topic).args(["topic"]))
        .with_resource(Resource::sync("note://{name}", |name: u8| name.to_string()).args(["name"]))
        .with_completion(Completion::prompt_sync("ask", "topic", |typed: String| vec![typed]).args(["typed"]))
        .wrap(timing)
}

/// A client that sends hostile text.
struct Peer {
    rx: MemoryRx,
    tx: MemoryTx,
    serving: JoinHandle<Result<(), ServeError>>,
    text: String,
    is_modern: bool,
    next: i64,
}

impl Peer {
    fn new(text: &str, is_modern: bool) -> Self {
        let (near, far) = memory();
        let serving = tokio::spawn(server().serve(far));
        let (rx, tx) = near.split().unwrap();
        Self { rx, tx, serving, text: text.to_owned(), is_modern, next: 1 }
    }

    async fn send(&mut self, line: impl AsRef<[u8]>) {
        let mut out = Outbound::new();
        out.frame(|buffer| buffer.extend_from_slice(line.as_ref()));
        while !out.is_empty() {
            self.tx.write(&mut out).await.unwrap();
        }
    }

    /// Sends a request and returns its response. Answers questions of the server with hostile text.
    async fn request(&mut self, method: &str, mut params: Value) -> Value {
        if self.is_modern {
            let mut meta = modern_meta();
            meta["io.modelcontextprotocol/clientCapabilities"] = json!({ "elicitation": {}, &self.text: {} });
            meta["io.modelcontextprotocol/clientInfo"] = self.client_info();
            meta.as_object_mut().unwrap().extend(params["_meta"].as_object().cloned().unwrap_or_default());
            params["_meta"] = meta;
        }
        let id = self.next;
        self.next += 1;
        self.send(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()).await;
        loop {
            let Some(Frame::Complete(line)) = timeout(TIMEOUT, self.rx.recv()).await.unwrap().unwrap() else {
                panic!("the server disconnected")
            };
            let message: Value = serde_json::from_slice(&line).unwrap();
            if message["method"] == "elicitation/create" {
                let answer = json!({ "action": self.text, "content": { &self.text: self.text, "value": [self.text] } });
                self.send(json!({ "jsonrpc": "2.0", "id": message["id"], "result": answer }).to_string()).await;
            } else if message["id"] == id {
                return message;
            }
        }
    }

    /// Returns the description of the client, below the limit of its size.
    fn client_info(&self) -> Value {
        let text: String = self.text.chars().take(500).collect();
        json!({ "name": text, "version": text, "title": text, "websiteUrl": text, "icons": [{ "src": text }], text: 1 })
    }

    async fn initialize(&mut self) {
        let info = self.client_info();
        let capabilities = json!({ "elicitation": {}, "experimental": { ATTACK: {} }, &self.text: {} });
        let revision = Revision::LATEST_LEGACY.as_str();
        let params = json!({ "protocolVersion": revision, "clientInfo": info, "capabilities": capabilities });
        let answer = self.request("initialize", params).await;
        assert!(answer["result"].is_object(), "{answer}");
        self.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).await;
    }

    async fn close(mut self) {
        let _ = self.tx.finish().await;
        while let Ok(Some(_)) = self.rx.recv().await {}
        timeout(TIMEOUT, self.serving).await.unwrap().unwrap().unwrap();
    }
}

/// Requests with hostile text in different places.
fn requests(text: &str) -> Vec<(&str, Value)> {
    let trace = json!({ "traceparent": text, "tracestate": text, "baggage": text, "progressToken": text, text: text });
    vec![
        ("tools/call", json!({ "name": text })),
        ("tools/call", json!({ "name": { text: text } })),
        ("tools/call", json!({ "name": "add", "arguments": { "a": text, text: text } })),
        ("tools/call", json!({ "name": "add", "arguments": { "a": 1, "b": text }, "_meta": trace })),
        ("tools/call", json!({ "name": "add", "arguments": text })),
        (
            "tools/call",
            json!({ "name": "add", "arguments": { "a": 1 }, "requestState": text, "inputResponses": { text: text } }),
        ),
        ("tools/call", json!({ "name": "fail", "arguments": { "text": text } })),
        ("tools/call", json!({ "name": "panic", "arguments": { "text": text } })),
        ("tools/call", json!({ "name": "ask" })),
        ("prompts/get", json!({ "name": text })),
        ("prompts/get", json!({ "name": "ask", "arguments": { "topic": 5, text: [text] } })),
        ("resources/read", json!({ "uri": text })),
        ("resources/read", json!({ "uri": format!("note://{text}") })),
        ("resources/subscribe", json!({ "uri": text })),
        ("tools/list", json!({ "cursor": text })),
        ("logging/setLevel", json!({ "level": text })),
        ("completion/complete", json!({ "ref": { "type": text }, "argument": { "name": text, "value": text } })),
        (
            "completion/complete",
            json!({ "ref": { "type": "ref/prompt", "name": "ask" }, "argument": { "name": text, "value": text } }),
        ),
        ("initialize", json!({ "protocolVersion": text, "capabilities": text, "clientInfo": { "name": text } })),
    ]
}

/// Lines that are not valid messages, or that have hostile text in the envelope.
fn lines(text: &str) -> Vec<Vec<u8>> {
    let message = |message: Value| message.to_string().into_bytes();
    vec![
        message(json!({ "jsonrpc": "2.0", "id": text, "method": text, "params": { text: text } })),
        message(json!({ "jsonrpc": text, "id": text, "method": text })),
        message(json!({ "jsonrpc": "2.0", "id": { text: text }, "method": text })),
        message(json!({ "jsonrpc": "2.0", "id": text, "result": { text: text } })),
        message(json!({ "jsonrpc": "2.0", "id": 99, "error": { "code": text, "message": text } })),
        message(json!({ "jsonrpc": "2.0", "id": text, "error": { "code": 1, "message": text } })),
        message(json!({ "jsonrpc": "2.0", "method": text, "params": text })),
        message(
            json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": text, "reason": text } }),
        ),
        message(json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": [text] } })),
        message(
            json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": { "progressToken": text, "progress": text } }),
        ),
        message(json!([text, { text: text }])),
        message(json!(text)),
        message(json!({ text: text })),
        text.replace(['\r', '\n'], "").into_bytes(),
        [b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\x1b[31m\xff", text.replace(['\r', '\n'], "").as_bytes()]
            .concat(),
    ]
}

#[tokio::test]
async fn logs_escape_and_truncate_text_of_client() {
    for case in Case::eras() {
        for text in [ATTACK.to_owned(), ATTACK.repeat(500)] {
            let recorder = LogRecorder::default();
            let _subscriber = tracing::subscriber::set_default(recorder.clone());
            let mut peer = Peer::new(&text, case.is_modern());
            if !case.is_modern() {
                peer.initialize().await;
            }
            for (method, params) in requests(&text).into_iter().chain([(&*text, json!({}))]) {
                let answer = peer.request(method, params).await;
                let result = &answer["result"];
                if result["resultType"] != "input_required" {
                    continue;
                }
                // The next round: hostile answers, and a forged state.
                let keys = result["inputRequests"].as_object().unwrap().keys().cloned();
                let answers: serde_json::Map<_, _> = keys
                    .map(|key| (key, json!({ "action": "accept", "content": { "value": [text], &text: text } })))
                    .collect();
                for state in [result["requestState"].clone(), json!(text)] {
                    let params = json!({ "name": "ask", "inputResponses": answers, "requestState": state });
                    let answer = peer.request("tools/call", params).await;
                    assert!(answer["error"].is_object() || answer["result"]["isError"] == true, "{answer}");
                }
            }
            for line in lines(&text) {
                peer.send(line).await;
            }
            peer.request("tools/list", json!({})).await;
            peer.close().await;
            recorder.assert_harmless();
            for part in
                ["a\\u{1b}]0;owned", "ERROR forged", "gen_ai.tool.name = ", "call completed", "a handler panicked"]
            {
                assert!(recorder.contains(part), "{part:?} is not in the log of {case:?}");
            }
        }
    }
}
