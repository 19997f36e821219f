//! Reads the events of an SSE response.

use bytes::Bytes;
use ferromcp_transport::sse::{DecodedEvent, Decoder};
use serde_json::Value;

use crate::message::Response;

/// An SSE stream.
#[derive(Debug)]
pub(crate) struct Events {
    pub(crate) response: Response,
    decoder: Decoder,
    chunk: Bytes,
    /// All received bytes.
    pub(crate) raw: Vec<u8>,
}

impl Response {
    /// Returns the events, and asserts that the response is a stream.
    pub(crate) async fn events(mut self) -> Events {
        if !self.is_stream() {
            let body = self.body().await;
            panic!("not a stream: {} {body:?}", self.status);
        }
        assert_eq!(self.status, 200);
        Events { response: self, decoder: Decoder::default(), chunk: Bytes::new(), raw: Vec::new() }
    }
}

impl Events {
    /// Reads the next event. Returns `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<DecodedEvent> {
        loop {
            if let Some(event) = self.decoder.decode(&mut self.chunk).expect("an event within limits") {
                return Some(event);
            }
            self.chunk = self.response.chunk().await?;
            self.raw.extend_from_slice(&self.chunk);
        }
    }

    /// Reads the next event, and returns its id and its message.
    pub(crate) async fn identified(&mut self) -> (Option<String>, Value) {
        let event = self.next().await.expect("the stream ended");
        assert_eq!(event.event, "message");
        let message = serde_json::from_slice(&event.data).unwrap_or_else(|error| panic!("{error}: {event:?}"));
        (event.id.as_deref().map(str::to_owned), message)
    }

    /// Reads the next message.
    pub(crate) async fn message(&mut self) -> Value {
        self.identified().await.1
    }

    /// Reads the priming event, and returns its id.
    pub(crate) async fn primed(&mut self) -> String {
        let event = self.next().await.expect("the stream ended");
        assert!(event.data.is_empty(), "{event:?}");
        event.id.as_deref().expect("an id").to_owned()
    }

    /// Returns the last event id.
    pub(crate) fn last_id(&self) -> Option<&str> {
        self.decoder.last_event_id()
    }

    /// Returns the reconnection time that the server sent.
    pub(crate) fn retry(&self) -> Option<std::time::Duration> {
        self.decoder.retry()
    }

    /// Asserts that the stream ends here.
    pub(crate) async fn ends(&mut self) {
        let event = self.next().await;
        assert!(event.is_none(), "{event:?}");
    }
}
