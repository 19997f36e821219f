//! Client and server capabilities. A capability is declared by its presence; `{}` declares it.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/schema#clientcapabilities>.
//! Entries of `extensions` and `experimental` are preserved unchanged.

use serde::{Deserialize, Serialize};

use crate::json::{RawJson, RawMap};
use crate::setters::setters;

/// The capabilities of a client.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/schema#clientcapabilities>.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ClientCapabilities {
    /// The client supports `roots/list`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roots: Option<ListChanged>,
    /// The client supports sampling from a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling: Option<SamplingCapability>,
    /// The client supports elicitation from its user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elicitation: Option<ElicitationCapability>,
    /// The requests that can be executed as tasks (2025-11-25 only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<TasksCapability>,
    /// The supported extensions, by id (since 2026-07-28).
    #[serde(default, skip_serializing_if = "RawMap::is_empty", deserialize_with = "crate::json::or_default")]
    pub extensions: RawMap,
    /// Non-standard, experimental capabilities.
    #[serde(default, skip_serializing_if = "RawMap::is_empty", deserialize_with = "crate::json::or_default")]
    pub experimental: RawMap,
}

impl ClientCapabilities {
    /// Returns the names of the declared capabilities that server requests need, such as `elicitation.url`, for error
    /// texts.
    pub fn names(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        if let Some(elicitation) = &self.elicitation {
            names.extend(elicitation.supports_form().then_some("elicitation"));
            names.extend(elicitation.supports_url().then_some("elicitation.url"));
        }
        if let Some(sampling) = &self.sampling {
            names.push(if sampling.tools.is_some() { "sampling.tools" } else { "sampling" });
        }
        names.extend(self.roots.is_some().then_some("roots"));
        names
    }
}

setters!(ClientCapabilities {
    roots: Option<ListChanged>,
    sampling: Option<SamplingCapability>,
    elicitation: Option<ElicitationCapability>,
    tasks: Option<TasksCapability>,
    extensions: RawMap,
    experimental: RawMap,
});

/// The capabilities of a server.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/schema#servercapabilities>.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ServerCapabilities {
    /// The server supports argument completion (declared since 2025-03-26).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completions: Option<RawJson>,
    /// The server sends log messages to the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logging: Option<RawJson>,
    /// The server offers prompts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompts: Option<ListChanged>,
    /// The server offers resources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesCapability>,
    /// The server offers tools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<ListChanged>,
    /// The requests that can be executed as tasks (2025-11-25 only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<TasksCapability>,
    /// The supported extensions, by id (since 2026-07-28).
    #[serde(default, skip_serializing_if = "RawMap::is_empty", deserialize_with = "crate::json::or_default")]
    pub extensions: RawMap,
    /// Non-standard, experimental capabilities.
    #[serde(default, skip_serializing_if = "RawMap::is_empty", deserialize_with = "crate::json::or_default")]
    pub experimental: RawMap,
}

setters!(ServerCapabilities {
    completions: Option<RawJson>,
    logging: Option<RawJson>,
    prompts: Option<ListChanged>,
    resources: Option<ResourcesCapability>,
    tools: Option<ListChanged>,
    tasks: Option<TasksCapability>,
    extensions: RawMap,
    experimental: RawMap,
});

/// A capability with a list, and whether its changes are notified.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ListChanged {
    /// Whether `list_changed` notifications are sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_changed: Option<bool>,
}

setters!(ListChanged {
    list_changed: Option<bool>,
});

/// The `resources` capability of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ResourcesCapability {
    /// Whether clients can subscribe to updates of a resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscribe: Option<bool>,
    /// Whether `list_changed` notifications are sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_changed: Option<bool>,
}

setters!(ResourcesCapability {
    subscribe: Option<bool>,
    list_changed: Option<bool>,
});

/// The `sampling` capability of a client.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SamplingCapability {
    /// The client supports `includeContext`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<RawJson>,
    /// The client supports tool use in sampling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<RawJson>,
}

setters!(SamplingCapability {
    context: Option<RawJson>,
    tools: Option<RawJson>,
});

/// The `elicitation` capability of a client. An empty object declares form mode only.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ElicitationCapability {
    /// The client supports form mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<RawJson>,
    /// The client supports URL mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<RawJson>,
}

impl ElicitationCapability {
    /// Returns `true` if the client supports form mode, declared explicitly or by an empty object.
    pub fn supports_form(&self) -> bool {
        self.form.is_some() || self.url.is_none()
    }

    /// Returns `true` if the client supports URL mode.
    pub fn supports_url(&self) -> bool {
        self.url.is_some()
    }
}

setters!(ElicitationCapability {
    form: Option<RawJson>,
    url: Option<RawJson>,
});

/// The `tasks` capability (2025-11-25).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TasksCapability {
    /// `tasks/list` is supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<RawJson>,
    /// `tasks/cancel` is supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel: Option<RawJson>,
    /// The request types that support tasks, for example `{"tools": {"call": {}}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<TaskRequests>,
}

setters!(TasksCapability {
    list: Option<RawJson>,
    cancel: Option<RawJson>,
    requests: Option<TaskRequests>,
});

/// The request types that support tasks, by category.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TaskRequests {
    /// `tools/call`, under the key `call`.
    #[serde(default, skip_serializing_if = "RawMap::is_empty", deserialize_with = "crate::json::or_default")]
    pub tools: RawMap,
    /// `sampling/createMessage`, under the key `createMessage`.
    #[serde(default, skip_serializing_if = "RawMap::is_empty", deserialize_with = "crate::json::or_default")]
    pub sampling: RawMap,
    /// `elicitation/create`, under the key `create`.
    #[serde(default, skip_serializing_if = "RawMap::is_empty", deserialize_with = "crate::json::or_default")]
    pub elicitation: RawMap,
}

setters!(TaskRequests { tools: RawMap, sampling: RawMap, elicitation: RawMap });
