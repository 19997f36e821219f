//! The stdin and stdout of a child as the two halves of a pipe.

use std::{io, sync::Arc, time::Duration};

use tokio::{process::ChildStdout, time::timeout};

use super::{handle::ChildHandle, keeper::Lease, stdin::Stdin};
use crate::{Frame, FrameRx, FrameTx, LineRx, LineTx, Outbound, Transport};

pub(super) const NAME: &str = "child";

/// How long is waited for what a process that is gone has left in the pipe.
const LEFT_BEHIND: Duration = Duration::from_millis(100);

/// The pipe to a child process that runs; made by [`Child::spawn`](super::Child::spawn).
#[derive(Debug)]
pub struct ChildPipe {
    lease: Lease,
    stdout: ChildStdout,
    handle: ChildHandle,
    max_line: usize,
}

impl ChildPipe {
    pub(super) fn new(lease: Lease, stdout: ChildStdout, handle: ChildHandle, max_line: usize) -> Self {
        Self { lease, stdout, handle, max_line }
    }
}

impl Transport for ChildPipe {
    type Rx = ChildRx;
    type Tx = ChildTx;

    fn split(self) -> io::Result<(Self::Rx, Self::Tx)> {
        let lease = Arc::new(self.lease);
        let rx = ChildRx {
            lines: LineRx::new(self.stdout, self.max_line),
            handle: self.handle,
            over: false,
            _lease: Arc::clone(&lease),
        };
        Ok((rx, ChildTx { lines: LineTx::new(lease.stdin.clone()), lease }))
    }

    fn name(&self) -> &'static str {
        NAME
    }
}

/// Reads frames from a child's stdout.
///
/// It ends with the process: somebody who left the group may hold stdout open for ever.
#[derive(Debug)]
pub struct ChildRx {
    lines: LineRx<ChildStdout>,
    handle: ChildHandle,
    over: bool,
    _lease: Arc<Lease>,
}

impl FrameRx for ChildRx {
    async fn recv(&mut self) -> io::Result<Option<Frame>> {
        if !self.over {
            tokio::select! {
                biased;
                frame = self.lines.recv() => return frame,
                () = self.handle.over() => self.over = true,
            }
        }
        timeout(LEFT_BEHIND, self.lines.recv()).await.unwrap_or(Ok(None))
    }

    fn try_recv(&mut self) -> Option<Frame> {
        self.lines.try_recv()
    }
}

/// Writes frames to a child's stdin.
///
/// It is closed by [`finish`](FrameTx::finish) and when the half is dropped.
#[derive(Debug)]
pub struct ChildTx {
    lines: LineTx<Stdin>,
    lease: Arc<Lease>,
}

impl FrameTx for ChildTx {
    async fn write(&mut self, out: &mut Outbound) -> io::Result<()> {
        self.lines.write(out).await
    }

    async fn finish(&mut self) -> io::Result<()> {
        self.lines.finish().await
    }
}

impl Drop for ChildTx {
    fn drop(&mut self) {
        self.lease.stdin.close(); // the keeper holds it too
    }
}
