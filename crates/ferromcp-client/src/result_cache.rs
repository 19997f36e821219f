//! The cache interface of the client.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching>.

use ferromcp_core::model::CacheHint;
use ferromcp_core::{ClientRequest, RawJson};

use crate::channel::BoxFuture;
use crate::subscription::change::Change;

/// A cache of results.
///
/// Called only for cacheable methods, and never with `input_required` responses or results of retries. The
/// implementation decides on expiry, partitioning by principal, and capacity.
pub trait ResultCache: Send + Sync + 'static {
    /// Returns a fresh result of the request.
    fn get<'a>(&'a self, request: &'a ClientRequest) -> BoxFuture<'a, Option<RawJson>>;

    /// Returns a stale result of the request, to be used because the server is unavailable. Default: none.
    fn get_stale<'a>(&'a self, request: &'a ClientRequest) -> BoxFuture<'a, Option<RawJson>> {
        let _ = request;
        Box::pin(std::future::ready(None))
    }

    /// Stores the result of a request.
    fn insert<'a>(&'a self, request: &'a ClientRequest, result: &'a RawJson, hint: CacheHint) -> BoxFuture<'a, ()>;

    /// Invalidates results after a change. Runs on the read task, so it must not block.
    fn invalidate(&self, change: &Change);

    /// Invalidates all pages of a list after the server rejected its cursor. Default: does nothing.
    fn cursor_rejected<'a>(&'a self, request: &'a ClientRequest) -> BoxFuture<'a, ()> {
        let _ = request;
        Box::pin(std::future::ready(()))
    }
}
