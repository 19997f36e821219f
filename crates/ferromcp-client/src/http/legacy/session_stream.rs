//! Reads the GET stream of a session, which carries messages unrelated to a request.
//!
//! A task reads it until the channel is closed, or until the server responds that it has no such stream. Some servers
//! have no GET at all and respond with 404, which would otherwise mean that the session is gone. Only the response to a
//! POST shows that.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#listening-for-messages-from-the-server>.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use ferromcp_core::model::EmptyParams;
use ferromcp_core::wire::encode;
use ferromcp_core::{ClientRequest, RequestId, Revision};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::http::dispatch::{MessageContext, dispatch_event};
use crate::http::failure::Failure;
use crate::http::request_headers::RequestHeaders;
use crate::http::state::HttpState;
use crate::http::stream::{self, EventStream};

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
    let mut was_open = false;
    loop {
        let stream = state.endpoint.get_stream(&request_headers).await;
        drop(opened_tx.take());
        let failure = match stream {
            Ok(None) => return tracing::debug!("the server has no GET stream"),
            Ok(Some(events)) => {
                was_open = true;
                read(&state, events).await
            }
            Err(failure) => failure,
        };
        match failure {
            Failure::SessionEnded if !was_open => return tracing::debug!("the server has no GET stream"),
            Failure::SessionEnded => return check_session(&state, &request_headers).await,
            failure if is_transient(&failure) => {
                tracing::debug!(%failure, "the GET stream was disconnected; reopening it");
            }
            failure => return tracing::warn!(%failure, "cannot open the GET stream; continuing without it"),
        }
        // The stream has already retried with backoff.
        sleep(state.endpoint.limits().max_backoff).await;
    }
}

/// Sends a `ping`, whose response shows whether the session is gone. A server that stops responding to GET may still have
/// the session.
async fn check_session(state: &Arc<HttpState>, request_headers: &RequestHeaders) {
    let mut message = BytesMut::new();
    let ping = ClientRequest::Ping(EmptyParams::default());
    let id = RequestId::from("session-check"); // the IDs of other requests are numbers
    if encode::client_request(&mut message, &id, ping, state.revision()).is_err() {
        return;
    }
    match timeout(state.limits.request_timeout, state.endpoint.post_message(request_headers, message.freeze())).await {
        Ok(Err(Failure::SessionEnded | Failure::Status(400))) => state.session_expired(),
        outcome => tracing::debug!(?outcome, "the GET stream ended, but the session continues"),
    }
}

/// Reads until the stream fails. Returns the failure.
async fn read(state: &Arc<HttpState>, mut events: EventStream) -> Failure {
    let context = MessageContext::session_stream();
    loop {
        match events.next().await {
            Ok(Some(message)) => drop(dispatch_event(state, &message, &context)),
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
        Failure::Status(status) => stream::is_transient(*status),
        _ => false,
    }
}
