//! The pages of the four lists. Pages that contain all items are cached.

use std::sync::Arc;

use ferromcp_core::Error;
use ferromcp_core::model::{self, Items};

use super::Tables;
use crate::component::{Listed, ReadyResource};
use crate::paging::{List, Pages, page_of};
use crate::peer::Peer;
use crate::registry::list_cache::{Cached, PageRequest};

/// A page of a list, and the cursor of the next page.
type Page<T> = Result<(Items<T>, Option<String>), Error>;

/// Returns a page of all items from the cache, or of the items that are visible to a peer.
fn page<T: Clone>(
    list: List,
    cached: &Cached<T>,
    request: PageRequest<'_>,
    is_filtered: bool,
    items: impl Iterator<Item = (u64, T)>,
) -> Page<T> {
    if is_filtered {
        return page_of(list, items, request.size, request.cursor);
    }
    cached.get_or_init(|| Pages::new(list, items, request.size)).page(request.cursor)
}

impl Tables {
    /// Returns whether lists contain only the items whose scopes the peer has.
    pub(crate) fn is_filtered_for(&self, peer: &Peer) -> bool {
        self.has_scopes && peer.is_scoped()
    }

    /// Returns a page of tools.
    pub(crate) fn tools_page(&self, peer: &Peer, request: PageRequest<'_>) -> Page<model::ToolDefinition> {
        let is_filtered = self.is_filtered_for(peer);
        let tools = self.tools.iter().filter(|(_, tool)| !is_filtered || peer.may_use(&tool.scopes));
        let tools = tools.map(|(serial, tool)| (serial, tool.definition.clone()));
        page(List::Tools, &self.lists.tools, request, is_filtered, tools)
    }

    /// Returns a page of resources with fixed URIs.
    pub(crate) fn resources_page(&self, peer: &Peer, request: PageRequest<'_>) -> Page<model::ResourceDefinition> {
        let fixed = |(serial, resource): (u64, &Arc<ReadyResource>)| match &resource.definition {
            Listed::Fixed(listed) => Some((serial, listed.clone())),
            Listed::Template(_) => None,
        };
        let resources = self.visible_resources(peer).filter_map(fixed);
        page(List::Resources, &self.lists.resources, request, self.is_filtered_for(peer), resources)
    }

    /// Returns a page of resource templates.
    pub(crate) fn templates_page(&self, peer: &Peer, request: PageRequest<'_>) -> Page<model::ResourceTemplate> {
        let template = |(serial, resource): (u64, &Arc<ReadyResource>)| match &resource.definition {
            Listed::Template(listed) => Some((serial, listed.clone())),
            Listed::Fixed(_) => None,
        };
        let templates = self.visible_resources(peer).filter_map(template);
        page(List::Templates, &self.lists.templates, request, self.is_filtered_for(peer), templates)
    }

    /// Returns a page of prompts.
    pub(crate) fn prompts_page(&self, peer: &Peer, request: PageRequest<'_>) -> Page<model::PromptDefinition> {
        let is_filtered = self.is_filtered_for(peer);
        let prompts = self.prompts.iter().filter(|(_, prompt)| !is_filtered || peer.may_use(&prompt.scopes));
        let prompts = prompts.map(|(serial, prompt)| (serial, prompt.definition.clone()));
        page(List::Prompts, &self.lists.prompts, request, is_filtered, prompts)
    }

    /// Iterates over the resources and resource templates that are visible to a peer, with their serial numbers, in order.
    pub(crate) fn visible_resources<'a>(
        &'a self,
        peer: &'a Peer,
    ) -> impl Iterator<Item = (u64, &'a Arc<ReadyResource>)> {
        let is_filtered = self.is_filtered_for(peer);
        self.resources.iter().filter(move |(_, resource)| !is_filtered || peer.may_use(&resource.scopes))
    }
}
