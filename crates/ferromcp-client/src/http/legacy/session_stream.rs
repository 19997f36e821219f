//! Reads the GET stream of a session, which carries messages unrelated to a request.
//!
//! A task reads it until the channel is closed, or until the server responds that it has no such stream.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#listening-for-messages-from-the-server>.

use std::sync::Arc;
use std::time::Duration;

use ferromcp_core::Revision;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::http::dispatch::{MessageContext, dispatch_message};
use crate::http::failure::Failure;
use crate::http::request_headers::RequestHeaders;
use crate::http::state::HttpState;
use crate::http::stream::EventStream;

/// Time to wait for the stream. Some servers drop messages sent before the stream is open, including requests. Others do
/// not respond to the GET until they have a message.
const OPEN_TIMEOUT: Duration = Duration::from_millis(250);

/// Opens the stream if there is a session, and waits briefly until it is open. Without a session there is no GET, because
/// it would start an HTTP+SSE session if the server supports both at the same URL.
pub(in crate::http) async fn open_session_stream(state: &Arc<HttpState>, revision: Revision) {
    if let Some(session) = state.session() {
        let request_headers = RequestHeaders::legacy(revision, Some(session));
        let (opened_tx, opened) = oneshot::channel();
        state.set_session_stream(tokio::spawn(run(Arc::clone(state), request_headers, opened_tx)).abort_handle());
        let _ = timeout(OPEN_TIMEOUT, opened).await; // the session continues if the stream is late or rejected
    }
}

/// Reads the stream and reopens it. Signals `opened_tx` after the first response.
async fn run(state: Arc<HttpState>, request_headers: RequestHeaders, opened_tx: oneshot::Sender<()>) {
    let mut opened_tx = Some(opened_tx);
    loop {
        let stream = state.endpoint.get_stream(&request_headers).await;
        drop(opened_tx.take());
        let failure = match stream {
            Ok(None) => return tracing::debug!("the server has no GET stream"),
            Ok(Some(events)) => read(&state, events).await,
            Err(failure) => failure,
        };
        match failure {
            Failure::SessionEnded { .. } => return state.session_expired(),
            failure if is_transient(&failure) => {
                tracing::debug!(%failure, "the GET stream was disconnected; reopening it");
            }
            failure => return tracing::warn!(%failure, "cannot open the GET stream; continuing without it"),
        }
        // The stream has already retried with backoff.
        sleep(state.endpoint.limits().max_backoff).await;
    }
}

/// Reads until the stream fails. Returns the failure.
async fn read(state: &Arc<HttpState>, mut events: EventStream) -> Failure {
    let context = MessageContext { awaited: None, status: 200, modern: false };
    loop {
        match events.next().await {
            Ok(Some(message)) => drop(dispatch_message(state, &message, &context)),
            Ok(None) => return Failure::lost("the GET stream ended"),
            Err(failure @ Failure::TooLarge { .. }) => tracing::warn!(%failure, "skipped a message"),
            Err(failure) => return failure,
        }
    }
}

/// Returns whether a failure may be transient.
fn is_transient(failure: &Failure) -> bool {
    match failure {
        Failure::Unreachable { .. } | Failure::Lost { .. } => true,
        Failure::Status(status) => matches!(status, 408 | 409 | 425 | 429 | 500..),
        _ => false,
    }
}
