//! Read and write timeouts for a connection: a peer that sends or reads nothing is disconnected.

use std::future::{Future, poll_fn};
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::stall::{StallLimit, StallTimer};
use crate::http::connection::ConnectionState;
use crate::http::request_body::{DISCARD_BYTES, DISCARD_TIMEOUT};

/// The connection preface of HTTP/2. hyper's header timeout applies only after that many bytes.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The buffer size for the first read. It is the size of hyper's first read, so that most first requests fit.
const FIRST_READ: usize = 8192;

/// How long requests continue after the peer has closed its write side. The peer may still read the response, but most
/// such peers have disconnected, so their requests are then cancelled.
const HALF_CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a request continues when its peer has closed its write side before the end of the body. Such a request cannot
/// succeed and holds memory, but the rest of the body may have been received just now.
const INCOMPLETE_TIMEOUT: Duration = Duration::from_millis(50);

/// A connection with timeouts.
pub(super) struct TimeoutIo<Io> {
    io: Io,
    state: Arc<ConnectionState>,
    /// The number of bytes until the preface timeout no longer applies.
    preface: usize,
    /// Bytes that were peeked and not yet read.
    peeked: Bytes,
    read_timer: IdleTimer,
    /// The timer for an incomplete body after EOF.
    incomplete_timer: IdleTimer,
    /// The peer has closed its write side.
    eof: bool,
    write_timer: StallTimer,
    /// Set once the write side is closed: the number of bytes that may still be discarded, and the timer.
    lingering: Option<(usize, IdleTimer)>,
}

/// A timer that runs while an operation is pending.
struct IdleTimer {
    limit: Duration,
    /// Created on the first pending poll, since most writes complete at once.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<Io> TimeoutIo<Io> {
    /// Creates a connection with timeouts for the first bytes and for each write.
    pub(super) fn new(io: Io, state: Arc<ConnectionState>, preface_timeout: Duration, stall: StallLimit) -> Self {
        Self {
            io,
            state,
            preface: PREFACE.len(),
            peeked: Bytes::new(),
            read_timer: IdleTimer::new(preface_timeout),
            incomplete_timer: IdleTimer::new(INCOMPLETE_TIMEOUT),
            eof: false,
            write_timer: StallTimer::new(stall),
            lingering: None,
        }
    }
}

impl IdleTimer {
    fn new(limit: Duration) -> Self {
        Self { limit, timer: None }
    }

    /// Ready when the timeout has expired.
    fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let limit = self.limit;
        // A limit that overflows `Instant` means no timeout.
        let Some(until) = Instant::now().checked_add(limit) else { return Poll::Pending };
        self.timer.get_or_insert_with(|| Box::pin(sleep_until(until))).as_mut().poll(cx)
    }

    fn reset(&mut self) {
        self.timer = None;
    }
}

impl<Io: AsyncRead + Unpin> TimeoutIo<Io> {
    /// Reports EOF when no request is in flight, or after a timeout.
    fn poll_eof(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.state.is_busy() {
            let is_incomplete = self.state.is_receiving();
            let timer = if is_incomplete { &mut self.incomplete_timer } else { &mut self.read_timer };
            ready!(timer.poll_expired(cx));
        }
        Poll::Ready(Ok(()))
    }

    /// Peeks at the first bytes and returns whether the connection is HTTP/2. Later reads return these bytes again.
    pub(super) async fn detect_http2(&mut self) -> io::Result<bool> {
        let (mut first, mut buffer) = (BytesMut::new(), vec![0; FIRST_READ]);
        while first.len() < PREFACE.len() && PREFACE.starts_with(&first) {
            let mut read = ReadBuf::new(&mut buffer);
            poll_fn(|cx| Pin::new(&mut *self).poll_read(cx, &mut read)).await?;
            if read.filled().is_empty() {
                break;
            }
            first.extend_from_slice(read.filled());
        }
        let is_http2 = first.starts_with(PREFACE);
        self.peeked = first.freeze();
        Ok(is_http2)
    }

    /// Discards what the peer still sends, within limits. Closing a socket with unread data resets the connection, and
    /// the reset can overtake the response to a request that was rejected early.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut discarded = [MaybeUninit::uninit(); FIRST_READ];
        let Some((left, timer)) = &mut self.lingering else { return Poll::Ready(()) };
        loop {
            let mut read = ReadBuf::uninit(&mut discarded);
            match Pin::new(&mut self.io).poll_read(cx, &mut read) {
                Poll::Pending => return timer.poll_expired(cx),
                Poll::Ready(Ok(())) if !read.filled().is_empty() => {}
                Poll::Ready(_) => return Poll::Ready(()), // the peer has closed the connection
            }
            *left = left.saturating_sub(read.filled().len());
            if *left == 0 {
                return Poll::Ready(());
            }
        }
    }

    fn poll_preface_timeout(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.read_timer.poll_expired(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "read timeout: the peer sends nothing")))
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for TimeoutIo<Io> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.peeked.is_empty() {
            let read = this.peeked.len().min(buf.remaining());
            buf.put_slice(&this.peeked.split_to(read));
            return Poll::Ready(Ok(()));
        }
        if this.eof {
            return this.poll_eof(cx);
        }
        let (before, capacity) = (buf.filled().len(), buf.remaining());
        match Pin::new(&mut this.io).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending if this.preface > 0 => return this.poll_preface_timeout(cx),
            Poll::Pending => return Poll::Pending,
        }
        let read = buf.filled().len() - before;
        this.state.add_received(read);
        if read == 0 && capacity > 0 {
            this.eof = true;
            this.read_timer = IdleTimer::new(HALF_CLOSE_TIMEOUT);
            return this.poll_eof(cx);
        }
        if this.preface > 0 {
            this.preface = this.preface.saturating_sub(read);
            if this.preface == 0 {
                this.read_timer.reset();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TimeoutIo<Io> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.io).poll_write(cx, bytes);
        check_write(&mut this.write_timer, written, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.io).poll_write_vectored(cx, slices);
        check_write(&mut this.write_timer, written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.io).poll_flush(cx);
        check_write(&mut this.write_timer, flushed, cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.lingering.is_none() {
            let shut = Pin::new(&mut this.io).poll_shutdown(cx);
            ready!(check_write(&mut this.write_timer, shut, cx))?;
            if this.eof || !this.state.is_unread() {
                return Poll::Ready(Ok(()));
            }
            this.lingering = Some((DISCARD_BYTES, IdleTimer::new(DISCARD_TIMEOUT)));
        }
        this.poll_linger(cx).map(Ok)
    }
}

/// Applies the stall timeout to the result of polling a write.
fn check_write<T>(timer: &mut StallTimer, written: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
    if written.is_ready() {
        timer.reset();
        return written;
    }
    ready!(timer.poll_expired(cx));
    Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "write timeout: the peer reads nothing")))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    /// Sends `bytes` in chunks of `chunk` bytes. Returns whether HTTP/2 was detected, and the bytes that were read.
    async fn detect(bytes: &[u8], chunk: usize) -> (bool, Vec<u8>) {
        let (mut peer, io) = duplex(chunk);
        let mut io = TimeoutIo::new(
            io,
            Arc::default(),
            Duration::from_secs(9),
            StallLimit::new(Duration::from_secs(9), || false),
        );
        let send = async {
            peer.write_all(bytes).await.unwrap();
            drop(peer);
        };
        let read = async {
            let is_http2 = io.detect_http2().await.unwrap();
            let mut read = Vec::new();
            io.read_to_end(&mut read).await.unwrap();
            (is_http2, read)
        };
        tokio::join!(send, read).1
    }

    #[tokio::test]
    async fn detects_http2_without_losing_bytes() {
        let http2 = [PREFACE, b"frames"].concat();
        for chunk in [1, 7, 100] {
            assert_eq!(detect(&http2, chunk).await, (true, http2.clone()));
            for bytes in [&b"POST /mcp HTTP/1.1\r\n\r\n"[..], b"PRI * HTTP/1.1\r\n\r\n", b"PRI", b""] {
                assert_eq!(detect(bytes, chunk).await, (false, bytes.to_vec()));
            }
        }
    }
}
