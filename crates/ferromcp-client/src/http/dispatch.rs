//! Dispatches messages of the server: the awaited response, or messages for [`Inbound`](crate::channel::Inbound).

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use ferromcp_core::wire::{DecodeError, FromServer, Message, decode, encode, method_of};
use ferromcp_core::{ClientResult, Error, RawJson, RequestId, Revision};
use tokio::time::timeout;

use super::state::HttpState;
use crate::channel::{ChannelError, Responder};
use crate::era::legacy::messages;

/// Context in which a message arrived.
pub(super) struct MessageContext<'a> {
    /// The request whose response is awaited.
    pub(super) awaited: Option<&'a RequestId>,
    /// The HTTP status of the response.
    pub(super) status: u16,
    /// Whether the request was modern. Its response stream must not contain requests.
    pub(super) modern: bool,
}

/// Dispatches a message. Returns the outcome if it is the awaited response.
pub(super) fn dispatch_message(
    state: &Arc<HttpState>,
    bytes: &Bytes,
    context: &MessageContext<'_>,
) -> Option<Result<RawJson, ChannelError>> {
    let incoming = match decode::<FromServer>(bytes.clone()) {
        Ok(incoming) => incoming,
        Err(rejection) => return reject(state, rejection, bytes, context),
    };
    let mut awaited_outcome = None;
    for message in messages(incoming, || state.revision()) {
        let outcome = match message {
            Ok(message) => deliver(state, message, context),
            Err(rejection) => reject(state, rejection, bytes, context),
        };
        awaited_outcome = awaited_outcome.or(outcome);
    }
    awaited_outcome
}

fn deliver(
    state: &Arc<HttpState>,
    message: Message<FromServer>,
    context: &MessageContext<'_>,
) -> Option<Result<RawJson, ChannelError>> {
    match message {
        Message::Response { id, outcome } => {
            // Errors may have no ID, and some servers make up an ID for error statuses.
            let is_error = outcome.is_err() && (id.is_none() || context.status >= 400);
            let is_ours = context.awaited.is_some_and(|awaited| is_error || id.as_ref() == Some(awaited));
            let outcome = outcome.map_err(|error| ChannelError::Rpc { error, status: Some(context.status) });
            if is_ours {
                return Some(outcome);
            }
            if !id.as_ref().is_some_and(|id| !context.modern && state.deliver_out_of_band(id, outcome)) {
                tracing::debug!(?id, "ignored a response that matches no pending request");
            }
            None
        }
        Message::Notification(notification) => {
            state.inbound.notification(notification);
            None
        }
        Message::Request { request, .. } if context.modern => {
            tracing::warn!(method = request.method(), "ignored a request: modern servers must not send requests");
            None
        }
        Message::Request { id, request } => {
            state.inbound.request(id.clone(), request, responder(state, id));
            None
        }
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
        // Without a method, it can only be the response.
        None => context.awaited.is_some() && method_of(frame).is_none(),
    };
    if is_ours {
        return Some(Err(ChannelError::Malformed(error.message)));
    }
    if let Some(id) = id.filter(|_| !suppress_response && !context.modern) {
        let revision = state.revision();
        state.post_detached(revision, serialize_response(&id, Err(error), revision));
    }
    None
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
