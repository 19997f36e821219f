//! Answers the HTTP requests of a client with arbitrary responses: errors are printable, and the client writes messages.
//!
//! Covers status codes, content types, session ids, redirects, challenges, event streams and their resumption, and HTTP+SSE.
//! `cargo +nightly fuzz run client_http`. The first byte selects the negotiation. The responses after it are separated by
//! NUL: a line with the status, header lines, a blank line, and the body, in which `$` is the id of the request. The server
//! listens on a loopback address. Spec:
//! <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http>.
#![no_main]

use std::collections::VecDeque;
use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferromcp_client::http::HttpOptions;
use ferromcp_client::{Client, ClientError, ClientLimits, ErrorKind, accept};
use ferromcp_fuzz::{assert_message, assert_printable};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// The time for one input. The client waits before it reconnects, which is not covered.
const TIMEOUT: Duration = Duration::from_millis(200);

/// The maximum length of an error text, except for the text of a tool.
const MAX_ERROR: usize = 50_000;

/// The response after the last one of the input.
const NOT_FOUND: &[u8] = b"404\n\n";

type Responses = Arc<Mutex<VecDeque<Vec<u8>>>>;

fuzz_target!(|input: &[u8]| {
    let Some((&negotiation, input)) = input.split_first() else { return };
    let responses: VecDeque<Vec<u8>> = input.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
        let server = tokio::spawn(serve(listener, negotiation & 3, Arc::new(Mutex::new(responses))));
        let _ = timeout(TIMEOUT, use_client(&url)).await;
        server.abort();
        let outcome = server.await;
        assert!(!outcome.is_err_and(|error| error.is_panic()), "the server panicked");
    });
});

async fn use_client(url: &str) {
    let limits = ClientLimits::new()
        .rounds(2)
        .retries(1)
        .restart_attempts(1)
        .request_timeout(TIMEOUT / 4)
        .connect_timeout(TIMEOUT / 4)
        .probe_timeout(TIMEOUT / 4);
    let options = HttpOptions::new().no_proxy().body_bytes(4096).event_bytes(4096);
    let builder = Client::builder("fuzz", "0").limits(limits).http(options);
    let client = match builder.on_form(|_| async { accept(&json!({})) }).connect(url).await {
        Ok(client) => client,
        Err(error) => return check_error(&error),
    };
    check(client.call("t", json!({ "a": 1 })).await.map(drop));
    check(client.tools().await.map(drop));
    check(client.read("a:b").await.map(drop));
    client.close().await;
}

fn check(outcome: Result<(), ClientError>) {
    if let Err(error) = outcome {
        check_error(&error);
    }
}

fn check_error(error: &ClientError) {
    let is_limited = error.kind() != ErrorKind::Tool;
    let mut next: Option<&dyn Error> = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        assert_printable(&text);
        assert!(!is_limited || text.len() <= MAX_ERROR, "an error of {} bytes", text.len());
        next = error.source();
    }
}

async fn serve(listener: TcpListener, negotiation: u8, responses: Responses) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { return };
                connections.spawn(connection(stream, negotiation, Arc::clone(&responses)));
            }
            Some(ended) = connections.join_next() => ended.expect("the connection does not panic"),
        }
    }
}

/// Answers the requests of a connection.
async fn connection(stream: TcpStream, negotiation: u8, responses: Responses) {
    let mut stream = BufReader::new(stream);
    while let Some(body) = request(&mut stream).await {
        let message = if body.is_empty() { Value::Null } else { assert_message(&body) };
        let response = match negotiate(negotiation, &message) {
            Some(response) => response,
            None => responses.lock().expect("no panic while locked").pop_front().unwrap_or_else(|| NOT_FOUND.to_vec()),
        };
        if stream.write_all(&http_response(&response, &message["id"])).await.is_err() {
            return;
        }
    }
}

/// Reads a request and returns its body, or `None` at the end of the connection.
async fn request(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().expect("the client writes a number");
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(body)
}

/// Returns the answer to a request that negotiates the revision, unless the input has it.
fn negotiate(negotiation: u8, request: &Value) -> Option<Vec<u8>> {
    let version = match negotiation {
        0 => return None,
        1 => "2025-03-26",
        2 => "2025-11-25",
        _ => "2026-07-28",
    };
    let capabilities = json!({ "tools": {}, "resources": {} });
    let info = json!({ "name": "s", "version": "0" });
    let outcome = match request["method"].as_str()? {
        "server/discover" if version == "2026-07-28" => json!({ "result": {
            "resultType": "complete", "supportedVersions": [version], "capabilities": capabilities,
            "_meta": { "io.modelcontextprotocol/serverInfo": info } } }),
        "server/discover" => json!({ "error": { "code": -32601, "message": "no" } }),
        "initialize" => json!({ "result": {
            "protocolVersion": version, "capabilities": capabilities, "serverInfo": info } }),
        "notifications/initialized" => return Some(b"202\n\n".to_vec()),
        _ => return None,
    };
    let mut answer = json!({ "jsonrpc": "2.0", "id": request["id"] });
    answer.as_object_mut()?.extend(outcome.as_object()?.clone());
    Some(format!("200\nmcp-session-id: s\ncontent-type: application/json\n\n{answer}").into_bytes())
}

/// Converts a response of the input to HTTP/1.1. A response without `content-length` gets one.
fn http_response(response: &[u8], id: &Value) -> Vec<u8> {
    let end = response.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = end.map_or((response, &b""[..]), |end| (&response[..end], &response[end + 2..]));
    let id = id.to_string();
    let body: Vec<u8> = body.split(|byte| *byte == b'$').collect::<Vec<_>>().join(id.as_bytes());
    let mut lines = head.split(|byte| *byte == b'\n');
    let mut out = [b"HTTP/1.1 ", lines.next().unwrap_or_default(), b" -\r\n"].concat();
    let mut has_length = false;
    for line in lines {
        has_length |= line.to_ascii_lowercase().starts_with(b"content-length");
        out.extend([line, b"\r\n"].concat());
    }
    if !has_length {
        out.extend(format!("content-length: {}\r\n", body.len()).into_bytes());
    }
    [out, b"\r\n".to_vec(), body].concat()
}
