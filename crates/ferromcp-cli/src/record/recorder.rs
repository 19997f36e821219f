//! Creates and stores the records of one connection.

use std::sync::Arc;

use super::hub::Hub;
use super::message::{Direction, MessageKind, MessageRecord, Payload, unix_millis};

/// Maximum size of the payload of a recorded message, in bytes. Larger payloads are omitted.
pub(crate) const MAX_PAYLOAD: usize = 1 << 20;

/// Records the messages of one connection. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Recorder {
    connection: &'static str,
    pub(super) hub: Arc<Hub>,
}

impl Recorder {
    /// Creates the recorder of a connection.
    pub(crate) fn new(hub: &Arc<Hub>, connection: &'static str) -> Self {
        Self { connection, hub: Arc::clone(hub) }
    }

    /// Creates a record with the current time.
    pub(super) fn record(
        &self,
        direction: Direction,
        kind: MessageKind,
        method: &str,
        payload: Payload,
    ) -> MessageRecord {
        let size = payload.size();
        MessageRecord {
            seq: 0,
            connection: self.connection,
            time: unix_millis(),
            direction,
            kind,
            id: None,
            method: method.to_owned(),
            payload: (size <= MAX_PAYLOAD).then_some(payload),
            request: None,
            duration: None,
            call: None,
            size,
            http: None,
            truncated: size > MAX_PAYLOAD,
        }
    }
}
