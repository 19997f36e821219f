//! The media types of a request: parses `Accept`, and checks that the body is JSON without a content coding.
//!
//! Spec: <https://www.rfc-editor.org/rfc/rfc9110#name-accept>.

use http::header::{ACCEPT, CONTENT_ENCODING};
use http::{HeaderMap, HeaderValue};

/// The maximum number of media ranges that are parsed per request.
const MAX_RANGES: usize = 64;

const JSON: (&[u8], &[u8]) = (b"application", b"json");
const EVENTS: (&[u8], &[u8]) = (b"text", b"event-stream");

/// The media types that a client accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Accepts {
    /// `application/json`.
    pub(crate) json: bool,
    /// `text/event-stream`.
    pub(crate) events: bool,
}

impl Accepts {
    /// The default without an `Accept` header.
    const ANYTHING: Self = Self { json: true, events: true };

    /// Parses the `Accept` headers of a request. A more specific range takes precedence over a less specific one.
    /// Invalid ranges are ignored.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut lines = headers.get_all(ACCEPT).iter();
        let Some(first) = lines.next() else { return Self::ANYTHING };
        if first.as_bytes() == b"application/json, text/event-stream" {
            return Self::ANYTHING;
        }
        let ranges = || std::iter::once(first).chain(headers.get_all(ACCEPT).iter().skip(1));
        if ranges().all(|line| line.as_bytes().trim_ascii().is_empty()) {
            return Self::ANYTHING;
        }
        let (mut json, mut events) = (Match::default(), Match::default());
        for range in
            ranges().flat_map(|line| Split::at(line.as_bytes(), b',')).filter_map(Range::parse).take(MAX_RANGES)
        {
            json.apply(&range, JSON);
            events.apply(&range, EVENTS);
        }
        Self { json: json.accepted, events: events.accepted }
    }
}

/// Returns whether a `Content-Type` is `application/json`, with any parameters. A `+json` type is not.
pub(crate) fn is_json(content_type: &HeaderValue) -> bool {
    let essence = content_type.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

/// Returns whether a body has no content coding. A compressed body could expand without a bound, so none is accepted.
pub(crate) fn is_unencoded(headers: &HeaderMap) -> bool {
    let values = headers.get_all(CONTENT_ENCODING).iter();
    values
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case(b"identity"))
}

/// The most specific range so far for one media type.
#[derive(Default)]
struct Match {
    specificity: u8,
    accepted: bool,
}

impl Match {
    fn apply(&mut self, range: &Range<'_>, (kind, subtype): (&[u8], &[u8])) {
        let specificity = match (range.kind, range.subtype) {
            (b"*", b"*") => 1,
            (k, b"*") if k.eq_ignore_ascii_case(kind) => 2,
            (k, s) if k.eq_ignore_ascii_case(kind) && s.eq_ignore_ascii_case(subtype) => 3,
            _ => return,
        };
        if specificity > self.specificity {
            *self = Self { specificity, accepted: range.accepted };
        } else if specificity == self.specificity {
            self.accepted |= range.accepted;
        }
    }
}

/// A parsed media range.
struct Range<'a> {
    kind: &'a [u8],
    subtype: &'a [u8],
    /// Whether its weight is greater than zero.
    accepted: bool,
}

impl<'a> Range<'a> {
    fn parse(text: &'a [u8]) -> Option<Self> {
        let mut parts = Split::at(text, b';');
        let essence = parts.next()?.trim_ascii();
        let slash = essence.iter().position(|byte| *byte == b'/')?;
        let (kind, subtype) = (&essence[..slash], &essence[slash + 1..]);
        if !is_token(kind) || !is_token(subtype) || (kind == b"*" && subtype != b"*") {
            return None;
        }
        let mut accepted = true;
        for parameter in parts {
            if let [b'q' | b'Q', b'=', weight @ ..] = parameter.trim_ascii() {
                accepted = is_positive(weight)?;
                break; // parameters after the weight do not belong to the range
            }
        }
        Some(Self { kind, subtype, accepted })
    }
}

/// Returns whether a weight (`0.5`) is greater than zero, or `None` if it is invalid.
fn is_positive(weight: &[u8]) -> Option<bool> {
    let (whole, fraction) = match weight {
        [whole @ (b'0' | b'1')] => (whole, &[][..]),
        [whole @ (b'0' | b'1'), b'.', fraction @ ..] => (whole, fraction),
        _ => return None,
    };
    if fraction.len() > 3 || !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(*whole == b'1' || fraction.iter().any(|digit| *digit != b'0'))
}

fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

/// Splits a header at separators outside of quotes.
struct Split<'a> {
    rest: Option<&'a [u8]>,
    separator: u8,
}

impl<'a> Split<'a> {
    fn at(text: &'a [u8], separator: u8) -> Self {
        Self { rest: Some(text), separator }
    }
}

impl<'a> Iterator for Split<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest.take()?;
        let (mut quoted, mut escaped) = (false, false);
        for (at, byte) in rest.iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                byte if *byte == self.separator && !quoted => {
                    self.rest = Some(&rest[at + 1..]);
                    return Some(&rest[..at]);
                }
                _ => {}
            }
        }
        Some(rest)
    }
}

#[cfg(test)]
mod tests {
    use http::header::{ACCEPT, CONTENT_ENCODING};
    use http::{HeaderMap, HeaderValue};
    use proptest::prelude::*;

    use super::{Accepts, is_json};

    fn accepts(lines: &[&str]) -> (bool, bool) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ACCEPT, HeaderValue::from_str(line).unwrap());
        }
        let Accepts { json, events } = Accepts::of(&headers);
        (json, events)
    }

    #[test]
    fn parses_accept_headers() {
        let cases: &[(&[&str], (bool, bool))] = &[
            (&[], (true, true)),
            (&["", " "], (true, true)),
            (&["application/json, text/event-stream"], (true, true)),
            (&["text/event-stream,application/json"], (true, true)),
            (&["application/json", "text/event-stream"], (true, true)),
            (&["Application/JSON;charset=utf-8 , TEXT/Event-Stream; q=0.5"], (true, true)),
            (&["application/json"], (true, false)),
            (&["text/event-stream"], (false, true)),
            (&["*/*"], (true, true)),
            (&["application/*"], (true, false)),
            (&["text/*"], (false, true)),
            (&["text/html, image/png"], (false, false)),
            (&["*/json, application/, /json, json, ;q=1, application/json/x"], (false, false)),
            (&["*/json, text/event-stream"], (false, true)),
            (&["application/json;q=0"], (false, false)),
            (&["*/*, application/json; q=0.000"], (false, true)),
            (&["text/*;q=0, */*, text/event-stream;q=0.001"], (true, true)),
            (&["*/*;q=0"], (false, false)),
            (&["application/json;q=2, text/event-stream;q=x"], (false, false)),
            (&[r#"application/json;x="a,text/event-stream,\"b""#], (true, false)),
            (&[r#"application/json;x=";q=0";q=1"#], (true, false)),
        ];
        for (lines, expected) in cases {
            assert_eq!(accepts(lines), *expected, "{lines:?}");
        }
    }

    #[test]
    fn ignores_ranges_beyond_the_maximum() {
        let many = "text/html,".repeat(super::MAX_RANGES - 1);
        assert_eq!(accepts(&[&many, "application/json", "text/event-stream"]), (true, false));
    }

    #[test]
    fn is_json_accepts_only_application_json() {
        for yes in ["application/json", "application/json; charset=utf-8", " Application/JSON ;x"] {
            assert!(is_json(&HeaderValue::from_str(yes).unwrap()), "{yes}");
        }
        for no in ["", "text/json", "application/problem+json", "application/jsonx", "application/json, text/plain"] {
            assert!(!is_json(&HeaderValue::from_str(no).unwrap()), "{no}");
        }
    }

    #[test]
    fn is_unencoded_accepts_only_identity() {
        // C11
        let is_unencoded = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_ENCODING, HeaderValue::from_str(value).unwrap());
            }
            super::is_unencoded(&headers)
        };
        for yes in [&[][..], &[""], &["identity"], &["Identity, "], &["identity", "identity"]] {
            assert!(is_unencoded(yes), "{yes:?}");
        }
        for no in [&["gzip"][..], &["identity, br"], &["identity", "zstd"], &["x-gzip"], &["aes128gcm"]] {
            assert!(!is_unencoded(no), "{no:?}");
        }
    }

    proptest! {
        #[test]
        fn never_panics_on_any_accept(line in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(line) = HeaderValue::from_bytes(&line) {
                is_json(&line);
                let mut headers = HeaderMap::new();
                headers.append(ACCEPT, line);
                Accepts::of(&headers);
            }
        }

        #[test]
        fn accepts_an_exact_range_at_any_position(before in "([a-z]{1,5}/[a-z*]{1,5};q=0\\.[0-9], ){0,4}", after in "(, [a-z]{1,5}/[a-z]{1,5}){0,4}") {
            let (json, _) = accepts(&[&format!("{before}application/json{after}")]);
            prop_assert!(json);
        }
    }
}
