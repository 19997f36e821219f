//! Read half of a pipe. Completes pending requests, and passes other messages to [`Inbound`].

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use ferromcp_core::text::excerpt;
use ferromcp_core::wire::{DecodeError, FromServer, Message, encode};
use ferromcp_core::{ClientResult, Error, RequestId};
use ferromcp_transport::{Frame, FrameRx};
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::time::timeout;

use super::table::Table;
use crate::channel::{ChannelError, Inbound, Responder};
use crate::decode::decode_frame;
use crate::era::features::has_server_requests;
use crate::era::legacy::messages;

/// Maximum number of frames handled before yielding to other tasks.
const BURST: usize = 64;

/// Maximum number of bytes of an invalid line that are decoded for its excerpt in a log.
const MAX_LOGGED: usize = 1024;

/// If the pipe closes within this time after an invalid line, the line counts as truncated.
const LAST_LINE: Duration = Duration::from_millis(50);

/// Reads until the pipe closes. Returns the reason.
pub(super) async fn all<R: FrameRx>(table: &Arc<Table>, inbound: &Arc<dyn Inbound>, rx: &mut R) -> io::Error {
    let mut truncated: Option<ChannelError> = None;
    loop {
        let received = match truncated.take() {
            None => rx.recv().await,
            Some(failure) => match timeout(LAST_LINE, rx.recv()).await {
                // The connection closed within a line, so the response is lost, not invalid.
                Ok(received @ (Ok(None) | Err(_))) => received,
                other => {
                    table.fail_only_pending(failure);
                    let Ok(received) = other else { continue };
                    received
                }
            },
        };
        match received {
            Ok(Some(frame)) => truncated = take(table, inbound, frame),
            Ok(None) => return io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection"),
            Err(error) => return error,
        }
        for _ in 0..BURST {
            let Some(frame) = rx.try_recv() else { break };
            if let Some(failure) = truncated.take() {
                table.fail_only_pending(failure);
            }
            truncated = take(table, inbound, frame);
        }
        // A flood of messages must not starve callers, nor delay cancellation.
        tokio::task::yield_now().await;
    }
}

/// Handles one frame. Returns the failure for an invalid response that might only be truncated.
fn take(table: &Arc<Table>, inbound: &Arc<dyn Inbound>, frame: Frame) -> Option<ChannelError> {
    let bytes = match frame {
        Frame::Complete(bytes) => bytes,
        Frame::TooLong { limit } => {
            table.fail_only_pending(ChannelError::TooLarge(limit));
            return None;
        }
    };
    let incoming = match decode_frame(&bytes, &table.deviations) {
        Ok(incoming) => incoming,
        Err(rejection) => return reject(table, rejection, &bytes),
    };
    for message in messages(incoming, || table.revision(), &table.deviations) {
        match message {
            Ok(message) => deliver(table, inbound, message),
            Err(rejection) => {
                if let Some(failure) = reject(table, rejection, &bytes) {
                    table.fail_only_pending(failure);
                }
            }
        }
    }
    None
}

fn deliver(table: &Arc<Table>, inbound: &Arc<dyn Inbound>, message: Message<FromServer>) {
    match message {
        Message::Response { id: Some(id), outcome } => {
            inbound.response_received(&id);
            table.complete(&id, outcome.map_err(|error| ChannelError::Rpc { error, status: None }));
        }
        Message::Response { id: None, outcome: Err(error) } => {
            table.fail_only_pending(ChannelError::Rpc { error, status: None });
        }
        Message::Response { id: None, outcome: Ok(_) } => {}
        Message::Notification(notification) => inbound.notification(notification),
        Message::Request { id, request } => inbound.request(id.clone(), request, responder(table, id)),
    }
}

/// Handles an invalid message. With an ID, it is an invalid response or request. Without one, it may still be a
/// response.
fn reject(table: &Arc<Table>, rejection: DecodeError, frame: &[u8]) -> Option<ChannelError> {
    let DecodeError { id, error, suppress_response, .. } = rejection;
    tracing::debug!(?id, %error, "cannot decode a message of the server");
    match id {
        Some(id) if suppress_response => table.complete(&id, Err(ChannelError::Malformed(error.message))),
        // A modern server sends no requests, so a modern client sends no error responses. Invalid requests must not fill
        // the queue either.
        Some(id) if has_server_requests(table.revision()) && table.has_capacity() => write(table, &id, Err(error)),
        Some(_) => {}
        None if looks_like_response(frame) => return Some(ChannelError::Malformed(error.message)),
        None => {
            let line = String::from_utf8_lossy(&frame[..frame.len().min(MAX_LOGGED)]);
            tracing::warn!(line = %excerpt(&line), %error, "ignored output of the server that is not a message");
        }
    }
    None
}

/// Returns whether an invalid message looks like a response. Stray output on stdout must not fail a call, even if it is a
/// line of a log that contains a message.
fn looks_like_response(frame: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Envelope {
        #[serde(rename = "jsonrpc")]
        _jsonrpc: IgnoredAny,
        #[serde(rename = "id")]
        _id: IgnoredAny,
        method: Option<IgnoredAny>,
    }
    let frame = String::from_utf8_lossy(frame);
    let Some(members) = frame.trim_start().strip_prefix('{').map(str::trim_start) else { return false };
    if serde_json::from_str::<IgnoredAny>(&frame).is_ok() {
        return serde_json::from_str::<Envelope>(&frame).is_ok_and(|envelope| envelope.method.is_none());
    }
    [r#""jsonrpc""#, r#""id""#, r#""result""#, r#""error""#].iter().any(|first| members.starts_with(first))
        && members.contains(r#""jsonrpc""#)
        && members.contains(r#""id""#)
        && !members.contains(r#""method""#)
}

fn responder(table: &Arc<Table>, id: RequestId) -> Responder {
    let table = Arc::clone(table);
    Responder::new(move |outcome| {
        Box::pin(async move {
            if table.wait_for_capacity().await.is_ok() {
                write(&table, &id, outcome);
            }
        })
    })
}

fn write(table: &Table, id: &RequestId, outcome: Result<ClientResult, Error>) {
    let revision = table.revision();
    let mut line = BytesMut::new();
    let failed = match outcome {
        Ok(result) => encode::client_result(&mut line, id, result, revision).err(),
        Err(error) => {
            encode::error(&mut line, Some(id), error, revision);
            None
        }
    };
    if let Some(error) = failed {
        tracing::error!(%error, "cannot serialize a response");
        encode::error(&mut line, Some(id), Error::internal("Internal error"), revision);
    }
    let _ = table.enqueue(&line); // a closed pipe needs no response
}
