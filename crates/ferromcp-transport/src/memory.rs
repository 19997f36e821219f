//! An in-memory transport between two ends in one process, for tests and in-process servers.
//!
//! Frames are moved without copying. Spec:
//! <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports>.

use std::{io, sync::Arc};

use bytes::Bytes;
use tokio::sync::{
    OwnedSemaphorePermit, Semaphore,
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

use crate::{Frame, FrameRx, FrameTx, Outbound, Transport};

/// The default capacity of each direction of a [`memory`] transport, in bytes: 1 MiB.
pub const DEFAULT_MEMORY_CAPACITY: usize = 1 << 20;

/// The overhead counted per queued frame in addition to its length, which bounds the number of small frames.
const FRAME_COST: usize = 64;

/// Creates a pair of connected in-memory transports.
///
/// ```
/// # use ferromcp_transport::{Frame, FrameRx, FrameTx, Outbound, Transport, memory};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let (client, server) = memory();
/// let ((_, mut tx), (mut rx, _)) = (client.split()?, server.split()?);
/// let mut out = Outbound::new();
/// out.frame(|line| line.extend_from_slice(b"{}"));
/// tx.write(&mut out).await?;
/// assert_eq!(rx.recv().await?, Some(Frame::Complete("{}".into())));
/// # Ok(())
/// # }
/// ```
pub fn memory() -> (Memory, Memory) {
    memory_with_capacity(DEFAULT_MEMORY_CAPACITY)
}

/// Creates a pair of connected in-memory transports with a capacity of `bytes` in each direction.
///
/// Each queued frame counts with its length plus 64 bytes. A frame that exceeds the whole capacity waits until the queue
/// is empty and is then sent alone.
pub fn memory_with_capacity(bytes: usize) -> (Memory, Memory) {
    // Permits are acquired as a `u32`.
    let capacity = bytes.clamp(FRAME_COST, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
    let ((left_tx, right_rx), (right_tx, left_rx)) = (channel(capacity), channel(capacity));
    (Memory { rx: left_rx, tx: left_tx }, Memory { rx: right_rx, tx: right_tx })
}

/// Creates one direction.
fn channel(capacity: usize) -> (MemoryTx, MemoryRx) {
    let (sender, frames) = unbounded_channel(); // bounded by the semaphore `free`
    let free = Arc::new(Semaphore::new(capacity));
    (MemoryTx { sender: Some(sender), free: Arc::clone(&free), capacity }, MemoryRx { frames, free })
}

/// One end of an in-memory transport, created by [`memory`].
#[derive(Debug)]
pub struct Memory {
    rx: MemoryRx,
    tx: MemoryTx,
}

impl Transport for Memory {
    type Rx = MemoryRx;
    type Tx = MemoryTx;

    fn split(self) -> io::Result<(Self::Rx, Self::Tx)> {
        Ok((self.rx, self.tx))
    }

    fn name(&self) -> &'static str {
        "memory"
    }
}

/// A queued frame with its permits, which are released when it is received.
type QueuedFrame = (Bytes, OwnedSemaphorePermit);

/// The receiving half of a [`Memory`] transport.
#[derive(Debug)]
pub struct MemoryRx {
    frames: UnboundedReceiver<QueuedFrame>,
    free: Arc<Semaphore>,
}

impl FrameRx for MemoryRx {
    async fn recv(&mut self) -> io::Result<Option<Frame>> {
        Ok(self.frames.recv().await.map(|(frame, _)| Frame::Complete(frame)))
    }

    fn try_recv(&mut self) -> Option<Frame> {
        self.frames.try_recv().ok().map(|(frame, _)| Frame::Complete(frame))
    }
}

impl Drop for MemoryRx {
    fn drop(&mut self) {
        self.free.close(); // fails a pending write of the peer
    }
}

/// The sending half of a [`Memory`] transport.
#[derive(Debug)]
pub struct MemoryTx {
    /// `None` after `finish`.
    sender: Option<UnboundedSender<QueuedFrame>>,
    free: Arc<Semaphore>,
    capacity: usize,
}

impl MemoryTx {
    /// Returns the number of permits for the frame at the front of `out`.
    fn cost(&self, out: &Outbound) -> u32 {
        let line = memchr::memchr(b'\n', out.as_bytes()).unwrap_or(out.len());
        let cost = line.saturating_add(FRAME_COST).min(self.capacity);
        u32::try_from(cost).unwrap_or(u32::MAX) // the capacity fits in a `u32`, see `memory_with_capacity`
    }

    fn send(&self, out: &mut Outbound, permit: OwnedSemaphorePermit) -> io::Result<()> {
        match (out.pop(), &self.sender) {
            (Some(frame), Some(_)) if frame.is_empty() => Ok(()), // blank lines are skipped, as in all transports
            (Some(frame), Some(sender)) => sender.send((frame, permit)).map_err(|_| disconnected()),
            _ => Err(disconnected()),
        }
    }
}

impl FrameTx for MemoryTx {
    async fn write(&mut self, out: &mut Outbound) -> io::Result<()> {
        if out.is_empty() {
            return Ok(());
        }
        let cost = self.cost(out);
        let permit = Arc::clone(&self.free).acquire_many_owned(cost).await.map_err(|_| disconnected())?;
        self.send(out, permit)?;
        while !out.is_empty() {
            let Ok(permit) = Arc::clone(&self.free).try_acquire_many_owned(self.cost(out)) else {
                break; // full; the next write sends the rest
            };
            self.send(out, permit)?;
        }
        Ok(())
    }

    async fn finish(&mut self) -> io::Result<()> {
        self.sender = None;
        Ok(())
    }
}

fn disconnected() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the peer of the in-memory transport disconnected")
}

#[cfg(test)]
mod tests;
