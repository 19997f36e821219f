//! Sessions of the handshake era: their GET stream and deletion.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management>.

use http::StatusCode;

use crate::http::endpoint::{Endpoint, HttpRequest};
use crate::http::failure::Failure;
use crate::http::request_headers::RequestHeaders;
use crate::http::stream::{EventStream, StreamOrigin, opened};

impl Endpoint {
    /// Opens the GET stream of a session, for messages unrelated to a request. Returns `None` if the server has none.
    ///
    /// The stream is resumed after a disconnect, without loss if the server sets event IDs.
    ///
    /// # Errors
    /// Fails if the request fails or the server responds with another error status.
    pub(in crate::http) async fn get_stream(
        &self,
        request_headers: &RequestHeaders,
    ) -> Result<Option<EventStream>, Failure> {
        let response = self.send(&HttpRequest::stream(self.url().clone(), request_headers.common())).await?;
        if response.status == StatusCode::METHOD_NOT_ALLOWED {
            return Ok(None);
        }
        let body = opened(response, request_headers)?;
        Ok(Some(EventStream::new(self.clone(), request_headers.clone(), StreamOrigin::Get, body)))
    }

    /// Deletes the session. Succeeds if the session has expired already, or the server does not support deletion.
    ///
    /// # Errors
    /// Fails if the request fails or the server responds with another error status.
    pub(in crate::http) async fn delete_session(&self, request_headers: &RequestHeaders) -> Result<(), Failure> {
        if request_headers.session().is_none() {
            return Ok(());
        }
        let status = self.send(&HttpRequest::delete(self.url().clone(), request_headers.common())).await?.status;
        let gone = matches!(status, StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_FOUND | StatusCode::GONE);
        if status.is_success() || gone {
            return Ok(());
        }
        Err(Failure::Status(status.as_u16()))
    }
}
