//! Detects that no process reads stdout, although stdin stays open: the peer is gone, so the transport ends.

use std::{
    future::pending,
    io,
    os::fd::AsFd,
    pin::Pin,
    task::{Context, Poll},
};

use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat, stat};
use tokio::{io::Interest, net::unix::pipe::Sender, runtime::Handle, sync::oneshot, task::AbortHandle};

use super::claim::{Claim, SavedFd};

/// Ready when the reader of stdout has closed it.
#[derive(Debug)]
pub(super) struct Hangup {
    closed: Option<oneshot::Receiver<()>>,
    task: Option<AbortHandle>,
}

impl Hangup {
    /// Watches stdout if it is a pipe. Only pipes report that their reader is gone.
    pub(super) fn watch(claim: &Claim) -> Self {
        Self::of(claim.output()).unwrap_or(Self { closed: None, task: None })
    }

    fn of(output: &SavedFd) -> Option<Self> {
        let runtime = Handle::try_current().ok()?;
        let fd = output.pollable().filter(|kind| *kind == FileType::Fifo).and_then(|_| output.duplicate().ok())?;
        let pipe = Sender::from_owned_fd(fd).ok()?;
        let (sender, closed) = oneshot::channel();
        let task = runtime.spawn(async move {
            if pipe.ready(Interest::ERROR).await.is_err() {
                pending::<()>().await; // the reactor is shutting down
            }
            let _ = sender.send(());
        });
        Some(Self { closed: Some(closed), task: Some(task.abort_handle()) })
    }
}

impl Future for Hangup {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.closed {
            Some(closed) => Pin::new(closed).poll(cx).map(|_| ()),
            None => Poll::Pending,
        }
    }
}

impl Drop for Hangup {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Returns an error if stdout was closed when the process started. The Rust runtime opens `/dev/null` for reading and
/// writing then.
pub(super) fn check(output: &SavedFd) -> io::Result<()> {
    let is_null = fstat(output.as_fd())
        .is_ok_and(|fd| stat("/dev/null").is_ok_and(|null| null.st_rdev == fd.st_rdev && null.st_mode == fd.st_mode));
    if is_null && fcntl_getfl(output.as_fd()).is_ok_and(|flags| flags & OFlags::RWMODE == OFlags::RDWR) {
        let message = "stdout is closed; start the server with its stdout connected to a client";
        return Err(io::Error::new(io::ErrorKind::BrokenPipe, message));
    }
    Ok(())
}
