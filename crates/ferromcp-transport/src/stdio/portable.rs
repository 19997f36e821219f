//! Standard input and output where there are no Unix descriptors: tokio's, as they are.

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

/// Whether a [`Claim`] lives: a process has but one stdin.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The right to stdin and stdout; the last clone gives it back.
#[derive(Debug, Clone)]
pub(super) struct Claim(#[expect(dead_code, reason = "held for its drop")] Arc<Taken>);

impl Claim {
    pub(super) fn new() -> io::Result<Self> {
        if TAKEN.swap(true, Ordering::AcqRel) {
            let why = "stdio is already in use by another transport of this process";
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, why));
        }
        Ok(Self(Arc::new(Taken)))
    }
}

#[derive(Debug)]
struct Taken;

impl Drop for Taken {
    fn drop(&mut self) {
        TAKEN.store(false, Ordering::Release);
    }
}

/// Where the frames come from.
#[derive(Debug)]
pub(super) struct Source(Stdin);

impl Source {
    #[expect(clippy::unnecessary_wraps, reason = "the Unix twin can fail")]
    pub(super) fn open(_: &Claim) -> io::Result<Self> {
        Ok(Self(tokio::io::stdin()))
    }
}

impl AsyncRead for Source {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

/// Where the frames go.
#[derive(Debug)]
pub(super) struct Sink(Stdout);

impl Sink {
    #[expect(clippy::unnecessary_wraps, reason = "the Unix twin can fail")]
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
