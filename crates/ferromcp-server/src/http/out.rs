//! What waits to be written on one connection that is a stream of events.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ferromcp_transport::sse::{self, Event};

/// The waiting bytes of one connection: written by whoever has events, taken by its body.
#[derive(Debug, Default)]
pub(crate) struct Out(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    bytes: BytesMut,
    closed: bool,
    /// How much may wait before a writer gives the connection up; without end where the reader itself drives the writer.
    limit: Option<usize>,
    waker: Option<Waker>,
}

impl Out {
    /// A connection that is given up when more than `limit` bytes wait: its client comes back for the rest.
    pub(crate) fn bounded(limit: usize) -> Self {
        Self(Mutex::new(Waiting { limit: Some(limit), ..Waiting::default() }))
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes something, unless the connection is closed.
    fn write(&self, write: impl FnOnce(&mut BytesMut)) {
        let mut waiting = self.lock();
        if waiting.limit.is_some_and(|limit| waiting.bytes.len() > limit) {
            waiting.closed = true;
            wake(waiting);
        } else if !waiting.closed {
            write(&mut waiting.bytes);
            wake(waiting);
        }
    }

    /// Writes an event. Ids of ours hold nothing that an event could not.
    pub(crate) fn event(&self, event: Event<'_>) {
        self.write(|bytes| {
            if let Err(refused) = event.encode(bytes) {
                tracing::error!(%refused, "an event cannot be written");
            }
        });
    }

    /// Tells the client how long to wait before it comes back.
    pub(crate) fn retry(&self, after: Duration) {
        self.write(|bytes| sse::retry(after, bytes));
    }

    /// Nothing more is written; what waits still goes out.
    pub(crate) fn close(&self) {
        let mut waiting = self.lock();
        waiting.closed = true;
        wake(waiting);
    }

    /// Whether it is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Waits until it is closed. Only one may wait, and not while it is [taken](Self::poll_take) from another task.
    pub(crate) async fn closed(&self) {
        std::future::poll_fn(|cx| {
            let mut waiting = self.lock();
            if waiting.closed {
                return Poll::Ready(());
            }
            waiting.waker = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// What waits, if anything. `None` when closed and empty.
    pub(crate) fn poll_take(&self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let mut waiting = self.lock();
        if !waiting.bytes.is_empty() {
            return Poll::Ready(Some(waiting.bytes.split().freeze()));
        }
        if waiting.closed {
            return Poll::Ready(None);
        }
        if waiting.waker.as_ref().is_none_or(|waker| !waker.will_wake(cx.waker())) {
            waiting.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

/// Wakes who waits, after letting go of the lock.
fn wake(mut waiting: MutexGuard<'_, Waiting>) {
    let waker = waiting.waker.take();
    drop(waiting);
    if let Some(waker) = waker {
        waker.wake();
    }
}
