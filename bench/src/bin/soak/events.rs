//! Reads responses: JSON, or the messages of a stream.

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use ferromcp::transport::sse::Decoder;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;
use tokio::time::timeout;

use crate::connection::{RESPONSE_TIMEOUT, Refused, Response};

/// The messages of a response.
pub(crate) struct Messages {
    body: Incoming,
    decoder: Decoder,
    chunk: Bytes,
    is_stream: bool,
}

impl Messages {
    /// Reads the messages of a successful response.
    ///
    /// # Errors
    /// A response with another status; [`Refused`] if the server is at a limit.
    pub(crate) async fn of(response: Response) -> anyhow::Result<Self> {
        let (status, is_stream) = (response.status(), is_stream(&response));
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            bail!(Refused(status.to_string()));
        }
        if status != StatusCode::OK {
            let body = body(response).await?;
            bail!("status {status}: {}", String::from_utf8_lossy(&body[..body.len().min(200)]));
        }
        Ok(Self { body: response.into_body(), decoder: Decoder::default(), chunk: Bytes::new(), is_stream })
    }

    /// Reads the next message, and the id of its event.
    pub(crate) async fn next(&mut self) -> anyhow::Result<(Option<String>, Value)> {
        if !self.is_stream {
            let body = timeout(RESPONSE_TIMEOUT, (&mut self.body).collect()).await.context("no body")??;
            return Ok((None, serde_json::from_slice(&body.to_bytes())?));
        }
        loop {
            while let Some(event) = self.decoder.decode(&mut self.chunk)? {
                if !event.data.is_empty() {
                    let id = event.id.as_deref().map(str::to_owned);
                    return Ok((id, serde_json::from_slice(&event.data)?));
                }
            }
            let frame = timeout(RESPONSE_TIMEOUT, self.body.frame()).await.context("no event")?;
            self.chunk = frame.context("the stream has ended")??.into_data().unwrap_or_default();
        }
    }

    /// Reads the result, after the notifications before it.
    ///
    /// # Errors
    /// If the response is an error; [`Refused`] if the server is at a limit.
    pub(crate) async fn result(&mut self) -> anyhow::Result<Value> {
        loop {
            let (_, mut message) = self.next().await?;
            if let Some(error) = message.get("error") {
                let text = error["message"].as_str().unwrap_or_default();
                if text.starts_with("cannot send the result") {
                    bail!(Refused(text.to_owned()));
                }
                bail!("{error}");
            }
            if message.get("result").is_some() {
                let result = message["result"].take();
                ensure!(result["isError"] != true, "the tool failed: {result}");
                return Ok(result);
            }
        }
    }

    /// Reads the rest of the body, so that the connection can be used again.
    pub(crate) async fn finish(mut self) -> anyhow::Result<()> {
        while let Some(frame) = timeout(RESPONSE_TIMEOUT, self.body.frame()).await.context("no end of the body")? {
            frame?;
        }
        Ok(())
    }
}

/// Returns whether a response is a stream.
pub(crate) fn is_stream(response: &Response) -> bool {
    response.headers().get(CONTENT_TYPE).is_some_and(|value| value == "text/event-stream")
}

/// Reads a whole body.
pub(crate) async fn body(response: Response) -> anyhow::Result<Bytes> {
    Ok(timeout(RESPONSE_TIMEOUT, response.into_body().collect()).await.context("no body")??.to_bytes())
}
