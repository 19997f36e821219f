//! Reading events: chunks go in as they come, whole events come out.
//!
//! The rules are those of browsers. What differs is that data stays the bytes that came, since the
//! reader of a frame judges its UTF-8, and that everything kept has a limit. Spec:
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>.

use std::borrow::Cow;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use memchr::{memchr, memchr2};

/// The biggest event taken unless told otherwise, in bytes of its data, name and id: 16 MiB.
pub const DEFAULT_MAX_EVENT: usize = 16 << 20;

/// The longest line taken unless told otherwise, in bytes without the line end: the data of the
/// biggest event with room for a byte order mark and the name of the field.
pub const DEFAULT_MAX_LINE: usize = DEFAULT_MAX_EVENT + 16;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What an event is called that has no name.
const MESSAGE: &str = "message";

/// An event that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// The last id as of this event: its own, or that of the latest event before with one. It is
    /// `None` if there was none, or if it was taken back by an empty one.
    pub id: Option<Arc<str>>,
    /// The name; `message` if it has none. Invalid UTF-8 is replaced by U+FFFD.
    pub event: Cow<'static, str>,
    /// The lines of data, joined by `\n`, as the bytes that came: check their UTF-8. Empty for a
    /// priming event: skip it, it is no message.
    ///
    /// A single line within one chunk is a slice of that chunk, and keeps it in memory.
    pub data: Bytes,
}

/// Cuts a stream of bytes into events.
///
/// An event over a limit is skipped up to its blank line without being kept, and shows as one
/// [`TooLong`] as soon as the limit breaks; decoding then goes on, and an id of it that was within
/// the limits still counts, lest a reconnecting client be sent the same event again. Kept at any
/// time are at most an unfinished line, an unfinished event and the last id.
///
/// An example stands at the [module](crate::sse).
#[derive(Debug)]
pub struct Decoder {
    max_line: usize,
    max_event: usize,
    place: Place,
    /// The beginning of a line, from earlier chunks.
    line: BytesMut,
    /// The event so far.
    event: Option<Cow<'static, str>>,
    data: Data,
    /// So many bytes count towards `max_event`.
    size: usize,
    /// The event broke a limit.
    broken: bool,
    /// The latest id seen; it becomes the last one at the next blank line.
    id: Option<Arc<str>>,
    last_id: Option<Arc<str>>,
    retry: Option<Duration>,
}

/// Where in the stream the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the first line, which may begin with a byte order mark.
    FirstLine,
    /// In any other line.
    Line,
    /// Behind a `\r`: a `\n` would belong to the same line end.
    AfterReturn,
    /// In a line that broke the limit.
    Skipping,
}

/// The lines of data so far.
#[derive(Debug, Default)]
enum Data {
    /// No line: not the same as an empty one.
    #[default]
    Nothing,
    /// One line, not copied.
    One(Bytes),
    Joined(BytesMut),
}

impl Decoder {
    /// Takes events of at most `bytes`: of data as joined, name and id together.
    #[must_use]
    pub fn max_event(mut self, bytes: usize) -> Self {
        self.max_event = bytes;
        self
    }

    /// Takes lines of at most `bytes`, not counting the line end, whatever they hold.
    #[must_use]
    pub fn max_line(mut self, bytes: usize) -> Self {
        self.max_line = bytes;
        self
    }

    /// The next whole event. `None` once the chunk is used up: come back with the next one.
    ///
    /// Bytes are taken off the front of `chunk` as they are read.
    ///
    /// # Errors
    ///
    /// [`TooLong`] once for each event that broke a limit. The decoder stays usable.
    pub fn decode(&mut self, chunk: &mut Bytes) -> Result<Option<Received>, TooLong> {
        while let Some(line) = self.next_line(chunk)? {
            if !line.is_empty() {
                self.take_field(&line)?;
            } else if let Some(event) = self.dispatch() {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// Begins anew, for the bytes of the next connection. An event that was not complete is
    /// discarded with its id; the last id, the delay and the limits stay.
    pub fn restart(&mut self) {
        let id = self.last_id.take();
        let (max_line, max_event, retry) = (self.max_line, self.max_event, self.retry);
        *self = Self { max_line, max_event, id: id.clone(), last_id: id, retry, ..Self::default() };
    }

    /// The id to name when reconnecting, as of the last blank line: events without data count too.
    pub fn last_event_id(&self) -> Option<&str> {
        self.last_id.as_deref()
    }

    /// How long to wait before reconnecting, if the stream said so.
    ///
    /// It is the peer's word, up to 2^64 milliseconds: cap it.
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// The next whole line within the limit, without its end.
    fn next_line(&mut self, chunk: &mut Bytes) -> Result<Option<Bytes>, TooLong> {
        while let Some(&first) = chunk.first() {
            let place = self.place;
            if place == Place::AfterReturn {
                self.place = Place::Line;
                if first == b'\n' {
                    chunk.advance(1);
                }
                continue;
            }
            let end = memchr2(b'\r', b'\n', chunk);
            let piece = chunk.split_to(end.unwrap_or(chunk.len()));
            if end.is_some() {
                self.place = if chunk.get_u8() == b'\r' { Place::AfterReturn } else { Place::Line };
            }
            if place == Place::Skipping {
                continue;
            }
            if piece.len() > self.max_line.saturating_sub(self.line.len()) {
                self.line = BytesMut::new();
                if end.is_none() {
                    self.place = Place::Skipping;
                }
                self.give_up(TooLong::Line { limit: self.max_line })?;
            } else if end.is_some() {
                return Ok(Some(self.complete(piece, place == Place::FirstLine)));
            } else {
                self.line.extend_from_slice(&piece);
            }
        }
        Ok(None)
    }

    /// The line that ends with `piece`. Its memory is not used again: a short slice held by the
    /// application would keep a long buffer.
    fn complete(&mut self, piece: Bytes, first: bool) -> Bytes {
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

    /// Reads a line that is not blank. Comments are fields without a name.
    fn take_field(&mut self, line: &Bytes) -> Result<(), TooLong> {
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

    fn take_data(&mut self, value: Bytes) -> Result<(), TooLong> {
        let join = usize::from(!matches!(self.data, Data::Nothing));
        self.count(value.len() + join)?;
        if !self.broken {
            self.data.push(value);
        }
        Ok(())
    }

    fn take_event(&mut self, value: &[u8]) -> Result<(), TooLong> {
        self.count(value.len())?;
        if !self.broken {
            self.event = Some(match value {
                b"" | b"message" => Cow::Borrowed(MESSAGE),
                _ => Cow::Owned(String::from_utf8_lossy(value).into_owned()),
            });
        }
        Ok(())
    }

    fn take_id(&mut self, value: &[u8]) -> Result<(), TooLong> {
        // The rules of the format: such an id is as if it were not there.
        if memchr(0, value).is_some() {
            return Ok(());
        }
        if value.len() <= self.max_event {
            self.id = (!value.is_empty()).then(|| String::from_utf8_lossy(value).into());
        }
        self.count(value.len())
    }

    /// It counts at once, whatever becomes of the event.
    fn take_retry(&mut self, value: &[u8]) {
        if !value.is_empty() && value.iter().all(u8::is_ascii_digit) {
            // Only a number beyond 64 bits is no number now.
            let millis = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
            self.retry = Some(Duration::from_millis(millis.unwrap_or(u64::MAX)));
        }
    }

    /// Ends the event at its blank line. Without any data there is none.
    fn dispatch(&mut self) -> Option<Received> {
        self.size = 0;
        self.broken = false;
        self.last_id.clone_from(&self.id);
        let event = self.event.take().unwrap_or(Cow::Borrowed(MESSAGE));
        let data = mem::take(&mut self.data).finish()?;
        Some(Received { id: self.last_id.clone(), event, data })
    }

    fn count(&mut self, bytes: usize) -> Result<(), TooLong> {
        self.size = self.size.saturating_add(bytes);
        if self.size > self.max_event { self.give_up(TooLong::Event { limit: self.max_event }) } else { Ok(()) }
    }

    /// Skips the rest of the event, and says so the first time.
    fn give_up(&mut self, why: TooLong) -> Result<(), TooLong> {
        self.event = None;
        self.data = Data::Nothing;
        if mem::replace(&mut self.broken, true) { Ok(()) } else { Err(why) }
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            max_line: DEFAULT_MAX_LINE,
            max_event: DEFAULT_MAX_EVENT,
            place: Place::FirstLine,
            line: BytesMut::new(),
            event: None,
            data: Data::Nothing,
            size: 0,
            broken: false,
            id: None,
            last_id: None,
            retry: None,
        }
    }
}

/// An event broke a limit and is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TooLong {
    /// A line of it did, or a comment before it.
    #[non_exhaustive]
    Line {
        /// So many bytes would have been taken, without the line end.
        limit: usize,
    },
    /// All of it did.
    #[non_exhaustive]
    Event {
        /// So many bytes of data, name and id would have been taken.
        limit: usize,
    },
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, limit) = match self {
            Self::Line { limit } => ("has a line", limit),
            Self::Event { limit } => ("is", limit),
        };
        write!(f, "a server-sent event {what} longer than {limit} bytes")
    }
}

impl std::error::Error for TooLong {}

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
    fn neither_an_endless_line_nor_an_endless_event_is_kept() {
        let (line, lines) = (&[b'x'; 100][..], &b"data: 12345\n:\nevent: 1\nid: 1\nx\n"[..]);
        for (piece, limit) in [(line, TooLong::Line { limit: 1000 }), (lines, TooLong::Event { limit: 1000 })] {
            let mut decoder = Decoder::default().max_line(1000).max_event(1000);
            let mut refusals = vec![];
            for _ in 0..1000 {
                refusals.extend(decoder.decode(&mut Bytes::from_static(piece)).err());
                let data = if let Data::Joined(data) = &decoder.data { data.capacity() } else { 0 };
                assert!(decoder.line.capacity() + data <= 2048, "{decoder:?}");
            }
            assert_eq!(refusals, [limit], "told once");
        }
    }
}
