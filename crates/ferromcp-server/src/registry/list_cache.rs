//! The cached pages of the four lists.

use std::sync::{Arc, OnceLock};

use ferromcp_core::model;

use crate::paging::Pages;

/// Cached pages of all items, created on first use.
#[derive(Clone, Default)]
pub(in crate::registry) struct Lists {
    pub(in crate::registry) tools: Cached<model::ToolDefinition>,
    pub(in crate::registry) resources: Cached<model::ResourceDefinition>,
    pub(in crate::registry) templates: Cached<model::ResourceTemplate>,
    pub(in crate::registry) prompts: Cached<model::PromptDefinition>,
}

pub(in crate::registry) type Cached<T> = Arc<OnceLock<Pages<T>>>;

/// The size of the pages of a list, and the position of one.
#[derive(Clone, Copy)]
pub(crate) struct PageRequest<'a> {
    pub(crate) size: usize,
    pub(crate) cursor: Option<&'a str>,
}
