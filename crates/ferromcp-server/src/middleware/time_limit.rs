//! The `time_limit` middleware.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ferromcp_core::text::excerpt;
use ferromcp_core::{ClientRequest, Error};

use crate::call::{Call, Reply};
use crate::deadline::PausableDeadline;
use crate::middleware::{Middleware, Next};

/// Cancels handlers (tools, resources, prompts, completions) that exceed the timeout `limit`. Their future is dropped and the
/// call fails with -32603.
///
/// The timer pauses while a request to the client (elicitation, sampling, roots) is pending.
///
/// ```
/// use std::time::Duration;
/// use ferromcp_server::{Server, middleware::time_limit};
/// let server = Server::new("demo", "1.0.0").wrap(time_limit(Duration::from_secs(30)));
/// ```
pub fn time_limit(limit: Duration) -> impl Middleware {
    TimeLimit(limit)
}

struct TimeLimit(Duration);

impl Middleware for TimeLimit {
    fn handle(&self, mut call: Call, next: Next) -> Pin<Box<dyn Future<Output = Reply> + Send>> {
        let limit = self.0;
        Box::pin(async move {
            if !call.runs_user_code() && !matches!(call.request, ClientRequest::ListResources(_)) {
                return next.run(call).await;
            }
            let method = match &call.request {
                ClientRequest::CallTool(params) => format!("tool `{}`", excerpt(&params.name)),
                request => request.method().to_owned(),
            };
            let deadline = Arc::new(PausableDeadline::new());
            call.extensions.insert(Arc::clone(&deadline));
            tokio::select! {
                biased;
                reply = next.run(call) => reply,
                () = deadline.expired(limit) => Reply::Failed(Error::internal(format!("{method} took longer than {limit:?}"))),
            }
        })
    }
}
