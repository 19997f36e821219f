//! Bodies of responses: whole, a stream of events, or that of the MCP endpoint.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use ferromcp_server::http::Body as EndpointBody;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use tokio::sync::mpsc;

/// The body of a response.
pub(crate) enum ResponseBody {
    Whole(Full<Bytes>),
    Events(mpsc::Receiver<Bytes>),
    Endpoint(EndpointBody),
}

impl ResponseBody {
    /// Creates a body of these bytes.
    pub(super) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole(Full::new(bytes.into()))
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Self::Whole(body) => Pin::new(body).poll_frame(cx),
            Self::Events(events) => Poll::Ready(ready!(events.poll_recv(cx)).map(|bytes| Ok(Frame::data(bytes)))),
            Self::Endpoint(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Events(_) => false,
            Self::Endpoint(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Events(_) => SizeHint::default(),
            Self::Endpoint(body) => body.size_hint(),
        }
    }
}
