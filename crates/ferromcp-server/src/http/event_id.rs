//! The ids of events: which stream of the session, and which event of the stream.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#resumability-and-redelivery>.

use std::fmt;
use std::str::FromStr;

/// What a stream is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Purpose {
    /// The answer to a POST.
    Answer,
    /// What the server says by itself, on a GET.
    News,
}

/// A stream of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct StreamName {
    pub(crate) purpose: Purpose,
    pub(crate) number: u64,
}

impl StreamName {
    /// The name of the `count`th stream. The number alone says what the stream is for, so that the two kinds never
    /// share one.
    pub(crate) fn nth(count: u64, purpose: Purpose) -> Self {
        Self { purpose, number: count << 1 | Self::mark(purpose) }
    }

    fn mark(purpose: Purpose) -> u64 {
        u64::from(purpose == Purpose::News)
    }
}

/// An event of a session; number 0 is the one before the first message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EventId {
    pub(crate) stream: StreamName,
    pub(crate) number: u64,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let purpose = match self.stream.purpose {
            Purpose::Answer => 'a',
            Purpose::News => 'n',
        };
        write!(f, "{purpose}{}-{}", self.stream.number, self.number)
    }
}

/// It is no id of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotOurs;

impl FromStr for EventId {
    type Err = NotOurs;

    fn from_str(text: &str) -> Result<Self, NotOurs> {
        let digits = |text: &str| {
            let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| text.parse().ok()).flatten().ok_or(NotOurs)
        };
        let (purpose, rest) = match (text.strip_prefix('a'), text.strip_prefix('n')) {
            (Some(rest), _) => (Purpose::Answer, rest),
            (_, Some(rest)) => (Purpose::News, rest),
            _ => return Err(NotOurs),
        };
        let (stream, number) = rest.split_once('-').ok_or(NotOurs)?;
        let stream = StreamName { purpose, number: digits(stream)? };
        if stream.number & 1 != StreamName::mark(purpose) {
            return Err(NotOurs);
        }
        Ok(Self { stream, number: digits(number)? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn foreign_ids_are_not_ours() {
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
            assert_eq!(text.parse::<EventId>(), Err(NotOurs), "{text}");
        }
    }

    proptest! {
        #[test]
        fn ids_are_read_back(answer: bool, stream: u64, number: u64) {
            // S-166, S-167, S-168
            let purpose = if answer { Purpose::Answer } else { Purpose::News };
            let id = EventId { stream: StreamName::nth(stream, purpose), number };
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }

        #[test]
        fn any_text_is_read_or_refused(text: String) {
            if let Ok(id) = text.parse::<EventId>() {
                prop_assert_eq!(id.to_string().parse(), Ok(id));
            }
        }
    }
}
