//! Tests of SSE encoding and decoding, against a simple reference decoder.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use super::*;

/// The decoded stream: events and errors in order, the last event id and the retry delay.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    events: Vec<Result<Plain, LimitExceeded>>,
    last_id: String,
    retry: Option<Duration>,
}

/// An event as strings, with "" for no id.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plain {
    id: String,
    event: String,
    data: String,
}

fn plain(id: &str, event: &str, data: &str) -> Plain {
    Plain { id: id.to_owned(), event: event.to_owned(), data: data.to_owned() }
}

impl From<DecodedEvent> for Plain {
    fn from(event: DecodedEvent) -> Self {
        plain(event.id.as_deref().unwrap_or_default(), &event.event, &String::from_utf8_lossy(&event.data))
    }
}

/// Feeds `bytes` in chunks of the given sizes, followed by the rest.
fn feed(decoder: &mut Decoder, mut bytes: &[u8], pieces: &[usize]) -> Seen {
    let mut seen = Seen::default();
    for &piece in pieces.iter().chain([&usize::MAX]) {
        let (now, later) = bytes.split_at(piece.min(bytes.len()));
        let mut chunk = Bytes::copy_from_slice(now);
        while let Some(event) = decoder.decode(&mut chunk).transpose() {
            seen.events.push(event.map(Plain::from));
        }
        assert!(chunk.is_empty(), "None only at the end of the chunk");
        bytes = later;
    }
    decoder.last_event_id().unwrap_or_default().clone_into(&mut seen.last_id);
    seen.retry = decoder.retry();
    seen
}

fn read(bytes: impl AsRef<[u8]>) -> Seen {
    feed(&mut Decoder::default(), bytes.as_ref(), &[])
}

fn events(bytes: impl AsRef<[u8]>) -> Vec<Plain> {
    read(bytes).events.into_iter().map(|event| event.expect("short enough")).collect()
}

/// A reference implementation of the HTML standard for the whole stream, with both limits.
fn model(text: &str, max_line: usize, max_event: usize) -> Seen {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let (mut seen, mut event, mut id) = (Seen::default(), Plain::default(), String::new());
    let (mut size, mut broken) = (0, false);
    let lines: Vec<&str> = text.split('\n').collect();
    for (at, mut line) in lines.iter().copied().enumerate() {
        let mut failure = (line.len() > max_line).then_some(LimitExceeded::Line { limit: max_line });
        if at == 0 {
            line = line.strip_prefix('\u{feff}').unwrap_or(line);
        }
        if failure.is_none() && at + 1 == lines.len() {
            break; // incomplete line
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            _ if failure.is_some() => {}
            "" if line.is_empty() => {
                seen.last_id.clone_from(&id);
                let Plain { event, data, .. } = std::mem::take(&mut event);
                if let (Some(data), false) = (data.strip_suffix('\n'), broken) {
                    let event = if event.is_empty() { "message" } else { &event };
                    seen.events.push(Ok(plain(&id, event, data)));
                }
                (size, broken) = (0, false);
            }
            "data" => {
                size += value.len() + usize::from(!event.data.is_empty());
                event.data += value;
                event.data += "\n";
            }
            "event" => {
                size += value.len();
                value.clone_into(&mut event.event);
            }
            "id" if !value.contains('\0') => {
                size += value.len();
                if value.len() <= max_event {
                    value.clone_into(&mut id);
                }
            }
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                seen.retry = Some(Duration::from_millis(value.parse().unwrap_or(u64::MAX)));
            }
            _ => {}
        }
        if size > max_event {
            failure = failure.or(Some(LimitExceeded::Event { limit: max_event }));
        }
        if let (Some(failure), false) = (failure, broken) {
            broken = true;
            seen.events.push(Err(failure));
        }
    }
    seen
}

/// Text that consists mostly of valid and malformed fields, with all kinds of line endings.
fn stream() -> impl Strategy<Value = String> {
    let field = "(data|event|id|retry|dat|data x|ID|\u{feff}data|)";
    let value = "(|:|: |:  |: a|: é😀|:\\{\\}|: a:b|: message|: 007|: 99999999999999999999|: 1x|: \0|: \u{feff})";
    proptest::string::string_regex(&format!("\u{feff}{{0,2}}({field}{value}(\n|\r|\r\n|\n\n|\r\r|\r\n\r\n|)){{0,16}}"))
        .expect("a pattern")
}

/// Fields with random values, and random bytes.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec!["data:", "data: ", "id: ", "event:", "\n", "\n\n", "\r", "\r\n", "é", "\0"]);
    let part = prop_oneof![
        3 => known.prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(part, 0..32).prop_map(|parts| parts.concat())
}

fn pieces() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0_usize..7, 0..60)
}

proptest! {
    // S-119, S-165
    #[test]
    fn decodes_any_split_according_to_the_standard(text in stream(), pieces in pieces()) {
        let expected = model(&text, DEFAULT_MAX_LINE, DEFAULT_MAX_EVENT);
        prop_assert_eq!(feed(&mut Decoder::default(), text.as_bytes(), &pieces), expected);
    }

    #[test]
    fn exceeds_limits_at_same_position_for_any_split(
        text in stream(), pieces in pieces(), max_line in 0_usize..14, max_event in 0_usize..10,
    ) {
        let mut decoder = Decoder::default().max_line(max_line).max_event(max_event);
        prop_assert_eq!(feed(&mut decoder, text.as_bytes(), &pieces), model(&text, max_line, max_event));
    }

    #[test]
    fn decodes_invalid_utf8_like_its_replacement(
        bytes in bytes(),
        pieces in pieces(),
    ) {
        let expected = model(&String::from_utf8_lossy(&bytes), DEFAULT_MAX_LINE, DEFAULT_MAX_EVENT);
        prop_assert_eq!(feed(&mut Decoder::default(), &bytes, &pieces), expected);
    }

    // S-119, S-140, S-143, S-165
    #[test]
    fn encoded_events_round_trip_for_any_split(written in prop::collection::vec(written(), 0..5), pieces in pieces()) {
        let (mut wire, mut expected) = (BytesMut::new(), Seen::default());
        for Written { id, event, retry: delay, data, comment: text } in &written {
            let mut out = Event::new(data.as_bytes());
            (out, expected.last_id) = match id {
                Some(id) => (out.id(id), id.clone()),
                None => (out, expected.last_id),
            };
            if let Some(event) = event {
                out = out.event(event);
            }
            if let Some(delay) = delay {
                expected.retry = Some(*delay);
                out = out.retry(*delay);
            }
            out.encode(&mut wire).expect("valid fields");
            comment(text, &mut wire);
            let name = event.as_deref().filter(|name| !name.is_empty()).unwrap_or("message");
            let data = data.replace("\r\n", "\n").replace('\r', "\n");
            expected.events.push(Ok(plain(&expected.last_id, name, &data)));
        }
        prop_assert_eq!(feed(&mut Decoder::default(), &wire, &pieces), expected);
    }
}

#[derive(Debug)]
struct Written {
    id: Option<String>,
    event: Option<String>,
    retry: Option<Duration>,
    data: String,
    comment: String,
}

fn written() -> impl Strategy<Value = Written> {
    let word = || prop::option::of("[^\0\r\n]{0,4}");
    let delay = prop::option::of(any::<u64>().prop_map(Duration::from_millis));
    let text = || "(\n|\r|\r\n| |:|data:|é|\u{feff}|\\{\"a\":1\\}){0,8}";
    (word(), word(), delay, text(), text()).prop_map(|(id, event, retry, data, comment)| Written {
        id,
        event,
        retry,
        data,
        comment,
    })
}

fn wire(write: impl FnOnce(&mut BytesMut)) -> BytesMut {
    let mut wire = BytesMut::new();
    write(&mut wire);
    wire
}

// S-117, S-119
#[test]
fn encodes_name_before_data() {
    let endpoint = Event::new(b"/messages?s=1").event("endpoint");
    assert_eq!(wire(|to| endpoint.encode(to).unwrap()), "event: endpoint\ndata: /messages?s=1\n\n");
    let message = Event::new(b"{}").id("7").event("message").retry(Duration::from_secs(1));
    assert_eq!(wire(|to| message.encode(to).unwrap()), "id: 7\nevent: message\nretry: 1000\ndata: {}\n\n");
}

// S-140
#[test]
fn priming_event_has_id_and_empty_data() {
    let wire = wire(|to| Event::priming("s/0").encode(to).unwrap());
    assert_eq!(wire, "id: s/0\ndata: \n\n");
    assert_eq!(events(&wire), [plain("s/0", "message", "")]);
}

// S-143, S-144
#[test]
fn encodes_retry_without_event_and_rounds_up() {
    let written = wire(|to| retry(Duration::from_micros(1_500_001), to));
    assert_eq!(written, "retry: 1501\n\n");
    let seen = read(&written);
    assert_eq!((seen.events, seen.retry), (vec![], Some(Duration::from_millis(1501))));
    assert_eq!(wire(|to| retry(Duration::MAX, to)), "retry: 18446744073709551615\n\n");
}

#[test]
fn comments_are_ignored_when_decoding() {
    assert_eq!(wire(|to| comment("", to)), ": \n\n");
    let wire = wire(|to| comment("a\r\ndata: b\n", to));
    assert_eq!(wire, ": a\n: data: b\n: \n\n");
    assert_eq!(read(&wire), Seen::default());
}

// S-119
#[test]
fn encodes_one_data_field_per_line() {
    let event = Event::new(b"{\r\n \"a\":\r1\n}\n");
    let wire = wire(|to| event.encode(to).unwrap());
    assert_eq!(wire, "data: {\ndata:  \"a\":\ndata: 1\ndata: }\ndata: \n\n");
    assert_eq!(events(&wire), [plain("", "message", "{\n \"a\":\n1\n}\n")]);
}

// S-165
#[test]
fn returns_error_when_id_or_name_has_invalid_characters() {
    for (text, why) in [("a\0", "a NUL"), ("\rb", "a carriage return"), ("a\nb", "a line feed")] {
        for (field, event) in [("id", Event::new(b"{}").id(text)), ("event", Event::new(b"{}").id("1").event(text))] {
            let mut wire = BytesMut::from("before");
            let error = event.encode(&mut wire).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("the field `{field}` of a server-sent event cannot contain {why}")),
                "{error}"
            );
            assert_eq!(wire, "before", "the buffer is unchanged");
        }
    }
}

#[test]
fn encodes_event_with_a_single_allocation() {
    let frame = vec![b'x'; 100_000];
    let mut wire = BytesMut::new();
    Event::new(&frame).id("abcdef").event("message").retry(Duration::MAX).encode(&mut wire).unwrap();
    // The capacity is reserved once; growing it again would double it.
    assert!(wire.capacity() < frame.len() + 128, "{}", wire.capacity());
}

// S-139
#[test]
fn decodes_examples_of_the_standard() {
    assert_eq!(events("data: YHOO\ndata: +2\ndata: 10\n\n"), [plain("", "message", "YHOO\n+2\n10")]);
    let seen = read(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event");
    let expected = [plain("1", "message", "first event"), plain("", "message", "second event")];
    assert_eq!(seen.events, expected.map(Ok), "the third is not complete");
    let empty = plain("", "message", "");
    assert_eq!(events("data\n\ndata\ndata\n\ndata:"), [empty, plain("", "message", "\n")]);
    assert_eq!(events("data:test\n\ndata: test\n\n"), [plain("", "message", "test"), plain("", "message", "test")]);
}

#[test]
fn skips_byte_order_mark_at_start_of_stream() {
    let seen = events("\u{feff}data: a\n\n\u{feff}data: b\n\ndata: \u{feff}c\n\n");
    assert_eq!(seen, [plain("", "message", "a"), plain("", "message", "\u{feff}c")]);
    assert_eq!(events("\u{feff}\u{feff}data: a\n\n"), []);
}

// S-169
#[test]
fn last_event_id_persists_and_is_set_without_data() {
    let mut decoder = Decoder::default();
    let seen = feed(&mut decoder, b"id: 1\ndata: a\n\ndata: b\n\nid: 2\n\nid: x\0\n\ndata: c\n\nid: 3\n", &[]);
    let expected = [plain("1", "message", "a"), plain("1", "message", "b"), plain("2", "message", "c")];
    assert_eq!((seen.events, &*seen.last_id), (Vec::from(expected.map(Ok)), "2"), "3 is not complete");
    decoder.restart();
    assert_eq!(decoder.last_event_id(), Some("2"));
    let seen = feed(&mut decoder, b"data: d\n\nid:\n\n", &[]);
    assert_eq!((seen.events, &*seen.last_id), (vec![Ok(plain("2", "message", "d"))], ""), "reset by an empty id");
    assert_eq!(decoder.last_event_id(), None);
}

#[test]
fn restart_discards_incomplete_event() {
    for unfinished in
        ["event: x\ndata: half\n", "data: ha", "data: h\r", ": longer than the limit", "data: long\ndata: er\n"]
    {
        let mut decoder = Decoder::default().max_line(12).max_event(6);
        feed(&mut decoder, b"retry: 5\n\n", &[]);
        feed(&mut decoder, unfinished.as_bytes(), &[]);
        decoder.restart();
        let seen = feed(&mut decoder, b"\xef\xbb\xbfdata: new\n\ndata: too long\n\n", &[]);
        let expected = vec![Ok(plain("", "message", "new")), Err(LimitExceeded::Line { limit: 12 })];
        assert_eq!(seen, Seen { events: expected, retry: Some(Duration::from_millis(5)), ..Seen::default() });
    }
}

#[test]
fn returns_event_at_first_byte_of_line_ending() {
    let mut decoder = Decoder::default();
    assert_eq!(feed(&mut decoder, b"data: a\r\n\r", &[]).events, [Ok(plain("", "message", "a"))]);
    assert_eq!(feed(&mut decoder, b"\ndata: b\r\n\r\n", &[]).events, [Ok(plain("", "message", "b"))]);
}

// S-144
#[test]
fn retry_accepts_digits_only() {
    for other in ["", " 5", "5 ", "+5", "-5", "5.0", "0x5", "٥"] {
        assert_eq!(read(format!("retry: {other}\n")).retry, None, "{other:?}");
    }
    assert_eq!(read("retry:0005\n").retry, Some(Duration::from_millis(5)), "applied without a blank line");
    assert_eq!(read("retry: 18446744073709551616\n").retry, Some(Duration::from_millis(u64::MAX)));
}

#[test]
fn preserves_data_when_it_is_invalid_utf8() {
    let mut chunk = Bytes::from_static(b"id: \xff\nevent: \xffx\ndata: \xff\xc3\n\n");
    let event = Decoder::default().decode(&mut chunk).unwrap().unwrap();
    assert_eq!(&event.data[..], b"\xff\xc3");
    assert_eq!((event.id.as_deref(), &*event.event), (Some("\u{fffd}"), "\u{fffd}x"));
}

#[test]
fn single_data_line_within_chunk_is_not_copied() {
    let whole = Bytes::from(b"data: {\"jsonrpc\":\"2.0\"}\n\n".to_vec());
    let event = Decoder::default().decode(&mut whole.clone()).unwrap().unwrap();
    assert_eq!(event.data.as_ptr(), whole[6..].as_ptr());
}

#[test]
fn enforces_limits_exactly_and_decodes_next_event() {
    let mut decoder = Decoder::default().max_line(10).max_event(5);
    let seen = feed(&mut decoder, b"id: 1\ndata: abcd\n\nid: 2\ndata: abc\ndata:d\ndata:e\n\ndata: x\n\n", &[]);
    let expected = vec![
        Ok(plain("1", "message", "abcd")),
        Err(LimitExceeded::Event { limit: 5 }),
        Ok(plain("2", "message", "x")), // the id of the discarded event is recorded
    ];
    assert_eq!(seen.events, expected);
    let seen = feed(&mut decoder, b":234567890\ndata:x\n\n:2345678901\ndata:y\n\ndata:z\n\n", &[]);
    let expected =
        vec![Ok(plain("2", "message", "x")), Err(LimitExceeded::Line { limit: 10 }), Ok(plain("2", "message", "z"))];
    assert_eq!(seen.events, expected);
}

#[test]
fn decodes_event_of_maximum_default_size() {
    let data = vec![b'x'; DEFAULT_MAX_EVENT];
    let mut wire = BytesMut::from("\u{feff}");
    Event::new(&data).encode(&mut wire).unwrap();
    let event = Decoder::default().decode(&mut wire.freeze()).unwrap().unwrap();
    assert_eq!(event.data.len(), DEFAULT_MAX_EVENT);
}

#[test]
fn errors_contain_limit() {
    let text = |error: LimitExceeded| error.to_string();
    assert_eq!(text(LimitExceeded::Line { limit: 8 }), "a server-sent event has a line longer than 8 bytes");
    assert_eq!(text(LimitExceeded::Event { limit: 9 }), "a server-sent event is longer than 9 bytes");
}
