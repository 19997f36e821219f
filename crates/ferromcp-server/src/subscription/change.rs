//! What can change, and how peers are told.

use std::sync::Arc;

use ferromcp_core::model::{ElicitationCompleteParams, NotificationParams, ResourceUpdatedParams};
use ferromcp_core::{Meta, ServerNotification};

/// Something that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// The list of tools.
    Tools,
    /// The list of prompts.
    Prompts,
    /// The lists of resources and of resource templates.
    Resources,
    /// What is read at this URI.
    Resource(Arc<str>),
    /// No change, but told the same way: a visit to a URL, known by this id, is over.
    ElicitationComplete(Arc<str>),
}

/// A set of lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ListKinds(u8);

impl Change {
    /// The list that changed, if it is one.
    pub(super) fn list(&self) -> Option<ListKinds> {
        match self {
            Self::Tools => Some(ListKinds::TOOLS),
            Self::Prompts => Some(ListKinds::PROMPTS),
            Self::Resources => Some(ListKinds::RESOURCES),
            Self::Resource(_) | Self::ElicitationComplete(_) => None,
        }
    }

    /// The change as a peer lists_wanted of it.
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

    /// This set if `wanted`, else none.
    pub(crate) fn only_if(self, wanted: bool) -> Self {
        if wanted { self } else { Self::NONE }
    }

    /// Both sets together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set without what is in `other`.
    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether any of `other` is in it.
    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}
