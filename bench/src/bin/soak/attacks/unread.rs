//! Clients that request large responses and do not read them.
//!
//! The HTTP/1.1 connections are opened at a fixed rate. Each call takes some milliseconds of CPU time, and 400 calls at once
//! would show how long the CPU needs for them, which `rate_limit` and `concurrency_limit` bound, and not how unread
//! responses are bounded.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, sleep_until, timeout_at};

use super::Attacker;
use crate::connection::Http2;
use crate::message;

const HTTP2_CONNECTIONS: usize = 4;
const HTTP2_REQUESTS: usize = 250;
const HTTP2_BYTES: usize = 6_000_000;
const HTTP1_CONNECTIONS: usize = 400;
const HTTP1_BYTES: usize = 5_000_000;
/// The time between two connections.
const HTTP1_INTERVAL: Duration = Duration::from_millis(10);

/// Requests large responses over HTTP/2 with a window of 0. The connections answer pings.
pub(super) async fn http2(attacker: &Attacker) -> anyhow::Result<String> {
    let request = message::call(attacker.target.address, "large", &json!({ "bytes": HTTP2_BYTES }));
    let until = Instant::now() + attacker.hold;
    let (mut connections, mut responses) = (Vec::new(), JoinSet::new());
    for _ in 0..HTTP2_CONNECTIONS {
        let mut http = Http2::connect(&attacker.target, 0).await?;
        for _ in 0..HTTP2_REQUESTS {
            let response = http.send(&request, Full::new(Bytes::clone(request.body())));
            responses.spawn(async move {
                let response = timeout_at(until, response).await;
                sleep_until(until).await;
                matches!(response, Ok(Ok(response)) if response.status().is_success())
            });
        }
        connections.push(http);
    }
    let answered = responses.join_all().await.into_iter().filter(|is_success| *is_success).count();
    Ok(format!("{answered} of {} requests got a head of status 200", HTTP2_CONNECTIONS * HTTP2_REQUESTS))
}

/// Requests a large response on each of many HTTP/1.1 connections.
pub(super) async fn http1(attacker: &Attacker) -> anyhow::Result<String> {
    let request = message::call(attacker.target.address, "large", &json!({ "bytes": HTTP1_BYTES }));
    let request = message::to_bytes(&request);
    let (mut connections, mut tick) = (Vec::new(), interval(HTTP1_INTERVAL));
    for _ in 0..HTTP1_CONNECTIONS {
        tick.tick().await;
        let mut stream = attacker.target.connect_without_buffer().await?;
        stream.write_all(&request).await?;
        connections.push(stream);
    }
    sleep(attacker.hold).await;
    Ok(format!("{} connections", connections.len()))
}
