//! The write buffer of one SSE connection.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ferromcp_transport::sse::{self, Event};

use super::byte_budget::Reservation;

/// Buffers the bytes of one connection between the producer of events and the body of the response.
#[derive(Debug, Default)]
pub(crate) struct EventBuffer(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    bytes: BytesMut,
    /// The reservations of the large replies in `bytes`.
    reservations: Vec<Reservation>,
    closed: bool,
    /// The size in bytes beyond which a write closes the connection. `None` if the reader drives the writer.
    limit: Option<usize>,
    waker: Option<Waker>,
}

impl EventBuffer {
    /// Creates a buffer that closes the connection when more than `limit` bytes wait. The client reconnects for the
    /// rest.
    pub(crate) fn bounded(limit: usize) -> Self {
        Self(Mutex::new(State { limit: Some(limit), ..State::default() }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes to the buffer, unless it is closed.
    fn write(&self, write: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        if state.limit.is_some_and(|limit| state.bytes.len() > limit) {
            state.closed = true;
            wake(state);
        } else if !state.closed {
            write(&mut state);
            wake(state);
        }
    }

    /// Writes an event.
    pub(crate) fn event(&self, event: Event<'_>) {
        self.event_with(event, None);
    }

    /// Writes an event, whose memory is counted in `reservation`.
    pub(crate) fn event_with(&self, event: Event<'_>, reservation: Option<Reservation>) {
        self.write(|state| {
            if let Err(error) = event.encode(&mut state.bytes) {
                tracing::error!(%error, "cannot encode an event");
            }
            state.reservations.extend(reservation);
        });
    }

    /// Writes the time after which the client is to reconnect.
    pub(crate) fn retry(&self, after: Duration) {
        self.write(|state| sse::retry(after, &mut state.bytes));
    }

    /// Closes the buffer. Bytes in it can still be taken.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        wake(state);
    }

    /// Returns whether the buffer is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Waits until the buffer is closed. Only one task may wait here or in [`poll_take`](Self::poll_take).
    pub(crate) async fn closed(&self) {
        std::future::poll_fn(|cx| {
            let mut state = self.lock();
            if state.closed {
                return Poll::Ready(());
            }
            state.waker = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Takes the buffered bytes with their reservations. Returns `None` if the buffer is closed and empty.
    pub(crate) fn poll_take(&self, cx: &mut Context<'_>) -> Poll<Option<(Bytes, Vec<Reservation>)>> {
        let mut state = self.lock();
        if !state.bytes.is_empty() {
            return Poll::Ready(Some((state.bytes.split().freeze(), std::mem::take(&mut state.reservations))));
        }
        if state.closed {
            return Poll::Ready(None);
        }
        if state.waker.as_ref().is_none_or(|waker| !waker.will_wake(cx.waker())) {
            state.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

/// Wakes the reader after releasing the lock.
fn wake(mut state: MutexGuard<'_, State>) {
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}
