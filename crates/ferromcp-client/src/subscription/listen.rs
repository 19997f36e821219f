//! The modern way: one long call of `subscriptions/listen`, on whose answer everything comes.

use std::sync::Arc;

use ferromcp_core::ClientRequest;
use ferromcp_core::model::ListenParams;

use super::ended::Ended;
use super::mailbox::Mailbox;
use crate::channel::Failure;
use crate::engine::Engine;
use crate::engine::connection::Connection;
use crate::error::ClientError;

/// Listens until the server ends it or the connection does.
pub(super) async fn run(engine: &Engine, connection: &Connection, mailbox: &Arc<Mailbox>) -> Ended {
    let mut params = ListenParams::default();
    params.notifications = mailbox.interest().filter();
    let id = engine.ids.next();
    let outgoing = match connection.outgoing(id.clone(), ClientRequest::Listen(params), None) {
        Ok(outgoing) => outgoing,
        Err(error) => return Ended::Failed(error),
    };
    // Listed before it is sent, so that nothing comes too early.
    let _pinned = engine.board.listen(&id, Arc::clone(mailbox));
    let answer = connection.channel.request(outgoing);
    let outcome = tokio::select! {
        biased;
        outcome = answer => outcome,
        () = mailbox.hung_up() => return Ended::Closed,
    };
    match outcome {
        Ok(_) => Ended::Closed,
        Err(failure @ (Failure::Lost(_) | Failure::Unsent(_))) => Ended::Lost(error(failure)),
        Err(failure) => Ended::Failed(error(failure)),
    }
}

fn error(failure: Failure) -> ClientError {
    ClientError::of("subscriptions/listen", failure)
}
