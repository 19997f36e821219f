//! The stream of a legacy session on which the server says what belongs to no request.
//!
//! Read by a task for as long as the channel lives; a server that has no such stream says so once.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#listening-for-messages-from-the-server>.

use std::sync::Arc;
use std::time::Duration;

use ferromcp_core::Revision;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::failure::Failure;
use super::head::Head;
use super::hear::{Context, hear};
use super::stream::EventStream;
use super::talk::Talk;

/// How long the stream is waited for. Some servers drop what they say before it is there, a question too; others do not
/// answer the GET until they have something to say.
const OPENING: Duration = Duration::from_millis(250);

/// Begins to read it, if there is a session, and waits a moment until it is there. Without a session none is asked for:
/// where HTTP+SSE is served at the same URL, a bare GET would begin another conversation.
pub(super) async fn begin(talk: &Arc<Talk>, revision: Revision) {
    if let Some(session) = talk.session() {
        let head = Head::legacy(revision, Some(session));
        let (answered, answer) = oneshot::channel();
        talk.listens(tokio::spawn(listen(Arc::clone(talk), head, answered)).abort_handle());
        let _ = timeout(OPENING, answer).await; // late or refused: the session goes on all the same
    }
}

/// Reads it, and says when the server has answered for the first time.
async fn listen(talk: Arc<Talk>, head: Head, answered: oneshot::Sender<()>) {
    let mut answered = Some(answered);
    loop {
        let stream = talk.endpoint.listen(&head).await;
        drop(answered.take());
        let failure = match stream {
            Ok(None) => return tracing::debug!("the server has no stream for the session"),
            Ok(Some(events)) => read(&talk, events).await,
            Err(failure) => failure,
        };
        match failure {
            Failure::SessionEnded { .. } => return talk.gone(),
            failure if is_passing(&failure) => tracing::debug!(%failure, "the session's stream is lost for now"),
            failure => return tracing::warn!(%failure, "the session goes without a stream of its own"),
        }
        // The stream has tried for a while by itself.
        sleep(talk.endpoint.limits().longest_pause).await;
    }
}

/// Reads until the stream is lost, and says why it is.
async fn read(talk: &Arc<Talk>, mut events: EventStream) -> Failure {
    let context = Context { wanted: None, status: 200, modern: false };
    loop {
        match events.next().await {
            Ok(Some(message)) => drop(hear(talk, &message, &context)),
            Ok(None) => return Failure::lost("the session's stream ended"),
            Err(failure @ Failure::TooLarge { .. }) => tracing::warn!(%failure, "a message was skipped"),
            Err(failure) => return failure,
        }
    }
}

/// Whether it may be otherwise in a while.
fn is_passing(failure: &Failure) -> bool {
    match failure {
        Failure::Unreachable { .. } | Failure::Lost { .. } => true,
        Failure::Status(refusal) => matches!(refusal.status(), 408 | 409 | 425 | 429 | 500..),
        _ => false,
    }
}
