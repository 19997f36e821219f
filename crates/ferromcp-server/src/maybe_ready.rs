//! [`MaybeReady`]: a reply that is available immediately or pending.

use crate::box_future::BoxFuture;
use crate::call::Reply;

/// The reply of a started call: available immediately, without a future, or pending.
pub(crate) enum MaybeReady {
    Ready(Reply),
    Pending(BoxFuture<Reply>),
}

impl MaybeReady {
    /// Converts the reply into a future.
    pub(crate) fn boxed(self) -> BoxFuture<Reply> {
        match self {
            Self::Ready(reply) => Box::pin(std::future::ready(reply)),
            Self::Pending(future) => future,
        }
    }

    /// Waits for the reply.
    pub(crate) async fn finish(self) -> Reply {
        match self {
            Self::Ready(reply) => reply,
            Self::Pending(future) => future.await,
        }
    }
}
