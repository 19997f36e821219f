//! Reads the body of a request, within its bounds of length and time.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes, BytesMut};
use http_body::Body;
use tokio::time::sleep;

use super::limits::HttpLimits;

/// What is set aside for a body before its first byte has come.
const FIRST: u64 = 16 << 10;

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    TooLong,
    TooSlow,
    /// The client hung up, or broke the rules of HTTP.
    Broken,
}

/// The whole body. One that comes in one piece is not copied.
pub(crate) async fn whole<B: Body>(body: B, limits: &HttpLimits) -> Result<Bytes, Unread> {
    if body.size_hint().lower() > limits.body_bytes as u64 {
        return Err(Unread::TooLong);
    }
    let mut body = pin!(body);
    let mut read = Read { first: Bytes::new(), rest: BytesMut::new(), limit: limits.body_bytes };
    // Most bodies are there already; only for the others there is a timer.
    if let Poll::Ready(done) = poll_fn(|cx| Poll::Ready(read.poll(body.as_mut(), cx))).await {
        return done;
    }
    let mut late = pin!(sleep(limits.body_time));
    poll_fn(|cx| match read.poll(body.as_mut(), cx) {
        Poll::Ready(done) => Poll::Ready(done),
        Poll::Pending => late.as_mut().poll(cx).map(|()| Err(Unread::TooSlow)),
    })
    .await
}

/// What was read so far.
struct Read {
    first: Bytes,
    rest: BytesMut,
    limit: usize,
}

impl Read {
    fn poll<B: Body>(&mut self, mut body: std::pin::Pin<&mut B>, cx: &mut Context<'_>) -> Poll<Result<Bytes, Unread>> {
        loop {
            match body.as_mut().poll_frame(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(Ok(self.take())),
                Poll::Ready(Some(Err(_))) => return Poll::Ready(Err(Unread::Broken)),
                Poll::Ready(Some(Ok(frame))) => {
                    let Ok(data) = frame.into_data() else { continue }; // trailers say nothing to us
                    if !self.push(data, body.size_hint().lower()) {
                        return Poll::Ready(Err(Unread::TooLong));
                    }
                    if body.is_end_stream() {
                        return Poll::Ready(Ok(self.take()));
                    }
                }
            }
        }
    }

    /// Takes a piece, if it is within the limit; `more` is how much is known to come after it.
    fn push(&mut self, mut data: impl Buf, more: u64) -> bool {
        let length = data.remaining();
        if length > self.limit - self.first.len() - self.rest.len() {
            return false;
        }
        if self.first.is_empty() && self.rest.is_empty() {
            self.first = data.copy_to_bytes(length); // of `Bytes`, a slice
            return true;
        }
        if self.rest.is_empty() {
            let more = usize::try_from(more.min(FIRST)).unwrap_or_default();
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
