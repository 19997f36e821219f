//! The seam to a store of results: asked before a list or a read, told what came, told what changed.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching>.

use ferromcp_core::model::CacheHint;
use ferromcp_core::{ClientRequest, RawJson};

use crate::channel::BoxFuture;
use crate::subscription::change::Change;

/// A store of results.
///
/// What it is asked and told is limited to methods that may be cached, never to `input_required` nor to the results of
/// retries. How long, for whom and how much it keeps is its own matter.
pub trait Results: Send + Sync + 'static {
    /// A result of this request that is still fresh.
    fn find<'a>(&'a self, request: &'a ClientRequest) -> BoxFuture<'a, Option<RawJson>>;

    /// A result of this request that may serve although it is not fresh, since the server cannot be asked.
    fn find_stale<'a>(&'a self, request: &'a ClientRequest) -> BoxFuture<'a, Option<RawJson>> {
        let _ = request;
        Box::pin(std::future::ready(None))
    }

    /// The server answered this request.
    fn keep<'a>(&'a self, request: &'a ClientRequest, result: &'a RawJson, hint: CacheHint) -> BoxFuture<'a, ()>;

    /// The server told of a change. Called where messages are read, so it must not block.
    fn changed(&self, change: &Change);

    /// The server refused a cursor: none of the list's pages hold any longer.
    fn refused<'a>(&'a self, request: &'a ClientRequest) -> BoxFuture<'a, ()> {
        let _ = request;
        Box::pin(std::future::ready(()))
    }
}
