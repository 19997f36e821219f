//! Serializes server-sent events. The data of an event is copied once.
//!
//! Spec: <https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>.

use std::fmt::{self, Write};
use std::time::Duration;

use bytes::BytesMut;
use memchr::{memchr2, memchr3};

/// An upper bound for the field names, separators and line endings of an event.
const OVERHEAD: usize = 64;

/// An event to serialize.
///
/// The event stream format is UTF-8. The data is not validated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    id: Option<&'a str>,
    name: Option<&'a str>,
    retry: Option<Duration>,
    data: &'a [u8],
}

impl<'a> Event<'a> {
    /// Creates an event with data only.
    ///
    /// Data with line breaks is serialized as one `data` field per line. Receivers decode each line
    /// break, including `\r` and `\r\n`, as `\n`.
    pub const fn new(data: &'a [u8]) -> Self {
        Self { id: None, name: None, retry: None, data }
    }

    /// Creates a priming event with an id and empty data, which allows a client to reconnect before the first message.
    ///
    /// Clients must skip events with empty data.
    pub const fn priming(id: &'a str) -> Self {
        Self::new(b"").id(id)
    }

    /// Sets the id that a client sends when it reconnects. An empty id resets the last event id of the client.
    #[must_use]
    pub const fn id(mut self, id: &'a str) -> Self {
        self.id = Some(id);
        self
    }

    /// Sets the event name. Receivers use `message` if the name is absent or empty.
    #[must_use]
    pub const fn event(mut self, name: &'a str) -> Self {
        self.name = Some(name);
        self
    }

    /// Sets the retry delay before reconnecting, rounded up to whole milliseconds.
    #[must_use]
    pub const fn retry(mut self, delay: Duration) -> Self {
        self.retry = Some(delay);
        self
    }

    /// Appends the event, including its terminating blank line.
    ///
    /// # Errors
    ///
    /// Returns [`InvalidField`] if the id or the name contains a NUL, CR or LF. `into` is unchanged in this case.
    pub fn encode(&self, into: &mut BytesMut) -> Result<(), InvalidField> {
        let texts = [("id", self.id), ("event", self.name)];
        for (field, text) in texts {
            check(field, text.unwrap_or_default())?;
        }
        let lengths = texts.map(|(_, text)| text.map_or(0, str::len));
        into.reserve(lengths.iter().sum::<usize>() + self.data.len() + OVERHEAD);
        for (field, text) in texts {
            if let Some(text) = text {
                put(field, text.as_bytes(), into);
            }
        }
        if let Some(delay) = self.retry {
            put_retry(delay, into);
        }
        put_lines("data", self.data, into);
        into.extend_from_slice(b"\n");
        Ok(())
    }
}

/// Appends a retry delay without an event.
///
/// The delay is rounded up to whole milliseconds, so that clients do not reconnect too early.
pub fn retry(delay: Duration, into: &mut BytesMut) {
    put_retry(delay, into);
    into.extend_from_slice(b"\n");
}

/// Appends a comment, which receivers ignore. Text with line breaks is serialized as several comment lines.
///
/// An empty comment keeps an idle connection alive. A blank line is appended for receivers that
/// split the stream only at blank lines.
pub fn comment(text: &str, into: &mut BytesMut) {
    put_lines("", text.as_bytes(), into);
    into.extend_from_slice(b"\n");
}

/// The id or the name of an event contains a character that cannot be serialized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidField {
    field: &'static str,
    found: &'static str,
}

impl fmt::Display for InvalidField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, found } = self;
        write!(f, "the field `{field}` of a server-sent event cannot contain {found}")
    }
}

impl std::error::Error for InvalidField {}

fn check(field: &'static str, text: &str) -> Result<(), InvalidField> {
    let Some(at) = memchr3(0, b'\r', b'\n', text.as_bytes()) else {
        return Ok(());
    };
    let found = match text.as_bytes()[at] {
        0 => "a NUL, because receivers would ignore the field",
        b'\r' => "a carriage return, because it would end the line",
        _ => "a line feed, because it would end the line",
    };
    Err(InvalidField { field, found })
}

fn put_retry(delay: Duration, into: &mut BytesMut) {
    // `Duration::MAX` in milliseconds exceeds 64 bits.
    let millis = u64::try_from(delay.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
    // Writing to a `BytesMut` does not fail.
    let _ = writeln!(into, "retry: {millis}");
}

/// Appends one line of `field` for each line of `text`, which can end in `\n`, `\r` or `\r\n`.
fn put_lines(field: &str, mut text: &[u8], into: &mut BytesMut) {
    while let Some(end) = memchr2(b'\r', b'\n', text) {
        put(field, &text[..end], into);
        let ended = if text[end..].starts_with(b"\r\n") { 2 } else { 1 };
        text = &text[end + ended..];
    }
    put(field, text, into);
}

fn put(field: &str, line: &[u8], into: &mut BytesMut) {
    into.extend_from_slice(field.as_bytes());
    // Receivers remove one space after the colon, so a leading space of the value is preserved.
    into.extend_from_slice(b": ");
    into.extend_from_slice(line);
    into.extend_from_slice(b"\n");
}
