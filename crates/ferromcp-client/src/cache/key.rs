//! What makes two requests the same, and what a change makes stale.

use ferromcp_core::{ClientRequest, ServerNotification, Str};

/// The kinds of results that carry caching hints.
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

/// How many topics there are.
pub(super) const TOPICS: usize = Topic::Read as usize + 1;

impl Topic {
    /// The method.
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

/// A request as far as it decides the result: the method, and the cursor or URI.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    topic: Topic,
    param: Option<Str>,
}

impl Key {
    /// The key of a request; `None` of one whose result is never kept.
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

    /// What a server is.
    pub fn discover() -> Self {
        Self { topic: Topic::Discover, param: None }
    }

    /// A page of a list: the first, or the one at `cursor`, which may be `""`.
    pub fn page(topic: Topic, cursor: Option<&str>) -> Self {
        Self { topic, param: cursor.map(own) }
    }

    /// What a resource contains.
    pub fn read(uri: &str) -> Self {
        Self { topic: Topic::Read, param: Some(own(uri)) }
    }

    /// The kind of result.
    pub fn topic(&self) -> Topic {
        self.topic
    }

    /// The cursor or URI.
    pub fn param(&self) -> Option<&str> {
        self.param.as_deref()
    }
}

/// A copy, so that a key that is kept does not hold on to the whole frame it was read from.
fn own(text: &str) -> Str {
    Str::from(text)
}

/// Something that a server said has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A list, by its `list_changed`. That of the resources covers their templates.
    List(Topic),
    /// The pages of one list only.
    Pages(Topic),
    /// A resource, by its URI; what it is part of has changed with it, and what is part of it.
    Resource(String),
    /// Anything: after a time without notifications, for example.
    Everything,
}

impl Change {
    /// The change a notification tells of.
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

    /// Whether a result under `key` is stale now.
    pub fn covers(&self, key: &Key) -> bool {
        match self {
            Self::Resource(uri) => {
                let read = key.param().filter(|_| key.topic == Topic::Read);
                read.is_some_and(|read| lies_within(uri, read) || lies_within(read, uri))
            }
            _ => self.topics().contains(&key.topic),
        }
    }
}

/// Whether `part` is `whole`, or lies below it: by whole steps of the path.
fn lies_within(part: &str, whole: &str) -> bool {
    let whole = whole.strip_suffix('/').unwrap_or(whole);
    part.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_lies_within_by_whole_steps() {
        for (part, whole) in [
            ("file:///a", "file:///a"),
            ("file:///a/b", "file:///a"),
            ("file:///a/b", "file:///a/"),
            ("file:///a", "file:///"),
            ("notes://all?page=2", "notes://all"),
            ("notes://all/", "notes://all"),
        ] {
            assert!(lies_within(part, whole), "{part} {whole}");
        }
        for (part, whole) in [("file:///ab", "file:///a"), ("file:///a", "file:///a/b"), ("x", "y")] {
            assert!(!lies_within(part, whole), "{part} {whole}");
        }
    }
}
