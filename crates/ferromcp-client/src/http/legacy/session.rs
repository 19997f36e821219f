//! The id of a legacy session, as the server gave it.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management>.

use std::fmt;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use crate::http::endpoint::{HttpRequest, Endpoint};
use crate::http::failure::{Failure, StatusError};
use crate::http::request_headers::RequestHeaders;
use crate::http::stream::{EventStream, StreamOrigin, opened};

/// The id of a session. Whoever knows it can speak in the session, so it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionId(HeaderValue);

impl SessionId {
    /// Takes an id that is visible ASCII and at most `limit` bytes long.
    pub(in crate::http) fn read(value: &HeaderValue, limit: usize) -> Result<Self, Failure> {
        if value.len() > limit {
            return Err(Failure::TooLarge { what: "the session's id", name: "id_bytes", limit });
        }
        if value.is_empty() || !value.as_bytes().iter().all(u8::is_ascii_graphic) {
            return Err(Failure::malformed("the session's id is not visible ASCII"));
        }
        let mut value = value.clone();
        value.set_sensitive(true);
        Ok(Self(value))
    }

    pub(in crate::http) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(…)")
    }
}

impl Endpoint {
    /// Opens the stream on which a session hears what belongs to no request. `None` if the server offers none.
    ///
    /// It is resumed when it is cut, without a gap if the server numbers its events.
    ///
    /// # Errors
    /// When the server refuses otherwise.
    pub async fn get_stream(&self, request_headers: &RequestHeaders) -> Result<Option<EventStream>, Failure> {
        let answer = self.ask(&HttpRequest::stream(self.url().clone(), request_headers.common())).await?;
        if answer.status == StatusCode::METHOD_NOT_ALLOWED {
            return Ok(None);
        }
        let body = opened(answer, request_headers)?;
        Ok(Some(EventStream::new(self.clone(), request_headers.clone(), StreamOrigin::Get, body)))
    }

    /// Ends the session. That the server does not let clients do so, or has ended it already, is no error.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses otherwise.
    pub async fn delete_session(&self, request_headers: &RequestHeaders) -> Result<(), Failure> {
        if request_headers.session().is_none() {
            return Ok(());
        }
        let status = self.ask(&HttpRequest::delete(self.url().clone(), request_headers.common())).await?.status;
        let gone = matches!(status, StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_FOUND | StatusCode::GONE);
        if status.is_success() || gone {
            return Ok(());
        }
        Err(Failure::Status(StatusError::new(status.as_u16(), Bytes::new())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // S-176
    #[test]
    fn only_visible_ascii_is_a_session_and_it_is_never_shown() {
        let read = |id: &'static str| SessionId::read(&HeaderValue::from_static(id), 8);
        assert!(!format!("{:?}", read("1868a90c").expect("an id")).contains("1868"));
        assert!(!format!("{:?}", read("1868a90c").expect("an id").header()).contains("1868"));
        for bad in ["", "a b", "a\tb", "123456789"] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
        assert!(SessionId::read(&HeaderValue::from_bytes(b"\xc3\xa4").expect("a header"), 8).is_err());
    }
}
