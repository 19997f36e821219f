//! The private descriptors as byte streams: pipes and sockets on tokio's reactor, the rest on a
//! thread, so that each message costs one read and one write and no hand-over where it can.

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
    claim::{Claim, Wire},
};

/// Where the frames come from.
#[derive(Debug)]
pub(super) enum Source {
    Pipe(Receiver),
    Socket(UnixStream),
    Thread(ThreadReader),
}

impl Source {
    pub(super) fn open(claim: &Claim) -> io::Result<Self> {
        let wire = claim.input();
        let reactor = match wire.pollable() {
            Some(FileType::Fifo) => on_reactor(wire, Receiver::from_owned_fd).map(Self::Pipe),
            Some(_) => on_reactor(wire, socket).map(Self::Socket),
            None => return Ok(Self::Thread(ThreadReader::spawn(wire.duplicate()?)?)),
        };
        reactor.or_else(|_| Ok(Self::Thread(ThreadReader::spawn(wire.duplicate()?)?)))
    }
}

/// Where the frames go.
#[derive(Debug)]
pub(super) enum Sink {
    Pipe(Sender),
    Socket(UnixStream),
    Thread(ThreadWriter),
}

impl Sink {
    pub(super) fn open(claim: &Claim) -> io::Result<Self> {
        let wire = claim.output();
        let reactor = match wire.pollable() {
            Some(FileType::Fifo) => on_reactor(wire, Sender::from_owned_fd).map(Self::Pipe),
            Some(_) => on_reactor(wire, socket).map(Self::Socket),
            None => return Ok(Self::Thread(ThreadWriter::spawn(wire.duplicate()?)?)),
        };
        reactor.or_else(|_| Ok(Self::Thread(ThreadWriter::spawn(wire.duplicate()?)?)))
    }
}

/// Registers a copy of `wire` through `register`. An error means: use a thread, which copes with
/// blocking and non-blocking descriptors alike.
fn on_reactor<T>(wire: &Wire, register: fn(OwnedFd) -> io::Result<T>) -> io::Result<T> {
    Handle::try_current().map_err(io::Error::other)?; // else tokio panics
    wire.set_nonblocking()?;
    register(wire.duplicate()?)
}

/// A stream socket of any family: only `read` and `write` are asked of it.
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
            Self::Pipe(_) | Self::Socket(_) => Poll::Ready(Ok(())), // nothing is held back
            Self::Thread(thread) => Pin::new(thread).poll_flush(cx),
        }
    }

    /// Only flushes: a socket's shutdown would reach beyond this pipe.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}
