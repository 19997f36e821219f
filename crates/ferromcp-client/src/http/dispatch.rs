//! Dispatches messages of the server: the awaited response, or messages for [`Inbound`](crate::channel::Inbound).

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use ferromcp_core::text::excerpt;
use ferromcp_core::wire::{DecodeError, FromServer, Incoming, Message, encode, method_of};
use ferromcp_core::{ClientResult, Error, ErrorCode, RawJson, RequestId, Revision};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::timeout;

use super::body::is_json_rpc;
use super::events::StreamMessage;
use super::state::HttpState;
use crate::channel::{ChannelError, Responder};
use crate::decode::decode_frame;
use crate::deviations::name_request;
use crate::era::legacy::messages;

/// Context in which a message arrived.
pub(super) struct MessageContext<'a> {
    /// The request whose response is awaited.
    pub(super) awaited: Option<&'a RequestId>,
    /// The method of this request.
    pub(super) method: &'a str,
    /// The HTTP status of the response.
    pub(super) status: u16,
    /// Whether the request was modern. Its response stream must not contain requests.
    pub(super) modern: bool,
    /// Whether the request was sent after a handshake, so that its session may be gone.
    pub(super) after_handshake: bool,
    /// The part of the HTTP response that contains the message.
    pub(super) part: Part,
}

/// The part of an HTTP response that contains a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The whole body. It must contain the response.
    Body,
    /// An event of a stream. The response may be in a later event.
    Event,
    /// An event named `error`. It contains the error of the request.
    ErrorEvent,
}

impl MessageContext<'_> {
    /// Returns the context of a stream that belongs to no request.
    pub(super) fn session_stream() -> Self {
        Self { awaited: None, method: "", status: 200, modern: false, after_handshake: true, part: Part::Event }
    }
}

/// Dispatches a message of a stream. Returns the outcome if it is the awaited response.
pub(super) fn dispatch_event(
    state: &Arc<HttpState>,
    event: &StreamMessage,
    context: &MessageContext<'_>,
) -> Option<Result<RawJson, ChannelError>> {
    if !event.is_error {
        return dispatch_message(state, &event.data, &MessageContext { part: Part::Event, ..*context });
    }
    let context = MessageContext { part: Part::ErrorEvent, ..*context };
    if let Some(error) = bare_error(state, &event.data).filter(|_| context.awaited.is_some()) {
        return Some(Err(ChannelError::Rpc { error, status: Some(context.status) }));
    }
    match event.error_text() {
        Some(text) => {
            tracing::warn!(text = %excerpt(&text), "the server reported an error that is not a JSON-RPC message");
            None
        }
        None => dispatch_message(state, &event.data, &context),
    }
}

/// Dispatches a message. Returns the outcome if it is the awaited response.
pub(super) fn dispatch_message(
    state: &Arc<HttpState>,
    bytes: &Bytes,
    context: &MessageContext<'_>,
) -> Option<Result<RawJson, ChannelError>> {
    let incoming = match decode_frame(bytes, &state.deviations) {
        Ok(incoming) => incoming,
        Err(rejection) => return reject(state, rejection, bytes, context),
    };
    // An invalid message of a batch may not be the awaited response, unless it has its ID.
    let (mut awaited_outcome, mut fallback) = (None, None);
    for message in messages(incoming, || state.revision(), &state.deviations) {
        match message {
            Ok(message) => awaited_outcome = awaited_outcome.or(deliver(state, message, context)),
            Err(rejection) if rejection.id.is_some() => {
                awaited_outcome = awaited_outcome.or(reject(state, rejection, bytes, context));
            }
            Err(rejection) => fallback = fallback.or(reject(state, rejection, bytes, context)),
        }
    }
    awaited_outcome.or(fallback)
}

fn deliver(
    state: &Arc<HttpState>,
    message: Message<FromServer>,
    context: &MessageContext<'_>,
) -> Option<Result<RawJson, ChannelError>> {
    match message {
        Message::Response { id, outcome } => {
            let names_ours = context.awaited.is_some_and(|awaited| id.as_ref() == Some(awaited));
            let status = context.status;
            let outcome = outcome.map_err(|error| match error {
                error if is_session_rejection(context, &error, names_ours) => {
                    ChannelError::SessionRejected { error, status }
                }
                error => ChannelError::Rpc { error, status: Some(status) },
            });
            if names_ours {
                return Some(outcome);
            }
            // Errors may have no ID, and some servers make up an ID for errors that the transport detects.
            let names_other = || id.as_ref().is_some_and(|id| state.is_waiting(id));
            let is_ours = status >= 400 || id.is_none() || (context.part == Part::ErrorEvent && !names_other());
            if context.awaited.is_some() && outcome.is_err() && is_ours {
                return Some(outcome);
            }
            if let Some(id) = id.filter(|id| context.modern || !state.deliver_out_of_band(id, outcome)) {
                state.deviations.unmatched_response(&id, || waiting(state, context).into_iter());
            }
            None
        }
        Message::Notification(notification) => {
            state.inbound.notification(notification);
            None
        }
        Message::Request { request, .. } if context.modern => {
            let method = excerpt(request.method());
            tracing::warn!(%method, "ignored a request: modern servers must not send requests");
            None
        }
        Message::Request { id, request } => {
            state.inbound.request(id.clone(), request, responder(state, id));
            None
        }
    }
}

/// Names the requests that the response to may have arrived in `context`.
fn waiting(state: &HttpState, context: &MessageContext<'_>) -> Vec<String> {
    match context.awaited {
        Some(awaited) => vec![name_request(awaited, context.method)],
        None => state.waiting(),
    }
}

/// Handles an invalid message. With an ID, it is an invalid response or request.
fn reject(
    state: &Arc<HttpState>,
    rejection: DecodeError,
    frame: &[u8],
    context: &MessageContext<'_>,
) -> Option<Result<RawJson, ChannelError>> {
    let DecodeError { id, error, suppress_response, .. } = rejection;
    tracing::debug!(?id, %error, "cannot decode a message of the server");
    let is_ours = match &id {
        Some(id) => suppress_response && context.awaited == Some(id),
        None if context.part == Part::Body => context.awaited.is_some() && method_of(frame).is_none(),
        // As on stdio, stray output must not fail a call.
        None => context.awaited.is_some() && suppress_response && method_of(frame).is_none(),
    };
    if id.is_none() && !is_ours {
        tracing::warn!(%error, "ignored an event that is not a message");
    }
    if is_ours {
        return Some(Err(ChannelError::Malformed(error.message)));
    }
    if let Some(id) = id.filter(|_| !suppress_response && !context.modern) {
        let revision = state.revision();
        state.post_detached(revision, serialize_response(&id, Err(error), revision));
    }
    None
}

/// Returns whether an error rejects the session of a request, which then was not executed: HTTP status 400, and an error
/// that does not name the request, or that complains about the session.
fn is_session_rejection(context: &MessageContext<'_>, error: &Error, names_request: bool) -> bool {
    const OF_TRANSPORT: [ErrorCode; 3] = [ErrorCode::INVALID_REQUEST, ErrorCode(-32000), ErrorCode(-32001)];
    context.after_handshake
        && !context.modern
        && context.awaited.is_some()
        && context.status == 400
        && (!names_request
            || (OF_TRANSPORT.contains(&error.code) && error.message.to_ascii_lowercase().contains("session")))
}

/// Reads an error that is not part of a JSON-RPC message: the error object, or an object with the member `error`, which may
/// be a text.
fn bare_error(state: &HttpState, data: &[u8]) -> Option<Error> {
    #[derive(Deserialize)]
    struct Wrapped<'a> {
        #[serde(borrow)]
        error: &'a RawValue,
    }
    #[derive(Deserialize)]
    struct Bare {
        #[allow(dead_code, reason = "only its presence is checked")]
        message: String,
    }
    if is_json_rpc(data) {
        return None;
    }
    let text = std::str::from_utf8(data).ok()?;
    let wrapped = serde_json::from_str::<Wrapped<'_>>(text).map(|wrapped| wrapped.error.get());
    let error = wrapped.or_else(|_| serde_json::from_str::<Bare>(text).map(|_| text)).ok()?;
    let response = format!(r#"{{"jsonrpc":"2.0","id":null,"error":{error}}}"#);
    match decode_frame(&response.into(), &state.deviations) {
        Ok(Incoming::One(Message::Response { outcome: Err(error), .. })) => Some(error),
        _ => None,
    }
}

fn responder(state: &Arc<HttpState>, id: RequestId) -> Responder {
    let state = Arc::clone(state);
    Responder::new(move |outcome| {
        Box::pin(async move {
            let revision = state.revision();
            let message = serialize_response(&id, outcome, revision);
            // A server that does not accept the response must not block other requests.
            let result = timeout(state.limits.request_timeout, state.post(revision, message)).await;
            match result {
                Ok(Ok(())) => {}
                // The call continues: the server may respond without this response.
                Ok(Err(ChannelError::Status { status, .. })) => {
                    tracing::warn!(
                        ?id,
                        status,
                        "server rejected the response to its own request; the call may not finish"
                    );
                }
                Ok(Err(_)) | Err(_) => tracing::debug!(?id, "the server did not accept a response"),
            }
        })
    })
}

fn serialize_response(id: &RequestId, outcome: Result<ClientResult, Error>, revision: Revision) -> Bytes {
    let mut message = BytesMut::new();
    let failed = match outcome {
        Ok(result) => encode::client_result(&mut message, id, result, revision).err(),
        Err(error) => {
            encode::error(&mut message, Some(id), error, revision);
            None
        }
    };
    if let Some(error) = failed {
        tracing::error!(%error, "cannot serialize a response");
        encode::error(&mut message, Some(id), Error::internal("Internal error"), revision);
    }
    message.freeze()
}
