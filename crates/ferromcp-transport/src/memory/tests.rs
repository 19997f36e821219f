//! Tests of the in-memory transport.

use std::{future::Future, pin::pin, task::Poll};

use super::*;

fn queue(frames: &[&[u8]]) -> Outbound {
    let mut out = Outbound::new();
    for frame in frames {
        out.frame(|line| line.extend_from_slice(frame));
    }
    out
}

/// Polls the future once, and returns `true` if it is pending.
async fn waits(future: impl Future) -> bool {
    let mut future = pin!(future);
    std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}

async fn next(rx: &mut MemoryRx) -> Bytes {
    match rx.recv().await.unwrap() {
        Some(Frame::Complete(frame)) => frame,
        other => panic!("{other:?} is not a frame"),
    }
}

#[tokio::test]
async fn delivers_frames_in_order_without_copying_in_both_directions() {
    let (left, right) = memory();
    let ((mut left_rx, mut left_tx), (mut right_rx, mut right_tx)) = (left.split().unwrap(), right.split().unwrap());
    let mut out = queue(&[b"one", b"", b"two"]);
    let address = out.as_bytes().as_ptr();
    left_tx.write(&mut out).await.unwrap();
    assert!(out.is_empty());
    let one = next(&mut right_rx).await;
    assert_eq!((&one[..], one.as_ptr()), (&b"one"[..], address));
    assert_eq!(right_rx.try_recv(), Some(Frame::Complete("two".into())), "blank frames are skipped");
    assert_eq!(right_rx.try_recv(), None);
    right_tx.write(&mut queue(&[b"back"])).await.unwrap();
    assert_eq!(next(&mut left_rx).await, "back");
}

#[tokio::test]
async fn applies_backpressure_when_reader_is_slow() {
    let (left, right) = memory_with_capacity(1000);
    let ((_, mut tx), (mut rx, _)) = (left.split().unwrap(), right.split().unwrap());
    let frame = [b'x'; 400 - FRAME_COST];
    let mut out = queue(&[&frame[..]; 5]);
    tx.write(&mut out).await.unwrap();
    assert_eq!(out.len(), 3 * (frame.len() + 1), "two of five frames fit");
    assert!(waits(tx.write(&mut out)).await);
    assert_eq!(out.len(), 3 * (frame.len() + 1), "a dropped write removed nothing");
    next(&mut rx).await;
    tx.write(&mut out).await.unwrap();
    assert_eq!(out.len(), 2 * (frame.len() + 1));
    assert!(waits(tx.write(&mut out)).await);
}

#[tokio::test]
async fn sends_frame_alone_when_it_exceeds_capacity() {
    let (left, right) = memory_with_capacity(1000);
    let ((_, mut tx), (mut rx, _)) = (left.split().unwrap(), right.split().unwrap());
    tx.write(&mut queue(&[b"small"])).await.unwrap();
    let mut out = queue(&[&[b'x'; 5000], b"small"]);
    assert!(waits(tx.write(&mut out)).await);
    next(&mut rx).await;
    tx.write(&mut out).await.unwrap();
    assert_eq!(out.as_bytes(), b"small\n");
    assert_eq!(next(&mut rx).await.len(), 5000);
}

#[tokio::test]
async fn bounds_number_of_small_frames() {
    let (left, _right) = memory_with_capacity(1000);
    let (_, mut tx) = left.split().unwrap();
    let mut out = queue(&[&b"x"[..]; 100]);
    tx.write(&mut out).await.unwrap();
    assert_eq!(out.len() / 2, 100 - 1000 / (FRAME_COST + 1));
}

#[tokio::test]
async fn returns_error_when_peer_disconnects() {
    let (left, right) = memory_with_capacity(100);
    let ((mut left_rx, mut left_tx), (right_rx, mut right_tx)) = (left.split().unwrap(), right.split().unwrap());
    right_tx.write(&mut queue(&[b"bye"])).await.unwrap();
    right_tx.finish().await.unwrap();
    assert_eq!(next(&mut left_rx).await, "bye");
    assert_eq!(left_rx.recv().await.unwrap(), None);
    let after = right_tx.write(&mut queue(&[b"more"])).await.unwrap_err();
    assert_eq!(after.kind(), io::ErrorKind::BrokenPipe);

    left_tx.write(&mut queue(&[b"fills the room"])).await.unwrap();
    let mut out = queue(&[&b"waits for room"[..]; 9]);
    let (written, ()) = tokio::join!(left_tx.write(&mut out), async { drop(right_rx) });
    assert_eq!(written.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
}
