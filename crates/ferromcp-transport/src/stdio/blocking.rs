//! A thread per direction for descriptors that the reactor cannot poll: files, terminals, `/dev/null`.
//!
//! At most [`CHUNKS`] reads of [`READ_SIZE`] bytes are buffered for the reader, and one chunk for the writer.

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

/// The maximum number of buffered reads.
const CHUNKS: usize = 4;

/// Reads a descriptor on a dedicated thread.
#[derive(Debug)]
pub(super) struct ThreadReader {
    chunks: mpsc::Receiver<io::Result<Bytes>>,
    current: Bytes,
    /// Dropping it stops the thread, even while the thread waits for a terminal. Otherwise the thread would
    /// consume a line that is intended for the next reader.
    _stop: UnixStream,
}

impl ThreadReader {
    pub(super) fn spawn(fd: OwnedFd) -> io::Result<Self> {
        let (sender, chunks) = mpsc::channel(CHUNKS);
        let (stop, stop_rx) = UnixStream::pair()?;
        thread::Builder::new().name("ferromcp-stdin".into()).spawn(move || read_all(&fd, &stop_rx, &sender))?;
        Ok(Self { chunks, current: Bytes::new(), _stop: stop })
    }
}

impl AsyncRead for ThreadReader {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.current.is_empty() {
            match ready!(self.chunks.poll_recv(cx)) {
                Some(chunk) => self.current = chunk?,
                None => return Poll::Ready(Ok(())), // end of input
            }
        }
        let count = self.current.len().min(buf.remaining());
        buf.put_slice(&self.current[..count]);
        self.current.advance(count);
        Poll::Ready(Ok(()))
    }
}

/// Runs the reading thread until the end of the input, an error, or the drop of the reader.
fn read_all(fd: &OwnedFd, stop_rx: &UnixStream, sender: &mpsc::Sender<io::Result<Bytes>>) {
    let mut buffer = vec![0; READ_SIZE];
    while wait_readable(fd, stop_rx) {
        let chunk = match read(fd, &mut buffer[..]) {
            Ok(0) => return,
            Ok(count) => Ok(Bytes::copy_from_slice(&buffer[..count])),
            Err(Errno::INTR | Errno::AGAIN) => continue,
            Err(error) => Err(error.into()),
        };
        let is_error = chunk.is_err();
        if sender.blocking_send(chunk).is_err() || is_error {
            return;
        }
    }
}

/// Waits until `fd` is readable. Returns `false` if the thread should stop.
fn wait_readable(fd: &OwnedFd, stop_rx: &UnixStream) -> bool {
    let mut fds = [PollFd::new(fd, PollFlags::IN), PollFd::new(stop_rx, PollFlags::IN)];
    // An error of `poll` is ignored, because some systems cannot poll terminals; `read` reports real errors.
    let _ = poll(&mut fds, None);
    fds[1].revents().is_empty()
}

/// Writes a descriptor on a dedicated thread, one chunk at a time.
#[derive(Debug)]
pub(super) struct ThreadWriter {
    /// The queue to the thread, with at most one chunk in flight.
    jobs: SyncSender<Vec<u8>>,
    done: mpsc::Receiver<io::Result<()>>,
    in_flight: bool,
}

impl ThreadWriter {
    pub(super) fn spawn(fd: OwnedFd) -> io::Result<Self> {
        let (jobs, chunks_rx) = threads::sync_channel::<Vec<u8>>(1);
        let (report, done) = mpsc::channel(1);
        thread::Builder::new().name("ferromcp-stdout".into()).spawn(move || {
            for chunk in chunks_rx {
                let written = BlockingFd(&fd).write_all(&chunk);
                let is_error = written.is_err();
                if report.blocking_send(written).is_err() || is_error {
                    return;
                }
            }
        })?;
        Ok(Self { jobs, done, in_flight: false })
    }
}

impl AsyncWrite for ThreadWriter {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.as_mut().poll_flush(cx))?;
        let chunk = &buf[..buf.len().min(READ_SIZE)];
        self.jobs.try_send(chunk.to_vec()).map_err(|_| closed_error())?;
        self.in_flight = true;
        Poll::Ready(Ok(chunk.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.in_flight {
            let written = ready!(self.done.poll_recv(cx));
            self.in_flight = false;
            return Poll::Ready(written.unwrap_or_else(|| Err(closed_error())));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

/// Returns the error for writes after the thread has reported an error and stopped.
fn closed_error() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "cannot write to stdout: an earlier write failed")
}

/// Writes to a descriptor, and waits if another process has set it to non-blocking mode.
struct BlockingFd<'fd>(&'fd OwnedFd);

impl Write for BlockingFd<'_> {
    fn write(&mut self, chunk: &[u8]) -> io::Result<usize> {
        loop {
            match write(self.0, chunk) {
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
