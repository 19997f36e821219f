//! Tests of newline framing, byte by byte.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;

/// Feeds `bytes` in chunks of the given sizes, followed by the rest. Returns all frames.
fn feed(mut bytes: &[u8], pieces: &[usize], max_line: usize) -> Vec<Frame> {
    let (mut lines, mut frames) = (LineBuffer::new(max_line), Vec::new());
    for &piece in pieces.iter().chain([&usize::MAX]) {
        let (now, later) = bytes.split_at(piece.min(bytes.len()));
        lines.read_buffer().extend_from_slice(now);
        frames.extend(std::iter::from_fn(|| lines.pop()));
        bytes = later;
    }
    frames.extend(lines.finish());
    assert_eq!(lines.finish(), None, "no frame after the end");
    frames
}

/// A simple reference implementation.
fn model(bytes: &[u8], max_line: usize) -> Vec<Frame> {
    let lines = bytes.split(|&byte| byte == b'\n');
    let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines
        .filter_map(|line| match line {
            _ if line.len() > max_line => Some(Frame::TooLong { limit: max_line }),
            _ if line.iter().all(u8::is_ascii_whitespace) => None,
            _ => Some(Frame::Complete(Bytes::copy_from_slice(line))),
        })
        .collect()
}

fn whole(text: &'static str) -> Frame {
    Frame::Complete(Bytes::from_static(text.as_bytes()))
}

proptest! {
    // M26-123, S-105
    #[test]
    fn yields_same_frames_for_any_split_into_reads(
        bytes in "(\\{\\}|a| |\r|\r\n|\n|é){0,60}",
        pieces in prop::collection::vec(0_usize..9, 0..40),
        max_line in 0_usize..12,
    ) {
        prop_assert_eq!(feed(bytes.as_bytes(), &pieces, max_line), model(bytes.as_bytes(), max_line));
    }
}

// M26-123, S-105
#[test]
fn strips_line_endings_and_skips_blank_lines() {
    let bytes = b"one\n\n\r\n  \t\r\ntwo\r\nth\rree\n";
    assert_eq!(feed(bytes, &[], 99), [whole("one"), whole("two"), whole("th\rree")]);
}

// M26-123
#[test]
fn limit_excludes_line_ending() {
    let too_long = Frame::TooLong { limit: 4 };
    for pieces in [&[][..], &[1; 40], &[4, 1, 1], &[5, 1, 1]] {
        assert_eq!(feed(b"1234\r\n12345\r\n1\n", pieces, 4), [whole("1234"), too_long.clone(), whole("1")]);
        assert_eq!(feed(b"1234", pieces, 4), [whole("1234")]);
        assert_eq!(feed(b"12345", pieces, 4), std::slice::from_ref(&too_long));
        assert_eq!(feed(b"1234567890", pieces, 4), std::slice::from_ref(&too_long));
    }
}

#[test]
fn discards_line_when_it_exceeds_limit() {
    let (limit, mut lines) = (4 * READ_SIZE, LineBuffer::new(4 * READ_SIZE));
    let piece = vec![b'x'; READ_SIZE];
    for _ in 0..200 {
        lines.read_buffer().extend_from_slice(&piece);
        assert_eq!(lines.pop(), None);
        assert!(lines.buffer.capacity() <= 2 * (limit + READ_SIZE));
    }
    lines.read_buffer().extend_from_slice(b"\n{}\n");
    assert_eq!(lines.pop(), Some(Frame::TooLong { limit }));
    assert_eq!(lines.pop(), Some(whole("{}")));
}

#[test]
fn releases_memory_after_large_line() {
    let (mut lines, piece) = (LineBuffer::new(DEFAULT_MAX_LINE), vec![b'x'; READ_SIZE]);
    for _ in 0..64 {
        lines.read_buffer().extend_from_slice(&piece);
        assert_eq!(lines.pop(), None);
    }
    lines.read_buffer().extend_from_slice(b"\n[1");
    assert!(matches!(lines.pop(), Some(Frame::Complete(line)) if line.len() == 64 * READ_SIZE));
    assert!(lines.grown);
    assert!(lines.read_buffer().capacity() <= 2 * READ_SIZE);
    assert!(!lines.grown);
    lines.read_buffer().extend_from_slice(b"]\n");
    assert_eq!(lines.pop(), Some(whole("[1]")), "bytes after the large line are preserved");
}

#[test]
fn searches_long_line_once() {
    let mut lines = LineBuffer::default();
    for count in 1..=10 {
        lines.read_buffer().extend_from_slice(&[b'x'; 1000]);
        assert_eq!(lines.pop(), None);
        assert_eq!(lines.searched, 1000 * count);
    }
    lines.read_buffer().extend_from_slice(b"\ny");
    assert!(lines.pop().is_some());
    assert_eq!(lines.searched, 0);
}

#[test]
fn frames_are_slices_and_buffer_is_reused() {
    let mut lines = LineBuffer::default();
    lines.read_buffer().extend_from_slice(b"{\"a\":1}\n{\"b\":2}\n");
    let (Some(Frame::Complete(a)), Some(Frame::Complete(b))) = (lines.pop(), lines.pop()) else {
        panic!("two frames");
    };
    assert_eq!(a.as_ptr() as usize + a.len() + 1, b.as_ptr() as usize);
    let allocation = a.as_ptr() as usize..a.as_ptr() as usize + READ_SIZE;
    drop((a, b));
    for _ in 0..10_000 {
        lines.read_buffer().extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n");
        let Some(Frame::Complete(frame)) = lines.pop() else { panic!("a frame") };
        assert!(allocation.contains(&(frame.as_ptr() as usize)));
    }
}
