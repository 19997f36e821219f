//! Measures the memory of the event store: it must not exceed its limit.
//!
//! A separate test binary, so that nothing else allocates concurrently.

use bytes::{Bytes, BytesMut};
use ferromcp_server::http::{EventStore, MemoryEventStore, StreamKey};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const LIMIT: usize = 2 << 20;

/// Returns a message in a buffer with spare capacity, as encoders leave it.
fn message(length: usize) -> Bytes {
    let mut buffer = BytesMut::with_capacity(length * 2);
    buffer.extend_from_slice(&vec![b'x'; length]);
    buffer.freeze()
}

/// Returns the memory in use after events were stored, as a fraction of the limit.
async fn usage(name: &str, sessions: usize, streams: u64, events: u64, length: usize) -> f64 {
    let before = dhat::HeapStats::get().curr_bytes;
    let store = MemoryEventStore::new().total_bytes(LIMIT).session_bytes(LIMIT / 2);
    for session in 0..sessions {
        let id = format!("{session:043}");
        for stream in 0..streams {
            for number in 1..=events {
                store.append(StreamKey { session: &id, stream }, number, message(length)).await.unwrap();
            }
            let replayed = store.replay(StreamKey { session: &id, stream }, 0).await.unwrap();
            drop(replayed);
        }
    }
    let used = dhat::HeapStats::get().curr_bytes - before;
    #[allow(clippy::cast_precision_loss, reason = "a few megabytes")]
    let usage = used as f64 / LIMIT as f64;
    eprintln!("{name}: {usage:.2} of the limit");
    usage
}

#[tokio::test(flavor = "current_thread")]
async fn event_store_stays_within_its_limit() {
    let _profiler = dhat::Profiler::builder().testing().build();
    for (name, sessions, streams, events, length) in [
        ("one small event per session", 8000, 1, 1, 50),
        ("many streams per session", 40, 300, 1, 50),
        ("many small events per stream", 40, 1, 1000, 60),
        ("two events per stream", 400, 20, 2, 200),
        ("large events", 20, 1, 40, 10_000),
        ("events of medium size", 100, 2, 33, 600),
    ] {
        let usage = usage(name, sessions, streams, events, length).await;
        assert!(usage <= 1.0, "{name}: {usage:.2} of the limit");
        assert!(usage > 0.3, "{name}: only {usage:.2} of the limit");
    }
}
