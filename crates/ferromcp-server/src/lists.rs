//! Handlers of the four list methods: one page, its cursor and its caching hint.

use ferromcp_core::model::{
    CacheHint, ListParams, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult,
};
use ferromcp_core::{Error, ServerResult};

use crate::inner::Inner;
use crate::paging::List;
use crate::peer::Peer;
use crate::registry::{PageRequest, Tables};

/// Returns the cache control of a list. A list that depends on the scopes of the caller is private.
pub(crate) fn cache_hint(inner: &Inner, tables: &Tables, peer: &Peer, list: List) -> CacheHint {
    let hint = inner.caches[list as usize];
    if tables.is_filtered_for(peer) { CacheHint::private(hint.ttl_ms) } else { hint }
}

macro_rules! list {
    ($(#[$doc:meta])* $name:ident: $page:ident, $list:ident => $result:ident) => {
        $(#[$doc])*
        pub(crate) fn $name(
            inner: &Inner,
            tables: &Tables,
            peer: &Peer,
            params: &ListParams,
        ) -> Result<ServerResult, Error> {
            let request = PageRequest { size: inner.limits.page_size, cursor: params.cursor.as_deref() };
            let (items, next_cursor) = tables.$page(peer, request)?;
            let mut list = $result::new(items);
            list.next_cursor = next_cursor;
            let hint = cache_hint(inner, tables, peer, List::$list);
            (list.ttl_ms, list.cache_scope) = (Some(hint.ttl_ms), Some(hint.scope));
            Ok(list.into())
        }
    };
}

list! {
    /// Returns a page of tools.
    tools: tools_page, Tools => ListToolsResult
}
list! {
    /// Returns a page of resources.
    resources: resources_page, Resources => ListResourcesResult
}
list! {
    /// Returns a page of resource templates.
    templates: templates_page, Templates => ListResourceTemplatesResult
}
list! {
    /// Returns a page of prompts.
    prompts: prompts_page, Prompts => ListPromptsResult
}
