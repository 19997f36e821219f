//! A call that has begun: answered at once, or on its way.

use std::future::Future;
use std::pin::Pin;

use crate::call::Reply;

/// A future on the heap.
pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A call that has begun. What is ready at once costs no future.
pub(crate) enum MaybeReady {
    Ready(Reply),
    Pending(BoxFuture<Reply>),
}

impl MaybeReady {
    /// The reply as a future, whether or not it is there already.
    pub(crate) fn boxed(self) -> BoxFuture<Reply> {
        match self {
            Self::Ready(reply) => Box::pin(std::future::ready(reply)),
            Self::Pending(future) => future,
        }
    }

    /// The reply, waited for where it is not there yet.
    pub(crate) async fn finish(self) -> Reply {
        match self {
            Self::Ready(reply) => reply,
            Self::Pending(future) => future.await,
        }
    }
}
