//! Reads the body of a request, within limits of size and time.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes, BytesMut};
use http_body::Body;
use tokio::time::sleep;

use super::limits::HttpServerLimits;

/// The maximum number of bytes reserved for data that has not arrived.
const MAX_RESERVE: u64 = 16 << 10;

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyError {
    TooLarge,
    TimedOut,
    /// The client disconnected, or violated HTTP.
    Incomplete,
}

/// Reads a whole body. A body in a single frame is not copied.
pub(crate) async fn read<B: Body>(body: B, limits: &HttpServerLimits) -> Result<Bytes, BodyError> {
    if body.size_hint().lower() > limits.body_bytes as u64 {
        return Err(BodyError::TooLarge);
    }
    let mut body = pin!(body);
    let mut reader = Reader { first: Bytes::new(), rest: BytesMut::new(), limit: limits.body_bytes };
    // Most bodies have arrived already and need no timer.
    if let Poll::Ready(done) = poll_fn(|cx| Poll::Ready(reader.poll(body.as_mut(), cx))).await {
        return done;
    }
    let mut timeout = pin!(sleep(limits.body_timeout));
    poll_fn(|cx| match reader.poll(body.as_mut(), cx) {
        Poll::Ready(done) => Poll::Ready(done),
        Poll::Pending => timeout.as_mut().poll(cx).map(|()| Err(BodyError::TimedOut)),
    })
    .await
}

/// Collects the frames of a body.
struct Reader {
    first: Bytes,
    rest: BytesMut,
    limit: usize,
}

impl Reader {
    fn poll<B: Body>(
        &mut self,
        mut body: std::pin::Pin<&mut B>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Bytes, BodyError>> {
        loop {
            match body.as_mut().poll_frame(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(Ok(self.take())),
                Poll::Ready(Some(Err(_))) => return Poll::Ready(Err(BodyError::Incomplete)),
                Poll::Ready(Some(Ok(frame))) => {
                    let Ok(data) = frame.into_data() else { continue }; // trailers are ignored
                    if !self.push(data, body.size_hint().lower()) {
                        return Poll::Ready(Err(BodyError::TooLarge));
                    }
                    if body.is_end_stream() {
                        return Poll::Ready(Ok(self.take()));
                    }
                }
            }
        }
    }

    /// Appends a frame that is followed by at least `more` bytes. Returns false if the limit is exceeded.
    fn push(&mut self, mut data: impl Buf, more: u64) -> bool {
        let length = data.remaining();
        if length > self.limit - self.first.len() - self.rest.len() {
            return false;
        }
        if self.first.is_empty() && self.rest.is_empty() {
            self.first = data.copy_to_bytes(length); // for `Bytes` a slice, not a copy
            return true;
        }
        if self.rest.is_empty() {
            let more = usize::try_from(more.min(MAX_RESERVE)).unwrap_or_default();
            self.rest.reserve(self.first.len() + length + more);
            self.rest.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.rest.extend_from_slice(&data.copy_to_bytes(length));
        true
    }

    fn take(&mut self) -> Bytes {
        if self.rest.is_empty() { std::mem::take(&mut self.first) } else { std::mem::take(&mut self.rest).freeze() }
    }
}
