//! Response bytes that were passed to the connection and are not written to the socket yet.
//!
//! HTTP/2 buffers a response until the client opens its window, and the body of the response may be dropped before.
//! Only the buffer itself knows when its bytes are written, so it holds the reservation of its bytes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use super::byte_budget::Reservation;

/// Responses up to this size are not tracked until they are written, because the number of streams of a connection is
/// limited, and most are written at once.
pub(crate) const UNTRACKED_BYTES: usize = 4 << 10;

/// The maximum number of bytes that are passed to the connection at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// Tracks the unwritten chunks of one response.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unwritten(Arc<State>);

#[derive(Debug, Default)]
struct State {
    passed: AtomicU64,
    written: AtomicU64,
    waker: Mutex<Option<Waker>>,
}

/// Bytes of a response that are passed to the connection in chunks.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    rest: Bytes,
    reservations: Arc<Vec<Reservation>>,
}

/// A chunk that was passed to the connection. Counts as written when dropped.
struct Chunk {
    bytes: Bytes,
    /// Chunks share one allocation, so all of it is reserved until the last one is written.
    _reservations: Arc<Vec<Reservation>>,
    response: Unwritten,
}

impl Unwritten {
    /// Returns a number that changes with each chunk that is passed or written.
    pub(crate) fn progress(&self) -> u64 {
        self.0.passed.load(Ordering::Acquire) + self.0.written.load(Ordering::Acquire)
    }

    /// Returns whether every chunk is written.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.written.load(Ordering::Acquire) == self.0.passed.load(Ordering::Acquire)
    }

    /// Ready when every chunk is written. Otherwise wakes the task when the next one is.
    pub(crate) fn poll_written(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_empty() {
            return Poll::Ready(());
        }
        *self.waker() = Some(cx.waker().clone());
        // The last chunk may have been written in between.
        if self.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    }

    fn waker(&self) -> std::sync::MutexGuard<'_, Option<Waker>> {
        self.0.waker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Chunks {
    /// Creates chunks of `bytes`, whose memory is counted in `reservations`.
    pub(crate) fn new(bytes: Bytes, reservations: Vec<Reservation>) -> Self {
        Self { rest: bytes, reservations: Arc::new(reservations) }
    }

    /// Returns the number of bytes that were not passed yet.
    pub(crate) fn len(&self) -> usize {
        self.rest.len()
    }

    /// Returns the next chunk, or `None` at the end.
    pub(crate) fn next(&mut self, response: &Unwritten) -> Option<Bytes> {
        if self.rest.is_empty() {
            return None;
        }
        let bytes = self.rest.split_to(self.rest.len().min(CHUNK_BYTES));
        let reservations =
            if self.rest.is_empty() { std::mem::take(&mut self.reservations) } else { Arc::clone(&self.reservations) };
        response.0.passed.fetch_add(1, Ordering::AcqRel);
        Some(Bytes::from_owner(Chunk { bytes, _reservations: reservations, response: response.clone() }))
    }
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        self.response.0.written.fetch_add(1, Ordering::AcqRel);
        let waker = self.response.waker().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::super::byte_budget::ByteBudget;
    use super::*;

    #[tokio::test]
    async fn bytes_are_reserved_until_the_last_chunk_is_written() {
        let budget = ByteBudget::new(1);
        let length = CHUNK_BYTES * 2 + 1;
        let mut chunks = Chunks::new(vec![7; length].into(), vec![budget.reserve(length)]);
        let unwritten = Unwritten::default();
        let passed: Vec<Bytes> = std::iter::from_fn(|| chunks.next(&unwritten)).collect();
        assert_eq!(passed.iter().map(Bytes::len).collect::<Vec<_>>(), [CHUNK_BYTES, CHUNK_BYTES, 1]);
        drop(chunks);
        let mut passed = passed.into_iter();
        let last = passed.next();
        drop(passed);
        assert!(budget.is_exhausted() && !unwritten.is_empty());
        let written = poll_fn(|cx| unwritten.poll_written(cx));
        let (progress, ()) = (unwritten.progress(), drop(last));
        written.await;
        assert!(!budget.is_exhausted());
        assert_eq!(unwritten.progress(), progress + 1);
    }
}
