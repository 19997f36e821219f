//! Pipes over any pair of streams.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncWriteExt, duplex};

use super::*;

fn whole(text: &'static str) -> Frame {
    Frame::Whole(text.into())
}

// M26-122, M26-123
#[tokio::test]
async fn reading_goes_on_after_a_line_that_is_too_long() {
    let (mut peer, ours) = duplex(8);
    let (reader, writer) = tokio::io::split(ours);
    let (mut rx, _tx) = streams(reader, writer).max_line(8).split().unwrap();
    let feeding = async {
        peer.write_all(b"{}\r\n\n{\"a\":\"much too long\"}\n[]\nlast").await.unwrap();
        drop(peer);
    };
    let reading = async {
        assert_eq!(rx.recv().await.unwrap(), Some(whole("{}")));
        assert_eq!(rx.recv().await.unwrap(), Some(Frame::TooLong { limit: 8 }));
        assert_eq!(rx.recv().await.unwrap(), Some(whole("[]")));
        assert_eq!(rx.recv().await.unwrap(), Some(whole("last")), "an unterminated line counts");
        assert_eq!(rx.recv().await.unwrap(), None);
        assert_eq!(rx.recv().await.unwrap(), None, "and stays at the end");
    };
    tokio::join!(feeding, reading);
}

#[tokio::test]
async fn all_lines_of_one_read_are_there_without_waiting() {
    let (mut rx, _tx) = streams(&b"1\n2\n3\n4"[..], tokio::io::sink()).split().unwrap();
    assert_eq!(rx.try_recv(), None, "nothing was read yet");
    assert_eq!(rx.recv().await.unwrap(), Some(whole("1")));
    assert_eq!(rx.try_recv(), Some(whole("2")));
    assert_eq!(rx.try_recv(), Some(whole("3")));
    assert_eq!(rx.try_recv(), None);
    assert_eq!(rx.recv().await.unwrap(), Some(whole("4")));
}

#[tokio::test]
async fn dropping_futures_loses_no_byte() {
    let (peer, ours) = duplex(3);
    let ((reader, writer), (peer_reader, peer_writer)) = (tokio::io::split(ours), tokio::io::split(peer));
    let (mut rx, mut tx) = streams(reader, writer).split().unwrap();
    let (mut peer_rx, mut peer_tx) = streams(peer_reader, peer_writer).split().unwrap();
    let echo = async move {
        let mut out = Outbound::new();
        while let Some(Frame::Whole(frame)) = peer_rx.recv().await.unwrap() {
            out.frame(|line| line.extend_from_slice(&frame));
            while !out.is_empty() {
                peer_tx.write(&mut out).await.unwrap();
            }
        }
    };
    let echo = tokio::spawn(echo);
    let (mut out, mut got) = (Outbound::new(), Vec::new());
    for number in 0..50 {
        out.frame(|line| line.extend_from_slice(format!("frame {number}").as_bytes()));
    }
    while got.len() < 50 {
        let waiting = !out.is_empty();
        tokio::select! { // each turn drops the futures that did not win
            frame = rx.recv() => got.push(frame.unwrap().unwrap()),
            written = tx.write(&mut out), if waiting => written.unwrap(),
            () = tokio::task::yield_now() => {}
        }
    }
    let expected: Vec<_> = (0..50).map(|number| Frame::Whole(format!("frame {number}").into())).collect();
    assert_eq!(got, expected);
    tx.finish().await.unwrap();
    assert_eq!(rx.recv().await.unwrap(), None);
    echo.await.unwrap();
}

/// A writer whose flush takes two polls.
#[derive(Default)]
struct SlowFlush {
    flushes_begun: u8,
    flushed: bool,
}

impl AsyncWrite for SlowFlush {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        cx.waker().wake_by_ref();
        self.flushes_begun += 1;
        self.flushed = self.flushes_begun > 1;
        if self.flushed { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_flush_that_was_dropped_is_made_up_for() {
    let (mut tx, mut out) = (LineTx::new(SlowFlush::default()), Outbound::new());
    out.frame(|line| line.extend_from_slice(b"{}"));
    tokio::select! {
        biased;
        _ = tx.write(&mut out) => panic!("the flush is not ready at once"),
        () = std::future::ready(()) => {}
    }
    assert!(out.is_empty());
    assert!(!tx.writer.flushed);
    tx.write(&mut out).await.unwrap();
    assert!(tx.writer.flushed);
}
