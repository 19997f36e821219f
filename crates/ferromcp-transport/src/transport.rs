//! What a pipe is: a reading half that yields frames and a writing half that takes them.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports>. A custom
//! transport over a byte stream reuses the newline framing of stdio; [`Outbound`] holds frames
//! in just that form, so such a transport writes [`Outbound::as_bytes`] as it is.

use std::{future::Future, io};

use bytes::{Buf, Bytes, BytesMut};
use memchr::memchr;

/// A queue that grew beyond this is given back to the allocator once it is empty.
const KEEP: usize = 1 << 20;

/// A two-way pipe for frames, before it is split into its halves.
pub trait Transport: Send + 'static {
    /// The reading half.
    type Rx: FrameRx;
    /// The writing half.
    type Tx: FrameTx;

    /// Opens the pipe where that is still to be done, and splits it.
    ///
    /// # Errors
    /// When the underlying descriptors or sockets cannot be set up.
    fn split(self) -> io::Result<(Self::Rx, Self::Tx)>;

    /// A word for logs and spans: `"stdio"`, `"memory"`, `"unix"`.
    fn name(&self) -> &'static str {
        "custom"
    }

    /// Whether the process lives for this peer, so that a signal to stop ends serving in good order.
    fn owns_process(&self) -> bool {
        false
    }

    /// Whether a person, not a program, seems to be at the other end.
    fn faces_person(&self) -> bool {
        false
    }
}

/// What the reading half found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// One whole frame, without its line end.
    Whole(Bytes),
    /// A frame longer than the limit was skipped up to its end; the pipe goes on.
    TooLong {
        /// The limit in bytes that the frame broke.
        limit: usize,
    },
}

/// The reading half of a pipe.
pub trait FrameRx: Send + 'static {
    /// The next frame; `None` at the end of the input.
    ///
    /// Cancel-safe: dropping the future loses no byte.
    ///
    /// # Errors
    /// When the pipe itself broke; it is over then.
    fn recv(&mut self) -> impl Future<Output = io::Result<Option<Frame>>> + Send;

    /// A frame that has already arrived, without waiting. Lets the owner handle all that came
    /// in one read before it writes once. `None` says nothing of the end of the input.
    fn try_recv(&mut self) -> Option<Frame> {
        None
    }
}

/// The writing half of a pipe.
pub trait FrameTx: Send + 'static {
    /// Writes some of `out`, taking what was written off its front. When `out` is empty it only ends what a
    /// dropped future of an earlier write has left, such as a flush.
    ///
    /// Cancel-safe: what was taken off was written, what was not is still in `out`.
    ///
    /// # Errors
    /// When the pipe broke, for example because the peer hung up.
    fn write(&mut self, out: &mut Outbound) -> impl Future<Output = io::Result<()>> + Send;

    /// Says that nothing more will be written (closes the writing side, where it is the pipe's own).
    ///
    /// # Errors
    /// When closing fails; the pipe is over all the same.
    fn finish(&mut self) -> impl Future<Output = io::Result<()>> + Send {
        std::future::ready(Ok(()))
    }
}

/// Frames that wait to be written, as newline-terminated lines in one buffer,
/// so that answers which are ready together leave in one write.
#[derive(Debug, Default)]
pub struct Outbound {
    buffer: BytesMut,
    /// The queue went beyond [`KEEP`].
    grown: bool,
}

impl Outbound {
    /// An empty queue.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends one frame through `write`, which may only append, then its line end.
    ///
    /// A frame is one line whatever `write` emits: a raw newline becomes a space. In JSON it can
    /// only stand between tokens, where both mean the same; pretty-printed values stay whole.
    pub fn frame(&mut self, write: impl FnOnce(&mut BytesMut)) {
        let mut from = self.buffer.len();
        write(&mut self.buffer);
        while let Some(at) = self.buffer.get(from..).and_then(|rest| memchr(b'\n', rest)) {
            self.buffer[from + at] = b' ';
            from += at + 1;
        }
        self.buffer.extend_from_slice(b"\n");
        self.grown |= self.buffer.len() > KEEP;
    }

    /// All waiting bytes: whole lines, save that the first may have been written in part.
    pub fn as_bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// Takes `count` written bytes off the front.
    pub fn advance(&mut self, count: usize) {
        self.buffer.advance(count);
        if self.buffer.is_empty() && std::mem::take(&mut self.grown) {
            self.buffer = BytesMut::new();
        }
    }

    /// Takes the first whole frame off, without its line end: for transports whose peer wants
    /// one message at a time. Mixing it with [`advance`](Self::advance) splits frames.
    pub fn pop(&mut self) -> Option<Bytes> {
        let end = memchr(b'\n', &self.buffer)?;
        let frame = self.buffer.split_to(end).freeze();
        self.buffer.advance(1);
        Some(frame)
    }

    /// How many bytes wait.
    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Moves everything that waits in `other` behind what waits here.
    pub fn append(&mut self, other: &mut Self) {
        if self.buffer.is_empty() {
            std::mem::swap(&mut self.buffer, &mut other.buffer);
        } else {
            self.buffer.extend_from_slice(&other.buffer);
        }
        other.buffer.clear();
        self.grown |= std::mem::take(&mut other.grown) || self.buffer.len() > KEEP;
    }
}

#[cfg(test)]
mod tests;
