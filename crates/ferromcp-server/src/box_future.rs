//! [`BoxFuture`]: a boxed future.

use std::future::Future;
use std::pin::Pin;

/// A boxed future.
pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
