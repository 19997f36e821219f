//! What a client can hear of, and what it wants to.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions>.

use ferromcp_core::model::SubscriptionFilter;

/// Something changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Change {
    /// The list of tools.
    Tools,
    /// The list of prompts.
    Prompts,
    /// The list of resources.
    Resources,
    /// This resource: one that was asked for, or one that lies below it.
    Resource(String),
    /// Changes may have been missed: the connection was lost and made anew, or there were too many to keep.
    /// Read again whatever matters.
    Gap,
}

/// What to hear of.
///
/// ```
/// use ferromcp_client::Interest;
/// let interest = Interest::new().tools().resource("file:///notes/today.md");
/// # assert!(!interest.is_empty());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interest {
    pub(crate) tools: bool,
    pub(crate) prompts: bool,
    pub(crate) resources: bool,
    pub(crate) uris: Vec<String>,
}

impl Interest {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes of the list of tools.
    #[must_use]
    pub fn tools(mut self) -> Self {
        self.tools = true;
        self
    }

    /// Changes of the list of prompts.
    #[must_use]
    pub fn prompts(mut self) -> Self {
        self.prompts = true;
        self
    }

    /// Changes of the list of resources.
    #[must_use]
    pub fn resources(mut self) -> Self {
        self.resources = true;
        self
    }

    /// Changes of one resource, and of what lies below it.
    #[must_use]
    pub fn resource(mut self, uri: impl Into<String>) -> Self {
        self.uris.push(uri.into());
        self
    }

    /// Whether nothing would be heard.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// As `subscriptions/listen` wants it.
    pub(crate) fn filter(&self) -> SubscriptionFilter {
        let mut filter = SubscriptionFilter::default();
        filter.tools_list_changed = self.tools.then_some(true);
        filter.prompts_list_changed = self.prompts.then_some(true);
        filter.resources_list_changed = self.resources.then_some(true);
        filter.resource_subscriptions = (!self.uris.is_empty()).then(|| self.uris.clone());
        filter
    }

    /// Whether `change` is of interest.
    pub(crate) fn wants(&self, change: &Change) -> bool {
        match change {
            Change::Tools => self.tools,
            Change::Prompts => self.prompts,
            Change::Resources => self.resources,
            Change::Resource(uri) => self.uris.iter().any(|watched| lies_in(uri, watched)),
            Change::Gap => true,
        }
    }
}

/// Whether `uri` is `folder` or something below it.
fn lies_in(uri: &str, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    uri.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

#[cfg(test)]
mod tests {
    use super::{Change, Interest};

    #[test]
    fn a_part_of_a_watched_resource_is_of_interest() {
        let interest = Interest::new().resource("file:///a/b");
        for (uri, wanted) in [("file:///a/b", true), ("file:///a/b/c", true), ("file:///a/bc", false), ("x", false)] {
            assert_eq!(interest.wants(&Change::Resource(uri.into())), wanted, "{uri}");
        }
        assert!(!interest.wants(&Change::Tools));
    }
}
