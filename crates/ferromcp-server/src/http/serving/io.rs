//! A connection's bytes, with an eye on the peer's patience: who connects and says nothing, or takes nothing, is cut.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// The bytes by which HTTP/1.1 and HTTP/2 are told apart; until they are here, nobody else looks at the time.
const GREETING: usize = 24;

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
        Self { io, busy, greeting: GREETING, reads, ended: false, writes }
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

    fn poll_greeting(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.reads.poll_out(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer says nothing")))
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Watched<Io> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
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
