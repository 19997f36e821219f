//! Pages of lists, and the loop that fetches them within limits.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/pagination>.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use ferromcp_core::model::{Items, ListParams, PromptDefinition, ResourceDefinition, ResourceTemplate, ToolDefinition};
use ferromcp_core::{ClientRequest, ServerResult, Str};

use crate::channel::BoxFuture;
use crate::error::{ClientError, ErrorKind};
use crate::limits::{ClientLimits, MAX_PAGES};

/// Item types of lists: tools, resources, resource templates, prompts.
pub trait Listable: Clone + Send + Unpin + sealed::Sealed + 'static {
    #[doc(hidden)]
    fn request(params: ListParams) -> ClientRequest;
    #[doc(hidden)]
    fn read(result: ServerResult) -> Option<(Items<Self>, Option<String>)>;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! listed {
    ($($item:ty => $variant:ident.$field:ident,)*) => {$(
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
        }
    )*};
}

listed! {
    ToolDefinition => ListTools.tools,
    ResourceDefinition => ListResources.resources,
    ResourceTemplate => ListResourceTemplates.resource_templates,
    PromptDefinition => ListPrompts.prompts,
}

/// One page of a list.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Page<T> {
    /// The items of the page.
    pub items: Vec<T>,
    /// Cursor of the next page; `None` on the last page. `""` is a valid cursor.
    pub next: Option<String>,
}

impl<T: Listable> Page<T> {
    /// Creates the request of the first page, or of the page at `cursor`.
    pub(crate) fn request(cursor: Option<String>) -> ClientRequest {
        let mut params = ListParams::default();
        params.cursor = cursor.map(Str::from);
        T::request(params)
    }

    /// Converts the result of such a request.
    ///
    /// # Errors
    /// When it is the result of another method.
    pub(crate) fn from_result(result: ServerResult) -> Result<Self, ClientError> {
        let (mut items, next) = T::read(result).ok_or_else(|| ClientError::malformed("result of another method"))?;
        Ok(Self { items: std::mem::take(items.to_mut()), next })
    }
}

impl<T> Page<T> {
    /// Creates a list without items.
    pub(crate) fn empty() -> Self {
        Self { items: Vec::new(), next: None }
    }
}

/// The pages of one list, fetched one after another. All lists of a client are fetched by this loop.
pub(crate) struct Pages<'a, T> {
    next: Next<'a, T>,
    /// Number of fetched pages.
    fetched: usize,
    /// Number of items on the fetched pages.
    items: usize,
}

enum Next<'a, T> {
    /// The cursor of the next page to fetch.
    At(Option<String>),
    Fetching(BoxFuture<'a, Result<Page<T>, ClientError>>),
    End,
}

impl<'a, T> Pages<'a, T> {
    pub(crate) fn new() -> Self {
        Self { next: Next::At(None), fetched: 0, items: 0 }
    }

    /// Returns the items of the next page; `None` at the end of the list, and after an error. `fetch` requests the page
    /// at a cursor.
    ///
    /// # Errors
    /// When the page cannot be fetched, or the list exceeds [`MAX_PAGES`] or `ClientLimits::list_items`.
    pub(crate) async fn next(
        &mut self,
        limits: &ClientLimits,
        fetch: impl Fn(Option<String>) -> BoxFuture<'a, Result<Page<T>, ClientError>>,
    ) -> Option<Result<Vec<T>, ClientError>> {
        poll_fn(|cx| self.poll_next(cx, limits, &fetch)).await
    }

    /// Polls for [`next`](Self::next). A fetch in progress continues on the next call.
    pub(crate) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        limits: &ClientLimits,
        fetch: impl FnOnce(Option<String>) -> BoxFuture<'a, Result<Page<T>, ClientError>>,
    ) -> Poll<Option<Result<Vec<T>, ClientError>>> {
        if let Next::At(cursor) = &mut self.next {
            self.next = Next::Fetching(fetch(cursor.take()));
        }
        let Next::Fetching(page) = &mut self.next else { return Poll::Ready(None) };
        let page = ready!(page.as_mut().poll(cx));
        self.next = Next::End;
        Poll::Ready(Some(page.and_then(|page| self.add(page, limits))))
    }

    /// Counts a fetched page, and continues after it.
    fn add(&mut self, page: Page<T>, limits: &ClientLimits) -> Result<Vec<T>, ClientError> {
        self.fetched += 1;
        self.items += page.items.len();
        if self.items > limits.list_items || (page.next.is_some() && self.fetched >= MAX_PAGES) {
            let message = format!(
                "list exceeds the limit after {} pages and {} items; at most {MAX_PAGES} pages, and {} items \
                 (`ClientLimits::list_items`)",
                self.fetched, self.items, limits.list_items
            );
            return Err(ClientError::new(ErrorKind::Limit, message));
        }
        if let Some(cursor) = page.next {
            self.next = Next::At(Some(cursor));
        }
        Ok(page.items)
    }

    /// Returns the number of fetched pages.
    pub(crate) fn fetched(&self) -> usize {
        self.fetched
    }
}
