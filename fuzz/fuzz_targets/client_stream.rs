//! Answers the requests of a client with arbitrary results and lines: errors are printable, and the client writes messages.
//!
//! Covers negotiation, results and their repair, lists, input requests, forms, output validation and requests of handshake
//! servers. `cargo +nightly fuzz run client_stream`. The first byte selects the negotiation. The segments after it are
//! separated by NUL: `r` and a result, `e` and an error, `x` to disconnect, or a line. Spec:
//! <https://modelcontextprotocol.io/specification/2026-07-28/basic#messages>.
#![no_main]

use std::error::Error;

use ferromcp_client::{Client, ClientError, ClientLimits, ErrorKind, accept, accept_url};
use ferromcp_core::model::{CreateMessageResult, LogLevel, Root, SamplingContent};
use ferromcp_fuzz::{assert_message, assert_printable, run};
use ferromcp_transport::streams;
use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf, duplex, split};

/// The maximum length of an error text, except for the text of a tool.
const MAX_ERROR: usize = 50_000;

fuzz_target!(|input: &[u8]| {
    let Some((&negotiation, input)) = input.split_first() else { return };
    let server = Server { negotiation, segments: input.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect() };
    run(async {
        let (near, far) = duplex(1 << 16);
        let (reader, writer) = split(near);
        let peer = tokio::spawn(server.serve(far));
        match builder().connect(streams(reader, writer)).await {
            Ok(client) => use_client(client).await,
            Err(error) => check_error(&error),
        }
        peer.await.expect("the server does not panic");
    });
});

fn builder() -> ferromcp_client::ClientBuilder {
    Client::builder("fuzz", "0")
        .limits(ClientLimits::new().rounds(3).list_items(100).retries(1).restart_attempts(1))
        .on_form(|form| async move { accept(&json!({ "name": form.message, "value": 1 })) })
        .on_url(|_| async { accept_url() })
        .on_sampling_with_tools(|_| async { CreateMessageResult::new("model", SamplingContent::text("hi")) })
        .on_roots(|| async { vec![Root::new("file:///a")] })
        .on_log(LogLevel::Debug, |log| drop(std::hint::black_box(format!("{log:?}"))))
}

async fn use_client(client: Client) {
    std::hint::black_box(format!("{:?} {:?} {:?}", client.server_info(), client.capabilities(), client.instructions()));
    check(client.tools().await);
    check(client.call("t", json!({ "a": 1 })).await);
    check(client.call_as::<Value>("t", ()).await);
    check(client.read("a:b").await);
    check(client.prompt("p", json!({ "a": "b" })).await);
    check(client.complete(ferromcp_core::model::Reference::prompt("p"), "a", "b", NO_CONTEXT).await);
    check(client.resources().await);
    check(client.resource_templates().await);
    check(client.prompts().await);
    check(client.request::<Value>("custom/method", json!({})).await);
    client.close().await;
}

const NO_CONTEXT: [(String, String); 0] = [];

/// Checks an outcome: a result can be printed and serialized, and an error is harmless.
fn check<T: std::fmt::Debug + Serialize>(outcome: Result<T, ClientError>) {
    match outcome {
        Ok(result) => {
            std::hint::black_box(format!("{result:?}"));
            serde_json::to_string(&result).expect("a result can be serialized");
        }
        Err(error) => check_error(&error),
    }
}

fn check_error(error: &ClientError) {
    let is_limited = error.kind() != ErrorKind::Tool;
    let mut next: Option<&dyn Error> = Some(error);
    while let Some(error) = next {
        for text in [error.to_string(), format!("{error:?}")] {
            assert_printable(&text);
            assert!(!is_limited || text.len() <= MAX_ERROR, "an error of {} bytes", text.len());
        }
        next = error.source();
    }
}

/// The peer of the client.
struct Server {
    negotiation: u8,
    segments: Vec<Vec<u8>>,
}

impl Server {
    async fn serve(self, stream: DuplexStream) {
        let (reader, mut writer): (ReadHalf<_>, WriteHalf<_>) = split(stream);
        let mut lines = BufReader::new(reader).lines();
        let mut segments = self.segments.iter();
        while let Ok(Some(line)) = lines.next_line().await {
            let message = assert_message(line.as_bytes());
            if message.get("method").is_none() || message.get("id").is_none() {
                continue;
            }
            if let Some(line) = self.negotiate(&message) {
                if writer.write_all(line.as_bytes()).await.is_err() {
                    return;
                }
                continue;
            }
            loop {
                let segment = segments.next().map_or(&b"e{\"code\":-32601,\"message\":\"\"}"[..], Vec::as_slice);
                let (line, is_response) = match segment.split_first() {
                    Some((b'r', result)) => (response(&message["id"], "result", result), true),
                    Some((b'e', error)) => (response(&message["id"], "error", error), true),
                    Some((b'x', _)) => return,
                    _ => (segment.to_vec(), false),
                };
                if writer.write_all(&line).await.is_err() || writer.write_all(b"\n").await.is_err() {
                    return;
                }
                if is_response {
                    break;
                }
            }
        }
    }

    /// Returns the answer to a request that negotiates the revision, unless the input has it.
    fn negotiate(&self, request: &Value) -> Option<String> {
        let version = match self.negotiation & 3 {
            0 => return None,
            1 => "2025-03-26",
            2 => "2025-11-25",
            _ => "2026-07-28",
        };
        let capabilities = json!({ "tools": {}, "resources": {}, "prompts": {}, "completions": {}, "logging": {} });
        let info = json!({ "name": "s", "version": "0" });
        let outcome = match request["method"].as_str()? {
            "server/discover" if version == "2026-07-28" => json!({ "result": {
                "resultType": "complete", "supportedVersions": [version], "capabilities": capabilities,
                "_meta": { "io.modelcontextprotocol/serverInfo": info } } }),
            "server/discover" => json!({ "error": { "code": -32601, "message": "no" } }),
            "initialize" => json!({ "result": {
                "protocolVersion": version, "capabilities": capabilities, "serverInfo": info } }),
            _ => return None,
        };
        let mut answer = json!({ "jsonrpc": "2.0", "id": request["id"] });
        answer.as_object_mut()?.extend(outcome.as_object()?.clone());
        Some(format!("{answer}\n"))
    }
}

fn response(id: &Value, member: &str, value: &[u8]) -> Vec<u8> {
    [format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"{member}\":").as_bytes(), value, b"}"].concat()
}
