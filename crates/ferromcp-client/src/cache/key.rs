//! Cache keys, and invalidation.

use ferromcp_core::{ClientRequest, ServerNotification, Str};

/// The cacheable methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Topic {
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

/// Number of topics.
pub(super) const TOPICS: usize = Topic::Read as usize + 1;

impl Topic {
    /// Returns the name of the method.
    pub fn method(self) -> &'static str {
        match self {
            Self::Discover => "server/discover",
            Self::Tools => "tools/list",
            Self::Prompts => "prompts/list",
            Self::Resources => "resources/list",
            Self::Templates => "resources/templates/list",
            Self::Read => "resources/read",
        }
    }
}

/// Key of a cached result: the method, and the cursor or URI.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CacheKey {
    topic: Topic,
    param: Option<Str>,
}

impl CacheKey {
    /// Returns the key of a request; `None` if its result is not cacheable.
    pub fn of(request: &ClientRequest) -> Option<Self> {
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
    pub fn discover() -> Self {
        Self { topic: Topic::Discover, param: None }
    }

    /// Returns the key of a page of a list: the first, or the one at `cursor`, which may be `""`.
    pub fn page(topic: Topic, cursor: Option<&str>) -> Self {
        Self { topic, param: cursor.map(to_owned) }
    }

    /// Returns the key of the content of a resource.
    pub fn read(uri: &str) -> Self {
        Self { topic: Topic::Read, param: Some(to_owned(uri)) }
    }

    /// Returns the topic.
    pub fn topic(&self) -> Topic {
        self.topic
    }

    /// Returns the cursor or URI.
    pub fn param(&self) -> Option<&str> {
        self.param.as_deref()
    }
}

/// Copies a text, so that a stored key does not keep the frame alive that it was parsed from.
fn to_owned(text: &str) -> Str {
    Str::from(text)
}

/// A set of cached results to invalidate.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Invalidation {
    /// A list, after `list_changed`. [`Topic::Resources`] includes the resource templates.
    List(Topic),
    /// The pages of one list.
    Pages(Topic),
    /// The resource with this URI, and the resources above and below it.
    Resource(String),
    /// All results, for example after a reconnect.
    Everything,
}

impl Invalidation {
    /// Returns the invalidation that a notification requires.
    pub fn of(notification: &ServerNotification) -> Option<Self> {
        match notification {
            ServerNotification::ToolListChanged(_) => Some(Self::List(Topic::Tools)),
            ServerNotification::PromptListChanged(_) => Some(Self::List(Topic::Prompts)),
            ServerNotification::ResourceListChanged(_) => Some(Self::List(Topic::Resources)),
            ServerNotification::ResourceUpdated(params) => Some(Self::Resource(params.uri.clone())),
            _ => None,
        }
    }

    pub(super) fn topics(&self) -> &[Topic] {
        match self {
            Self::List(Topic::Resources) => &[Topic::Resources, Topic::Templates],
            Self::List(topic) | Self::Pages(topic) => std::slice::from_ref(topic),
            Self::Resource(_) => &[Topic::Read],
            Self::Everything => {
                &[Topic::Discover, Topic::Tools, Topic::Prompts, Topic::Resources, Topic::Templates, Topic::Read]
            }
        }
    }

    /// Returns whether the result with this key is invalidated.
    pub fn covers(&self, key: &CacheKey) -> bool {
        match self {
            Self::Resource(uri) => {
                let read = key.param().filter(|_| key.topic == Topic::Read);
                read.is_some_and(|read| is_within(uri, read) || is_within(read, uri))
            }
            _ => self.topics().contains(&key.topic),
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
}
