//! The body of a response, from the endpoint or from the fallback service.

use std::convert::Infallible;
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::stall::{WriteProgress, report};
use crate::http::body::Body;
use crate::http::connection::Connection;

type BoxError = Box<dyn Error + Send + Sync>;

/// The body of a response.
pub(super) struct ResponseBody<B> {
    source: Source<B>,
    /// The number of frames that the connection has taken.
    taken: u64,
    guard: RequestGuard,
}

enum Source<B> {
    Endpoint(Body),
    Fallback(Pin<Box<B>>),
}

/// Counts a request of a connection as in flight, until the end of its response.
pub(super) struct RequestGuard(Arc<Connection>);

impl RequestGuard {
    pub(super) fn new(connection: &Arc<Connection>) -> Self {
        connection.state.begin_request();
        Self(Arc::clone(connection))
    }

    pub(super) fn connection(&self) -> &Arc<Connection> {
        &self.0
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        self.0.state.end_request();
    }
}

impl<B> ResponseBody<B> {
    pub(super) fn endpoint(body: Body, guard: RequestGuard) -> Self {
        Self { source: Source::Endpoint(body), taken: 0, guard }
    }

    /// Reports the progress of the body, whose last poll has returned a frame if `has_frame` is set.
    fn report(&self, has_frame: bool) {
        let mut progress = WriteProgress { is_writing: has_frame, count: self.taken };
        if let Source::Endpoint(body) = &self.source {
            if let Some(unwritten) = body.unwritten() {
                progress.is_writing |= !unwritten.is_empty();
                progress.count += unwritten.progress();
            }
        }
        report(progress);
    }

    pub(super) fn fallback(body: B, guard: RequestGuard) -> Self {
        Self { source: Source::Fallback(Box::pin(body)), taken: 0, guard }
    }
}

impl<B> http_body::Body for ResponseBody<B>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let frame = match &mut this.source {
            Source::Endpoint(body) => Pin::new(body).poll_frame(cx).map_err(|never: Infallible| match never {}),
            Source::Fallback(body) => body.as_mut().poll_frame(cx).map_err(Into::into),
        };
        if this.guard.connection().is_http2 {
            this.taken += u64::from(frame.is_ready());
            this.report(frame.is_ready());
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Endpoint(body) => body.is_end_stream(),
            Source::Fallback(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Endpoint(body) => body.size_hint(),
            Source::Fallback(body) => body.size_hint(),
        }
    }
}
