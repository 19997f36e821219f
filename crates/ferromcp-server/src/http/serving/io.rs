//! A connection's bytes, with an eye on the peer's patience: who connects and says nothing, or takes nothing, is cut.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// What HTTP/2 begins with. Until as many bytes are here, nobody else looks at the time.
const GREETING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Room for the first bytes: for as many as hyper reads at once, so that nearly all first requests come in one piece.
const FIRST: usize = 8192;

/// How long a peer that closed its side still gets an answer. It may only have finished what it had to say; but most
/// that do so are gone, and a request of theirs is cancelled.
const HALF_CLOSED: Duration = Duration::from_secs(1);

/// A connection that is watched.
pub(super) struct Watched<Io> {
    io: Io,
    /// How many of its requests are being answered.
    busy: Arc<AtomicUsize>,
    /// Bytes of the greeting that are still to come.
    greeting: usize,
    /// Bytes that were looked at and are still to be read.
    first: Bytes,
    reads: Patience,
    /// The peer closed its side.
    ended: bool,
    writes: Patience,
}

/// Time that runs while something does not happen.
struct Patience {
    limit: Duration,
    /// Made when waiting begins: nearly no write ever waits.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<Io> Watched<Io> {
    /// `greeting` is how long the first bytes may take, `stall` how long a write may.
    pub(super) fn new(io: Io, busy: Arc<AtomicUsize>, greeting: Duration, stall: Duration) -> Self {
        let (reads, writes) = (Patience::new(greeting), Patience::new(stall));
        Self { io, busy, greeting: GREETING.len(), first: Bytes::new(), reads, ended: false, writes }
    }
}

impl Patience {
    fn new(limit: Duration) -> Self {
        Self { limit, timer: None }
    }

    /// Whether it has run out.
    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let limit = self.limit;
        // A limit too great for a clock is none.
        let Some(until) = Instant::now().checked_add(limit) else { return Poll::Pending };
        self.timer.get_or_insert_with(|| Box::pin(sleep_until(until))).as_mut().poll(cx)
    }

    fn rest(&mut self) {
        self.timer = None;
    }

    /// Watches one write.
    fn watch<T>(&mut self, written: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.rest();
            return written;
        }
        ready!(self.poll_out(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer takes nothing")))
    }
}

impl<Io: AsyncRead + Unpin> Watched<Io> {
    /// The peer has nothing more to say. That is told once nothing is being answered, or after a while.
    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.busy.load(Ordering::Acquire) > 0 {
            ready!(self.reads.poll_out(cx));
        }
        Poll::Ready(Ok(()))
    }

    /// Looks at the first bytes: whether the peer speaks HTTP/2. They are still read by whoever serves it.
    pub(super) async fn speaks_http2(&mut self) -> io::Result<bool> {
        let (mut first, mut room) = (BytesMut::new(), vec![0; FIRST]);
        while first.len() < GREETING.len() && GREETING.starts_with(&first) {
            let mut read = ReadBuf::new(&mut room);
            poll_fn(|cx| Pin::new(&mut *self).poll_read(cx, &mut read)).await?;
            if read.filled().is_empty() {
                break;
            }
            first.extend_from_slice(read.filled());
        }
        let speaks_http2 = first.starts_with(GREETING);
        self.first = first.freeze();
        Ok(speaks_http2)
    }

    fn poll_greeting(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.reads.poll_out(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer says nothing")))
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Watched<Io> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.first.is_empty() {
            let read = this.first.len().min(buf.remaining());
            buf.put_slice(&this.first.split_to(read));
            return Poll::Ready(Ok(()));
        }
        if this.ended {
            return this.poll_ended(cx);
        }
        let (before, room) = (buf.filled().len(), buf.remaining());
        match Pin::new(&mut this.io).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending if this.greeting > 0 => return this.poll_greeting(cx),
            Poll::Pending => return Poll::Pending,
        }
        let read = buf.filled().len() - before;
        if read == 0 && room > 0 {
            this.ended = true;
            this.reads = Patience::new(HALF_CLOSED);
            return this.poll_ended(cx);
        }
        if this.greeting > 0 {
            this.greeting = this.greeting.saturating_sub(read);
            if this.greeting == 0 {
                this.reads.rest();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Watched<Io> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.io).poll_write(cx, bytes);
        this.writes.watch(written, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.io).poll_write_vectored(cx, slices);
        this.writes.watch(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.io).poll_flush(cx);
        this.writes.watch(flushed, cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let shut = Pin::new(&mut this.io).poll_shutdown(cx);
        this.writes.watch(shut, cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    /// Whether `said`, which comes in pieces of `piece` bytes, is taken for HTTP/2; and what is read then.
    async fn greeted(said: &[u8], piece: usize) -> (bool, Vec<u8>) {
        let (mut peer, io) = duplex(piece);
        let mut io = Watched::new(io, Arc::default(), Duration::from_secs(9), Duration::from_secs(9));
        let say = async {
            peer.write_all(said).await.unwrap();
            drop(peer);
        };
        let read = async {
            let speaks_http2 = io.speaks_http2().await.unwrap();
            let mut read = Vec::new();
            io.read_to_end(&mut read).await.unwrap();
            (speaks_http2, read)
        };
        tokio::join!(say, read).1
    }

    #[tokio::test]
    async fn protocols_are_told_apart_and_no_byte_is_lost() {
        let http2 = [GREETING, b"frames"].concat();
        for piece in [1, 7, 100] {
            assert_eq!(greeted(&http2, piece).await, (true, http2.clone()));
            for said in [&b"POST /mcp HTTP/1.1\r\n\r\n"[..], b"PRI * HTTP/1.1\r\n\r\n", b"PRI", b""] {
                assert_eq!(greeted(said, piece).await, (false, said.to_vec()));
            }
        }
    }
}
