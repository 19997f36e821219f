//! A response that is a stream, read event by event.

use bytes::Bytes;
use ferromcp_transport::sse::{Decoder, Received};
use serde_json::Value;

use crate::message::Response;

/// An event stream being read.
#[derive(Debug)]
pub(crate) struct Events {
    pub(crate) response: Response,
    decoder: Decoder,
    chunk: Bytes,
    /// All that came, as bytes.
    pub(crate) raw: Vec<u8>,
}

impl Response {
    /// The response as the stream it must be.
    pub(crate) async fn events(mut self) -> Events {
        if !self.is_stream() {
            let body = self.body().await;
            panic!("no stream: {} {body:?}", self.status);
        }
        assert_eq!(self.status, 200);
        Events { response: self, decoder: Decoder::default(), chunk: Bytes::new(), raw: Vec::new() }
    }
}

impl Events {
    /// The next event; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Received> {
        loop {
            if let Some(event) = self.decoder.decode(&mut self.chunk).expect("an event within limits") {
                return Some(event);
            }
            self.chunk = self.response.chunk().await?;
            self.raw.extend_from_slice(&self.chunk);
        }
    }

    /// The next event that must be there, as a message with its id.
    pub(crate) async fn identified(&mut self) -> (Option<String>, Value) {
        let event = self.next().await.expect("the stream ended");
        assert_eq!(event.event, "message");
        let message = serde_json::from_slice(&event.data).unwrap_or_else(|error| panic!("{error}: {event:?}"));
        (event.id.as_deref().map(str::to_owned), message)
    }

    /// The next message.
    pub(crate) async fn message(&mut self) -> Value {
        self.identified().await.1
    }

    /// The priming event; gives its id.
    pub(crate) async fn primed(&mut self) -> String {
        let event = self.next().await.expect("the stream ended");
        assert!(event.data.is_empty(), "{event:?}");
        event.id.as_deref().expect("an id").to_owned()
    }

    /// The last id seen.
    pub(crate) fn last_id(&self) -> Option<&str> {
        self.decoder.last_event_id()
    }

    /// How long the server said to wait.
    pub(crate) fn retry(&self) -> Option<std::time::Duration> {
        self.decoder.retry()
    }

    /// Asserts that the stream ends here.
    pub(crate) async fn ends(&mut self) {
        let event = self.next().await;
        assert!(event.is_none(), "{event:?}");
    }
}
