//! The body of a response, from the endpoint or from what is beside it.

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

/// A response being written.
pub(super) struct Answer<B> {
    from: From<B>,
    _busy: Busy,
}

enum From<B> {
    Endpoint(Body),
    Beside(Pin<Box<B>>),
}

/// Counts a request of a connection from its head to the end of its response.
pub(super) struct Busy(Arc<AtomicUsize>);

impl Busy {
    pub(super) fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(count))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl<B> Answer<B> {
    pub(super) fn endpoint(body: Body, busy: Busy) -> Self {
        Self { from: From::Endpoint(body), _busy: busy }
    }

    pub(super) fn beside(body: B, busy: Busy) -> Self {
        Self { from: From::Beside(Box::pin(body)), _busy: busy }
    }
}

impl<B> http_body::Body for Answer<B>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.from {
            From::Endpoint(body) => Pin::new(body).poll_frame(cx).map_err(|never: Infallible| match never {}),
            From::Beside(body) => body.as_mut().poll_frame(cx).map_err(Into::into),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.from {
            From::Endpoint(body) => body.is_end_stream(),
            From::Beside(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.from {
            From::Endpoint(body) => body.size_hint(),
            From::Beside(body) => body.size_hint(),
        }
    }
}
