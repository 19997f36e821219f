//! Clients that do not complete their request bodies.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::Attacker;
use crate::connection::Http2;
use crate::message::{self, Request};

const COUNT: usize = 250;
/// The size of a body, just below the limit of 4 MiB.
const BYTES: usize = (4 << 20) - 1000;
/// The end of the body, which is not sent.
const MISSING: usize = 1000;

fn request(attacker: &Attacker) -> Request {
    message::call(attacker.target.address, "length", &json!({ "text": "x".repeat(BYTES - 1000) }))
}

/// Sends an incomplete body on each of many HTTP/1.1 connections.
pub(super) async fn http1(attacker: &Attacker) -> anyhow::Result<String> {
    let request = Bytes::from(message::to_bytes(&request(attacker)));
    let until = Instant::now() + attacker.hold;
    let mut clients = JoinSet::new();
    for _ in 0..COUNT {
        let mut stream = attacker.target.connect().await?;
        let request = request.clone();
        clients.spawn(async move {
            let sent = timeout_at(until, stream.write_all(&request[..request.len() - MISSING])).await;
            sleep_until(until).await;
            matches!(sent, Ok(Ok(())))
        });
    }
    let sent = clients.join_all().await.into_iter().filter(|is_sent| *is_sent).count();
    Ok(format!("the server took {sent} of {COUNT} bodies"))
}

/// A body that is never completed.
struct Incomplete(Bytes);

impl Body for Incomplete {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.0.is_empty() {
            return Poll::Pending;
        }
        let length = self.0.len().min(16 << 10);
        Poll::Ready(Some(Ok(Frame::data(self.0.split_to(length)))))
    }
}

/// Sends incomplete bodies on the streams of one HTTP/2 connection.
pub(super) async fn http2(attacker: &Attacker) -> anyhow::Result<String> {
    let request = request(attacker);
    let until = Instant::now() + attacker.hold;
    let mut http = Http2::connect(&attacker.target, 65_535).await?;
    let mut responses = JoinSet::new();
    for _ in 0..COUNT {
        let body = Incomplete(request.body().slice(..request.body().len() - MISSING));
        let response = http.send(&request, body);
        responses.spawn(async move { matches!(timeout_at(until, response).await, Ok(Ok(_))) });
    }
    let answered = responses.join_all().await.into_iter().filter(|is_answered| *is_answered).count();
    sleep_until(until).await;
    Ok(format!("{answered} of {COUNT} requests were rejected"))
}
