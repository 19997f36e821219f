//! The body of a response, from the endpoint or from the fallback service.

use std::convert::Infallible;
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::http::body::Body;

type BoxError = Box<dyn Error + Send + Sync>;

/// The body of a response.
pub(super) struct ResponseBody<B> {
    source: Source<B>,
    _guard: RequestGuard,
}

enum Source<B> {
    Endpoint(Body),
    Fallback(Pin<Box<B>>),
}

/// Counts a request of a connection as in flight, until the end of its response.
pub(super) struct RequestGuard(Arc<AtomicUsize>);

impl RequestGuard {
    pub(super) fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(count))
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl<B> ResponseBody<B> {
    pub(super) fn endpoint(body: Body, guard: RequestGuard) -> Self {
        Self { source: Source::Endpoint(body), _guard: guard }
    }

    pub(super) fn fallback(body: B, guard: RequestGuard) -> Self {
        Self { source: Source::Fallback(Box::pin(body)), _guard: guard }
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
        match &mut self.source {
            Source::Endpoint(body) => Pin::new(body).poll_frame(cx).map_err(|never: Infallible| match never {}),
            Source::Fallback(body) => body.as_mut().poll_frame(cx).map_err(Into::into),
        }
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
