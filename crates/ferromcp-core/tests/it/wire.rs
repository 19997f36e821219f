//! Through the wire and back: small words for the other tests.

use bytes::{Bytes, BytesMut};
use ferromcp_core::message::Sender;
use ferromcp_core::model::InputRequired;
use ferromcp_core::wire::{DecodeLimits, Dress, decode, encode};
use ferromcp_core::{
    ClientNotification, ClientRequest, ClientResult, Error, FromClient, FromServer, Incoming, Message, RawJson,
    RequestId, Revision, ServerNotification, ServerRequest, ServerResult,
};
use serde_json::Value;

/// Decodes one message that `S` sent.
pub(crate) fn read<S: Sender + std::fmt::Debug>(message: &Value) -> Message<S> {
    match decode::<S>(Bytes::from(message.to_string()), &DecodeLimits::default()) {
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

/// Decodes a response that `S` sent.
pub(crate) fn response<S: Sender + std::fmt::Debug>(message: &Value) -> (Option<RequestId>, Result<RawJson, Error>) {
    match read::<S>(message) {
        Message::Response { id, outcome } => (id, outcome),
        other => panic!("{message}: {other:?}"),
    }
}

/// Anything that is written to a peer.
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
    /// Writes it for a peer of `revision`.
    pub(crate) fn write(self, revision: Revision, server_info: Option<&RawJson>) -> Value {
        let mut out = BytesMut::new();
        let dress = match server_info {
            Some(info) => Dress::new(revision).server_info(info),
            None => Dress::new(revision),
        };
        match self {
            Self::ClientRequest(id, request) => encode::client_request(&mut out, &id, request, revision),
            Self::ClientNotification(said) => encode::client_notification(&mut out, said, revision),
            Self::ClientResult(id, result) => encode::client_result(&mut out, &id, result, revision),
            Self::ServerRequest(id, request) => encode::server_request(&mut out, &id, request, revision),
            Self::ServerNotification(said) => encode::server_notification(&mut out, said, revision),
            Self::ServerResult(id, result) => encode::server_result(&mut out, &id, result, dress),
            Self::InputRequired(id, required) => encode::input_required(&mut out, &id, required, dress),
            Self::Error(id, error) => {
                encode::error(&mut out, id.as_ref(), error, revision);
                Ok(())
            }
        }
        .unwrap();
        let written: Value = serde_json::from_slice(&out).unwrap_or_else(|error| panic!("{error}: {out:?}"));
        // What was written has no member twice: reading it into a map and writing it again keeps its length.
        assert_eq!(written.to_string().len(), out.len(), "duplicate members in {out:?}");
        written
    }
}

/// Where `ours` first differs from `theirs`, as a path and the two values; `None` when they are equal.
/// Numbers are compared as numbers: `50` and `50.0` are one to JSON, and to JSON Schema an integer.
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
