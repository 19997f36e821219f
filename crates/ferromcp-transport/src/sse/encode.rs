//! Writing events: each goes into the buffer as one piece, its data copied once.
//!
//! Spec: <https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>.

use std::fmt::{self, Write};
use std::time::Duration;

use bytes::BytesMut;
use memchr::{memchr2, memchr3};

/// Field names, separators and line ends of one event, and a bit more.
const OVERHEAD: usize = 64;

/// An event to be written.
///
/// The format is UTF-8; whether the data is, is left to whoever made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    id: Option<&'a str>,
    name: Option<&'a str>,
    retry: Option<Duration>,
    data: &'a [u8],
}

impl<'a> Event<'a> {
    /// An event with nothing but data.
    ///
    /// Line breaks in it are kept by writing one `data` line for each; readers see each of them,
    /// `\r` and `\r\n` too, as `\n`.
    pub const fn new(data: &'a [u8]) -> Self {
        Self { id: None, name: None, retry: None, data }
    }

    /// An id with empty data: it lets a client reconnect before there was any message.
    ///
    /// Clients see an event with empty data and must know to skip it.
    pub const fn priming(id: &'a str) -> Self {
        Self::new(b"").id(id)
    }

    /// The id a reconnecting client names; the empty one makes it forget the id it has.
    #[must_use]
    pub const fn id(mut self, id: &'a str) -> Self {
        self.id = Some(id);
        self
    }

    /// The name of the event; without one, or with the empty one, readers take it for `message`.
    #[must_use]
    pub const fn event(mut self, name: &'a str) -> Self {
        self.name = Some(name);
        self
    }

    /// How long to wait before reconnecting, written in whole milliseconds, rounded up.
    #[must_use]
    pub const fn retry(mut self, delay: Duration) -> Self {
        self.retry = Some(delay);
        self
    }

    /// Appends the whole event, its blank line included, or leaves the buffer as it was.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the id or the name holds a NUL, CR or LF: there is no way to write them.
    pub fn encode(&self, into: &mut BytesMut) -> Result<(), Refused> {
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

/// Appends how long to wait before reconnecting, without an event for the application.
///
/// Written in whole milliseconds, rounded up: clients must not come early.
pub fn retry(delay: Duration, into: &mut BytesMut) {
    put_retry(delay, into);
    into.extend_from_slice(b"\n");
}

/// Appends a comment, one line for each of the text's; readers skip it.
///
/// An empty one is enough to keep an idle connection alive. A blank line follows, for readers that
/// cut the stream at blank lines only.
pub fn comment(text: &str, into: &mut BytesMut) {
    put_lines("", text.as_bytes(), into);
    into.extend_from_slice(b"\n");
}

/// Why an event was not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    field: &'static str,
    found: &'static str,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, found } = self;
        write!(f, "the field `{field}` of a server-sent event cannot hold {found}")
    }
}

impl std::error::Error for Refused {}

fn check(field: &'static str, text: &str) -> Result<(), Refused> {
    let Some(at) = memchr3(0, b'\r', b'\n', text.as_bytes()) else {
        return Ok(());
    };
    let found = match text.as_bytes()[at] {
        0 => "a NUL: readers would ignore it",
        b'\r' => "a carriage return: it would end the line",
        _ => "a line feed: it would end the line",
    };
    Err(Refused { field, found })
}

fn put_retry(delay: Duration, into: &mut BytesMut) {
    // `Duration::MAX` has more milliseconds than a reader's 64 bits hold.
    let millis = u64::try_from(delay.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
    // A `BytesMut` grows: writing to it does not fail.
    let _ = writeln!(into, "retry: {millis}");
}

/// One line of `field` for each line of `text`, which may end in any of the three ways.
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
    // Readers drop one space after the colon: without it a value would lose its own first one.
    into.extend_from_slice(b": ");
    into.extend_from_slice(line);
    into.extend_from_slice(b"\n");
}
