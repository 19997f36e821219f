//! Subscriptions on 2026-07-28: one long-running `subscriptions/listen` request.

use std::sync::Arc;

use ferromcp_core::ClientRequest;
use ferromcp_core::model::ListenParams;

use super::mailbox::Mailbox;
use crate::channel::ChannelError;
use crate::engine::Engine;
use crate::engine::connection::Connection;
use crate::error::ClientError;

/// Reason why a subscription ended on one connection.
pub(super) enum Ended {
    /// The server ended the subscription.
    Closed,
    /// The connection was lost.
    Lost(ClientError),
    /// The subscription failed permanently.
    Failed(ClientError),
}

/// Runs the request until the server ends the subscription or the connection is lost.
pub(super) async fn run(engine: &Engine, connection: &Connection, mailbox: &Arc<Mailbox>) -> Ended {
    let params = ListenParams::new(mailbox.filter().to_subscription_filter());
    let id = engine.ids.next();
    let outgoing = match connection.outgoing(id.clone(), ClientRequest::Listen(params), None) {
        Ok(outgoing) => outgoing,
        Err(error) => return Ended::Failed(error),
    };
    // Register before sending, so that no notification is missed.
    let _registration = engine.router.register_stream(&id, Arc::clone(mailbox));
    let answer = connection.channel.request(outgoing);
    let outcome = tokio::select! {
        biased;
        outcome = answer => outcome,
        () = mailbox.wait_closed() => return Ended::Closed,
    };
    match outcome {
        Ok(_) => Ended::Closed,
        Err(failure @ (ChannelError::Lost(_) | ChannelError::Unsent(_))) => Ended::Lost(error(failure)),
        Err(failure) => Ended::Failed(error(failure)),
    }
}

fn error(failure: ChannelError) -> ClientError {
    ClientError::of("subscriptions/listen", failure)
}
