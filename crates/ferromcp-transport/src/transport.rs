//! The [`Transport`] trait: a receiving half and a sending half for frames.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports>. A custom
//! transport over a byte stream reuses the newline framing of stdio. [`Outbound`] stores frames in
//! this format, so such a transport writes [`Outbound::as_bytes`] unchanged.

use std::{future::Future, io};

use bytes::{Buf, Bytes, BytesMut};
use memchr::memchr;

/// A buffer with a larger capacity is deallocated once it is empty.
const MAX_RETAINED_CAPACITY: usize = 1 << 20;

/// A bidirectional transport for frames, before it is split into its halves.
pub trait Transport: Send + 'static {
    /// The receiving half.
    type Rx: FrameRx;
    /// The sending half.
    type Tx: FrameTx;

    /// Splits the transport into its halves. Opens the transport first if it is not open yet.
    ///
    /// # Errors
    /// Returns an error if the underlying descriptors or sockets cannot be set up.
    fn split(self) -> io::Result<(Self::Rx, Self::Tx)>;

    /// Returns a name for logs and spans, such as `"stdio"`, `"memory"` or `"unix"`.
    fn name(&self) -> &'static str {
        "custom"
    }

    /// Returns `true` if the process exists only for this peer. The server then handles termination signals with a
    /// graceful shutdown.
    fn handles_signals(&self) -> bool {
        false
    }

    /// Returns `true` if the input is a terminal, so that the peer is probably a user and not a program.
    fn is_terminal(&self) -> bool {
        false
    }
}

/// A received frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A complete frame, without its line ending.
    Complete(Bytes),
    /// A frame that exceeded the limit and was discarded. The transport remains usable.
    TooLong {
        /// The limit, in bytes, that the frame exceeded.
        limit: usize,
    },
}

/// The receiving half of a transport.
pub trait FrameRx: Send + 'static {
    /// Receives the next frame. Returns `None` at the end of the input.
    ///
    /// # Cancellation safety
    /// This method is cancel safe: dropping the future does not lose any bytes.
    ///
    /// # Errors
    /// Returns an error if the transport failed. No more frames can be received in this case.
    fn recv(&mut self) -> impl Future<Output = io::Result<Option<Frame>>> + Send;

    /// Returns a frame that is already buffered, without waiting.
    ///
    /// Allows the caller to process all frames of one read before it writes. `None` does not indicate the end of the
    /// input.
    fn try_recv(&mut self) -> Option<Frame> {
        None
    }
}

/// The sending half of a transport.
pub trait FrameTx: Send + 'static {
    /// Writes some bytes from the front of `out` and removes them. If `out` is empty, only completes a pending flush of an
    /// earlier write.
    ///
    /// # Cancellation safety
    /// This method is cancel safe: bytes removed from `out` were written, all others are still in `out`.
    ///
    /// # Errors
    /// Returns an error if the transport failed, for example because the peer disconnected.
    fn write(&mut self, out: &mut Outbound) -> impl Future<Output = io::Result<()>> + Send;

    /// Shuts down the sending half. Closes the underlying descriptor if the transport owns it.
    ///
    /// # Errors
    /// Returns an error if the shutdown fails. The half is closed in any case.
    fn finish(&mut self) -> impl Future<Output = io::Result<()>> + Send {
        std::future::ready(Ok(()))
    }
}

/// A queue of outbound frames, stored as newline-terminated lines in one buffer, so that several
/// frames can be sent in one write.
#[derive(Debug, Default)]
pub struct Outbound {
    buffer: BytesMut,
    /// Whether the buffer has grown beyond [`MAX_RETAINED_CAPACITY`].
    grown: bool,
}

impl Outbound {
    /// Creates an empty queue.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends one frame with `write`, which must only append to the buffer, and a line ending.
    ///
    /// Newlines written by `write` are replaced by spaces, so that the frame is a single line. In valid JSON, a raw newline
    /// can occur only between tokens, where it is equivalent to a space.
    pub fn frame(&mut self, write: impl FnOnce(&mut BytesMut)) {
        let mut from = self.buffer.len();
        write(&mut self.buffer);
        while let Some(at) = self.buffer.get(from..).and_then(|rest| memchr(b'\n', rest)) {
            self.buffer[from + at] = b' ';
            from += at + 1;
        }
        self.buffer.extend_from_slice(b"\n");
        self.grown |= self.buffer.len() > MAX_RETAINED_CAPACITY;
    }

    /// Returns all queued bytes: complete lines, except that the first line can be partially written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// Removes `count` written bytes from the front.
    pub fn advance(&mut self, count: usize) {
        self.buffer.advance(count);
        if self.buffer.is_empty() && std::mem::take(&mut self.grown) {
            self.buffer = BytesMut::new();
        }
    }

    /// Removes the first complete frame and returns it without its line ending. For transports that send one message at a
    /// time. Do not combine with [`advance`](Self::advance), which can leave a partial frame at the front.
    pub fn pop(&mut self) -> Option<Bytes> {
        let end = memchr(b'\n', &self.buffer)?;
        let frame = self.buffer.split_to(end).freeze();
        self.buffer.advance(1);
        Some(frame)
    }

    /// Returns the number of queued bytes.
    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Returns `true` if the queue is empty.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Moves all frames of `other` to the end of this queue.
    pub fn append(&mut self, other: &mut Self) {
        if self.buffer.is_empty() {
            std::mem::swap(&mut self.buffer, &mut other.buffer);
        } else {
            self.buffer.extend_from_slice(&other.buffer);
        }
        other.buffer.clear();
        self.grown |= std::mem::take(&mut other.grown) || self.buffer.len() > MAX_RETAINED_CAPACITY;
    }
}

#[cfg(test)]
mod tests;
