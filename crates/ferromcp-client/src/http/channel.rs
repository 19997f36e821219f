//! HTTP as a channel: each request is a POST, and its response brings the answer and whatever belongs to it.
//!
//! At 2026-07-28 dropping a request closes its response, which cancels it. In the legacy era hanging up says nothing, so
//! `notifications/cancelled` is posted.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http>.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use ferromcp_core::header::Annotation;
use ferromcp_core::model::CancelledParams;
use ferromcp_core::wire::encode;
use ferromcp_core::{ClientNotification, ClientRequest, RawJson, RequestId, Revision};
use tokio::time::timeout;

use super::endpoint::Endpoint;
use super::request_headers::RequestHeaders;
use super::dispatch::{MessageContext, dispatch_message};
use super::legacy::session_stream;
use super::post::Content;
use super::stream::EventStream;
use super::state::HttpState;
use crate::channel::{BoxFuture, Channel, ChannelError, Inbound, Outgoing};
use crate::limits::ClientLimits;

/// A channel to one endpoint.
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

    fn notify(&self, notification: ClientNotification, revision: Revision) -> BoxFuture<'static, Result<(), ChannelError>> {
        let state = Arc::clone(&self.state);
        Box::pin(async move {
            state.ensure_open()?;
            if revision.is_modern() {
                return Err(ChannelError::Unsendable(format!("{revision} has no notifications of clients over HTTP")));
            }
            let opens = matches!(notification, ClientNotification::Initialized(_));
            let mut message = BytesMut::new();
            encode::client_notification(&mut message, notification, revision).map_err(encode_error)?;
            // On a pipe this is a word in a buffer; here somebody has to take it.
            let taken = timeout(state.limits.request_timeout, state.post(revision, message.freeze())).await;
            taken.map_err(|_| ChannelError::lost(io::Error::new(io::ErrorKind::TimedOut, "it was not taken in time")))??;
            if opens {
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
    let Outgoing { id, request, revision, annotations } = outgoing;
    let opens = matches!(request, ClientRequest::Initialize(_));
    let request_headers = request_headers(state, &request, revision, &annotations)?;
    let mut message = BytesMut::new();
    encode::client_request(&mut message, &id, request, revision).map_err(encode_error)?;
    // `initialize` may not be cancelled, and a modern request is by hanging up.
    let cancellable = !opens && !revision.is_modern();
    let elsewhere = cancellable.then(|| state.register_waiter(&id));
    let mut asked = Asked { state, id: &id, revision, cancellable };
    let context = MessageContext { wanted: Some(&id), status: 200, modern: revision.is_modern() };
    let outcome = tokio::select! {
        biased;
        outcome = exchange(state, &request_headers, message.freeze(), context, opens) => outcome,
        Some(outcome) = async { elsewhere?.await.ok() } => outcome,
    };
    asked.cancellable = false;
    state.inbound.response_received(&id);
    outcome
}

/// HttpChannel a request and reads what comes back.
async fn exchange(
    state: &Arc<HttpState>,
    request_headers: &RequestHeaders,
    message: Bytes,
    mut context: MessageContext<'_>,
    opens: bool,
) -> Result<RawJson, ChannelError> {
    let reply = state.endpoint.post(request_headers, message).await.map_err(|failure| state.convert_failure(failure))?;
    if opens {
        state.set_session(reply.session);
    }
    context.status = reply.status;
    match reply.content {
        Content::Nothing => Err(ChannelError::Malformed("it took the request and gave no answer".to_owned())),
        Content::Json(json) => answer(state, &json, &context),
        Content::Events(events) => read(state, *events, &context).await,
    }
}

/// What the request says in headers.
fn request_headers(state: &HttpState, request: &ClientRequest, revision: Revision, annotations: &[Annotation]) -> Result<RequestHeaders, ChannelError> {
    if revision.is_modern() {
        let request_headers = RequestHeaders::modern(revision, request, annotations);
        return request_headers.map_err(|mismatch| ChannelError::Unsendable(mismatch.to_string()));
    }
    if matches!(request, ClientRequest::Initialize(_)) {
        return Ok(RequestHeaders::initialize());
    }
    Ok(RequestHeaders::legacy(revision, state.session()))
}

/// The answer that is the whole body.
fn answer(state: &Arc<HttpState>, json: &Bytes, context: &MessageContext<'_>) -> Result<RawJson, ChannelError> {
    let (status, body) = (context.status, json.len());
    let refused = !(200..300).contains(&status);
    match dispatch_message(state, json, context) {
        Some(Err(ChannelError::Malformed(_)) | Ok(_)) | None if refused => {
            tracing::debug!(status, body, "the body of a refusal is no error of JSON-RPC");
            Err(ChannelError::Status { status, body: String::new() })
        }
        Some(outcome) => outcome,
        None => Err(ChannelError::Malformed("it does not answer the request".to_owned())),
    }
}

/// Reads until the answer has come and no further: a legacy stream would be resumed.
async fn read(state: &Arc<HttpState>, mut events: EventStream, context: &MessageContext<'_>) -> Result<RawJson, ChannelError> {
    loop {
        let Some(message) = events.next().await.map_err(|failure| state.convert_failure(failure))? else {
            let why = "the stream ended without the answer";
            return Err(ChannelError::lost(io::Error::new(io::ErrorKind::UnexpectedEof, why)));
        };
        if let Some(outcome) = dispatch_message(state, &message, context) {
            events.release().await;
            return outcome;
        }
    }
}

/// A request that is under way; a legacy one that is dropped before its answer is cancelled.
struct Asked<'a> {
    state: &'a Arc<HttpState>,
    id: &'a RequestId,
    revision: Revision,
    cancellable: bool,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.state.unregister_waiter(self.id);
        if !self.cancellable || self.state.is_closed() {
            return;
        }
        let mut params = CancelledParams::new(self.id.clone());
        params.reason = Some("The client does not wait any longer".to_owned());
        let mut message = BytesMut::new();
        let cancelled = ClientNotification::Cancelled(params);
        if encode::client_notification(&mut message, cancelled, self.revision).is_ok() {
            self.state.post_detached(self.revision, message.freeze());
        }
    }
}

fn encode_error(error: serde_json::Error) -> ChannelError {
    ChannelError::unsent(io::Error::new(io::ErrorKind::InvalidInput, error))
}
