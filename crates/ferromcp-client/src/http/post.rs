//! One message, one POST, and what comes back.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#sending-messages-to-the-server>.

use std::fmt;

use bytes::Bytes;
use ferromcp_core::header::field::lower;
use http::StatusCode;
use http::header::CONTENT_LENGTH;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::body;
use super::endpoint::{Answer, HttpRequest, Endpoint};
use super::failure::{Failure, StatusError};
use super::request_headers::RequestHeaders;
use super::legacy::SessionId;
use super::stream::{EventStream, StreamOrigin};

/// What came back for a message.
#[derive(Debug)]
#[non_exhaustive]
pub struct PostResponse {
    /// The status: of an error too, if its body is a JSON-RPC message.
    pub status: u16,
    /// The session that the server began with this reply (legacy era).
    pub session: Option<SessionId>,
    /// The body.
    pub content: Content,
}

/// The body of a [`PostResponse`].
#[non_exhaustive]
pub enum Content {
    /// Nothing: the message was taken.
    Nothing,
    /// JSON, not looked at yet where the status was a success.
    Json(Bytes),
    /// A stream of messages.
    Events(Box<EventStream>),
}

impl fmt::Debug for Content {
    /// Without the message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::Json(json) => f.debug_struct("Json").field("bytes", &json.len()).finish_non_exhaustive(),
            Self::Events(events) => f.debug_tuple("Events").field(events).finish(),
        }
    }
}

impl Endpoint {
    /// Sends one message as one POST. It is never sent twice, unless the server asked for other credentials.
    ///
    /// Waits as long as the server does. Dropping the future closes the connection, which cancels the request at
    /// 2026-07-28.
    ///
    /// # Errors
    /// When no message came back. A status that is an error is none if the body is a JSON-RPC message, except for the
    /// 404 of a session that ended.
    pub async fn post(&self, request_headers: &RequestHeaders, message: Bytes) -> Result<PostResponse, Failure> {
        let answer = self.ask(&HttpRequest::post(self.url().clone(), request_headers.for_post(), message)).await?;
        if answer.status.is_success() {
            return self.taken(request_headers, answer).await;
        }
        let status = answer.status;
        if status == StatusCode::NOT_FOUND && request_headers.session().is_some() {
            return Err(Failure::SessionEnded { in_flight: false });
        }
        let body = body::read_or_nothing(answer.body, &answer.headers, self.limits().body_bytes).await;
        if is_message(&body) {
            return Ok(PostResponse { status: status.as_u16(), session: None, content: Content::Json(body) });
        }
        Err(Failure::Status(StatusError::new(status.as_u16(), body)))
    }

    async fn taken(&self, request_headers: &RequestHeaders, answer: Answer) -> Result<PostResponse, Failure> {
        let status = answer.status.as_u16();
        let session = self.begun(request_headers, &answer)?;
        let content = self.content(request_headers.clone().within(session.clone()), answer).await?;
        Ok(PostResponse { status, session, content })
    }

    /// The session that begins. Later replies may repeat its id, which says nothing.
    fn begun(&self, request_headers: &RequestHeaders, answer: &Answer) -> Result<Option<SessionId>, Failure> {
        if !request_headers.is_legacy() || request_headers.session().is_some() {
            return Ok(None);
        }
        let id = answer.headers.get(lower::SESSION_ID);
        id.map(|id| SessionId::read(id, self.limits().id_bytes)).transpose()
    }

    async fn content(&self, request_headers: RequestHeaders, answer: Answer) -> Result<Content, Failure> {
        let empty = answer.headers.get(CONTENT_LENGTH).is_some_and(|length| length == "0");
        if empty || matches!(answer.status, StatusCode::ACCEPTED | StatusCode::NO_CONTENT) {
            return Ok(Content::Nothing);
        }
        if answer.is("text/event-stream") {
            let stream = EventStream::new(self.clone(), request_headers, StreamOrigin::Post, answer.body);
            return Ok(Content::Events(Box::new(stream)));
        }
        let is_json = answer.is("application/json");
        let media_type = answer.media_type().to_owned();
        let body = body::read(answer.body, &answer.headers, self.limits().body_bytes).await?;
        if body.is_empty() {
            return Ok(Content::Nothing);
        }
        if !is_json {
            let why =
                format!("`{media_type}` is neither JSON nor a stream of events; is this the URL of an MCP server?");
            return Err(Failure::malformed(why));
        }
        Ok(Content::Json(body))
    }
}

/// Whether this is a JSON-RPC message, and not what a proxy or a framework says for itself.
fn is_message(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Envelope {
        #[allow(dead_code, reason = "it only has to be there")]
        jsonrpc: IgnoredAny,
    }
    serde_json::from_slice::<Envelope>(body).is_ok()
}
