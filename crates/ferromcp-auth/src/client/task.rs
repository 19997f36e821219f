//! Work that is not cancelled.

use std::future::{Future, pending};
use std::panic::resume_unwind;

/// Runs a future to its end, even if the caller is dropped: a rotated refresh token that was received must be saved.
pub(crate) async fn uncancelled<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    match tokio::spawn(future).await {
        Ok(output) => output,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime is shutting down, and drops the caller too.
            Err(_) => pending().await,
        },
    }
}
