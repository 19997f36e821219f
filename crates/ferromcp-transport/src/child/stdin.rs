//! The stdin of a child process, which both the sending half and the supervisor can close.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

use tokio::{io::AsyncWrite, process::ChildStdin};

/// The stdin of a child process. Clones refer to the same stdin.
#[derive(Debug, Clone)]
pub(super) struct Stdin(Arc<Mutex<SharedStdin>>);

#[derive(Debug)]
struct SharedStdin {
    stdin: Option<ChildStdin>,
    /// The waker of a pending write. Closing deregisters the descriptor, after which the reactor does not wake it.
    waker: Option<Waker>,
}

impl Stdin {
    pub(super) fn new(stdin: ChildStdin) -> Self {
        Self(Arc::new(Mutex::new(SharedStdin { stdin: Some(stdin), waker: None })))
    }

    /// Closes stdin. A pending write fails with a broken pipe.
    pub(super) fn close(&self) {
        let waker = self.with(|shared| {
            shared.stdin = None;
            shared.waker.take()
        });
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn with<T>(&self, f: impl FnOnce(&mut SharedStdin) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(Pin<&mut ChildStdin>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        self.with(|shared| {
            let Some(stdin) = &mut shared.stdin else {
                let closed = io::Error::new(io::ErrorKind::BrokenPipe, "the stdin of the child process is closed");
                return Poll::Ready(Err(closed));
            };
            let polled = poll(Pin::new(stdin), cx);
            shared.waker = polled.is_pending().then(|| cx.waker().clone());
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

    /// Closes stdin, which signals the end of input to the child process.
    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.close();
        Poll::Ready(Ok(()))
    }
}
