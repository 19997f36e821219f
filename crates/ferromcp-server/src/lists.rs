//! Handlers of the four list methods: one page, its cursor and its caching hint.

use ferromcp_core::model::{
    ListParams, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult,
};
use ferromcp_core::{Error, ServerResult};

use crate::inner::Inner;
use crate::paging::List;
use crate::registry::Tables;

macro_rules! list {
    ($(#[$doc:meta])* $name:ident: $pages:ident, $list:ident => $result:ident) => {
        $(#[$doc])*
        pub(crate) fn $name(inner: &Inner, tables: &Tables, params: &ListParams) -> Result<ServerResult, Error> {
            let (items, next_cursor) = tables.$pages(inner.limits.page_size).page(params.cursor.as_deref())?;
            let mut list = $result::new(items);
            list.next_cursor = next_cursor;
            let hint = inner.caches[List::$list as usize];
            (list.ttl_ms, list.cache_scope) = (Some(hint.ttl_ms), Some(hint.scope));
            Ok(list.into())
        }
    };
}

list! {
    /// Returns a page of tools.
    tools: tool_pages, Tools => ListToolsResult
}
list! {
    /// Returns a page of resources.
    resources: resource_pages, Resources => ListResourcesResult
}
list! {
    /// Returns a page of resource templates.
    templates: template_pages, Templates => ListResourceTemplatesResult
}
list! {
    /// Returns a page of prompts.
    prompts: prompt_pages, Prompts => ListPromptsResult
}
