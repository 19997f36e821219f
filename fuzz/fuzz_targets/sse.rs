//! Decodes arbitrary event streams in chunks: the chunk size does not change the events, events respect the limits, and
//! decoded events can be encoded again.
//!
//! `cargo +nightly fuzz run sse`. The first byte is the chunk size. Spec:
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>.
#![no_main]

use bytes::{Bytes, BytesMut};
use ferromcp_transport::sse::{DecodedEvent, Decoder, Event, LimitExceeded};
use libfuzzer_sys::fuzz_target;

const MAX_LINE: usize = 64;
const MAX_EVENT: usize = 96;

fuzz_target!(|input: &[u8]| {
    let Some((&size, stream)) = input.split_first() else { return };
    let whole = decode(stream, stream.len().max(1));
    assert_eq!(whole, decode(stream, usize::from(size).max(1)));
    for event in whole.into_iter().flatten() {
        assert!(event.data.len() <= MAX_EVENT);
        encode_and_decode(&event);
    }
});

fn decode(stream: &[u8], piece: usize) -> Vec<Result<DecodedEvent, LimitExceeded>> {
    let mut decoder = Decoder::default().max_line(MAX_LINE).max_event(MAX_EVENT);
    let mut events = vec![];
    for chunk in stream.chunks(piece) {
        let mut chunk = Bytes::copy_from_slice(chunk);
        events.extend(std::iter::from_fn(|| decoder.decode(&mut chunk).transpose()));
    }
    events
}

fn encode_and_decode(event: &DecodedEvent) {
    let mut wire = BytesMut::new();
    let written = Event::new(&event.data).id(event.id.as_deref().unwrap_or_default()).event(&event.event);
    match written.encode(&mut wire) {
        Ok(()) => assert_eq!(Decoder::default().decode(&mut wire.freeze()), Ok(Some(event.clone()))),
        // A decoded event name may contain NUL, which the encoder rejects.
        Err(error) => assert!(event.event.contains('\0'), "{error}"),
    }
}
