//! Newline framing without I/O: splits a stream of bytes into lines.
//!
//! Separate from the transports, so that it can be tested byte by byte and all byte streams share
//! one implementation. Spec:
//! <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio>.

use bytes::{Buf, BytesMut};
use memchr::memchr;

use crate::Frame;

/// The default maximum length of a line, in bytes without the line ending: 16 MiB.
pub const DEFAULT_MAX_LINE: usize = 16 << 20;

/// The minimum number of bytes requested per read after the buffer is refilled: the capacity of a Linux pipe.
pub(crate) const READ_SIZE: usize = 64 << 10;

/// The buffer is refilled if its spare capacity is below this number of bytes.
const MIN_SPARE: usize = READ_SIZE / 4;

/// A buffer with a larger capacity is deallocated once its long line is consumed.
const MAX_RETAINED_CAPACITY: usize = 1 << 20;

/// Splits a stream of bytes into lines.
///
/// Lines end in `\n` or `\r\n`. Blank lines are skipped. A line that exceeds the limit is discarded
/// without buffering it and reported as one [`Frame::TooLong`]. Frames are slices of the buffer, not
/// copies.
///
/// ```
/// use ferromcp_transport::{Frame, LineBuffer};
///
/// let mut lines = LineBuffer::new(16);
/// lines.read_buffer().extend_from_slice(b"{}\r\n\n[");
/// assert_eq!(lines.pop(), Some(Frame::Complete("{}".into())));
/// assert_eq!(lines.pop(), None); // the next line is not complete
/// lines.read_buffer().extend_from_slice(b"]");
/// assert_eq!(lines.finish(), Some(Frame::Complete("[]".into())));
/// ```
#[derive(Debug)]
pub struct LineBuffer {
    buffer: BytesMut,
    /// The number of bytes at the front that are known to have no line ending, so that they are not searched again.
    searched: usize,
    max_line: usize,
    /// Whether the current line exceeded the limit and is being discarded.
    skipping: bool,
    /// Whether the buffer has grown beyond [`MAX_RETAINED_CAPACITY`].
    grown: bool,
}

impl LineBuffer {
    /// Creates an empty buffer for lines of at most `max_line` bytes, excluding the line ending.
    ///
    /// The buffer holds at most the limit plus the bytes of one read.
    pub fn new(max_line: usize) -> Self {
        Self { buffer: BytesMut::new(), searched: 0, max_line, skipping: false, grown: false }
    }

    /// Returns the buffer with spare capacity for a read. The caller must only append to it. Call
    /// [`pop`](Self::pop) until it returns `None` first, so that the memory of complete lines can be reused.
    pub fn read_buffer(&mut self) -> &mut BytesMut {
        if self.grown && self.buffer.len() <= READ_SIZE {
            let mut fresh = BytesMut::with_capacity(self.buffer.len() + READ_SIZE);
            fresh.extend_from_slice(&self.buffer);
            self.buffer = fresh;
            self.grown = false;
        } else if self.buffer.capacity() - self.buffer.len() < MIN_SPARE {
            self.buffer.reserve(READ_SIZE);
            self.grown |= self.buffer.capacity() > MAX_RETAINED_CAPACITY;
        }
        &mut self.buffer
    }

    /// Removes and returns the next complete line.
    pub fn pop(&mut self) -> Option<Frame> {
        loop {
            let from = self.searched.min(self.buffer.len());
            let Some(at) = memchr(b'\n', &self.buffer[from..]) else {
                self.wait_for_more();
                return None;
            };
            let line = self.buffer.split_to(from + at);
            self.buffer.advance(1);
            self.searched = 0;
            if let Some(frame) = self.frame(line) {
                return Some(frame);
            }
        }
    }

    /// Returns the remaining lines at the end of the input, including a last line without a line ending.
    pub fn finish(&mut self) -> Option<Frame> {
        if let Some(frame) = self.pop() {
            return Some(frame);
        }
        self.searched = 0;
        let line = self.buffer.split();
        self.frame(line)
    }

    /// Stores the search position, and discards the bytes of a line that already exceeds the limit.
    fn wait_for_more(&mut self) {
        // One extra byte is allowed, because it can be the `\r` of the line ending.
        if self.skipping || self.buffer.len() > self.max_line.saturating_add(1) {
            self.skipping = true;
            self.buffer.clear();
        }
        self.searched = self.buffer.len();
    }

    /// Converts a line without its `\n` into a frame. Returns `None` for a blank line.
    fn frame(&mut self, mut line: BytesMut) -> Option<Frame> {
        if line.last() == Some(&b'\r') {
            line.truncate(line.len() - 1);
        }
        if std::mem::take(&mut self.skipping) || line.len() > self.max_line {
            return Some(Frame::TooLong { limit: self.max_line });
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            return None;
        }
        Some(Frame::Complete(line.freeze()))
    }
}

impl Default for LineBuffer {
    fn default() -> Self {
        Self::new(DEFAULT_MAX_LINE)
    }
}

#[cfg(test)]
mod tests;
