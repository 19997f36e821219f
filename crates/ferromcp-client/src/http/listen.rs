//! What a legacy session has beside POSTs: a stream for what the server says by itself, and an end.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#listening-for-messages-from-the-server>.

use bytes::Bytes;
use http::StatusCode;

use super::endpoint::{Ask, Endpoint};
use super::failure::{Failure, Refusal};
use super::head::Head;
use super::stream::{EventStream, Origin, opened};

impl Endpoint {
    /// Opens the stream on which a session hears what belongs to no request. `None` if the server offers none.
    ///
    /// It is resumed when it is cut, without a gap if the server numbers its events.
    ///
    /// # Errors
    /// When the server refuses otherwise.
    pub async fn listen(&self, head: &Head) -> Result<Option<EventStream>, Failure> {
        let answer = self.ask(&Ask::stream(self.url().clone(), head.standing())).await?;
        if answer.status == StatusCode::METHOD_NOT_ALLOWED {
            return Ok(None);
        }
        let body = opened(answer, head)?;
        Ok(Some(EventStream::new(self.clone(), head.clone(), Origin::Listening, body)))
    }

    /// Ends the session. That the server does not let clients do so, or has ended it already, is no error.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses otherwise.
    pub async fn end(&self, head: &Head) -> Result<(), Failure> {
        if head.session().is_none() {
            return Ok(());
        }
        let status = self.ask(&Ask::delete(self.url().clone(), head.standing())).await?.status;
        let gone = matches!(status, StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_FOUND | StatusCode::GONE);
        if status.is_success() || gone {
            return Ok(());
        }
        Err(Failure::Status(Refusal::new(status.as_u16(), Bytes::new())))
    }
}
