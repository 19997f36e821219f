//! The saved descriptors as byte streams: pipes and sockets are registered with tokio's reactor, other
//! descriptors use a thread. With the reactor, a message costs one read and one write.

use std::{
    io,
    os::{fd::OwnedFd, unix::net::UnixStream as StdUnixStream},
    pin::Pin,
    task::{Context, Poll},
};

use rustix::fs::FileType;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{
        UnixStream,
        unix::pipe::{Receiver, Sender},
    },
    runtime::Handle,
};

use super::{
    blocking::{ThreadReader, ThreadWriter},
    claim::{Claim, SavedFd},
};

/// The byte stream for input.
#[derive(Debug)]
pub(super) enum Source {
    Pipe(Receiver),
    Socket(UnixStream),
    Thread(ThreadReader),
}

impl Source {
    pub(super) fn open(claim: &Claim) -> io::Result<Self> {
        let fd = claim.input();
        let reactor = match fd.pollable() {
            Some(FileType::Fifo) => on_reactor(fd, Receiver::from_owned_fd).map(Self::Pipe),
            Some(_) => on_reactor(fd, socket).map(Self::Socket),
            None => return Ok(Self::Thread(ThreadReader::spawn(fd.duplicate()?)?)),
        };
        reactor.or_else(|_| Ok(Self::Thread(ThreadReader::spawn(fd.duplicate()?)?)))
    }
}

/// The byte stream for output.
#[derive(Debug)]
pub(super) enum Sink {
    Pipe(Sender),
    Socket(UnixStream),
    Thread(ThreadWriter),
}

impl Sink {
    pub(super) fn open(claim: &Claim) -> io::Result<Self> {
        let fd = claim.output();
        let reactor = match fd.pollable() {
            Some(FileType::Fifo) => on_reactor(fd, Sender::from_owned_fd).map(Self::Pipe),
            Some(_) => on_reactor(fd, socket).map(Self::Socket),
            None => return Ok(Self::Thread(ThreadWriter::spawn(fd.duplicate()?)?)),
        };
        reactor.or_else(|_| Ok(Self::Thread(ThreadWriter::spawn(fd.duplicate()?)?)))
    }
}

/// Registers a duplicate of `fd` with the reactor. On error, the caller falls back to a thread, which
/// supports blocking and non-blocking descriptors.
fn on_reactor<T>(fd: &SavedFd, register: fn(OwnedFd) -> io::Result<T>) -> io::Result<T> {
    Handle::try_current().map_err(io::Error::other)?; // tokio panics without a runtime
    fd.set_nonblocking()?;
    register(fd.duplicate()?)
}

/// Wraps a stream socket of any address family. Only `read` and `write` are used.
fn socket(fd: OwnedFd) -> io::Result<UnixStream> {
    UnixStream::from_std(StdUnixStream::from(fd))
}

impl AsyncRead for Source {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Pipe(pipe) => Pin::new(pipe).poll_read(cx, buf),
            Self::Socket(socket) => Pin::new(socket).poll_read(cx, buf),
            Self::Thread(thread) => Pin::new(thread).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Sink {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Pipe(pipe) => Pin::new(pipe).poll_write(cx, buf),
            Self::Socket(socket) => Pin::new(socket).poll_write(cx, buf),
            Self::Thread(thread) => Pin::new(thread).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Pipe(_) | Self::Socket(_) => Poll::Ready(Ok(())), // not buffered
            Self::Thread(thread) => Pin::new(thread).poll_flush(cx),
        }
    }

    /// Only flushes. Shutting down a socket would affect other users of it.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}
