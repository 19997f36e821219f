//! Two ends of a pipe within one process, for tests and for a client beside its server.
//!
//! Frames change hands without a copy. Spec:
//! <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports>.

use std::{io, sync::Arc};

use bytes::Bytes;
use tokio::sync::{
    OwnedSemaphorePermit, Semaphore,
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

use crate::{Frame, FrameRx, FrameTx, Outbound, Transport};

/// How many bytes may wait in each direction of a [`memory`] pipe unless told otherwise: 1 MiB.
pub const DEFAULT_BYTES_IN_FLIGHT: usize = 1 << 20;

/// What a waiting frame costs beside its bytes, so that tiny frames are bounded in number too.
const FRAME_COST: usize = 64;

/// A pipe in memory: what one end writes the other receives.
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
/// assert_eq!(rx.recv().await?, Some(Frame::Whole("{}".into())));
/// # Ok(())
/// # }
/// ```
pub fn memory() -> (Memory, Memory) {
    memory_with(DEFAULT_BYTES_IN_FLIGHT)
}

/// A [`memory`] pipe with room for `bytes` in each direction.
///
/// Each waiting frame counts for its length and 64 bytes more. A frame over the whole room waits
/// until nothing else is under way and then passes alone.
pub fn memory_with(bytes: usize) -> (Memory, Memory) {
    // One write takes its permits in one go, as a `u32`.
    let room = bytes.clamp(FRAME_COST, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
    let ((left_tx, right_rx), (right_tx, left_rx)) = (lane(room), lane(room));
    (Memory { rx: left_rx, tx: left_tx }, Memory { rx: right_rx, tx: right_tx })
}

/// One direction.
fn lane(room: usize) -> (MemoryTx, MemoryRx) {
    let (sender, frames) = unbounded_channel(); // `free` is what bounds it
    let free = Arc::new(Semaphore::new(room));
    (MemoryTx { sender: Some(sender), free: Arc::clone(&free), room }, MemoryRx { frames, free })
}

/// One end of a pipe in memory; made by [`memory`].
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

/// A frame under way and the room it takes, given back when it is received.
type Parcel = (Bytes, OwnedSemaphorePermit);

/// The reading half of a [`Memory`].
#[derive(Debug)]
pub struct MemoryRx {
    frames: UnboundedReceiver<Parcel>,
    free: Arc<Semaphore>,
}

impl FrameRx for MemoryRx {
    async fn recv(&mut self) -> io::Result<Option<Frame>> {
        Ok(self.frames.recv().await.map(|(frame, _)| Frame::Whole(frame)))
    }

    fn try_recv(&mut self) -> Option<Frame> {
        self.frames.try_recv().ok().map(|(frame, _)| Frame::Whole(frame))
    }
}

impl Drop for MemoryRx {
    fn drop(&mut self) {
        self.free.close(); // a writer that waits for room learns that nobody reads
    }
}

/// The writing half of a [`Memory`].
#[derive(Debug)]
pub struct MemoryTx {
    /// `None` once finished.
    sender: Option<UnboundedSender<Parcel>>,
    free: Arc<Semaphore>,
    room: usize,
}

impl MemoryTx {
    /// What the frame at the front of `out` costs.
    fn cost(&self, out: &Outbound) -> u32 {
        let line = memchr::memchr(b'\n', out.as_bytes()).unwrap_or(out.len());
        let cost = line.saturating_add(FRAME_COST).min(self.room);
        u32::try_from(cost).unwrap_or(u32::MAX) // the room fits, see `memory_with`
    }

    fn send(&self, out: &mut Outbound, permit: OwnedSemaphorePermit) -> io::Result<()> {
        match (out.pop(), &self.sender) {
            (Some(frame), Some(_)) if frame.is_empty() => Ok(()), // blank, as on any line pipe
            (Some(frame), Some(sender)) => sender.send((frame, permit)).map_err(|_| hung_up()),
            _ => Err(hung_up()),
        }
    }
}

impl FrameTx for MemoryTx {
    async fn write(&mut self, out: &mut Outbound) -> io::Result<()> {
        if out.is_empty() {
            return Ok(());
        }
        let cost = self.cost(out);
        let permit = Arc::clone(&self.free).acquire_many_owned(cost).await.map_err(|_| hung_up())?;
        self.send(out, permit)?;
        while !out.is_empty() {
            let Ok(permit) = Arc::clone(&self.free).try_acquire_many_owned(self.cost(out)) else {
                break; // full: the rest is for the next write
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

fn hung_up() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the other end of the memory pipe is gone")
}

#[cfg(test)]
mod tests;
