//! Changes, and the filter of a subscription.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions>.

use ferromcp_core::model::SubscriptionFilter;

/// A change reported by a server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Change {
    /// The list of tools changed.
    Tools,
    /// The list of prompts changed.
    Prompts,
    /// The list of resources changed.
    Resources,
    /// The resource with this URI changed. It is a subscribed resource, or below one.
    Resource(String),
    /// Changes may have been missed, because of a reconnect or a queue overflow. Refresh all relevant state.
    Gap,
}

/// Selects the changes of a subscription.
///
/// ```
/// use ferromcp_client::ChangeFilter;
/// let filter = ChangeFilter::new().tools().resource("file:///notes/today.md");
/// # assert!(!filter.is_empty());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeFilter {
    pub(crate) tools: bool,
    pub(crate) prompts: bool,
    pub(crate) resources: bool,
    pub(crate) uris: Vec<String>,
}

impl ChangeFilter {
    /// Creates an empty filter.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds changes of the list of tools.
    #[must_use]
    pub fn tools(mut self) -> Self {
        self.tools = true;
        self
    }

    /// Adds changes of the list of prompts.
    #[must_use]
    pub fn prompts(mut self) -> Self {
        self.prompts = true;
        self
    }

    /// Adds changes of the list of resources.
    #[must_use]
    pub fn resources(mut self) -> Self {
        self.resources = true;
        self
    }

    /// Adds changes of a resource and of the resources below it.
    #[must_use]
    pub fn resource(mut self, uri: impl Into<String>) -> Self {
        self.uris.push(uri.into());
        self
    }

    /// Returns whether the filter selects no changes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Converts the filter to the parameter of `subscriptions/listen`.
    pub(crate) fn to_subscription_filter(&self) -> SubscriptionFilter {
        let mut filter = SubscriptionFilter::default();
        filter.tools_list_changed = self.tools.then_some(true);
        filter.prompts_list_changed = self.prompts.then_some(true);
        filter.resources_list_changed = self.resources.then_some(true);
        filter.resource_subscriptions = (!self.uris.is_empty()).then(|| self.uris.clone());
        filter
    }

    /// Returns whether the filter selects `change`.
    pub(crate) fn matches(&self, change: &Change) -> bool {
        match change {
            Change::Tools => self.tools,
            Change::Prompts => self.prompts,
            Change::Resources => self.resources,
            Change::Resource(uri) => self.uris.iter().any(|watched| is_within(uri, watched)),
            Change::Gap => true,
        }
    }
}

/// Returns whether `uri` is `folder` or is below it.
fn is_within(uri: &str, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    uri.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

#[cfg(test)]
mod tests {
    use super::{Change, ChangeFilter};

    #[test]
    fn filter_matches_resources_below_a_watched_resource() {
        let filter = ChangeFilter::new().resource("file:///a/b");
        for (uri, expected) in [("file:///a/b", true), ("file:///a/b/c", true), ("file:///a/bc", false), ("x", false)] {
            assert_eq!(filter.matches(&Change::Resource(uri.into())), expected, "{uri}");
        }
        assert!(!filter.matches(&Change::Tools));
    }
}
