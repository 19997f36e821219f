//! [`Change`]: the events that subscribers are notified of.

use std::sync::Arc;

use ferromcp_core::model::{ElicitationCompleteParams, NotificationParams, ResourceUpdatedParams};
use ferromcp_core::{Meta, ServerNotification};

/// A change that subscribers are notified of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// The list of tools changed.
    Tools,
    /// The list of prompts changed.
    Prompts,
    /// The list of resources or resource templates changed.
    Resources,
    /// The content of the resource at this URI changed.
    Resource(Arc<str>),
    /// The URL elicitation with this id is complete.
    ElicitationComplete(Arc<str>),
}

/// A set of lists: tools, prompts, resources.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ListKinds(u8);

impl Change {
    /// Returns the list that changed, if the change concerns a list.
    pub(super) fn list(&self) -> Option<ListKinds> {
        match self {
            Self::Tools => Some(ListKinds::TOOLS),
            Self::Prompts => Some(ListKinds::PROMPTS),
            Self::Resources => Some(ListKinds::RESOURCES),
            Self::Resource(_) | Self::ElicitationComplete(_) => None,
        }
    }

    /// Converts the change to its notification, with `meta` as `_meta`.
    pub(super) fn into_notification(self, meta: Meta) -> ServerNotification {
        let list = |meta| {
            let mut params = NotificationParams::default();
            params.meta = meta;
            params
        };
        match self {
            Self::Tools => ServerNotification::ToolListChanged(list(meta)),
            Self::Prompts => ServerNotification::PromptListChanged(list(meta)),
            Self::Resources => ServerNotification::ResourceListChanged(list(meta)),
            Self::Resource(uri) => {
                let mut params = ResourceUpdatedParams::new(&*uri);
                params.meta = meta;
                ServerNotification::ResourceUpdated(params)
            }
            Self::ElicitationComplete(id) => {
                let mut params = ElicitationCompleteParams::new(&*id);
                params.meta = meta;
                ServerNotification::ElicitationComplete(params)
            }
        }
    }
}

impl ListKinds {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const TOOLS: Self = Self(1);
    pub(crate) const PROMPTS: Self = Self(1 << 1);
    pub(crate) const RESOURCES: Self = Self(1 << 2);
    pub(crate) const ALL: Self = Self(0b111);

    /// Returns this set if `wanted`, otherwise the empty set.
    pub(crate) fn only_if(self, wanted: bool) -> Self {
        if wanted { self } else { Self::NONE }
    }

    /// Returns the union of both sets.
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns the elements that are not in `other`.
    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Returns whether the sets intersect.
    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}
