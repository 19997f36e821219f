//! What a peer can do. Presence is what counts: `{}` is "on".
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/schema#clientcapabilities>.
//! Capability objects are open: extension and experimental entries survive untouched.

use serde::{Deserialize, Serialize};

use crate::json::{RawJson, RawMap};

/// What a client can do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ClientCapabilities {
    /// It can name file system roots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roots: Option<ListChanged>,
    /// It can run a model for the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling: Option<SamplingCapability>,
    /// It can ask its user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elicitation: Option<ElicitationCapability>,
    /// It can run requests as tasks (2025-11-25 only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<TasksCapability>,
    /// Extensions by id (from 2026-07-28).
    #[serde(default, skip_serializing_if = "RawMap::is_empty")]
    pub extensions: RawMap,
    /// Whatever is not standard.
    #[serde(default, skip_serializing_if = "RawMap::is_empty")]
    pub experimental: RawMap,
}

/// What a server can do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ServerCapabilities {
    /// It completes arguments (said from 2025-03-26).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completions: Option<RawJson>,
    /// It logs to the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logging: Option<RawJson>,
    /// It has prompts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompts: Option<ListChanged>,
    /// It has resources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesCapability>,
    /// It has tools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<ListChanged>,
    /// It can run requests as tasks (2025-11-25 only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<TasksCapability>,
    /// Extensions by id (from 2026-07-28).
    #[serde(default, skip_serializing_if = "RawMap::is_empty")]
    pub extensions: RawMap,
    /// Whatever is not standard.
    #[serde(default, skip_serializing_if = "RawMap::is_empty")]
    pub experimental: RawMap,
}

/// A list that may announce its changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ListChanged {
    /// Whether changes of the list are announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_changed: Option<bool>,
}

/// The resources of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ResourcesCapability {
    /// Whether single resources can be watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscribe: Option<bool>,
    /// Whether changes of the list are announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_changed: Option<bool>,
}

/// How a client runs models.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SamplingCapability {
    /// It can include context of servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<RawJson>,
    /// The model may use tools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<RawJson>,
}

/// How a client asks its user. Empty means forms only.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ElicitationCapability {
    /// By a form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<RawJson>,
    /// By sending the user to a URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<RawJson>,
}

impl ElicitationCapability {
    /// Whether forms may be sent: said outright, or by saying nothing.
    pub fn can_form(&self) -> bool {
        self.form.is_some() || self.url.is_none()
    }

    /// Whether URLs may be sent.
    pub fn can_url(&self) -> bool {
        self.url.is_some()
    }
}

/// Which requests can become tasks (2025-11-25).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TasksCapability {
    /// Tasks can be listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<RawJson>,
    /// Tasks can be cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel: Option<RawJson>,
    /// The kinds of request, by family: `{"tools": {"call": {}}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<TaskRequests>,
}

/// The request families that can become tasks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TaskRequests {
    /// `tools/call`, under the key `call`.
    #[serde(default, skip_serializing_if = "RawMap::is_empty")]
    pub tools: RawMap,
    /// `sampling/createMessage`, under the key `createMessage`.
    #[serde(default, skip_serializing_if = "RawMap::is_empty")]
    pub sampling: RawMap,
    /// `elicitation/create`, under the key `create`.
    #[serde(default, skip_serializing_if = "RawMap::is_empty")]
    pub elicitation: RawMap,
}
