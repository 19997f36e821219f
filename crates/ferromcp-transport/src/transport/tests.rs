//! Tests of the queue of outbound frames.

use super::*;

fn queue(frames: &[&str]) -> Outbound {
    let mut out = Outbound::new();
    for frame in frames {
        out.frame(|line| line.extend_from_slice(frame.as_bytes()));
    }
    out
}

// M26-123, S-105
#[test]
fn frame_is_one_line_when_newlines_are_written() {
    let out = queue(&["{\n  \"a\": [1,\n2]\n}", "{}"]);
    assert_eq!(out.as_bytes(), b"{   \"a\": [1, 2] }\n{}\n");
}

#[test]
fn removes_frames_by_pop_or_by_bytes() {
    let mut out = queue(&["one", "", "three"]);
    assert_eq!(out.pop().as_deref(), Some(&b"one"[..]));
    assert_eq!(out.pop().as_deref(), Some(&b""[..]));
    out.advance(2);
    assert_eq!((out.as_bytes(), out.len()), (&b"ree\n"[..], 4));
    out.advance(4);
    assert!(out.is_empty());
    assert_eq!(out.pop(), None);
}

#[test]
fn append_preserves_order_and_empties_other_queue() {
    let (mut all, mut more) = (Outbound::new(), queue(&["a"]));
    all.append(&mut more);
    assert!(more.is_empty());
    more.append(&mut queue(&["b"]));
    all.append(&mut more);
    assert_eq!(all.as_bytes(), b"a\nb\n");
    assert!(more.is_empty());
}

#[test]
fn releases_memory_after_large_frame() {
    let mut out = queue(&[&"x".repeat(2 * MAX_RETAINED_CAPACITY), "y"]);
    out.advance(2 * MAX_RETAINED_CAPACITY + 1);
    assert_eq!(out.as_bytes(), b"y\n");
    out.advance(2);
    assert_eq!(out.buffer.capacity(), 0);
    out.append(&mut queue(&["z"]));
    assert_eq!(out.as_bytes(), b"z\n");
}
