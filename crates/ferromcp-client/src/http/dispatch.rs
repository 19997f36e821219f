//! What a message of the server is: the answer that is waited for, or something for [`Inbound`](crate::channel::Inbound).

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use ferromcp_core::message::{FromServer, Incoming, Message, DecodeError};
use ferromcp_core::wire::decode::method_of;
use ferromcp_core::wire::{decode, encode};
use ferromcp_core::{ClientResult, Error, RawJson, RequestId, Revision};
use tokio::time::timeout;

use super::state::HttpState;
use crate::channel::{Responder, ChannelError};

/// Where a message came.
pub(super) struct MessageContext<'a> {
    /// The request whose answer is waited for here.
    pub(super) wanted: Option<&'a RequestId>,
    /// The status of the response.
    pub(super) status: u16,
    /// Whether the request was a modern one, on whose response nothing is asked.
    pub(super) modern: bool,
}

/// Takes a message. `Some` is the answer that was waited for, in whatever condition.
pub(super) fn dispatch_message(state: &Arc<HttpState>, bytes: &Bytes, context: &MessageContext<'_>) -> Option<Result<RawJson, ChannelError>> {
    match decode::<FromServer>(bytes.clone(), &state.limits.decode) {
        Ok(Incoming::One(message)) => deliver(state, message, context),
        Ok(Incoming::Batch(messages)) if state.revision() == Revision::V2025_03_26 => {
            let mut found = None;
            for message in messages {
                let outcome = match message {
                    Ok(message) => deliver(state, message, context),
                    Err(rejection) => reject(state, rejection, bytes, context),
                };
                found = found.or(outcome);
            }
            found
        }
        Ok(Incoming::Batch(_)) => {
            tracing::warn!("a batch, which this revision has not; ignored");
            None
        }
        Err(rejection) => reject(state, rejection, bytes, context),
    }
}

fn deliver(state: &Arc<HttpState>, message: Message<FromServer>, context: &MessageContext<'_>) -> Option<Result<RawJson, ChannelError>> {
    match message {
        Message::Response { id, outcome } => {
            // Errors may have no id, and with a status that is one some servers make up an id.
            let is_refusal = outcome.is_err() && (id.is_none() || context.status >= 400);
            let is_ours = context.wanted.is_some_and(|wanted| is_refusal || id.as_ref() == Some(wanted));
            let outcome = outcome.map_err(|error| ChannelError::Rpc { error, status: Some(context.status) });
            if is_ours {
                return Some(outcome);
            }
            if !id.as_ref().is_some_and(|id| !context.modern && state.deliver_out_of_band(id, outcome)) {
                tracing::debug!(?id, "an answer to what was not asked; ignored");
            }
            None
        }
        Message::Notification(notification) => {
            state.inbound.notification(notification);
            None
        }
        Message::Request { request, .. } if context.modern => {
            tracing::warn!(method = request.method(), "a modern server sent a request; ignored");
            None
        }
        Message::Request { id, request } => {
            state.inbound.request(id.clone(), request, answer(state, id));
            None
        }
    }
}

/// A message that cannot be read. Where its id can, it is a broken answer or a broken question.
fn reject(
    state: &Arc<HttpState>,
    rejection: DecodeError,
    frame: &[u8],
    context: &MessageContext<'_>,
) -> Option<Result<RawJson, ChannelError>> {
    let DecodeError { id, error, suppress_response, .. } = rejection;
    tracing::debug!(?id, %error, "a message of the server cannot be read");
    let is_ours = match &id {
        Some(id) => suppress_response && context.wanted == Some(id),
        // What is neither request nor notification can only be meant as the answer.
        None => context.wanted.is_some() && method_of(frame).is_none(),
    };
    if is_ours {
        return Some(Err(ChannelError::Malformed(error.message)));
    }
    if let Some(id) = id.filter(|_| !suppress_response && !context.modern) {
        let revision = state.revision();
        state.post_detached(revision, written(&id, Err(error), revision));
    }
    None
}

fn answer(state: &Arc<HttpState>, id: RequestId) -> Responder {
    let state = Arc::clone(state);
    Responder::new(move |outcome| {
        Box::pin(async move {
            let revision = state.revision();
            let message = written(&id, outcome, revision);
            // A server that does not take the answer must not keep the place of other questions.
            let taken = timeout(state.limits.request_timeout, state.post(revision, message)).await;
            match taken {
                Ok(Ok(())) => {}
                // The call that asked is not given up: its answer may be on its way without this one.
                Ok(Err(ChannelError::Status { status, .. })) => {
                    tracing::warn!(
                        ?id,
                        status,
                        "the server refused the answer to its own question; what asked may hang"
                    );
                }
                Ok(Err(_)) | Err(_) => tracing::debug!(?id, "the server did not take an answer"),
            }
        })
    })
}

fn written(id: &RequestId, outcome: Result<ClientResult, Error>, revision: Revision) -> Bytes {
    let mut message = BytesMut::new();
    let failed = match outcome {
        Ok(result) => encode::client_result(&mut message, id, result, revision).err(),
        Err(error) => {
            encode::error(&mut message, Some(id), error, revision);
            None
        }
    };
    if let Some(error) = failed {
        tracing::error!(%error, "an answer cannot be JSON");
        encode::error(&mut message, Some(id), Error::internal("Internal error"), revision);
    }
    message.freeze()
}
