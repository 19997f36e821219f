//! A thread per direction for descriptors that no reactor can poll: files, terminals, `/dev/null`.
//!
//! At most [`CHUNKS`] reads of [`READ_SIZE`] wait for the reader, and one for the writer.

use std::{
    io::{self, Write},
    os::{fd::OwnedFd, unix::net::UnixStream},
    pin::Pin,
    sync::mpsc::{self as threads, SyncSender},
    task::{Context, Poll, ready},
    thread,
};

use bytes::{Buf, Bytes};
use rustix::{
    event::{PollFd, PollFlags, poll},
    io::{Errno, read, write},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::mpsc,
};

use crate::line::READ_SIZE;

/// How many reads may wait to be taken.
const CHUNKS: usize = 4;

/// Reads a descriptor on a thread of its own.
#[derive(Debug)]
pub(super) struct ThreadReader {
    chunks: mpsc::Receiver<io::Result<Bytes>>,
    current: Bytes,
    /// Closed by dropping it, which ends the thread even while it waits for a terminal: else it
    /// would eat a line that is meant for whoever reads next.
    _stop: UnixStream,
}

impl ThreadReader {
    pub(super) fn spawn(fd: OwnedFd) -> io::Result<Self> {
        let (sender, chunks) = mpsc::channel(CHUNKS);
        let (stop, stopped) = UnixStream::pair()?;
        thread::Builder::new().name("ferromcp-stdin".into()).spawn(move || read_all(&fd, &stopped, &sender))?;
        Ok(Self { chunks, current: Bytes::new(), _stop: stop })
    }
}

impl AsyncRead for ThreadReader {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.current.is_empty() {
            match ready!(self.chunks.poll_recv(cx)) {
                Some(chunk) => self.current = chunk?,
                None => return Poll::Ready(Ok(())), // the end
            }
        }
        let count = self.current.len().min(buf.remaining());
        buf.put_slice(&self.current[..count]);
        self.current.advance(count);
        Poll::Ready(Ok(()))
    }
}

/// The reading thread: ends with the input, at an error, or when nobody listens any more.
fn read_all(fd: &OwnedFd, stopped: &UnixStream, sender: &mpsc::Sender<io::Result<Bytes>>) {
    let mut buffer = vec![0; READ_SIZE];
    while wait_readable(fd, stopped) {
        let chunk = match read(fd, &mut buffer[..]) {
            Ok(0) => return,
            Ok(count) => Ok(Bytes::copy_from_slice(&buffer[..count])),
            Err(Errno::INTR | Errno::AGAIN) => continue,
            Err(error) => Err(error.into()),
        };
        let over = chunk.is_err();
        if sender.blocking_send(chunk).is_err() || over {
            return;
        }
    }
}

/// Waits until `fd` can be read; `false` when the thread should stop instead.
fn wait_readable(fd: &OwnedFd, stopped: &UnixStream) -> bool {
    let mut fds = [PollFd::new(fd, PollFlags::IN), PollFd::new(stopped, PollFlags::IN)];
    // An error of `poll` itself is left to show at the read: some systems cannot poll terminals.
    let _ = poll(&mut fds, None);
    fds[1].revents().is_empty()
}

/// Writes a descriptor on a thread of its own, one piece at a time.
#[derive(Debug)]
pub(super) struct ThreadWriter {
    /// The thread's only job, so that no more than one piece is ever under way.
    jobs: SyncSender<Vec<u8>>,
    done: mpsc::Receiver<io::Result<()>>,
    under_way: bool,
}

impl ThreadWriter {
    pub(super) fn spawn(fd: OwnedFd) -> io::Result<Self> {
        let (jobs, pieces) = threads::sync_channel::<Vec<u8>>(1);
        let (report, done) = mpsc::channel(1);
        thread::Builder::new().name("ferromcp-stdout".into()).spawn(move || {
            for piece in pieces {
                let written = Blocking(&fd).write_all(&piece);
                let over = written.is_err();
                if report.blocking_send(written).is_err() || over {
                    return;
                }
            }
        })?;
        Ok(Self { jobs, done, under_way: false })
    }
}

impl AsyncWrite for ThreadWriter {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.as_mut().poll_flush(cx))?;
        let piece = &buf[..buf.len().min(READ_SIZE)];
        self.jobs.try_send(piece.to_vec()).map_err(|_| ended())?;
        self.under_way = true;
        Poll::Ready(Ok(piece.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.under_way {
            let written = ready!(self.done.poll_recv(cx));
            self.under_way = false;
            return Poll::Ready(written.unwrap_or_else(|| Err(ended())));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

/// What is left to say after the thread reported why it ended.
fn ended() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "standard output failed earlier")
}

/// Writes to a descriptor, waiting where it is non-blocking by somebody else's choice.
struct Blocking<'fd>(&'fd OwnedFd);

impl Write for Blocking<'_> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        loop {
            match write(self.0, piece) {
                Err(Errno::AGAIN) => {
                    poll(&mut [PollFd::new(self.0, PollFlags::OUT)], None)?;
                }
                written => return Ok(written?),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
