//! The stdin of a child, which the writing half and the keeper both can close.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

use tokio::{io::AsyncWrite, process::ChildStdin};

/// A child's stdin until it is closed; clones are the same stdin.
#[derive(Debug, Clone)]
pub(super) struct Stdin(Arc<Mutex<Slot>>);

#[derive(Debug)]
struct Slot {
    stdin: Option<ChildStdin>,
    /// Who waits to write. Closing takes the descriptor off the reactor, which then wakes nobody.
    waiting: Option<Waker>,
}

impl Stdin {
    pub(super) fn new(stdin: ChildStdin) -> Self {
        Self(Arc::new(Mutex::new(Slot { stdin: Some(stdin), waiting: None })))
    }

    /// Closes it; whoever is writing finds the pipe broken.
    pub(super) fn close(&self) {
        let waiting = self.with(|slot| {
            slot.stdin = None;
            slot.waiting.take()
        });
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }

    fn with<T>(&self, look: impl FnOnce(&mut Slot) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        act: impl FnOnce(Pin<&mut ChildStdin>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        self.with(|slot| {
            let Some(stdin) = &mut slot.stdin else {
                let closed = io::Error::new(io::ErrorKind::BrokenPipe, "the child's stdin is closed");
                return Poll::Ready(Err(closed));
            };
            let polled = act(Pin::new(stdin), cx);
            slot.waiting = polled.is_pending().then(|| cx.waker().clone());
            polled
        })
    }
}

impl AsyncWrite for Stdin {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll(cx, |stdin, cx| stdin.poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(cx, AsyncWrite::poll_flush)
    }

    /// Closes it: a pipe knows no other way to say that nothing more will come.
    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.close();
        Poll::Ready(Ok(()))
    }
}
