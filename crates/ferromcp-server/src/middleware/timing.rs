//! The `timing` middleware.

use std::time::Instant;

use ferromcp_core::text::excerpt;

use crate::call::{Call, Reply};
use crate::middleware::Next;

/// Logs the method, outcome and duration in microseconds of each call with `tracing` at level info.
///
/// ```
/// use ferromcp_server::{Server, middleware::timing};
/// let server = Server::new("demo", "1.0.0").wrap(timing);
/// ```
pub async fn timing(call: Call, next: Next) -> Reply {
    let method = excerpt(call.request.method()).to_string();
    let begin = Instant::now();
    let reply = next.run(call).await;
    let outcome = match &reply {
        Reply::Done(_) => "done",
        Reply::NeedsInput(_) => "needs input",
        Reply::Failed(_) => "failed",
    };
    let micros = u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX);
    tracing::info!(method, outcome, micros, "call completed");
    reply
}
