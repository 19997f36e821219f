//! [`Checked`]: a future whose failure is a panic at the place in the test that awaits it.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that panics with the message of an `Err`. The panic is reported for the `.await` in the test, because the
/// compiler calls `poll` there.
pub(super) struct Checked<F> {
    future: Pin<Box<F>>,
    /// The place that created the future.
    call: &'static Location<'static>,
}

impl<F> Checked<F> {
    #[track_caller]
    pub(super) fn new(future: F) -> Self {
        Self { future: Box::pin(future), call: Location::caller() }
    }
}

impl<T, F: Future<Output = Result<T, String>>> Future for Checked<F> {
    type Output = T;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        match self.future.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(value)) => Poll::Ready(value),
            // A combinator such as `join!` polls the future elsewhere.
            Poll::Ready(Err(message)) if Location::caller().file() != self.call.file() => {
                panic!("{message} (called at {})", self.call)
            }
            Poll::Ready(Err(message)) => panic!("{message}"),
        }
    }
}
