//! SSE events of one stream, across reconnects.

use bytes::Bytes;
use ferromcp_core::text;
use ferromcp_transport::sse::{DecodedEvent, Decoder};
use reqwest::Body;
use serde::de::IgnoredAny;

use super::body::{self, is_json_rpc};
use super::failure::Failure;
use super::limits::HttpLimits;

/// Allowance of a line over the event limit, for the field name and a byte order mark.
const FIELD: usize = 16;

/// Decodes events from a response body.
pub(super) struct Events {
    decoder: Decoder,
    /// Bytes received and not decoded yet.
    chunk: Bytes,
    body: Body,
    limit: usize,
    /// The end of the body, while its last event is returned.
    end: Option<Next>,
}

/// Next item of a stream.
pub(super) enum Next {
    Event(DecodedEvent),
    /// The stream ended, with the error if it was not complete.
    End(Option<reqwest::Error>),
}

impl Events {
    pub(super) fn new(body: Body, limits: &HttpLimits) -> Self {
        let limit = limits.event_bytes;
        let decoder = Decoder::default().max_event(limit).max_line(limit.saturating_add(FIELD));
        Self { decoder, chunk: Bytes::new(), body, limit, end: None }
    }

    /// Returns the next event. This method is cancel-safe.
    ///
    /// The standard discards an event without a blank line after it. Some servers omit the blank line at the end of the
    /// stream, so a complete message is returned nevertheless.
    ///
    /// # Errors
    /// Fails once for each event over the limit. The stream continues.
    pub(super) async fn next(&mut self) -> Result<Next, Failure> {
        loop {
            let limit = self.limit;
            let too_large = |_| Failure::TooLarge { what: "an event of a stream", name: "event_bytes", limit };
            if let Some(event) = self.decoder.decode(&mut self.chunk).map_err(too_large)? {
                return Ok(Next::Event(event));
            }
            if let Some(end) = self.end.take() {
                return Ok(end);
            }
            let end = match body::chunk(&mut self.body).await {
                Ok(Some(chunk)) => {
                    self.chunk = chunk;
                    continue;
                }
                Ok(None) => Next::End(None),
                Err(error) => Next::End(Some(error.without_url())),
            };
            let Some(event) = self.unterminated() else { return Ok(end) };
            self.end = Some(end);
            return Ok(Next::Event(event));
        }
    }

    /// Returns the event that the stream ended in, if it is complete apart from the blank line.
    fn unterminated(&mut self) -> Option<DecodedEvent> {
        let id = self.decoder.last_event_id().unwrap_or_default().to_owned();
        let event = self.decoder.decode(&mut Bytes::from_static(b"\n\n")).ok().flatten();
        if let Some(event) = event.filter(is_complete) {
            tracing::warn!("the server ended a stream without a blank line after the last event; used the event");
            return Some(event);
        }
        // The stream is not resumed after an event that was discarded.
        let _ = self.decoder.decode(&mut Bytes::from(format!("id: {id}\n\n")));
        None
    }

    /// Reads and discards the rest of the body.
    pub(super) async fn skip(&mut self) {
        if self.end.is_some() {
            return;
        }
        while let Ok(Some(_)) = body::chunk(&mut self.body).await {}
    }

    /// Continues with the body of another connection. Discards an incomplete event.
    pub(super) fn reconnect(&mut self, body: Body) {
        self.decoder.restart();
        self.chunk = Bytes::new();
        self.end = None;
        self.body = body;
    }

    /// Closes the connection.
    pub(super) fn close(&mut self) {
        self.chunk = Bytes::new();
        self.end = None;
        self.body = Body::default();
    }

    pub(super) fn decoder(&self) -> &Decoder {
        &self.decoder
    }
}

/// A message of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StreamMessage {
    /// The data of the event.
    pub(super) data: Bytes,
    /// Whether the event is named `error`. The specification has no such event, but some servers send one when a request
    /// fails.
    pub(super) is_error: bool,
}

impl StreamMessage {
    /// Returns the text of an event named `error` that is not a JSON-RPC message, escaped and truncated.
    pub(super) fn error_text(&self) -> Option<String> {
        if !self.is_error || is_json_rpc(&self.data) {
            return None;
        }
        let quoted = serde_json::from_slice::<String>(&self.data);
        let text = quoted.unwrap_or_else(|_| String::from_utf8_lossy(&self.data).into_owned());
        Some(text::message(text.trim()).to_string())
    }
}

/// Returns whether an event that the stream ended in is complete: a JSON object or array ends with its last bracket. The
/// text of an error is useful even if it is truncated.
fn is_complete(event: &DecodedEvent) -> bool {
    let is_json = || serde_json::from_slice::<IgnoredAny>(&event.data).is_ok();
    is_error(event) || (event.data.starts_with(b"{") || event.data.starts_with(b"[")) && is_json()
}

fn is_error(event: &DecodedEvent) -> bool {
    event.event.eq_ignore_ascii_case("error")
}

/// Returns the message of an event. Priming events without data have none, and neither have events with other names, unless
/// they contain a JSON-RPC message.
pub(super) fn message(event: DecodedEvent) -> Option<StreamMessage> {
    let is_error = is_error(&event);
    let is_message = is_error || event.event == "message" || is_json_rpc(&event.data);
    (is_message && !event.data.is_empty()).then_some(StreamMessage { data: event.data, is_error })
}
