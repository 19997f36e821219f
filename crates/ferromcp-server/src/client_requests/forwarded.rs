//! Requests of another server, which a proxy forwards to its client.

use ferromcp_core::model::{ClientCapabilities, InputRequest};
use ferromcp_core::{RawJson, ServerNotification};

use super::capabilities;
use super::pending_question::{question_error, register_url, server_request};
use crate::era::features::has_multi_round_trip;
use crate::peer::Peer;
use crate::question_error::{Kind, QuestionError};
use crate::request_sink::{QueueFull, RequestSink};

impl Peer {
    /// Removes the optional fields that this client does not support from a request of another server. Used by middleware that
    /// returns the request in [`Reply::NeedsInput`](crate::Reply::NeedsInput).
    ///
    /// # Errors
    /// Returns the required capabilities if the client did not declare them, or its revision does not have them.
    pub fn adapt_input(&self, request: &mut InputRequest) -> Result<(), Box<ClientCapabilities>> {
        if let Some(missing) = capabilities::missing_capabilities(request, self) {
            return Err(Box::new(missing));
        }
        capabilities::strip_undeclared(request, self);
        Ok(())
    }
}

impl RequestSink {
    /// Sends a request to the client during the call, and returns its result, which is not validated. For middleware that
    /// forwards the requests of another server; handlers use [`Ctx`](crate::Ctx).
    ///
    /// Handshake revisions only: on 2026-07-28, return [`Reply::NeedsInput`](crate::Reply::NeedsInput) instead. Optional fields
    /// that the client does not support are removed. The request has no timeout.
    ///
    /// # Errors
    /// Fails if the client did not declare the capability or cannot receive requests, too many requests are pending, the
    /// client responds with an error, or it disconnects.
    ///
    /// # Cancellation
    /// Dropping the future cancels the request.
    pub async fn request_input(&self, mut request: InputRequest, peer: &Peer) -> Result<RawJson, QuestionError> {
        if has_multi_round_trip(peer.revision()) {
            return Err(Kind::NotAllowedHere("the revision has no server requests; return `Reply::NeedsInput`").into());
        }
        peer.adapt_input(&mut request).map_err(Kind::Unsupported)?;
        if !self.can_ask() {
            return Err(Kind::Unsupported(Box::new(capabilities::required(&request))).into());
        }
        register_url(&mut request, peer)?;
        self.ask(server_request(&request), peer).await.map_err(question_error)
    }

    /// Sends a notification that belongs to the call. Waits while the queue of the transport is full.
    ///
    /// # Cancellation
    /// If the future is dropped before it completes, the notification may not be sent.
    pub async fn notify(&self, mut notification: ServerNotification, peer: &Peer) {
        while let Err(QueueFull(back)) = self.try_send(notification, peer.revision()) {
            notification = *back;
            self.ready().await;
        }
    }
}
