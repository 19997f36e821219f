//! Paginated lists.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/pagination>.

use std::collections::VecDeque;
use std::fmt;
use std::future::{IntoFuture, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ferromcp_core::ErrorCode;
use ferromcp_core::text::reason;
use futures_core::Stream;
use tokio::time::Instant;

use crate::channel::BoxFuture;
use crate::engine::{Engine, Options};
use crate::error::{ClientError, ErrorKind};
use crate::mrtr::run_rounds;
use crate::pagination::{Listable, Page, Pages};

/// A paginated list. Awaiting it collects all items; as a `Stream` it fetches pages on demand.
///
/// The list is empty if the server does not declare the capability, or answers with -32601.
///
/// ```no_run
/// # async fn example(client: ferromcp_client::Client) -> Result<(), ferromcp_client::ClientError> {
/// for tool in client.tools().await? {
///     println!("{}", tool.name);
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a list is fetched when it is awaited"]
pub struct ListCall<T> {
    engine: Arc<Engine>,
    options: Options,
    pages: Pages<'static, T>,
    /// Fetched items that are not returned yet.
    items: VecDeque<T>,
}

impl<T: Listable> ListCall<T> {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self { engine, options: Options::default(), pages: Pages::new(), items: VecDeque::new() }
    }

    /// Sets the timeout of each page. Default:
    /// [`ClientLimits::request_timeout`](crate::ClientLimits::request_timeout).
    pub fn timeout(mut self, time: Duration) -> Self {
        self.options.timeout = Some(time);
        self
    }

    /// Sets the maximum time to fetch all pages. The time that passes between two pages of a stream does not count.
    /// Default: [`ClientLimits::list_time_limit`](crate::ClientLimits::list_time_limit).
    pub fn time_limit(mut self, time: Duration) -> Self {
        self.options.cap = Some(time);
        self
    }

    /// Bypasses the cache, even if cached pages are fresh.
    pub fn fresh(mut self) -> Self {
        self.options.fresh = true;
        self
    }

    /// Fetches one page: the first, or the one at a cursor of an earlier page.
    pub async fn page(self, cursor: Option<String>) -> Result<Page<T>, ClientError> {
        fetch(self.engine, self.options, cursor, Duration::ZERO).await
    }

    /// Returns the next item; `None` at the end of the list.
    ///
    /// # Cancellation safety
    /// Cancel safe. No item is lost, and a fetch in progress continues on the next call.
    pub async fn next(&mut self) -> Option<Result<T, ClientError>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    async fn all(mut self) -> Result<Vec<T>, ClientError> {
        let mut all = Vec::new();
        while let Some(item) = self.next().await {
            all.push(item?);
        }
        Ok(all)
    }
}

impl<T: Listable> Stream for ListCall<T> {
    type Item = Result<T, ClientError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let list = self.get_mut();
        loop {
            if let Some(item) = list.items.pop_front() {
                return Poll::Ready(Some(Ok(item)));
            }
            let fetch = |cursor, spent| -> BoxFuture<'static, _> {
                Box::pin(fetch(Arc::clone(&list.engine), list.options.clone(), cursor, spent))
            };
            match ready!(list.pages.poll_next(cx, &list.engine.settings.limits, fetch)) {
                Some(Ok(items)) => list.items = items.into(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<T: Listable> IntoFuture for ListCall<T> {
    type Output = Result<Vec<T>, ClientError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.all())
    }
}

impl<T> fmt::Debug for ListCall<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListCall").field("pages", &self.pages.fetched()).finish_non_exhaustive()
    }
}

/// Fetches one page of a list that was fetched for `spent` so far. The list is empty if the server does not support it.
async fn fetch<T: Listable>(
    engine: Arc<Engine>,
    mut options: Options,
    cursor: Option<String>,
    spent: Duration,
) -> Result<Page<T>, ClientError> {
    let (first, request) = (cursor.is_none(), Page::<T>::request(cursor));
    let (limit, started_at) = (options.cap.unwrap_or(engine.settings.limits.list_time_limit), Instant::now());
    options.cap = Some(limit.saturating_sub(spent));
    let error = match run_rounds(&engine, &request, None, &options).await {
        Ok(completed) => return Page::from_result(completed.result, completed.bytes),
        Err(error) => error,
    };
    if first && is_unsupported(&error) {
        let error = reason(&error.to_string()).to_string();
        tracing::debug!(method = request.method(), error, "the server does not support this list; it is empty");
        return Ok(Page::empty());
    }
    if error.is_timeout() && spent.saturating_add(started_at.elapsed()) >= limit {
        return Err(ClientError::list_time_limit(request.method(), limit));
    }
    Err(error)
}

/// Returns whether the server does not support a list. Some servers declare a capability without all of its lists.
fn is_unsupported(error: &ClientError) -> bool {
    error.kind() == ErrorKind::Unsupported || error.rpc().is_some_and(|error| error.code == ErrorCode::METHOD_NOT_FOUND)
}
