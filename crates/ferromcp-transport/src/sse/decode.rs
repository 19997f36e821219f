//! Parses a stream of bytes into server-sent events.
//!
//! Follows the rules of the HTML standard, with two differences: data is returned as bytes, because
//! the caller validates the UTF-8 of a frame, and all buffers are bounded. Spec:
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>.

use std::borrow::Cow;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use memchr::{memchr, memchr2};

/// The default maximum size of an event, as the sum of its data, name and id in bytes: 16 MiB.
pub const DEFAULT_MAX_EVENT: usize = 16 << 20;

/// The default maximum length of a line, in bytes without the line ending: the data of an event of
/// maximum size, a byte order mark and the field name.
pub const DEFAULT_MAX_LINE: usize = DEFAULT_MAX_EVENT + 16;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The name of an event without an `event` field.
const MESSAGE: &str = "message";

/// A parsed event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodedEvent {
    /// The last event id: the id of this event, or of the most recent event with an id. `None` if no
    /// event had an id, or if it was reset by an empty id.
    pub id: Option<Arc<str>>,
    /// The event name. Default: `message`. Invalid UTF-8 is replaced by U+FFFD.
    pub event: Cow<'static, str>,
    /// The data lines, joined by `\n`. Not validated as UTF-8. Empty for a priming event, which must be
    /// skipped because it is not a message.
    ///
    /// A single line within one chunk is a slice of that chunk and keeps the chunk in memory.
    pub data: Bytes,
}

/// Parses a stream of bytes into events.
///
/// An event that exceeds a limit is discarded without buffering it and reported as one [`LimitExceeded`]
/// error. Decoding continues with the next event. The id of a discarded event is still recorded, so
/// that a reconnecting client does not receive the same event again. The decoder buffers at most one
/// incomplete line, one incomplete event and the last id.
///
/// See the [module documentation](crate::sse) for an example.
#[derive(Debug)]
pub struct Decoder {
    max_line: usize,
    max_event: usize,
    position: Position,
    /// The start of an incomplete line, from earlier chunks.
    line: BytesMut,
    /// The name of the current event.
    event: Option<Cow<'static, str>>,
    data: Data,
    /// The size of the current event, limited by `max_event`.
    size: usize,
    /// Whether the current event exceeded a limit.
    rejected: bool,
    /// The most recent id, which becomes the last event id at the next blank line.
    id: Option<Arc<str>>,
    last_id: Option<Arc<str>>,
    retry: Option<Duration>,
}

/// The position of the next byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    /// In the first line, which can start with a byte order mark.
    FirstLine,
    /// In any other line.
    Line,
    /// After a `\r`: a following `\n` belongs to the same line ending.
    AfterReturn,
    /// In a line that exceeded the limit.
    Skipping,
}

/// The data lines of the current event.
#[derive(Debug, Default)]
enum Data {
    /// No data line, as opposed to an empty line.
    #[default]
    Nothing,
    /// One line, without copying.
    One(Bytes),
    Joined(BytesMut),
}

impl Decoder {
    /// Sets the maximum size of an event, as the sum of its joined data, name and id in bytes.
    #[must_use]
    pub fn max_event(mut self, bytes: usize) -> Self {
        self.max_event = bytes;
        self
    }

    /// Sets the maximum length of a line in bytes, excluding the line ending. Also applies to comments.
    #[must_use]
    pub fn max_line(mut self, bytes: usize) -> Self {
        self.max_line = bytes;
        self
    }

    /// Returns the next complete event, or `None` if `chunk` is consumed and more input is needed.
    ///
    /// Removes the consumed bytes from the front of `chunk`.
    ///
    /// # Errors
    ///
    /// Returns [`LimitExceeded`] once for each event that exceeds a limit. The decoder remains usable.
    pub fn decode(&mut self, chunk: &mut Bytes) -> Result<Option<DecodedEvent>, LimitExceeded> {
        while let Some(line) = self.next_line(chunk)? {
            if !line.is_empty() {
                self.take_field(&line)?;
            } else if let Some(event) = self.dispatch() {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// Resets the decoder for a new connection. Discards an incomplete event and its id; preserves the last event id, the
    /// retry delay and the limits.
    pub fn restart(&mut self) {
        let id = self.last_id.take();
        let (max_line, max_event, retry) = (self.max_line, self.max_event, self.retry);
        *self = Self { max_line, max_event, id: id.clone(), last_id: id, retry, ..Self::default() };
    }

    /// Returns the id for `Last-Event-ID` when reconnecting, as of the last blank line. Events without data are included.
    pub fn last_event_id(&self) -> Option<&str> {
        self.last_id.as_deref()
    }

    /// Returns the retry delay of the stream, if it has set one.
    ///
    /// The value is controlled by the peer and can be up to 2^64 milliseconds. The caller should cap it.
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// Returns the next complete line within the limit, without its line ending.
    fn next_line(&mut self, chunk: &mut Bytes) -> Result<Option<Bytes>, LimitExceeded> {
        while let Some(&first) = chunk.first() {
            let position = self.position;
            if position == Position::AfterReturn {
                self.position = Position::Line;
                if first == b'\n' {
                    chunk.advance(1);
                }
                continue;
            }
            let end = memchr2(b'\r', b'\n', chunk);
            let piece = chunk.split_to(end.unwrap_or(chunk.len()));
            if end.is_some() {
                self.position = if chunk.get_u8() == b'\r' { Position::AfterReturn } else { Position::Line };
            }
            if position == Position::Skipping {
                continue;
            }
            if piece.len() > self.max_line.saturating_sub(self.line.len()) {
                self.line = BytesMut::new();
                if end.is_none() {
                    self.position = Position::Skipping;
                }
                self.reject_event(LimitExceeded::Line { limit: self.max_line })?;
            } else if end.is_some() {
                return Ok(Some(self.complete_line(piece, position == Position::FirstLine)));
            } else {
                self.line.extend_from_slice(&piece);
            }
        }
        Ok(None)
    }

    /// Completes a line with `piece`. The memory of the line is not reused, so that a short slice held by the
    /// application does not keep a large buffer alive.
    fn complete_line(&mut self, piece: Bytes, first: bool) -> Bytes {
        let mut line = piece;
        if !self.line.is_empty() {
            self.line.extend_from_slice(&line);
            line = mem::take(&mut self.line).freeze();
        }
        if first && line.starts_with(BYTE_ORDER_MARK) {
            line.advance(BYTE_ORDER_MARK.len());
        }
        line
    }

    /// Parses a line that is not blank. A comment is a field without a name.
    fn take_field(&mut self, line: &Bytes) -> Result<(), LimitExceeded> {
        let colon = memchr(b':', line).unwrap_or(line.len());
        let after = line.get(colon + 1..).unwrap_or_default();
        let value = after.strip_prefix(b" ").unwrap_or(after);
        match &line[..colon] {
            b"data" => self.take_data(line.slice(line.len() - value.len()..)),
            b"event" => self.take_event(value),
            b"id" => self.take_id(value),
            b"retry" => {
                self.take_retry(value);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn take_data(&mut self, value: Bytes) -> Result<(), LimitExceeded> {
        let join = usize::from(!matches!(self.data, Data::Nothing));
        self.count(value.len() + join)?;
        if !self.rejected {
            self.data.push(value);
        }
        Ok(())
    }

    fn take_event(&mut self, value: &[u8]) -> Result<(), LimitExceeded> {
        self.count(value.len())?;
        if !self.rejected {
            self.event = Some(match value {
                b"" | b"message" => Cow::Borrowed(MESSAGE),
                _ => Cow::Owned(String::from_utf8_lossy(value).into_owned()),
            });
        }
        Ok(())
    }

    fn take_id(&mut self, value: &[u8]) -> Result<(), LimitExceeded> {
        // An id with a NUL is ignored, as required by the standard.
        if memchr(0, value).is_some() {
            return Ok(());
        }
        if value.len() <= self.max_event {
            self.id = (!value.is_empty()).then(|| String::from_utf8_lossy(value).into());
        }
        self.count(value.len())
    }

    /// Sets the retry delay immediately, even if the event is discarded.
    fn take_retry(&mut self, value: &[u8]) {
        if !value.is_empty() && value.iter().all(u8::is_ascii_digit) {
            // Parsing fails only if the number exceeds 64 bits.
            let millis = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
            self.retry = Some(Duration::from_millis(millis.unwrap_or(u64::MAX)));
        }
    }

    /// Completes the event at its blank line. Returns `None` for an event without data.
    fn dispatch(&mut self) -> Option<DecodedEvent> {
        self.size = 0;
        self.rejected = false;
        self.last_id.clone_from(&self.id);
        let event = self.event.take().unwrap_or(Cow::Borrowed(MESSAGE));
        let data = mem::take(&mut self.data).finish()?;
        Some(DecodedEvent { id: self.last_id.clone(), event, data })
    }

    fn count(&mut self, bytes: usize) -> Result<(), LimitExceeded> {
        self.size = self.size.saturating_add(bytes);
        if self.size > self.max_event {
            self.reject_event(LimitExceeded::Event { limit: self.max_event })
        } else {
            Ok(())
        }
    }

    /// Discards the rest of the event. Returns the error for the first limit exceeded by the event only.
    fn reject_event(&mut self, why: LimitExceeded) -> Result<(), LimitExceeded> {
        self.event = None;
        self.data = Data::Nothing;
        if mem::replace(&mut self.rejected, true) { Ok(()) } else { Err(why) }
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            max_line: DEFAULT_MAX_LINE,
            max_event: DEFAULT_MAX_EVENT,
            position: Position::FirstLine,
            line: BytesMut::new(),
            event: None,
            data: Data::Nothing,
            size: 0,
            rejected: false,
            id: None,
            last_id: None,
            retry: None,
        }
    }
}

/// An event that exceeded a limit and was discarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitExceeded {
    /// A line of the event, or a comment before it, exceeded the limit.
    #[non_exhaustive]
    Line {
        /// The maximum length in bytes, excluding the line ending.
        limit: usize,
    },
    /// The event as a whole exceeded the limit.
    #[non_exhaustive]
    Event {
        /// The maximum size of data, name and id in bytes.
        limit: usize,
    },
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (subject, limit) = match self {
            Self::Line { limit } => ("has a line", limit),
            Self::Event { limit } => ("is", limit),
        };
        write!(f, "a server-sent event {subject} longer than {limit} bytes")
    }
}

impl std::error::Error for LimitExceeded {}

impl Data {
    fn push(&mut self, line: Bytes) {
        let mut joined = match mem::take(self) {
            Self::Nothing => {
                *self = Self::One(line);
                return;
            }
            Self::One(first) => BytesMut::from(&first[..]),
            Self::Joined(joined) => joined,
        };
        joined.extend_from_slice(b"\n");
        joined.extend_from_slice(&line);
        *self = Self::Joined(joined);
    }

    fn finish(self) -> Option<Bytes> {
        match self {
            Self::Nothing => None,
            Self::One(line) => Some(line),
            Self::Joined(joined) => Some(joined.freeze()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_when_line_or_event_never_ends() {
        let (line, lines) = (&[b'x'; 100][..], &b"data: 12345\n:\nevent: 1\nid: 1\nx\n"[..]);
        for (piece, limit) in
            [(line, LimitExceeded::Line { limit: 1000 }), (lines, LimitExceeded::Event { limit: 1000 })]
        {
            let mut decoder = Decoder::default().max_line(1000).max_event(1000);
            let mut errors = vec![];
            for _ in 0..1000 {
                errors.extend(decoder.decode(&mut Bytes::from_static(piece)).err());
                let data = if let Data::Joined(data) = &decoder.data { data.capacity() } else { 0 };
                assert!(decoder.line.capacity() + data <= 2048, "{decoder:?}");
            }
            assert_eq!(errors, [limit], "reported once");
        }
    }
}
