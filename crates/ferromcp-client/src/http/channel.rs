//! A [`Channel`] over Streamable HTTP. Each request is a POST, whose response carries the result and related messages.
//!
//! At 2026-07-28, dropping a request closes its response, which cancels the request. In the legacy era, closing the
//! response does not cancel, so `notifications/cancelled` is posted.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http>.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use ferromcp_core::header::Annotation;
use ferromcp_core::model::CancelledParams;
use ferromcp_core::wire::encode;
use ferromcp_core::{ClientNotification, ClientRequest, Error, RawJson, RequestId, Revision};
use tokio::time::timeout;

use super::dispatch::{MessageContext, Part, dispatch_event, dispatch_message};
use super::endpoint::Endpoint;
use super::legacy::session_stream;
use super::post::Content;
use super::request_headers::RequestHeaders;
use super::state::HttpState;
use super::stream::EventStream;
use crate::channel::{BoxFuture, Channel, ChannelError, Inbound, Outgoing};
use crate::limits::ClientLimits;

/// A Streamable HTTP channel to one endpoint.
pub(super) struct HttpChannel {
    state: Arc<HttpState>,
}

impl HttpChannel {
    pub(super) fn new(endpoint: Endpoint, inbound: Arc<dyn Inbound>, limits: &ClientLimits) -> Self {
        Self { state: Arc::new(HttpState::new(endpoint, inbound, limits)) }
    }
}

impl Channel for HttpChannel {
    fn request(&self, outgoing: Outgoing) -> BoxFuture<'static, Result<RawJson, ChannelError>> {
        let state = Arc::clone(&self.state);
        Box::pin(async move {
            state.ensure_open()?;
            tokio::select! {
                biased;
                outcome = request(&state, outgoing) => outcome,
                () = state.shut_down() => Err(ChannelError::lost(io::Error::other("the client was closed"))),
            }
        })
    }

    fn notify(
        &self,
        notification: ClientNotification,
        revision: Revision,
    ) -> BoxFuture<'static, Result<(), ChannelError>> {
        let state = Arc::clone(&self.state);
        Box::pin(async move {
            state.ensure_open()?;
            if revision.is_modern() {
                return Err(ChannelError::Unsendable(format!(
                    "revision {revision} has no client notifications over HTTP"
                )));
            }
            let is_initialized = matches!(notification, ClientNotification::Initialized(_));
            let mut message = BytesMut::new();
            encode::client_notification(&mut message, notification, revision).map_err(encode_error)?;
            // A pipe only buffers a notification. Over HTTP, the server has to accept it.
            let result = timeout(state.limits.request_timeout, state.post(revision, message.freeze())).await;
            let result = result.map_err(|_| {
                let text = format!(
                    "timed out after {:?} waiting for the server to accept the notification; raise \
                     `ClientLimits::request_timeout`",
                    state.limits.request_timeout
                );
                ChannelError::lost(io::Error::new(io::ErrorKind::TimedOut, text))
            })?;
            match result {
                // Some servers have no such notification. The next request shows whether they accept requests.
                Err(ChannelError::Status { status, .. }) if is_initialized && !is_unavailable(status) => {
                    tracing::warn!(status, "the server rejected `notifications/initialized`; continuing without it");
                }
                result => result?,
            }
            if is_initialized {
                session_stream::open_session_stream(&state, revision).await;
            }
            Ok(())
        })
    }

    fn set_revision(&self, revision: Revision) {
        self.state.set_revision(revision);
    }

    fn is_closed(&self) -> bool {
        self.state.is_closed()
    }

    fn closed(&self) -> BoxFuture<'static, ()> {
        let state = Arc::clone(&self.state);
        Box::pin(async move { state.closed().await })
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        let state = Arc::clone(&self.state);
        Box::pin(async move { state.close().await })
    }
}

impl Drop for HttpChannel {
    fn drop(&mut self) {
        self.state.close_detached();
    }
}

impl fmt::Debug for HttpChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpChannel(..)")
    }
}

async fn request(state: &Arc<HttpState>, outgoing: Outgoing) -> Result<RawJson, ChannelError> {
    let method = outgoing.method();
    let Outgoing { id, request, revision, annotations } = outgoing;
    let is_initialize = matches!(request, ClientRequest::Initialize(_));
    let request_headers = request_headers(state, &request, revision, &annotations)?;
    let mut message = BytesMut::new();
    encode::client_request(&mut message, &id, request, revision).map_err(encode_error)?;
    // `initialize` must not be cancelled, and a modern request is cancelled by closing its response.
    let cancellable = !is_initialize && !revision.is_modern();
    let out_of_band = cancellable.then(|| state.register_waiter(&id, method.clone()));
    let mut in_flight = InFlightRequest { state, id: &id, revision, cancellable };
    let context = MessageContext {
        awaited: Some(&id),
        method: &method,
        status: 200,
        modern: revision.is_modern(),
        after_handshake: !is_initialize,
        part: Part::Body,
    };
    let outcome = tokio::select! {
        biased;
        outcome = exchange(state, &request_headers, message.freeze(), context, is_initialize) => outcome,
        Some(outcome) = async { out_of_band?.await.ok() } => outcome,
    };
    in_flight.cancellable = false;
    state.inbound.response_received(&id);
    outcome
}

/// Posts a request and reads its response.
async fn exchange(
    state: &Arc<HttpState>,
    request_headers: &RequestHeaders,
    message: Bytes,
    mut context: MessageContext<'_>,
    is_initialize: bool,
) -> Result<RawJson, ChannelError> {
    let reply =
        state.endpoint.post(request_headers, message).await.map_err(|failure| state.convert_failure(failure))?;
    if is_initialize {
        state.set_session(reply.session);
    }
    context.status = reply.status;
    match reply.content {
        Content::Nothing => Err(ChannelError::Malformed(format!("HTTP status {} without a body", reply.status))),
        Content::Json(json) => json_result(state, &json, &context),
        Content::Events(events) => stream_result(state, *events, &context).await,
    }
}

/// Returns the MCP headers of a request.
fn request_headers(
    state: &HttpState,
    request: &ClientRequest,
    revision: Revision,
    annotations: &[Annotation],
) -> Result<RequestHeaders, ChannelError> {
    if revision.is_modern() {
        let request_headers = RequestHeaders::modern(revision, request, annotations);
        return request_headers.map_err(|mismatch| ChannelError::Unsendable(mismatch.to_string()));
    }
    if matches!(request, ClientRequest::Initialize(_)) {
        return Ok(RequestHeaders::initialize());
    }
    Ok(RequestHeaders::legacy(revision, state.session()))
}

/// Handles a JSON body.
fn json_result(state: &Arc<HttpState>, json: &Bytes, context: &MessageContext<'_>) -> Result<RawJson, ChannelError> {
    let (status, body) = (context.status, json.len());
    let is_error_status = !(200..300).contains(&status);
    match dispatch_message(state, json, context) {
        Some(Err(ChannelError::Malformed(_)) | Ok(_)) | None if is_error_status => {
            tracing::debug!(status, body, "the body of an error response is not a JSON-RPC error");
            Err(ChannelError::Status { status, body: String::new() })
        }
        Some(outcome) => outcome,
        None => Err(ChannelError::Malformed("the body does not contain the response to the request".to_owned())),
    }
}

/// Reads the stream until the response arrives. Stops there, because a legacy stream would be resumed.
async fn stream_result(
    state: &Arc<HttpState>,
    mut events: EventStream,
    context: &MessageContext<'_>,
) -> Result<RawJson, ChannelError> {
    let mut reported = None;
    let failure = loop {
        let message = match events.next().await {
            Ok(Some(message)) => message,
            Ok(None) => {
                let why = "the stream ended without the response";
                break ChannelError::lost(io::Error::new(io::ErrorKind::UnexpectedEof, why));
            }
            Err(failure) => break state.convert_failure(failure),
        };
        if let Some(outcome) = dispatch_event(state, &message, context) {
            events.release().await;
            return outcome;
        }
        reported = message.error_text().or(reported);
    };
    // The response may follow an error that the server reports as text. If it does not, the text is the cause.
    Err(match (failure, reported) {
        (ChannelError::Lost(_), Some(text)) => {
            ChannelError::Rpc { error: Error::internal(text), status: Some(context.status) }
        }
        (failure, _) => failure,
    })
}

/// Guard of an in-flight request. Dropping it before the response cancels a legacy request.
struct InFlightRequest<'a> {
    state: &'a Arc<HttpState>,
    id: &'a RequestId,
    revision: Revision,
    cancellable: bool,
}

impl Drop for InFlightRequest<'_> {
    fn drop(&mut self) {
        self.state.unregister_waiter(self.id);
        if !self.cancellable || self.state.is_closed() {
            return;
        }
        let params = CancelledParams::new(self.id.clone()).reason("The client stopped waiting");
        let mut message = BytesMut::new();
        let cancelled = ClientNotification::Cancelled(params);
        if encode::client_notification(&mut message, cancelled, self.revision).is_ok() {
            self.state.post_detached(self.revision, message.freeze());
        }
    }
}

/// Returns whether a status shows that the server, or a gateway in front of it, is temporarily unavailable.
fn is_unavailable(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 502..)
}

fn encode_error(error: serde_json::Error) -> ChannelError {
    ChannelError::unsent(io::Error::new(io::ErrorKind::InvalidInput, error))
}
