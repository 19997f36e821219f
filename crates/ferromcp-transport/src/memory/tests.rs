//! The pipe in memory.

use std::{future::Future, pin::pin, task::Poll};

use super::*;

fn queue(frames: &[&[u8]]) -> Outbound {
    let mut out = Outbound::new();
    for frame in frames {
        out.frame(|line| line.extend_from_slice(frame));
    }
    out
}

/// Whether the future would wait now.
async fn waits(future: impl Future) -> bool {
    let mut future = pin!(future);
    std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}

async fn next(rx: &mut MemoryRx) -> Bytes {
    match rx.recv().await.unwrap() {
        Some(Frame::Whole(frame)) => frame,
        other => panic!("{other:?} is no frame"),
    }
}

#[tokio::test]
async fn frames_arrive_in_order_and_uncopied_both_ways() {
    let (left, right) = memory();
    let ((mut left_rx, mut left_tx), (mut right_rx, mut right_tx)) = (left.split().unwrap(), right.split().unwrap());
    let mut out = queue(&[b"one", b"", b"two"]);
    let address = out.as_bytes().as_ptr();
    left_tx.write(&mut out).await.unwrap();
    assert!(out.is_empty());
    let one = next(&mut right_rx).await;
    assert_eq!((&one[..], one.as_ptr()), (&b"one"[..], address));
    assert_eq!(right_rx.try_recv(), Some(Frame::Whole("two".into())), "blank frames are skipped");
    assert_eq!(right_rx.try_recv(), None);
    right_tx.write(&mut queue(&[b"back"])).await.unwrap();
    assert_eq!(next(&mut left_rx).await, "back");
}

#[tokio::test]
async fn a_slow_reader_holds_the_writer_back() {
    let (left, right) = memory_with(1000);
    let ((_, mut tx), (mut rx, _)) = (left.split().unwrap(), right.split().unwrap());
    let frame = [b'x'; 400 - FRAME_COST];
    let mut out = queue(&[&frame[..]; 5]);
    tx.write(&mut out).await.unwrap();
    assert_eq!(out.len(), 3 * (frame.len() + 1), "two of five found room");
    assert!(waits(tx.write(&mut out)).await);
    assert_eq!(out.len(), 3 * (frame.len() + 1), "a dropped write took nothing");
    next(&mut rx).await;
    tx.write(&mut out).await.unwrap();
    assert_eq!(out.len(), 2 * (frame.len() + 1));
    assert!(waits(tx.write(&mut out)).await);
}

#[tokio::test]
async fn a_frame_beyond_the_room_passes_alone() {
    let (left, right) = memory_with(1000);
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
async fn tiny_frames_are_bounded_too() {
    let (left, _right) = memory_with(1000);
    let (_, mut tx) = left.split().unwrap();
    let mut out = queue(&[&b"x"[..]; 100]);
    tx.write(&mut out).await.unwrap();
    assert_eq!(out.len() / 2, 100 - 1000 / (FRAME_COST + 1));
}

#[tokio::test]
async fn each_end_learns_that_the_other_is_gone() {
    let (left, right) = memory_with(100);
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
