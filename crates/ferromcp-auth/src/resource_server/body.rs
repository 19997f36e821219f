//! Bodies of responses.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// A complete body.
#[derive(Clone, Default)]
pub struct ResponseBody(Option<Bytes>);

/// The body of a response of a protected service: that of the service, or a complete one.
pub struct ProtectedBody<B>(Kind<B>);

enum Kind<B> {
    Service(Pin<Box<B>>),
    Complete(ResponseBody),
}

impl ResponseBody {
    pub(crate) fn new(bytes: Bytes) -> Self {
        Self(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }
}

impl<B> ProtectedBody<B> {
    pub(super) fn of_service(body: B) -> Self {
        Self(Kind::Service(Box::pin(body)))
    }

    pub(super) fn complete(bytes: Bytes) -> Self {
        Self(Kind::Complete(ResponseBody::new(bytes)))
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

impl<B: Body<Data = Bytes>> Body for ProtectedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match &mut self.0 {
            Kind::Service(body) => body.as_mut().poll_frame(cx),
            Kind::Complete(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Service(body) => body.is_end_stream(),
            Kind::Complete(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Service(body) => body.size_hint(),
            Kind::Complete(body) => body.size_hint(),
        }
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").finish_non_exhaustive()
    }
}

impl<B> fmt::Debug for ProtectedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtectedBody").finish_non_exhaustive()
    }
}
