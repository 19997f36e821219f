//! SSE events of one stream, across reconnects.

use bytes::Bytes;
use ferromcp_transport::sse::{DecodedEvent, Decoder};
use reqwest::Body;

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
        Self { decoder, chunk: Bytes::new(), body, limit }
    }

    /// Returns the next event. This method is cancel-safe.
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
            match body::chunk(&mut self.body).await {
                Ok(Some(chunk)) => self.chunk = chunk,
                Ok(None) => return Ok(Next::End(None)),
                Err(error) => return Ok(Next::End(Some(error.without_url()))),
            }
        }
    }

    /// Reads and discards the rest of the body.
    pub(super) async fn skip(&mut self) {
        while let Ok(Some(_)) = body::chunk(&mut self.body).await {}
    }

    /// Continues with the body of another connection. Discards an incomplete event.
    pub(super) fn reconnect(&mut self, body: Body) {
        self.decoder.restart();
        self.chunk = Bytes::new();
        self.body = body;
    }

    /// Closes the connection.
    pub(super) fn close(&mut self) {
        self.chunk = Bytes::new();
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

/// Returns the message of an event. Priming events without data have none, and neither have events with other names, unless
/// they contain a JSON-RPC message.
pub(super) fn message(event: DecodedEvent) -> Option<StreamMessage> {
    let is_error = event.event.eq_ignore_ascii_case("error");
    let is_message = is_error || event.event == "message" || is_json_rpc(&event.data);
    (is_message && !event.data.is_empty()).then_some(StreamMessage { data: event.data, is_error })
}
