//! Newline framing without any I/O: bytes go in as they come, whole lines come out.
//!
//! It stands apart from the pipes so that a test can step it byte by byte and every stream shares
//! one set of rules. Spec:
//! <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio>.

use bytes::{Buf, BytesMut};
use memchr::memchr;

use crate::Frame;

/// The longest line taken unless told otherwise, in bytes without the line end: 16 MiB.
pub const DEFAULT_MAX_LINE: usize = 16 << 20;

/// How many bytes one read asks for at least when the buffer is refilled: what a Linux pipe holds.
pub const READ_SIZE: usize = 64 << 10;

/// With less room than this left behind unread frames, the buffer is refilled.
const MIN_SPARE: usize = READ_SIZE / 4;

/// A buffer that grew beyond this is given back to the allocator once its long line was taken.
const KEEP: usize = 1 << 20;

/// Cuts a stream of bytes into lines.
///
/// Lines end in `\n` or `\r\n`; blank lines are skipped; a line over the limit is skipped up to
/// its end without being kept and shows as one [`Frame::TooLong`]. Frames are slices of the
/// buffer, not copies.
///
/// ```
/// use ferromcp_transport::{Frame, LineBuffer};
///
/// let mut lines = LineBuffer::new(16);
/// lines.space().extend_from_slice(b"{}\r\n\n[");
/// assert_eq!(lines.pop(), Some(Frame::Whole("{}".into())));
/// assert_eq!(lines.pop(), None); // the next line is not complete
/// lines.space().extend_from_slice(b"]");
/// assert_eq!(lines.finish(), Some(Frame::Whole("[]".into())));
/// ```
#[derive(Debug)]
pub struct LineBuffer {
    buffer: BytesMut,
    /// So many bytes at the front hold no line end: a long line is not searched again at each read.
    searched: usize,
    max_line: usize,
    /// Inside a line that broke the limit.
    skipping: bool,
    /// The allocation went beyond [`KEEP`].
    grown: bool,
}

impl LineBuffer {
    /// An empty buffer for lines of at most `max_line` bytes, not counting the line end.
    ///
    /// It holds at most the limit and what one read brings beyond it.
    pub fn new(max_line: usize) -> Self {
        Self { buffer: BytesMut::new(), searched: 0, max_line, skipping: false, grown: false }
    }

    /// The buffer with room for a read; append to it and change nothing else. Take all whole
    /// lines with [`pop`](Self::pop) first, so that their memory can be used again.
    pub fn space(&mut self) -> &mut BytesMut {
        if self.grown && self.buffer.len() <= READ_SIZE {
            let mut fresh = BytesMut::with_capacity(self.buffer.len() + READ_SIZE);
            fresh.extend_from_slice(&self.buffer);
            self.buffer = fresh;
            self.grown = false;
        } else if self.buffer.capacity() - self.buffer.len() < MIN_SPARE {
            self.buffer.reserve(READ_SIZE);
            self.grown |= self.buffer.capacity() > KEEP;
        }
        &mut self.buffer
    }

    /// The next whole line, if its end has arrived.
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

    /// What is left when the input has ended: a last line without an end.
    pub fn finish(&mut self) -> Option<Frame> {
        if let Some(frame) = self.pop() {
            return Some(frame);
        }
        self.searched = 0;
        let line = self.buffer.split();
        self.frame(line)
    }

    /// Remembers how far the search went, and drops what belongs to a line that is too long already.
    fn wait_for_more(&mut self) {
        // One byte of grace: it may be the `\r` of the line end.
        if self.skipping || self.buffer.len() > self.max_line.saturating_add(1) {
            self.skipping = true;
            self.buffer.clear();
        }
        self.searched = self.buffer.len();
    }

    /// Turns a line without its `\n` into a frame; `None` for a blank one.
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
        Some(Frame::Whole(line.freeze()))
    }
}

impl Default for LineBuffer {
    fn default() -> Self {
        Self::new(DEFAULT_MAX_LINE)
    }
}

#[cfg(test)]
mod tests;
