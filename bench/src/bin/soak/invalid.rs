//! Invalid traffic. The server must reject it with the expected status, or close the connection.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use ferromcp::core::header::field;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::connection::{Http1, Refused};
use crate::events::body;
use crate::message::{self, Request};
use crate::target::Target;

/// How long the server may take to close a connection.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs one of the scenarios; `turn` selects it.
pub(crate) async fn run(target: &Target, turn: usize) -> anyhow::Result<()> {
    let address = target.address;
    let add = || message::call(address, "add", &json!({ "a": 1, "b": 2 }));
    let with = |name: &str, value: &str| {
        let mut request = add();
        message::set(&mut request, name, value);
        request
    };
    let initialize = message::message(0, "initialize", &json!({}));
    let batch = Value::Array(vec![initialize; 100]).to_string();
    let nested = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let (name, rejected) = match turn % 16 {
        0 => ("not JSON", rejects(target, message::post(address, "{\"jsonrpc\": \"2.0\", "), &[400]).await),
        1 => ("binary body", rejects(target, message::post(address, vec![0xFF; 1000]), &[400]).await),
        2 => ("unknown version", rejects(target, with(field::PROTOCOL_VERSION, "1999-01-01"), &[400]).await),
        3 => ("unknown method", rejects(target, message::modern(address, 1, "no/such", json!({})), &[200, 404]).await),
        4 => ("foreign origin", rejects(target, with("origin", "https://evil.example"), &[403]).await),
        5 => ("foreign host", rejects(target, with("host", "evil.example"), &[403]).await),
        6 => ("name mismatch", rejects(target, with(field::NAME, "length"), &[400]).await),
        7 => ("content type", rejects(target, with("content-type", "text/plain"), &[415]).await),
        8 => ("unknown session", rejects(target, unknown_session(target), &[404]).await),
        9 => ("large batch", rejects(target, message::post(address, batch), &[400]).await),
        10 => ("deep nesting", rejects(target, message::post(address, nested), &[400]).await),
        11 => ("large header", rejects(target, with("x-large", &"x".repeat(100_000)), &[431]).await),
        12 => ("large body", rejects(target, message::post(address, vec![b' '; 5 << 20]), &[413]).await),
        13 => ("not HTTP", closes(target, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 EHLO example\r\n\r\n").await),
        14 => (
            "broken HTTP/2 frame",
            closes(target, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\x00\x00\x00\x00\x00\x00").await,
        ),
        _ => ("disconnects", disconnects(target).await),
    };
    rejected.context(name)
}

fn unknown_session(target: &Target) -> Request {
    let mut request = message::post(target.address, message::message(1, "ping", &json!({})).to_string());
    message::set(&mut request, field::SESSION_ID, &"x".repeat(43));
    message::set(&mut request, field::PROTOCOL_VERSION, message::LEGACY);
    request
}

/// Sends a request that must get one of the statuses, and an error if its status is 200.
async fn rejects(target: &Target, request: Request, statuses: &[u16]) -> anyhow::Result<()> {
    let response = Http1::connect(target).await?.send(request).await;
    let response = match response {
        Ok(response) => response,
        // The server may close the connection before a large request is sent.
        Err(_) if statuses.iter().any(|status| [413, 431].contains(status)) => return Ok(()),
        Err(error) => return Err(error),
    };
    let status = response.status();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        bail!(Refused(status.to_string()));
    }
    ensure!(statuses.contains(&status.as_u16()), "status {status}");
    if status == StatusCode::OK {
        let body: Value = serde_json::from_slice(&body(response).await?)?;
        ensure!(body["error"].is_object(), "{body}");
    }
    Ok(())
}

/// Sends bytes after which the server must close the connection.
async fn closes(target: &Target, bytes: &[u8]) -> anyhow::Result<()> {
    let mut stream = target.connect().await?;
    stream.write_all(bytes).await?;
    let mut discarded = [0; 4096];
    let closed = async { while matches!(stream.read(&mut discarded).await, Ok(1..)) {} };
    timeout(CLOSE_TIMEOUT, closed).await.context("the connection stays open")
}

/// Disconnects in a header, in a body, during a call, and during a stream.
async fn disconnects(target: &Target) -> anyhow::Result<()> {
    let steps = json!({ "count": 100, "pause_ms": 5, "bytes": 1000 });
    let call = message::to_bytes(&message::call_with_progress(target.address, "steps", &steps));
    let mut get = message::call(target.address, "add", &json!({}));
    *get.method_mut() = Method::GET;
    let pipelined = [call.as_slice(), &message::to_bytes(&get)].concat();
    for (bytes, wait) in [(&call[..50], 0), (&call[..call.len() - 10], 0), (&call, 0), (&call, 20), (&pipelined, 5)] {
        let mut stream = target.connect().await?;
        stream.write_all(bytes).await?;
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
    Ok(())
}
