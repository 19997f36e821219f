//! The cacheable requests and results, and the results that a change invalidates.

use ferromcp_core::model::CacheHint;
use ferromcp_core::{ClientRequest, ServerResult, Str};

use super::store::StoreKey;
use crate::subscription::change::Change;

/// The cacheable methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    /// `server/discover`
    Discover,
    /// `tools/list`
    Tools,
    /// `prompts/list`
    Prompts,
    /// `resources/list`
    Resources,
    /// `resources/templates/list`
    Templates,
    /// `resources/read`
    Read,
}

impl Topic {
    /// All topics, in the order of their discriminants.
    pub(super) const ALL: [Self; 6] =
        [Self::Discover, Self::Tools, Self::Prompts, Self::Resources, Self::Templates, Self::Read];

    /// Returns the name of the method.
    pub(super) fn method(self) -> &'static str {
        match self {
            Self::Discover => "server/discover",
            Self::Tools => "tools/list",
            Self::Prompts => "prompts/list",
            Self::Resources => "resources/list",
            Self::Templates => "resources/templates/list",
            Self::Read => "resources/read",
        }
    }

    fn as_slice(self) -> &'static [Self] {
        std::slice::from_ref(&Self::ALL[self as usize])
    }
}

/// Key of a cached result: the method, and the cursor or URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CacheKey {
    topic: Topic,
    param: Option<Str>,
}

impl CacheKey {
    /// Returns the key of a request; `None` if its result is not cacheable.
    pub(crate) fn of(request: &ClientRequest) -> Option<Self> {
        match request {
            ClientRequest::Discover(_) => Some(Self::discover()),
            ClientRequest::ListTools(params) => Some(Self::page(Topic::Tools, params.cursor.as_deref())),
            ClientRequest::ListPrompts(params) => Some(Self::page(Topic::Prompts, params.cursor.as_deref())),
            ClientRequest::ListResources(params) => Some(Self::page(Topic::Resources, params.cursor.as_deref())),
            ClientRequest::ListResourceTemplates(params) => {
                Some(Self::page(Topic::Templates, params.cursor.as_deref()))
            }
            ClientRequest::ReadResource(params) => {
                let retry = params.input_responses.is_some() || params.request_state.is_some();
                (!retry).then(|| Self::read(&params.uri))
            }
            _ => None,
        }
    }

    /// Returns the key of `server/discover`.
    pub(super) fn discover() -> Self {
        Self { topic: Topic::Discover, param: None }
    }

    /// Returns the key of a page of a list: the first, or the one at `cursor`, which may be `""`.
    pub(super) fn page(topic: Topic, cursor: Option<&str>) -> Self {
        Self { topic, param: cursor.map(to_owned) }
    }

    /// Returns the key of the content of a resource.
    pub(super) fn read(uri: &str) -> Self {
        Self { topic: Topic::Read, param: Some(to_owned(uri)) }
    }

    /// Returns the topic.
    pub(super) fn topic(&self) -> Topic {
        self.topic
    }

    /// Returns the key of the result in a store.
    pub(super) fn to_store_key(&self, server: &Str, partition: Option<&str>) -> StoreKey {
        let mut key = StoreKey::new(server.clone(), Str::from_static(self.topic.method()));
        key.partition = partition.map(Str::from);
        key.param.clone_from(&self.param);
        key
    }
}

/// Returns the cache hint of a result; `None` if the server set no time-to-live. The default scope is private.
pub(crate) fn cache_hint(result: &mut ServerResult) -> Option<CacheHint> {
    let (ttl_ms, scope) = result.cache_mut()?;
    let mut hint = CacheHint::private((*ttl_ms)?);
    hint.scope = scope.unwrap_or_default();
    Some(hint)
}

/// Copies a text, so that a stored key does not keep the frame alive that it was parsed from.
fn to_owned(text: &str) -> Str {
    Str::from(text)
}

/// A set of cached results to invalidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Invalidation {
    /// All results of these methods.
    Topics(&'static [Topic]),
    /// The resource with this URI, and the resources above and below it.
    Resource(String),
    /// All results, for example after a reconnect.
    Everything,
}

impl Invalidation {
    /// Returns the invalidation that a change requires.
    pub(super) fn of(change: &Change) -> Self {
        match change {
            Change::Tools => Self::Topics(&[Topic::Tools]),
            Change::Prompts => Self::Topics(&[Topic::Prompts]),
            Change::Resources => Self::Topics(&[Topic::Resources, Topic::Templates]),
            Change::Resource(uri) => Self::Resource(uri.clone()),
            Change::Gap => Self::Everything,
        }
    }

    /// Returns the invalidation of all pages of the list that `key` belongs to.
    pub(super) fn pages(key: &CacheKey) -> Self {
        Self::Topics(key.topic.as_slice())
    }

    /// Returns the methods with invalidated results.
    pub(super) fn topics(&self) -> &'static [Topic] {
        match self {
            Self::Topics(topics) => topics,
            Self::Resource(_) => Topic::Read.as_slice(),
            Self::Everything => &Topic::ALL,
        }
    }

    /// Returns whether the result with this key is invalidated.
    pub(super) fn covers(&self, key: &StoreKey) -> bool {
        match self {
            Self::Topics(topics) => topics.iter().any(|topic| topic.method() == key.method()),
            Self::Resource(uri) => {
                let read = key.param().filter(|_| key.method() == Topic::Read.method());
                read.is_some_and(|read| is_within(uri, read) || is_within(read, uri))
            }
            Self::Everything => true,
        }
    }
}

/// Returns whether `part` is `whole`, or is below it, by whole path segments.
fn is_within(part: &str, whole: &str) -> bool {
    let whole = whole.strip_suffix('/').unwrap_or(whole);
    part.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_within_compares_whole_path_segments() {
        for (part, whole) in [
            ("file:///a", "file:///a"),
            ("file:///a/b", "file:///a"),
            ("file:///a/b", "file:///a/"),
            ("file:///a", "file:///"),
            ("notes://all?page=2", "notes://all"),
            ("notes://all/", "notes://all"),
        ] {
            assert!(is_within(part, whole), "{part} {whole}");
        }
        for (part, whole) in [("file:///ab", "file:///a"), ("file:///a", "file:///a/b"), ("x", "y")] {
            assert!(!is_within(part, whole), "{part} {whole}");
        }
    }

    #[test]
    fn topics_are_ordered_by_discriminant() {
        assert!(Topic::ALL.iter().enumerate().all(|(n, topic)| *topic as usize == n));
    }
}
