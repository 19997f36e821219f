//! Tools: functions that a model can call.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/tools>.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::content::ContentBlock;
use super::implementation::Icon;
use super::task::TaskMetadata;
use crate::json::{RawJson, RawMap, from_text, present};
use crate::meta_object::Meta;
use crate::request_meta::RequestMeta;
use crate::setters::setters;
use crate::shared_str::Str;

/// A tool, as listed by `tools/list`.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/tools>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ToolDefinition {
    /// The unique name: 1 to 128 characters of `A-Za-z0-9_.-`.
    pub name: String,
    /// The display name (since 2025-06-18).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The description, for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The JSON Schema of the arguments. The type of the root is `object`.
    #[serde(deserialize_with = "crate::json::raw_object")]
    pub input_schema: RawJson,
    /// The JSON Schema of the structured content (since 2025-06-18).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::optional_raw_object")]
    pub output_schema: Option<RawJson>,
    /// Hints about the behavior of the tool (since 2025-03-26).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<ToolAnnotations>,
    /// Execution properties (2025-11-25 only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<ToolExecution>,
    /// Icons to display (since 2025-11-25).
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "crate::json::or_default")]
    pub icons: Vec<Icon>,
    /// The `_meta` of the tool (since 2025-06-18).
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl ToolDefinition {
    /// Creates a tool with the JSON Schema of its arguments.
    pub fn new(name: impl Into<String>, input_schema: RawJson) -> Self {
        Self {
            name: name.into(),
            title: None,
            description: None,
            input_schema,
            output_schema: None,
            annotations: None,
            execution: None,
            icons: Vec::new(),
            meta: Meta::new(),
        }
    }

    /// Returns the name to display: `title`, the title in `annotations`, or `name`.
    pub fn display_name(&self) -> &str {
        let annotated = self.annotations.as_ref().and_then(|annotations| annotations.title.as_deref());
        self.title.as_deref().or(annotated).unwrap_or(&self.name)
    }
}

setters!(ToolDefinition {
    title: Option<String>,
    description: Option<String>,
    output_schema: Option<RawJson>,
    annotations: Option<ToolAnnotations>,
    execution: Option<ToolExecution>,
    icons: Vec<Icon>,
    meta: Meta,
});

/// Hints about the behavior of a tool. Clients must not rely on hints from untrusted servers.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/tools>.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ToolAnnotations {
    /// The display name, in the format of 2025-03-26.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The tool does not modify its environment. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only_hint: Option<bool>,
    /// The tool can perform destructive updates. Default: `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destructive_hint: Option<bool>,
    /// Repeated calls with the same arguments have no additional effect. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotent_hint: Option<bool>,
    /// The tool interacts with external entities. Default: `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_world_hint: Option<bool>,
}

setters!(ToolAnnotations {
    title: Option<String>,
    read_only_hint: Option<bool>,
    destructive_hint: Option<bool>,
    idempotent_hint: Option<bool>,
    open_world_hint: Option<bool>,
});

/// Execution properties of a tool (2025-11-25).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ToolExecution {
    /// Whether calls can be executed as tasks. An unknown value is decoded as `None`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::known")]
    pub task_support: Option<TaskSupport>,
}

setters!(ToolExecution {
    task_support: Option<TaskSupport>,
});

/// Whether calls of a tool can be executed as tasks (2025-11-25).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum TaskSupport {
    /// Calls cannot be executed as tasks.
    Forbidden,
    /// The client decides.
    Optional,
    /// Calls must be executed as tasks.
    Required,
}

/// The parameters of `tools/call`.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/tools>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CallToolParams {
    /// The name of the tool.
    pub name: Str,
    /// The arguments, as a raw JSON object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<RawJson>,
    /// Requests execution as a task (2025-11-25).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskMetadata>,
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

impl CallToolParams {
    /// Creates a call without arguments.
    pub fn new(name: impl Into<Str>) -> Self {
        Self {
            name: name.into(),
            arguments: None,
            task: None,
            input_responses: None,
            request_state: None,
            meta: RequestMeta::default(),
        }
    }
}

setters!(CallToolParams {
    arguments: Option<RawJson>,
    task: Option<TaskMetadata>,
    input_responses: Option<RawMap>,
    request_state: Option<Str>,
    meta: RequestMeta,
});

/// The result of `tools/call`.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/tools>.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CallToolResult {
    /// The content blocks, for the model. Always serialized, even if empty.
    #[serde(default, deserialize_with = "crate::json::or_default")]
    pub content: Vec<ContentBlock>,
    /// The structured content (since 2025-06-18). `null` is a value, distinct from an absent field.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub structured_content: Option<RawJson>,
    /// Whether the call failed. The model can read the error in `content` and correct its call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_error: Option<bool>,
    /// The `_meta` of the result.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl CallToolResult {
    /// Creates a successful result with these content blocks.
    pub fn new(content: Vec<ContentBlock>) -> Self {
        Self { content, ..Self::default() }
    }

    /// Creates a successful result with one text block.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(vec![ContentBlock::text(text)])
    }

    /// Creates an error result with one text block, for the model to read.
    pub fn error(text: impl Into<String>) -> Self {
        Self { is_error: Some(true), ..Self::text(text) }
    }

    /// Creates a result with structured content, and the same JSON in a text block for clients without structured output.
    pub fn structured(json: RawJson) -> Self {
        let text = Self::text(json.as_str());
        Self { structured_content: Some(json), ..text }
    }

    /// Sets whether the call failed.
    pub fn failed(mut self, failed: bool) -> Self {
        self.is_error = Some(failed);
        self
    }

    /// Returns `true` if the call failed.
    pub fn is_error(&self) -> bool {
        self.is_error == Some(true)
    }

    /// Returns the text blocks, joined by line feeds. Other blocks are omitted.
    ///
    /// ```
    /// use ferromcp_core::model::{CallToolResult, ContentBlock};
    /// let result = CallToolResult::new(vec![ContentBlock::text("a"), ContentBlock::text("b")]);
    /// assert_eq!(result.text_content(), "a\nb");
    /// ```
    pub fn text_content(&self) -> String {
        let texts = self.content.iter().filter_map(|block| match block {
            ContentBlock::Text(block) => Some(&*block.text),
            _ => None,
        });
        texts.collect::<Vec<&str>>().join("\n")
    }

    /// Deserializes the structured content. A result without structured content is deserialized from its text: as JSON, or
    /// as a string.
    ///
    /// An object with the single member `result` is unwrapped if necessary, because legacy servers wrap other values in
    /// it. Does not check [`is_error`](Self::is_error).
    ///
    /// ```
    /// use ferromcp_core::model::CallToolResult;
    /// assert_eq!(CallToolResult::text("[1,2]").parse::<Vec<u8>>()?, [1, 2]);
    /// assert_eq!(CallToolResult::text("one").parse::<String>()?, "one");
    /// # Ok::<_, serde_json::Error>(())
    /// ```
    ///
    /// # Errors
    /// Returns an error if the result does not match the shape of `T`.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        let Some(structured) = &self.structured_content else { return from_text(&self.text_content()) };
        let error = match structured.decode() {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let wrapped = structured.decode::<RawMap>().ok().filter(|map| map.len() == 1);
        let inner = wrapped.as_ref().and_then(|map| map.get("result"));
        inner.and_then(|inner| inner.decode().ok()).ok_or(error)
    }
}

setters!(CallToolResult {
    content: Vec<ContentBlock>,
    structured_content: Option<RawJson>,
    meta: Meta,
});
