//! Middleware: functions around every call, on every transport.
//!
//! A middleware receives the call and the rest of the chain, and returns a reply. It can inspect or change the call and the
//! reply, reply without running the handler, or reject the call.
//!
//! ```
//! use ferromcp_server::middleware::Next;
//! use ferromcp_server::{Call, Reply, Server};
//!
//! async fn log_method(call: Call, next: Next) -> Reply {
//!     eprintln!("received {}", call.request.method());
//!     next.run(call).await
//! }
//!
//! let server = Server::new("demo", "1.0.0").wrap(log_method);
//! ```

mod cache;
mod concurrency;
mod rate;
mod time_limit;
mod timing;

pub use cache::response_cache;
pub use concurrency::concurrency_limit;
pub use rate::rate_limit;
pub use time_limit::time_limit;
pub use timing::timing;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use crate::box_future::BoxFuture;
use crate::call::{Call, Reply};

/// A function that wraps every call. Implemented for every `async fn(Call, Next) -> Reply`.
pub trait Middleware: Send + Sync + 'static {
    /// Handles `call`, usually by running `next`.
    fn handle(&self, call: Call, next: Next) -> std::pin::Pin<Box<dyn Future<Output = Reply> + Send>>;
}

impl<F, Fut> Middleware for F
where
    F: Fn(Call, Next) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Reply> + Send + 'static,
{
    fn handle(&self, call: Call, next: Next) -> BoxFuture<Reply> {
        Box::pin(self(call, next))
    }
}

/// The rest of the middleware chain, ending with the handler.
pub struct Next {
    rest: Arc<[Arc<dyn Middleware>]>,
    index: usize,
    last: Arc<dyn Fn(Call) -> BoxFuture<Reply> + Send + Sync>,
}

impl Next {
    pub(crate) fn new(
        chain: Arc<[Arc<dyn Middleware>]>,
        last: Arc<dyn Fn(Call) -> BoxFuture<Reply> + Send + Sync>,
    ) -> Self {
        Self { rest: chain, index: 0, last }
    }

    /// Runs the rest of the chain with `call`.
    pub async fn run(mut self, call: Call) -> Reply {
        match self.rest.get(self.index).cloned() {
            Some(middleware) => {
                self.index += 1;
                middleware.handle(call, self).await
            }
            None => (self.last)(call).await,
        }
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Next({} remaining)", self.rest.len() - self.index)
    }
}
