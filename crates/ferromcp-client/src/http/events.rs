//! The events of one stream, over one connection after the other.

use bytes::Bytes;
use ferromcp_transport::sse::{Decoder, DecodedEvent};
use reqwest::Body;

use super::body;
use super::failure::Failure;
use super::limits::HttpLimits;

/// A line may have this much more than the data of the biggest event: the name of its field, and a byte order mark.
const FIELD: usize = 16;

/// Reads events off a body.
pub(super) struct Events {
    decoder: Decoder,
    /// What was read and not decoded yet.
    chunk: Bytes,
    body: Body,
    limit: usize,
}

/// What comes next on a stream.
pub(super) enum Next {
    Event(DecodedEvent),
    /// The stream ended, in good order or not.
    End(Option<reqwest::Error>),
}

impl Events {
    pub(super) fn new(body: Body, limits: &HttpLimits) -> Self {
        let limit = limits.event_bytes;
        let decoder = Decoder::default().max_event(limit).max_line(limit.saturating_add(FIELD));
        Self { decoder, chunk: Bytes::new(), body, limit }
    }

    /// The next event. Cancel-safe.
    ///
    /// # Errors
    /// Once for each event that is too long; the stream goes on.
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

    /// Reads on to the end without looking.
    pub(super) async fn skip(&mut self) {
        while let Ok(Some(_)) = body::chunk(&mut self.body).await {}
    }

    /// Goes on with the next connection. An unfinished event of the last one is forgotten.
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

/// The message in an event, if it is one: other names mean nothing here, and a priming event has no data.
pub(super) fn message(event: DecodedEvent) -> Option<Bytes> {
    (event.event == "message" && !event.data.is_empty()).then_some(event.data)
}
