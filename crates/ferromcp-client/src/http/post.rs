//! Sends one message with a POST, and classifies the response.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#sending-messages-to-the-server>.

use std::fmt;

use bytes::Bytes;
use ferromcp_core::header::field::lower;
use ferromcp_core::text::excerpt;
use ferromcp_core::{Error, ErrorCode, RequestId};
use http::StatusCode;
use http::header::CONTENT_LENGTH;
use serde::Deserialize;

use super::body;
use super::endpoint::{Endpoint, HttpRequest, HttpResponse};
use super::failure::Failure;
use super::legacy::SessionId;
use super::request_headers::RequestHeaders;
use super::stream::{EventStream, StreamOrigin};
use crate::decode::without_byte_order_mark;

/// Response to a POST.
#[derive(Debug)]
pub(super) struct PostResponse {
    /// The HTTP status. It may be an error status if the body is a JSON-RPC message.
    pub(super) status: u16,
    /// The session that this response starts (legacy era).
    pub(super) session: Option<SessionId>,
    /// The body.
    pub(super) content: Content,
}

/// The body of a [`PostResponse`].
pub(super) enum Content {
    /// No body: the server accepted the message.
    Nothing,
    /// JSON, not validated for success statuses.
    Json(Bytes),
    /// An SSE stream of messages.
    Events(Box<EventStream>),
}

impl fmt::Debug for Content {
    /// Omits the message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::Json(json) => f.debug_struct("Json").field("bytes", &json.len()).finish_non_exhaustive(),
            Self::Events(events) => f.debug_tuple("Events").field(events).finish(),
        }
    }
}

impl Endpoint {
    /// Sends one message with a POST. It is sent once, except for retries with new credentials.
    ///
    /// There is no timeout. Dropping the future closes the connection, which cancels the request at 2026-07-28.
    ///
    /// # Errors
    /// Fails if the request fails or the response is not a message. An error status with a JSON-RPC body is not a failure,
    /// except for the 404 of an expired session.
    pub(super) async fn post(&self, request_headers: &RequestHeaders, message: Bytes) -> Result<PostResponse, Failure> {
        let response = self.send(&HttpRequest::post(self.url().clone(), request_headers.for_post(), message)).await?;
        if response.status.is_success() {
            return self.accepted(request_headers, response).await;
        }
        let status = response.status;
        let body = body::read_or_nothing(response.body, &response.headers, self.limits().body_bytes).await;
        let body = without_byte_order_mark(&body);
        if status == StatusCode::NOT_FOUND && request_headers.session().is_some() && !is_error_of_method(&body) {
            return Err(Failure::SessionEnded);
        }
        if body::is_json_rpc(&body) {
            return Ok(PostResponse { status: status.as_u16(), session: None, content: Content::Json(body) });
        }
        Err(Failure::Status(status.as_u16()))
    }

    /// Sends one message that has no response with a POST. Any success status accepts it; the body is ignored, because
    /// some servers send one.
    ///
    /// # Errors
    /// Fails if the request fails or the status is an error.
    pub(super) async fn post_message(&self, request_headers: &RequestHeaders, message: Bytes) -> Result<(), Failure> {
        let response = self.send(&HttpRequest::post(self.url().clone(), request_headers.for_post(), message)).await?;
        let status = response.status;
        body::discard(response.body).await;
        match status {
            status if status.is_success() => Ok(()),
            StatusCode::NOT_FOUND if request_headers.session().is_some() => Err(Failure::SessionEnded),
            status => Err(Failure::Status(status.as_u16())),
        }
    }

    async fn accepted(
        &self,
        request_headers: &RequestHeaders,
        response: HttpResponse,
    ) -> Result<PostResponse, Failure> {
        let status = response.status.as_u16();
        let session = self.new_session(request_headers, &response)?;
        let content = self.content(request_headers.clone().within(session.clone()), response).await?;
        Ok(PostResponse { status, session, content })
    }

    /// Returns the session that this response starts. Later responses may repeat its ID, which is ignored.
    fn new_session(
        &self,
        request_headers: &RequestHeaders,
        response: &HttpResponse,
    ) -> Result<Option<SessionId>, Failure> {
        if !request_headers.is_legacy() || request_headers.session().is_some() {
            return Ok(None);
        }
        let id = response.headers.get(lower::SESSION_ID);
        id.map(|id| SessionId::parse(id, self.limits().id_bytes)).transpose()
    }

    async fn content(&self, request_headers: RequestHeaders, response: HttpResponse) -> Result<Content, Failure> {
        let empty = response.headers.get(CONTENT_LENGTH).is_some_and(|length| length == "0");
        if empty || matches!(response.status, StatusCode::ACCEPTED | StatusCode::NO_CONTENT) {
            return Ok(Content::Nothing);
        }
        body::ensure_unencoded(&response.headers)?;
        if response.is("text/event-stream") {
            let stream = EventStream::new(self.clone(), request_headers, StreamOrigin::Post, response.body);
            return Ok(Content::Events(Box::new(stream)));
        }
        let is_json = response.is("application/json");
        let media_type = response.media_type().to_owned();
        let body = body::read(response.body, &response.headers, self.limits().body_bytes).await?;
        let body = without_byte_order_mark(&body);
        if body.is_empty() {
            return Ok(Content::Nothing);
        }
        if !is_json && body::is_json_rpc(&body) {
            tracing::warn!(media_type, "a JSON-RPC message has the wrong content type");
        } else if !is_json {
            return Err(Failure::malformed(unexpected_type(&media_type)));
        }
        Ok(Content::Json(body))
    }
}

/// Returns whether the body of a 404 response is an error of the method or its parameters, as frameworks send that map error
/// codes to statuses. Then the session continues.
fn is_error_of_method(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Response {
        id: RequestId,
        error: Error,
    }
    const OF_METHOD: [ErrorCode; 3] =
        [ErrorCode::METHOD_NOT_FOUND, ErrorCode::INVALID_PARAMS, ErrorCode::RESOURCE_NOT_FOUND];
    let response = serde_json::from_slice::<Response>(body).ok();
    response.is_some_and(|Response { id, error }| {
        let is_number = matches!(id, RequestId::Number(_)) || id.parse_decimal().is_some();
        is_number && OF_METHOD.contains(&error.code) && !error.message.to_ascii_lowercase().contains("session")
    })
}

/// Describes an unexpected media type.
fn unexpected_type(media_type: &str) -> String {
    match media_type {
        "" => "the response has no content type".to_owned(),
        media_type => format!("unexpected content type `{}`", excerpt(media_type)),
    }
}
