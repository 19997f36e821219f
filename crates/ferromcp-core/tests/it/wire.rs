//! Helpers to encode and decode messages.

use bytes::{Bytes, BytesMut};
use ferromcp_core::model::InputRequired;
use ferromcp_core::wire::encode::{self, EncodeContext};
use ferromcp_core::wire::{Direction, FromClient, FromServer, Incoming, Message, decode};
use ferromcp_core::{
    ClientNotification, ClientRequest, ClientResult, Error, RawJson, RequestId, Revision, ServerNotification,
    ServerRequest, ServerResult,
};
use serde_json::Value;

/// Decodes one message sent in the direction `S`.
pub(crate) fn read<S: Direction + std::fmt::Debug>(message: &Value) -> Message<S> {
    match decode::<S>(Bytes::from(message.to_string())) {
        Ok(Incoming::One(message)) => message,
        other => panic!("{message}: {other:?}"),
    }
}

/// Decodes a client's request.
pub(crate) fn client_request(message: &Value) -> (RequestId, ClientRequest) {
    match read::<FromClient>(message) {
        Message::Request { id, request } => (id, request),
        other => panic!("{message}: {other:?}"),
    }
}

/// Decodes a client's notification.
pub(crate) fn client_notification(message: &Value) -> ClientNotification {
    match read::<FromClient>(message) {
        Message::Notification(notification) => notification,
        other => panic!("{message}: {other:?}"),
    }
}

/// Decodes a server's request.
pub(crate) fn server_request(message: &Value) -> (RequestId, ServerRequest) {
    match read::<FromServer>(message) {
        Message::Request { id, request } => (id, request),
        other => panic!("{message}: {other:?}"),
    }
}

/// Decodes a server's notification.
pub(crate) fn server_notification(message: &Value) -> ServerNotification {
    match read::<FromServer>(message) {
        Message::Notification(notification) => notification,
        other => panic!("{message}: {other:?}"),
    }
}

/// Decodes a response sent in the direction `S`.
pub(crate) fn response<S: Direction + std::fmt::Debug>(message: &Value) -> (Option<RequestId>, Result<RawJson, Error>) {
    match read::<S>(message) {
        Message::Response { id, outcome } => (id, outcome),
        other => panic!("{message}: {other:?}"),
    }
}

/// Any outbound message.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant)] // one at a time
pub(crate) enum Out {
    ClientRequest(RequestId, ClientRequest),
    ClientNotification(ClientNotification),
    ClientResult(RequestId, ClientResult),
    ServerRequest(RequestId, ServerRequest),
    ServerNotification(ServerNotification),
    ServerResult(RequestId, ServerResult),
    InputRequired(RequestId, InputRequired),
    Error(Option<RequestId>, Error),
}

impl Out {
    /// Encodes the message for a peer of `revision`.
    pub(crate) fn write(self, revision: Revision, server_info: Option<&RawJson>) -> Value {
        let mut out = BytesMut::new();
        let context = match server_info {
            Some(info) => EncodeContext::new(revision).server_info(info),
            None => EncodeContext::new(revision),
        };
        match self {
            Self::ClientRequest(id, request) => encode::client_request(&mut out, &id, request, revision),
            Self::ClientNotification(notification) => encode::client_notification(&mut out, notification, revision),
            Self::ClientResult(id, result) => encode::client_result(&mut out, &id, result, revision),
            Self::ServerRequest(id, request) => encode::server_request(&mut out, &id, request, revision),
            Self::ServerNotification(notification) => encode::server_notification(&mut out, notification, revision),
            Self::ServerResult(id, result) => encode::server_result(&mut out, &id, result, context),
            Self::InputRequired(id, required) => encode::input_required(&mut out, &id, required, context),
            Self::Error(id, error) => {
                encode::error(&mut out, id.as_ref(), error, revision);
                Ok(())
            }
        }
        .unwrap();
        let written: Value = serde_json::from_slice(&out).unwrap_or_else(|error| panic!("{error}: {out:?}"));
        // Decoding into a map and encoding again preserves the length only if there are no duplicate members.
        assert_eq!(written.to_string().len(), out.len(), "duplicate members in {out:?}");
        written
    }
}

/// Returns the path and values of the first difference, or `None` if both are equal.
/// Numbers are compared by value: `50` and `50.0` are equal in JSON, and both are integers in JSON Schema.
pub(crate) fn difference(ours: &Value, theirs: &Value) -> Option<String> {
    match (ours, theirs) {
        _ if ours == theirs => None,
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => None,
        (Value::Object(a), Value::Object(b)) => {
            let mut names: Vec<&String> = a.keys().chain(b.keys()).collect();
            names.dedup();
            names.into_iter().find_map(|name| match (a.get(name), b.get(name)) {
                (Some(a), Some(b)) => difference(a, b).map(|found| format!("/{name}{found}")),
                (ours, theirs) => (ours != theirs).then(|| format!("/{name}: {ours:?} is to be {theirs:?}")),
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(index, (a, b))| difference(a, b).map(|found| format!("/{index}{found}"))),
        _ => Some(format!(": {ours} is to be {theirs}")),
    }
}
