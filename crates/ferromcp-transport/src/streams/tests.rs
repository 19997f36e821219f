//! Tests of transports over byte streams.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncWriteExt, duplex};

use super::*;

fn whole(text: &'static str) -> Frame {
    Frame::Complete(text.into())
}

// M26-122, M26-123
#[tokio::test]
async fn continues_reading_when_line_is_too_long() {
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
        assert_eq!(rx.recv().await.unwrap(), Some(whole("last")), "a line without line ending is a frame");
        assert_eq!(rx.recv().await.unwrap(), None);
        assert_eq!(rx.recv().await.unwrap(), None, "remains at the end");
    };
    tokio::join!(feeding, reading);
}

#[tokio::test]
async fn try_recv_returns_all_lines_of_one_read() {
    let (mut rx, _tx) = streams(&b"1\n2\n3\n4"[..], tokio::io::sink()).split().unwrap();
    assert_eq!(rx.try_recv(), None, "nothing was read yet");
    assert_eq!(rx.recv().await.unwrap(), Some(whole("1")));
    assert_eq!(rx.try_recv(), Some(whole("2")));
    assert_eq!(rx.try_recv(), Some(whole("3")));
    assert_eq!(rx.try_recv(), None);
    assert_eq!(rx.recv().await.unwrap(), Some(whole("4")));
}

#[tokio::test]
async fn loses_no_bytes_when_futures_are_dropped() {
    let (peer, ours) = duplex(3);
    let ((reader, writer), (peer_reader, peer_writer)) = (tokio::io::split(ours), tokio::io::split(peer));
    let (mut rx, mut tx) = streams(reader, writer).split().unwrap();
    let (mut peer_rx, mut peer_tx) = streams(peer_reader, peer_writer).split().unwrap();
    let echo = async move {
        let mut out = Outbound::new();
        while let Some(Frame::Complete(frame)) = peer_rx.recv().await.unwrap() {
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
        tokio::select! { // each iteration drops the other futures
            frame = rx.recv() => got.push(frame.unwrap().unwrap()),
            written = tx.write(&mut out), if waiting => written.unwrap(),
            () = tokio::task::yield_now() => {}
        }
    }
    let expected: Vec<_> = (0..50).map(|number| Frame::Complete(format!("frame {number}").into())).collect();
    assert_eq!(got, expected);
    tx.finish().await.unwrap();
    assert_eq!(rx.recv().await.unwrap(), None);
    echo.await.unwrap();
}

/// A writer whose flush takes two polls.
#[derive(Default)]
struct SlowFlush {
    flush_polls: u8,
    flushed: bool,
}

impl AsyncWrite for SlowFlush {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        cx.waker().wake_by_ref();
        self.flush_polls += 1;
        self.flushed = self.flush_polls > 1;
        if self.flushed { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn completes_flush_when_earlier_write_was_dropped() {
    let (mut tx, mut out) = (LineTx::new(SlowFlush::default()), Outbound::new());
    out.frame(|line| line.extend_from_slice(b"{}"));
    tokio::select! {
        biased;
        _ = tx.write(&mut out) => panic!("the flush must be pending"),
        () = std::future::ready(()) => {}
    }
    assert!(out.is_empty());
    assert!(!tx.writer.flushed);
    tx.write(&mut out).await.unwrap();
    assert!(tx.writer.flushed);
}
