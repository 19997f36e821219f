//! Sampling: requests to the client's model.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/client/sampling>.

use serde::{Deserialize, Serialize};

use super::annotations::{Annotations, Role, clamp_priority};
use super::content::{AudioContent, CommonBlock, ContentBlock, ImageContent, TextContent, require_field};
use super::task::TaskMetadata;
use super::tool::ToolDefinition;
use crate::json::{RawJson, present};
use crate::meta_object::Meta;
use crate::request_meta::RequestMeta;
use crate::setters::setters;

/// The parameters of `sampling/createMessage`.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/client/sampling>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CreateMessageParams {
    /// The messages of the conversation.
    pub messages: Vec<SamplingMessage>,
    /// The preferences for the selection of a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_preferences: Option<ModelPreferences>,
    /// The requested system prompt. The client can modify or ignore it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_prompt: Option<String>,
    /// The servers with context to include in the prompt. An unknown value is decoded as `None`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::known")]
    pub include_context: Option<IncludeContext>,
    /// The sampling temperature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// The maximum number of tokens to sample.
    pub max_tokens: u64,
    /// The sequences that end sampling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_sequences: Option<Vec<String>>,
    /// Provider-specific metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<RawJson>,
    /// The tools that the model can use (since 2025-11-25).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<ToolDefinition>>,
    /// Controls how the model uses the tools (since 2025-11-25).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ToolChoice>,
    /// Requests execution as a task (2025-11-25 only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskMetadata>,
    /// The request's `_meta` (legacy only).
    #[serde(rename = "_meta", default, skip_serializing_if = "RequestMeta::is_empty")]
    pub meta: RequestMeta,
}

impl CreateMessageParams {
    /// Creates a sampling request.
    pub fn new(messages: Vec<SamplingMessage>, max_tokens: u64) -> Self {
        Self {
            messages,
            model_preferences: None,
            system_prompt: None,
            include_context: None,
            temperature: None,
            max_tokens,
            stop_sequences: None,
            metadata: None,
            tools: None,
            tool_choice: None,
            task: None,
            meta: RequestMeta::default(),
        }
    }
}

setters!(CreateMessageParams {
    model_preferences: Option<ModelPreferences>,
    system_prompt: Option<String>,
    include_context: Option<IncludeContext>,
    temperature: Option<f64>,
    stop_sequences: Option<Vec<String>>,
    metadata: Option<RawJson>,
    tools: Option<Vec<ToolDefinition>>,
    tool_choice: Option<ToolChoice>,
    task: Option<TaskMetadata>,
    meta: RequestMeta,
});

/// The servers with context to include in the prompt. All values except `None` are deprecated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum IncludeContext {
    /// No additional context.
    None,
    /// The context of the requesting server.
    ThisServer,
    /// The context of all connected servers.
    AllServers,
}

/// A message of a sampling conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SamplingMessage {
    /// The role of the sender.
    pub role: Role,
    /// The content blocks. A single block is serialized as an object, several as an array (since 2025-11-25).
    #[serde(with = "one_or_many")]
    pub content: Vec<SamplingContent>,
    /// The `_meta` of the message (since 2025-11-25).
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl SamplingMessage {
    /// Creates a message with one block.
    pub fn new(role: Role, content: SamplingContent) -> Self {
        Self { role, content: vec![content], meta: Meta::new() }
    }

    /// Creates a message of the user with one block.
    pub fn user(content: impl Into<SamplingContent>) -> Self {
        Self::new(Role::User, content.into())
    }

    /// Creates a message of the assistant with one block.
    pub fn assistant(content: impl Into<SamplingContent>) -> Self {
        Self::new(Role::Assistant, content.into())
    }
}

setters!(SamplingMessage {
    content: Vec<SamplingContent>,
    meta: Meta,
});

/// The result of `sampling/createMessage`.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/client/sampling>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CreateMessageResult {
    /// The role of the sender.
    pub role: Role,
    /// The content blocks.
    #[serde(with = "one_or_many")]
    pub content: Vec<SamplingContent>,
    /// The name of the model.
    pub model: String,
    /// The reason why sampling stopped: `endTurn`, `stopSequence`, `maxTokens`, `toolUse`, or a provider-specific value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<String>,
    /// The `_meta` of the result.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl CreateMessageResult {
    /// Creates a result of the assistant with one block.
    pub fn new(model: impl Into<String>, content: SamplingContent) -> Self {
        Self {
            role: Role::Assistant,
            content: vec![content],
            model: model.into(),
            stop_reason: None,
            meta: Meta::new(),
        }
    }

    /// Returns the concatenated text of all text blocks.
    pub fn text(&self) -> String {
        self.content.iter().filter_map(SamplingContent::as_text).collect()
    }

    /// Iterates over the tool use blocks.
    pub fn tool_uses(&self) -> impl Iterator<Item = &ToolUseContent> {
        self.content.iter().filter_map(|block| match block {
            SamplingContent::ToolUse(tool_use) => Some(tool_use),
            _ => None,
        })
    }
}

setters!(CreateMessageResult {
    role: Role,
    content: Vec<SamplingContent>,
    stop_reason: Option<String>,
    meta: Meta,
});

/// A content block of a sampling message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", try_from = "LooseBlock")]
#[non_exhaustive]
pub enum SamplingContent {
    /// Text content.
    Text(TextContent),
    /// Image content.
    Image(ImageContent),
    /// Audio content (since 2025-03-26).
    Audio(AudioContent),
    /// A tool call requested by the model (since 2025-11-25).
    ToolUse(ToolUseContent),
    /// The result of a tool call (since 2025-11-25).
    ToolResult(ToolResultContent),
}

impl SamplingContent {
    /// Creates a text block.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(TextContent::new(text))
    }

    /// Returns the text of a text block, or `None` for other types.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(&text.text),
            _ => None,
        }
    }
}

impl From<String> for SamplingContent {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<&str> for SamplingContent {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

/// A tool call requested by the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolUseContent {
    /// The id that the tool result refers to.
    pub id: String,
    /// The name of the tool.
    pub name: String,
    /// The arguments, as a raw JSON object.
    pub input: RawJson,
    /// The `_meta` of the block. Must be preserved in subsequent requests.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl ToolUseContent {
    /// Creates a tool use. `input` must be a JSON object.
    pub fn new(id: impl Into<String>, name: impl Into<String>, input: RawJson) -> Self {
        Self { id: id.into(), name: name.into(), input, meta: Meta::new() }
    }
}

setters!(ToolUseContent { meta: Meta });

/// The result of a tool call requested by the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ToolResultContent {
    /// The id of the tool use.
    pub tool_use_id: String,
    /// The content blocks of the result, for the model.
    pub content: Vec<ContentBlock>,
    /// The structured content of the result.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub structured_content: Option<RawJson>,
    /// Whether the tool call failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_error: Option<bool>,
    /// The `_meta` of the block. Must be preserved in subsequent requests.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl ToolResultContent {
    /// Creates a tool result.
    pub fn new(tool_use_id: impl Into<String>, content: Vec<ContentBlock>) -> Self {
        Self { tool_use_id: tool_use_id.into(), content, structured_content: None, is_error: None, meta: Meta::new() }
    }

    /// Sets whether the tool call failed.
    pub fn failed(mut self, failed: bool) -> Self {
        self.is_error = Some(failed);
        self
    }
}

setters!(ToolResultContent {
    structured_content: Option<RawJson>,
    meta: Meta,
});

/// The union of the fields of all block types; `type` selects the fields to use.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LooseBlock {
    r#type: String,
    text: Option<String>,
    data: Option<String>,
    mime_type: Option<String>,
    annotations: Option<Annotations>,
    id: Option<String>,
    name: Option<String>,
    input: Option<RawJson>,
    tool_use_id: Option<String>,
    content: Option<Vec<ContentBlock>>,
    #[serde(default, deserialize_with = "present")]
    structured_content: Option<RawJson>,
    is_error: Option<bool>,
    #[serde(rename = "_meta", default)]
    meta: Meta,
}

impl TryFrom<LooseBlock> for SamplingContent {
    type Error = String;

    fn try_from(loose: LooseBlock) -> Result<Self, String> {
        let common = CommonBlock {
            text: loose.text,
            data: loose.data,
            mime_type: loose.mime_type,
            annotations: loose.annotations,
            meta: loose.meta,
        };
        Ok(match loose.r#type.as_str() {
            "text" => Self::Text(common.text()?),
            "image" => Self::Image(common.image()?),
            "audio" => Self::Audio(common.audio()?),
            "tool_use" => Self::ToolUse(ToolUseContent {
                id: require_field(loose.id, "tool_use", "id")?,
                name: require_field(loose.name, "tool_use", "name")?,
                input: require_field(loose.input, "tool_use", "input")?,
                meta: common.meta,
            }),
            "tool_result" => Self::ToolResult(ToolResultContent {
                tool_use_id: require_field(loose.tool_use_id, "tool_result", "toolUseId")?,
                content: require_field(loose.content, "tool_result", "content")?,
                structured_content: loose.structured_content,
                is_error: loose.is_error,
                meta: common.meta,
            }),
            other => return Err(format!("unknown content type `{other}`")),
        })
    }
}

/// The server's preferences for the selection of a model.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/client/sampling>.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ModelPreferences {
    /// Hints for the model name, in order of preference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hints: Option<Vec<ModelHint>>,
    /// The priority of low cost, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_priority: Option<f64>,
    /// The priority of speed, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed_priority: Option<f64>,
    /// The priority of capability, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intelligence_priority: Option<f64>,
}

impl ModelPreferences {
    /// Sets the priority of low cost. Values are clamped to 0..=1; NaN becomes 0.
    pub fn cost_priority(mut self, priority: f64) -> Self {
        self.cost_priority = Some(clamp_priority(priority));
        self
    }

    /// Sets the priority of speed. Values are clamped to 0..=1; NaN becomes 0.
    pub fn speed_priority(mut self, priority: f64) -> Self {
        self.speed_priority = Some(clamp_priority(priority));
        self
    }

    /// Sets the priority of capability. Values are clamped to 0..=1; NaN becomes 0.
    pub fn intelligence_priority(mut self, priority: f64) -> Self {
        self.intelligence_priority = Some(clamp_priority(priority));
        self
    }
}

setters!(ModelPreferences {
    hints: Option<Vec<ModelHint>>,
});

/// A hint for the selection of a model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelHint {
    /// A model name or a part of it, matched as a substring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl ModelHint {
    /// Creates a hint with a model name or a part of it.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: Some(name.into()) }
    }
}

/// Controls how the model uses tools.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/client/sampling>.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolChoice {
    /// The mode. Default: [`ToolChoiceMode::Auto`]. An unknown value is decoded as `None`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::known")]
    pub mode: Option<ToolChoiceMode>,
}

impl ToolChoice {
    /// Creates a choice with this mode.
    pub fn new(mode: ToolChoiceMode) -> Self {
        Self { mode: Some(mode) }
    }
}

/// Whether the model can, must or must not use tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ToolChoiceMode {
    /// The model decides whether to use tools.
    Auto,
    /// The model must use at least one tool.
    Required,
    /// The model must not use tools.
    None,
}

/// Serializes a single block as an object and several blocks as an array. Deserializes both formats.
mod one_or_many {
    use std::fmt;

    use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
    use serde::de::{MapAccess, SeqAccess, Visitor};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::SamplingContent;

    pub(super) fn serialize<S: Serializer>(blocks: &[SamplingContent], serializer: S) -> Result<S::Ok, S::Error> {
        match blocks {
            [one] => one.serialize(serializer),
            many => serializer.collect_seq(many),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SamplingContent>, D::Error> {
        struct Blocks;
        impl<'de> Visitor<'de> for Blocks {
            type Value = Vec<SamplingContent>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a content block or an array of them")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                SamplingContent::deserialize(MapAccessDeserializer::new(map)).map(|block| vec![block])
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq))
            }
        }
        deserializer.deserialize_any(Blocks)
    }
}
