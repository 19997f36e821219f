//! Pages of lists, and the loop that fetches them within limits.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/pagination>.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::future::poll_fn;
use std::hash::BuildHasher;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ferromcp_core::model::{Items, ListParams, PromptDefinition, ResourceDefinition, ResourceTemplate, ToolDefinition};
use ferromcp_core::text::excerpt;
use ferromcp_core::{ClientRequest, ServerResult, Str};
use tokio::time::Instant;

use crate::channel::BoxFuture;
use crate::error::{ClientError, ErrorKind};
use crate::limits::{ClientLimits, MAX_CURSOR_BYTES, MAX_PAGES, MAX_STALE_PAGES};

/// Item types of lists: tools, resources, resource templates, prompts.
pub trait Listable: Clone + Send + Unpin + sealed::Sealed + 'static {
    #[doc(hidden)]
    fn request(params: ListParams) -> ClientRequest;
    #[doc(hidden)]
    fn read(result: ServerResult) -> Option<(Items<Self>, Option<String>)>;
    /// Returns the name or URI that identifies the item in its list.
    #[doc(hidden)]
    fn key(&self) -> &str;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! listed {
    ($($item:ty => $variant:ident.$field:ident by $key:ident,)*) => {$(
        impl sealed::Sealed for $item {}
        impl Listable for $item {
            fn request(params: ListParams) -> ClientRequest {
                ClientRequest::$variant(params)
            }
            fn read(result: ServerResult) -> Option<(Items<Self>, Option<String>)> {
                match result {
                    ServerResult::$variant(page) => Some((page.$field, page.next_cursor)),
                    _ => None,
                }
            }
            fn key(&self) -> &str {
                &self.$key
            }
        }
    )*};
}

listed! {
    ToolDefinition => ListTools.tools by name,
    ResourceDefinition => ListResources.resources by uri,
    ResourceTemplate => ListResourceTemplates.resource_templates by uri_template,
    PromptDefinition => ListPrompts.prompts by name,
}

/// One page of a list.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Page<T> {
    /// The items of the page.
    pub items: Vec<T>,
    /// Cursor of the next page; `None` on the last page. `""` is a valid cursor.
    pub next: Option<String>,
    /// Size of the page as JSON.
    bytes: usize,
}

impl<T: Listable> Page<T> {
    /// Creates the request of the first page, or of the page at `cursor`.
    pub(crate) fn request(cursor: Option<String>) -> ClientRequest {
        let mut params = ListParams::default();
        params.cursor = cursor.map(Str::from);
        T::request(params)
    }

    /// Converts the result of such a request, whose JSON has `bytes` bytes.
    ///
    /// # Errors
    /// When it is the result of another method.
    pub(crate) fn from_result(result: ServerResult, bytes: usize) -> Result<Self, ClientError> {
        let (mut items, next) = T::read(result).ok_or_else(|| ClientError::malformed("result of another method"))?;
        Ok(Self { items: std::mem::take(items.to_mut()), next, bytes })
    }
}

impl<T> Page<T> {
    /// Creates a list without items.
    pub(crate) fn empty() -> Self {
        Self { items: Vec::new(), next: None, bytes: 0 }
    }
}

/// The pages of one list, fetched one after another. All lists of a client are fetched by this loop.
pub(crate) struct Pages<'a, T> {
    next: Next<'a, T>,
    /// Number of fetched pages.
    fetched: usize,
    /// Number of items on the fetched pages.
    items: usize,
    /// Size of the fetched pages as JSON.
    bytes: usize,
    /// Time spent on fetching pages. The time of the consumer between two pages does not count.
    spent: Duration,
    seen: Seen,
    /// Number of consecutive pages without a new item.
    stale: usize,
}

/// Hashes of the cursors and items of a list, to detect cursors that never end.
#[derive(Default)]
struct Seen {
    hasher: RandomState,
    cursors: HashSet<u64>,
    items: HashSet<u64>,
}

enum Next<'a, T> {
    /// The cursor of the next page to fetch.
    At(Option<String>),
    Fetching(Instant, BoxFuture<'a, Result<Page<T>, ClientError>>),
    End,
}

impl<'a, T: Listable> Pages<'a, T> {
    pub(crate) fn new() -> Self {
        let (spent, seen) = (Duration::ZERO, Seen::default());
        Self { next: Next::At(None), fetched: 0, items: 0, bytes: 0, spent, seen, stale: 0 }
    }

    /// Returns the items of the next page; `None` at the end of the list, and after an error. `fetch` requests the page
    /// at a cursor.
    ///
    /// # Errors
    /// When the page cannot be fetched, or the list exceeds [`MAX_PAGES`], [`MAX_CURSOR_BYTES`],
    /// `ClientLimits::list_items` or `ClientLimits::list_bytes`.
    pub(crate) async fn next(
        &mut self,
        limits: &ClientLimits,
        fetch: impl Fn(Option<String>) -> BoxFuture<'a, Result<Page<T>, ClientError>>,
    ) -> Option<Result<Vec<T>, ClientError>> {
        poll_fn(|cx| self.poll_next(cx, limits, |cursor, _| fetch(cursor))).await
    }

    /// Polls for [`next`](Self::next). A fetch in progress continues on the next call. `fetch` also receives the time
    /// spent so far.
    pub(crate) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        limits: &ClientLimits,
        fetch: impl FnOnce(Option<String>, Duration) -> BoxFuture<'a, Result<Page<T>, ClientError>>,
    ) -> Poll<Option<Result<Vec<T>, ClientError>>> {
        if let Next::At(cursor) = &mut self.next {
            self.next = Next::Fetching(Instant::now(), fetch(cursor.take(), self.spent));
        }
        let Next::Fetching(started_at, page) = &mut self.next else { return Poll::Ready(None) };
        let page = ready!(page.as_mut().poll(cx));
        self.spent += started_at.elapsed();
        self.next = Next::End;
        Poll::Ready(Some(page.and_then(|page| self.add(page, limits))))
    }

    /// Counts a fetched page, and continues after it.
    fn add(&mut self, page: Page<T>, limits: &ClientLimits) -> Result<Vec<T>, ClientError> {
        self.fetched += 1;
        self.items += page.items.len();
        self.bytes = self.bytes.saturating_add(page.bytes);
        self.check_limits(page.next.as_deref(), limits)?;
        let Some(cursor) = page.next else { return Ok(page.items) };
        let mut items = page.items;
        // Servers that ignore the cursor return the same page again.
        let is_stale = !items.iter().any(|item| self.seen.is_new(item.key()));
        self.stale = if is_stale { self.stale + 1 } else { 0 };
        if !self.seen.add_cursor(&cursor) {
            tracing::warn!(
                cursor = %excerpt(&cursor),
                pages = self.fetched,
                "the server repeated the cursor of an earlier page; the list ends here"
            );
            items.retain(|item| self.seen.is_new(item.key()));
        } else if self.stale >= MAX_STALE_PAGES {
            tracing::warn!(
                cursor = %excerpt(&cursor),
                pages = self.fetched,
                "the server sent {MAX_STALE_PAGES} consecutive pages without a new item; the list ends here"
            );
            items.clear();
        } else {
            if is_stale {
                items.clear();
            }
            self.seen.add_items(&items);
            self.next = Next::At(Some(cursor));
        }
        Ok(items)
    }

    fn check_limits(&self, next: Option<&str>, limits: &ClientLimits) -> Result<(), ClientError> {
        let Self { fetched, items, bytes, .. } = self;
        let exceeded = |limit: String| {
            let message =
                format!("list exceeds the limit of {limit} after {fetched} pages and {items} items ({bytes} bytes)");
            Err(ClientError::new(ErrorKind::Limit, message))
        };
        if *items > limits.list_items {
            return exceeded(format!("{} items (`ClientLimits::list_items`)", limits.list_items));
        }
        if *bytes > limits.list_bytes {
            return exceeded(format!("{} bytes (`ClientLimits::list_bytes`)", limits.list_bytes));
        }
        match next {
            Some(_) if *fetched >= MAX_PAGES => {
                exceeded(format!("{MAX_PAGES} pages (fetch single pages with `ListCall::page`)"))
            }
            Some(cursor) if cursor.len() > MAX_CURSOR_BYTES => {
                let length = cursor.len();
                let message = format!(
                    "cannot fetch the next page: the cursor has {length} bytes, which exceeds the limit of {MAX_CURSOR_BYTES}"
                );
                Err(ClientError::new(ErrorKind::Limit, message))
            }
            _ => Ok(()),
        }
    }
}

impl<T> Pages<'_, T> {
    /// Returns the number of fetched pages.
    pub(crate) fn fetched(&self) -> usize {
        self.fetched
    }
}

impl Seen {
    /// Adds a cursor. Returns whether it is new.
    fn add_cursor(&mut self, cursor: &str) -> bool {
        self.cursors.insert(self.hasher.hash_one(cursor))
    }

    fn add_items<T: Listable>(&mut self, items: &[T]) {
        self.items.extend(items.iter().map(|item| self.hasher.hash_one(item.key())));
    }

    /// Returns whether no item with this key was added.
    fn is_new(&self, key: &str) -> bool {
        !self.items.contains(&self.hasher.hash_one(key))
    }
}
