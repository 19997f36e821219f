//! Prompts: message templates that a server offers to users.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/prompts>.

use serde::{Deserialize, Serialize};

use super::annotations::Role;
use super::content::ContentBlock;
use super::implementation::Icon;
use crate::json::{RawJson, RawMap};
use crate::meta_object::Meta;
use crate::request_meta::RequestMeta;
use crate::setters::setters;
use crate::shared_str::Str;

/// A prompt, as listed by `prompts/list`.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/prompts>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PromptDefinition {
    /// The unique name.
    pub name: String,
    /// The display name (since 2025-06-18).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The description of the prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The arguments of the prompt.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "crate::json::or_default")]
    pub arguments: Vec<PromptArgument>,
    /// Icons to display (since 2025-11-25).
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "crate::json::or_default")]
    pub icons: Vec<Icon>,
    /// The `_meta` of the prompt (since 2025-06-18).
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl PromptDefinition {
    /// Creates a prompt without arguments.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            title: None,
            description: None,
            arguments: Vec::new(),
            icons: Vec::new(),
            meta: Meta::new(),
        }
    }
}

setters!(PromptDefinition {
    title: Option<String>,
    description: Option<String>,
    arguments: Vec<PromptArgument>,
    icons: Vec<Icon>,
    meta: Meta,
});

/// An argument of a prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PromptArgument {
    /// The name of the argument.
    pub name: String,
    /// The display name (since 2025-06-18).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The description of the argument.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether the argument is required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
}

impl PromptArgument {
    /// Creates an argument.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), title: None, description: None, required: None }
    }
}

setters!(PromptArgument {
    title: Option<String>,
    description: Option<String>,
    required: Option<bool>,
});

/// A message of a prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PromptMessage {
    /// The role of the sender.
    pub role: Role,
    /// The content of the message.
    pub content: ContentBlock,
}

impl PromptMessage {
    /// Creates a message.
    pub fn new(role: Role, content: impl Into<ContentBlock>) -> Self {
        Self { role, content: content.into() }
    }

    /// Creates a message of the user.
    pub fn user(content: impl Into<ContentBlock>) -> Self {
        Self::new(Role::User, content)
    }

    /// Creates a message of the assistant.
    pub fn assistant(content: impl Into<ContentBlock>) -> Self {
        Self::new(Role::Assistant, content)
    }
}

/// The parameters of `prompts/get`.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/prompts>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct GetPromptParams {
    /// The name of the prompt.
    pub name: Str,
    /// The arguments, as a raw JSON object of strings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<RawJson>,
    /// The responses to the input requests of an `input_required` result (2026-07-28).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_responses: Option<RawMap>,
    /// The request state of an `input_required` result (2026-07-28).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_state: Option<Str>,
    /// The request's `_meta`.
    #[serde(rename = "_meta", default, skip_serializing_if = "RequestMeta::is_empty")]
    pub meta: RequestMeta,
}

impl GetPromptParams {
    /// Creates a request for a prompt without arguments.
    pub fn new(name: impl Into<Str>) -> Self {
        Self {
            name: name.into(),
            arguments: None,
            input_responses: None,
            request_state: None,
            meta: RequestMeta::default(),
        }
    }
}

setters!(GetPromptParams {
    arguments: Option<RawJson>,
    input_responses: Option<RawMap>,
    request_state: Option<Str>,
    meta: RequestMeta,
});

/// The result of `prompts/get`.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/prompts>.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GetPromptResult {
    /// The description of the prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The messages of the prompt.
    pub messages: Vec<PromptMessage>,
    /// The `_meta` of the result.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl GetPromptResult {
    /// Creates a result with these messages.
    pub fn new(messages: Vec<PromptMessage>) -> Self {
        Self { messages, ..Self::default() }
    }
}

setters!(GetPromptResult {
    description: Option<String>,
    meta: Meta,
});
