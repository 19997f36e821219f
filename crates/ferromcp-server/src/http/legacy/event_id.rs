//! Event ids: the stream of the session, and the number of the event in the stream.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#resumability-and-redelivery>.

use std::fmt;
use std::str::FromStr;

/// The kind of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum StreamKind {
    /// The response to a POST.
    Response,
    /// Server notifications, on a GET.
    Get,
}

/// Identifies a stream of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct StreamId {
    pub(super) kind: StreamKind,
    pub(super) number: u64,
}

impl StreamId {
    /// Returns the id of the `count`th stream. The low bit of the number is the kind, so that streams of different
    /// kinds never share a number.
    pub(super) fn nth(count: u64, kind: StreamKind) -> Self {
        Self { kind, number: count << 1 | Self::kind_bit(kind) }
    }

    fn kind_bit(kind: StreamKind) -> u64 {
        u64::from(kind == StreamKind::Get)
    }
}

/// Identifies an event of a session. Number 0 precedes the first message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EventId {
    pub(super) stream: StreamId,
    pub(super) number: u64,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.stream.kind {
            StreamKind::Response => 'a',
            StreamKind::Get => 'n',
        };
        write!(f, "{kind}{}-{}", self.stream.number, self.number)
    }
}

/// The text is not an event id of this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InvalidEventId;

impl FromStr for EventId {
    type Err = InvalidEventId;

    fn from_str(text: &str) -> Result<Self, InvalidEventId> {
        let digits = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| text.parse().ok()).flatten().ok_or(InvalidEventId)
        };
        let (kind, rest) = match (text.strip_prefix('a'), text.strip_prefix('n')) {
            (Some(rest), _) => (StreamKind::Response, rest),
            (_, Some(rest)) => (StreamKind::Get, rest),
            _ => return Err(InvalidEventId),
        };
        let (stream, number) = rest.split_once('-').ok_or(InvalidEventId)?;
        let stream = StreamId { kind, number: digits(stream)? };
        if stream.number & 1 != StreamId::kind_bit(kind) {
            return Err(InvalidEventId);
        }
        Ok(Self { stream, number: digits(number)? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rejects_invalid_event_ids() {
        for text in [
            "",
            "a",
            "a-",
            "a1",
            "a1-",
            "a-1",
            "b1-1",
            "a1-1-1",
            "a+1-1",
            "a1- 1",
            "a99999999999999999999-1",
            "a1-1",
            "n2-1",
        ] {
            assert_eq!(text.parse::<EventId>(), Err(InvalidEventId), "{text}");
        }
    }

    proptest! {
        #[test]
        fn event_ids_round_trip(is_response: bool, stream: u64, number: u64) {
            // S-166, S-167, S-168
            let kind = if is_response { StreamKind::Response } else { StreamKind::Get };
            let id = EventId { stream: StreamId::nth(stream, kind), number };
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }

        #[test]
        fn parsing_any_text_round_trips_or_fails(text: String) {
            if let Ok(id) = text.parse::<EventId>() {
                prop_assert_eq!(id.to_string().parse(), Ok(id));
            }
        }
    }
}
