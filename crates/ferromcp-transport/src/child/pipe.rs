//! The transport over the stdin and stdout of a child process.

use std::{io, sync::Arc, time::Duration};

use tokio::{process::ChildStdout, time::timeout};

use super::{handle::ChildHandle, stdin::Stdin, supervisor::ProcessLease};
use crate::{Frame, FrameRx, FrameTx, LineRx, LineTx, Outbound, Transport};

pub(super) const NAME: &str = "child";

/// The timeout for reading the remaining output after the process group has exited.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(100);

/// The transport to a running child process, created by [`Child::spawn`](super::Child::spawn).
#[derive(Debug)]
pub struct ChildPipe {
    lease: ProcessLease,
    stdout: ChildStdout,
    handle: ChildHandle,
    max_line: usize,
}

impl ChildPipe {
    pub(super) fn new(lease: ProcessLease, stdout: ChildStdout, handle: ChildHandle, max_line: usize) -> Self {
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
            group_exited: false,
            _lease: Arc::clone(&lease),
        };
        Ok((rx, ChildTx { lines: LineTx::new(lease.stdin.clone()), lease }))
    }

    fn name(&self) -> &'static str {
        NAME
    }
}

/// Receives frames from the stdout of a child process.
///
/// The input ends when the process group exits, even if a process outside of the group keeps stdout open.
#[derive(Debug)]
pub struct ChildRx {
    lines: LineRx<ChildStdout>,
    handle: ChildHandle,
    group_exited: bool,
    _lease: Arc<ProcessLease>,
}

impl FrameRx for ChildRx {
    async fn recv(&mut self) -> io::Result<Option<Frame>> {
        if !self.group_exited {
            tokio::select! {
                biased;
                frame = self.lines.recv() => return frame,
                () = self.handle.group_exited() => self.group_exited = true,
            }
        }
        timeout(DRAIN_TIMEOUT, self.lines.recv()).await.unwrap_or(Ok(None))
    }

    fn try_recv(&mut self) -> Option<Frame> {
        self.lines.try_recv()
    }
}

/// Sends frames to the stdin of a child process.
///
/// [`finish`](FrameTx::finish) and dropping this half close stdin.
#[derive(Debug)]
pub struct ChildTx {
    lines: LineTx<Stdin>,
    lease: Arc<ProcessLease>,
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
        self.lease.stdin.close(); // the supervisor has a clone
    }
}
