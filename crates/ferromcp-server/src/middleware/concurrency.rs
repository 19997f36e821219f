//! Lets only so many calls run at once; the others wait their turn.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use ferromcp_core::Error;
use tokio::sync::Semaphore;

use crate::call::{Call, Reply};
use crate::middleware::{Middleware, Next};

/// Lets at most `calls` calls that run user code (tools, resources, prompts, completions) run at
/// once over all peers; the others wait. Lists and handshakes are never held up. What a handler calls
/// in its turn, like [`Ctx::read_resource`](crate::Ctx::read_resource), runs in the place it has.
///
/// ```
/// use ferromcp_server::{Server, middleware::concurrency_limit};
/// let server = Server::new("demo", "1.0.0").wrap(concurrency_limit(8));
/// ```
pub fn concurrency_limit(calls: usize) -> impl Middleware {
    Limit { room: Arc::new(Semaphore::new(calls.clamp(1, Semaphore::MAX_PERMITS))) }
}

struct Limit {
    room: Arc<Semaphore>,
}

/// The limits under which a call has its place already, so that what it calls does not wait for it.
#[derive(Clone, Default)]
struct Places(Vec<Arc<Semaphore>>);

impl Places {
    fn of(call: &Call) -> Self {
        call.extensions.get::<Self>().cloned().unwrap_or_default()
    }

    fn has(&self, room: &Arc<Semaphore>) -> bool {
        self.0.iter().any(|other| Arc::ptr_eq(other, room))
    }
}

impl Middleware for Limit {
    fn handle(&self, mut call: Call, next: Next) -> Pin<Box<dyn Future<Output = Reply> + Send>> {
        let room = Arc::clone(&self.room);
        Box::pin(async move {
            let mut places = Places::of(&call);
            if !call.runs_user_code() || places.has(&room) {
                return next.run(call).await;
            }
            places.0.push(Arc::clone(&room));
            call.extensions.insert(places);
            match room.acquire().await {
                Ok(_place) => next.run(call).await,
                Err(_) => Reply::Failed(Error::internal("the server is shutting down")), // never closed, but said all the same
            }
        })
    }
}
