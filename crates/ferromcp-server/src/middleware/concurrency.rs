//! The `concurrency_limit` middleware.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use ferromcp_core::Error;
use tokio::sync::Semaphore;

use crate::call::{Call, Reply};
use crate::middleware::{Middleware, Next};

/// Runs at most `calls` handlers (tools, resources, prompts, completions) concurrently, over all peers. Further calls wait.
///
/// Lists and handshakes are not limited. Nested calls, such as [`Ctx::read_resource`](crate::Ctx::read_resource), use the
/// permit of the outer call.
///
/// ```
/// use ferromcp_server::{Server, middleware::concurrency_limit};
/// let server = Server::new("demo", "1.0.0").wrap(concurrency_limit(8));
/// ```
pub fn concurrency_limit(calls: usize) -> impl Middleware {
    Limit { permits: Arc::new(Semaphore::new(calls.clamp(1, Semaphore::MAX_PERMITS))) }
}

struct Limit {
    permits: Arc<Semaphore>,
}

/// The limits of which a call already has a permit, so that nested calls do not wait for another one.
#[derive(Clone, Default)]
struct HeldPermits(Vec<Arc<Semaphore>>);

impl HeldPermits {
    fn of(call: &Call) -> Self {
        call.extensions.get::<Self>().cloned().unwrap_or_default()
    }

    fn has(&self, permits: &Arc<Semaphore>) -> bool {
        self.0.iter().any(|other| Arc::ptr_eq(other, permits))
    }
}

impl Middleware for Limit {
    fn handle(&self, mut call: Call, next: Next) -> Pin<Box<dyn Future<Output = Reply> + Send>> {
        let permits = Arc::clone(&self.permits);
        Box::pin(async move {
            let mut held = HeldPermits::of(&call);
            if !call.runs_user_code() || held.has(&permits) {
                return next.run(call).await;
            }
            held.0.push(Arc::clone(&permits));
            call.extensions.insert(held);
            match permits.acquire().await {
                Ok(_permit) => next.run(call).await,
                Err(_) => Reply::Failed(Error::internal("the server is shutting down")), // the semaphore is never closed
            }
        })
    }
}
