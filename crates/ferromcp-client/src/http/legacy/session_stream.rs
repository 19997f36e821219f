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

use crate::http::failure::Failure;
use crate::http::request_headers::RequestHeaders;
use crate::http::dispatch::{MessageContext, dispatch_message};
use crate::http::stream::EventStream;
use crate::http::state::HttpState;

/// How long the stream is waited for. Some servers drop what they say before it is there, a question too; others do not
/// answer the GET until they have something to say.
const OPENING: Duration = Duration::from_millis(250);

/// Begins to read it, if there is a session, and waits a moment until it is there. Without a session none is asked for:
/// where HTTP+SSE is served at the same URL, a bare GET would begin another conversation.
pub(in crate::http) async fn open_session_stream(state: &Arc<HttpState>, revision: Revision) {
    if let Some(session) = state.session() {
        let request_headers = RequestHeaders::legacy(revision, Some(session));
        let (answered, answer) = oneshot::channel();
        state.set_session_stream(tokio::spawn(listen(Arc::clone(state), request_headers, answered)).abort_handle());
        let _ = timeout(OPENING, answer).await; // late or refused: the session goes on all the same
    }
}

/// Reads it, and says when the server has answered for the first time.
async fn listen(state: Arc<HttpState>, request_headers: RequestHeaders, answered: oneshot::Sender<()>) {
    let mut answered = Some(answered);
    loop {
        let stream = state.endpoint.get_stream(&request_headers).await;
        drop(answered.take());
        let failure = match stream {
            Ok(None) => return tracing::debug!("the server has no stream for the session"),
            Ok(Some(events)) => read(&state, events).await,
            Err(failure) => failure,
        };
        match failure {
            Failure::SessionEnded { .. } => return state.session_expired(),
            failure if is_transient(&failure) => tracing::debug!(%failure, "the session's stream is lost for now"),
            failure => return tracing::warn!(%failure, "the session goes without a stream of its own"),
        }
        // The stream has tried for a while by itself.
        sleep(state.endpoint.limits().max_backoff).await;
    }
}

/// Reads until the stream is lost, and says why it is.
async fn read(state: &Arc<HttpState>, mut events: EventStream) -> Failure {
    let context = MessageContext { wanted: None, status: 200, modern: false };
    loop {
        match events.next().await {
            Ok(Some(message)) => drop(dispatch_message(state, &message, &context)),
            Ok(None) => return Failure::lost("the session's stream ended"),
            Err(failure @ Failure::TooLarge { .. }) => tracing::warn!(%failure, "a message was skipped"),
            Err(failure) => return failure,
        }
    }
}

/// Whether it may be otherwise in a while.
fn is_transient(failure: &Failure) -> bool {
    match failure {
        Failure::Unreachable { .. } | Failure::Lost { .. } => true,
        Failure::Status(refusal) => matches!(refusal.status(), 408 | 409 | 425 | 429 | 500..),
        _ => false,
    }
}
