//! Sessions that are large, or many.

use anyhow::ensure;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use super::Attacker;
use crate::connection::Http1;
use crate::events::body;
use crate::message::{self, Request};
use crate::session::Session;
use crate::target::Target;

const LARGE_SESSIONS: usize = 200;
const LARGE_BYTES: usize = 3_600_000;
/// How many clients start large sessions at the same time.
const CLIENTS: usize = 8;
const MANY_SESSIONS: usize = 11_000;
/// How many requests are sent before their responses are read.
const PIPELINED: usize = 50;
const OTHER_SESSIONS: usize = 100;

/// Starts sessions of clients with large capabilities.
pub(super) async fn large(attacker: &Attacker) -> anyhow::Result<String> {
    let capabilities = json!({ "experimental": { "x": { "y": "x".repeat(LARGE_BYTES) } } });
    let request = message::initialize(attacker.target.address, &capabilities);
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(start(attacker.target.clone(), request.clone(), LARGE_SESSIONS / CLIENTS));
    }
    let started: usize = clients.join_all().await.into_iter().map(Result::unwrap_or_default).sum();
    Ok(format!("{started} of {LARGE_SESSIONS} sessions were started"))
}

/// Starts sessions on one connection, one after another. Returns how many were started.
async fn start(target: Target, request: Request, count: usize) -> anyhow::Result<usize> {
    let mut http = Http1::connect(&target).await?;
    let mut started = 0;
    for _ in 0..count {
        let response = http.send(request.clone()).await?;
        started += usize::from(Session::of(&target, &response).is_some());
        body(response).await?;
    }
    Ok(started)
}

/// Starts many sessions on one connection while other clients have idle sessions.
pub(super) async fn many(attacker: &Attacker) -> anyhow::Result<String> {
    let mut others = Vec::new();
    for _ in 0..OTHER_SESSIONS {
        others.push(Session::open(&attacker.other).await?);
    }
    let request = message::to_bytes(&message::initialize(attacker.target.address, &json!({})));
    let mut stream = attacker.target.connect().await?;
    let (mut responses, mut started) = (Vec::new(), 0);
    for _ in 0..MANY_SESSIONS / PIPELINED {
        stream.write_all(&request.repeat(PIPELINED)).await?;
        responses.clear();
        while count(&responses, b"HTTP/1.1 ") < PIPELINED || !responses.ends_with(b"}") {
            ensure!(stream.read_buf(&mut responses).await? > 0, "the server has closed the connection");
        }
        started += count(&responses, b"mcp-session-id: ");
    }
    for _ in 0..started {
        attacker.target.count_session();
    }
    let mut alive = 0;
    for session in others {
        alive += usize::from(session.is_alive().await?);
    }
    Ok(format!("{started} of {MANY_SESSIONS} sessions were started; {alive} of {OTHER_SESSIONS} others are alive"))
}

fn count(text: &[u8], word: &[u8]) -> usize {
    text.windows(word.len()).filter(|part| *part == word).count()
}
