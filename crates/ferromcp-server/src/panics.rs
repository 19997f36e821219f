//! Converts panics of handlers into errors.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll};

use ferromcp_core::Error;
use ferromcp_core::text::reason;

use crate::box_future::BoxFuture;
use crate::call::Reply;
use crate::maybe_ready::MaybeReady;

/// Runs a part of a call. A panic fails the part instead of the call.
pub(crate) async fn run_part(start: impl FnOnce() -> MaybeReady) -> Reply {
    match catch_unwind(AssertUnwindSafe(start)) {
        Ok(MaybeReady::Ready(reply)) => reply,
        Ok(MaybeReady::Pending(mut future)) => {
            let reply = poll_fn(|cx| poll_caught(&mut future, cx)).await;
            drop_caught(future);
            reply
        }
        Err(panic) => panicked(&*panic),
    }
}

/// Polls a reply and converts a panic into an error.
pub(crate) fn poll_caught(future: &mut BoxFuture<Reply>, cx: &mut Context<'_>) -> Poll<Reply> {
    match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll,
        Err(panic) => Poll::Ready(panicked(&*panic)),
    }
}

/// Drops a call. Logs a panic of its destructors instead of propagating it.
pub(crate) fn drop_caught(future: BoxFuture<Reply>) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(future))) {
        panicked(&*panic);
    }
}

/// Logs the panic message and returns an error without it.
pub(crate) fn panicked(panic: &(dyn std::any::Any + Send)) -> Reply {
    let message = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    // A handler may panic with text of the client.
    tracing::error!(panic = %reason(message.unwrap_or("no message")), "a handler panicked");
    Reply::Failed(Error::internal("Internal error: the handler panicked"))
}
