//! Standard input and output on systems other than Unix: the tokio streams, unmodified.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, Stdin, Stdout};

/// Whether a [`Claim`] exists. Only one can exist per process.
static IN_USE: AtomicBool = AtomicBool::new(false);

/// Exclusive access to stdin and stdout, released when the last clone is dropped.
#[derive(Debug, Clone)]
pub(super) struct Claim(#[expect(dead_code, reason = "held for its drop")] Arc<InUse>);

impl Claim {
    pub(super) fn new() -> io::Result<Self> {
        if IN_USE.swap(true, Ordering::AcqRel) {
            let message = "stdio is already in use by another transport of this process";
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, message));
        }
        Ok(Self(Arc::new(InUse)))
    }
}

#[derive(Debug)]
struct InUse;

impl Drop for InUse {
    fn drop(&mut self) {
        IN_USE.store(false, Ordering::Release);
    }
}

/// The byte stream for input.
#[derive(Debug)]
pub(super) struct Source(Stdin);

impl Source {
    #[expect(clippy::unnecessary_wraps, reason = "the Unix implementation can fail")]
    pub(super) fn open(_: &Claim) -> io::Result<Self> {
        Ok(Self(tokio::io::stdin()))
    }
}

impl AsyncRead for Source {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

/// The byte stream for output.
#[derive(Debug)]
pub(super) struct Sink(Stdout);

impl Sink {
    #[expect(clippy::unnecessary_wraps, reason = "the Unix implementation can fail")]
    pub(super) fn open(_: &Claim) -> io::Result<Self> {
        Ok(Self(tokio::io::stdout()))
    }
}

impl AsyncWrite for Sink {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }
}
