//! Middleware: functions around every call, on every transport.
//!
//! A middleware takes the call and what comes next, and returns a reply. It can look, change,
//! answer by itself, or refuse.
//!
//! ```
//! use ferromcp_server::{Call, Next, Reply, Server};
//!
//! async fn hello(call: Call, next: Next) -> Reply {
//!     eprintln!("asked for {}", call.request.method());
//!     next.run(call).await
//! }
//!
//! let server = Server::new("demo", "1.0.0").wrap(hello);
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

use crate::call::{Call, Reply};
use crate::started::BoxFuture;

/// A function around every call. Implemented by every `async fn(Call, Next) -> Reply`.
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

/// What comes after a middleware: further ones, then the server.
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

    /// Goes on with `call`.
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
        write!(f, "Next({} left)", self.rest.len() - self.index)
    }
}
