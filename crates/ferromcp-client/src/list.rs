//! Paginated lists.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/pagination>.

use std::collections::VecDeque;
use std::fmt;
use std::future::{IntoFuture, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ferromcp_core::model::{Items, ListParams, Prompt, Resource, ResourceTemplate, Tool};
use ferromcp_core::{ClientRequest, ServerResult, Str};
use futures_core::Stream;

use crate::channel::BoxFuture;
use crate::engine::{Engine, Options};
use crate::error::{ClientError, ErrorKind};
use crate::mrtr::run_rounds;

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
    Tool => ListTools.tools,
    Resource => ListResources.resources,
    ResourceTemplate => ListResourceTemplates.resource_templates,
    Prompt => ListPrompts.prompts,
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

/// A paginated list. Awaiting it collects all items; as a `Stream` it fetches pages on demand.
///
/// The list is empty if the server does not declare the capability.
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
    items: VecDeque<T>,
    next: Next<T>,
    pages: usize,
    seen: usize,
}

enum Next<T> {
    /// The cursor of the next page to fetch.
    At(Option<String>),
    Fetching(BoxFuture<'static, Result<Page<T>, ClientError>>),
    End,
}

impl<T: Listable> ListCall<T> {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self { engine, options: Options::default(), items: VecDeque::new(), next: Next::At(None), pages: 0, seen: 0 }
    }

    /// Sets the timeout of each page.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.options.timeout = Some(time);
        self
    }

    /// Bypasses the cache, even if cached pages are fresh.
    pub fn fresh(mut self) -> Self {
        self.options.fresh = true;
        self
    }

    /// Fetches one page: the first, or the one at a cursor of an earlier page.
    pub async fn page(self, cursor: Option<String>) -> Result<Page<T>, ClientError> {
        fetch(self.engine, self.options, cursor).await
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

    /// Adds a fetched page.
    ///
    /// # Errors
    /// When the list exceeds `ClientLimits::pages` or `list_items`.
    fn add_page(&mut self, page: Page<T>) -> Result<(), ClientError> {
        let limits = &self.engine.settings.limits;
        self.pages += 1;
        self.seen += page.items.len();
        self.next = page.next.map_or(Next::End, |cursor| Next::At(Some(cursor)));
        let has_more = matches!(self.next, Next::At(_));
        if self.seen > limits.list_items || (has_more && self.pages >= limits.pages) {
            let message = format!(
                "list exceeds the limit after {} pages and {} items; raise `ClientLimits::pages` or `list_items`",
                self.pages, self.seen
            );
            return Err(ClientError::new(ErrorKind::Limit, message));
        }
        self.items.extend(page.items);
        Ok(())
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
            match &mut list.next {
                Next::End => return Poll::Ready(None),
                Next::At(cursor) => {
                    let fetching = fetch(Arc::clone(&list.engine), list.options.clone(), cursor.take());
                    list.next = Next::Fetching(Box::pin(fetching));
                }
                Next::Fetching(page) => {
                    let page = match page.as_mut().poll(cx) {
                        Poll::Pending => return Poll::Pending,
                        Poll::Ready(page) => page,
                    };
                    if let Err(error) = page.and_then(|page| list.add_page(page)) {
                        list.next = Next::End;
                        return Poll::Ready(Some(Err(error)));
                    }
                }
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
        f.debug_struct("ListCall").field("pages", &self.pages).field("seen", &self.seen).finish_non_exhaustive()
    }
}

async fn fetch<T: Listable>(
    engine: Arc<Engine>,
    options: Options,
    cursor: Option<String>,
) -> Result<Page<T>, ClientError> {
    let mut params = ListParams::default();
    let first = cursor.is_none();
    params.cursor = cursor.map(Str::from);
    let result = match run_rounds(&engine, &T::request(params), None, &options).await {
        Err(error) if first && error.kind() == ErrorKind::Unsupported => {
            return Ok(Page { items: Vec::new(), next: None });
        }
        result => result?,
    };
    let unexpected = || ClientError::malformed("result of another method");
    let (mut items, next) = T::read(result).ok_or_else(unexpected)?;
    Ok(Page { items: std::mem::take(items.to_mut()), next })
}
