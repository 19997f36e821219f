//! Completion: suggested values for an argument.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/completion>.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::meta_object::Meta;
use crate::request_meta::RequestMeta;
use crate::setters::setters;

/// The parameters of `completion/complete`.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/completion>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CompleteParams {
    /// The prompt or resource template of the argument.
    pub r#ref: Reference,
    /// The name of the argument and its current value.
    pub argument: CompletionArgument,
    /// Additional context: the arguments that are already resolved (since 2025-06-18).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<CompletionContext>,
    /// The request's `_meta`.
    #[serde(rename = "_meta", default, skip_serializing_if = "RequestMeta::is_empty")]
    pub meta: RequestMeta,
}

impl CompleteParams {
    /// Creates a completion request for `argument`.
    pub fn new(r#ref: Reference, argument: CompletionArgument) -> Self {
        Self { r#ref, argument, context: None, meta: RequestMeta::default() }
    }
}

setters!(CompleteParams {
    context: Option<CompletionContext>,
    meta: RequestMeta,
});

/// The prompt or resource template with the argument to complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[non_exhaustive]
pub enum Reference {
    /// A prompt.
    #[serde(rename = "ref/prompt")]
    Prompt {
        /// The prompt's name.
        name: String,
        /// The display name of the prompt (since 2025-06-18).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
    },
    /// A resource template.
    #[serde(rename = "ref/resource")]
    Resource {
        /// The URI or URI template of the resource.
        uri: String,
    },
}

impl Reference {
    /// Creates a reference to a prompt.
    pub fn prompt(name: impl Into<String>) -> Self {
        Self::Prompt { name: name.into(), title: None }
    }

    /// Creates a reference to a resource template, by its URI template.
    pub fn resource(uri: impl Into<String>) -> Self {
        Self::Resource { uri: uri.into() }
    }
}

/// The argument to complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CompletionArgument {
    /// The name of the argument.
    pub name: String,
    /// The current value, used as a prefix.
    pub value: String,
}

impl CompletionArgument {
    /// Creates an argument with its current value.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// Additional context for a completion.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CompletionContext {
    /// The arguments that are already resolved.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "crate::json::or_default")]
    pub arguments: BTreeMap<String, String>,
}

impl CompletionContext {
    /// Creates a context with the arguments that are already resolved.
    pub fn new(arguments: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>) -> Self {
        Self { arguments: arguments.into_iter().map(|(name, value)| (name.into(), value.into())).collect() }
    }
}

/// The result of `completion/complete`.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/completion>.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CompleteResult {
    /// The suggested values.
    pub completion: CompletionValues,
    /// The `_meta` of the result.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl CompleteResult {
    /// Creates a result with these values.
    pub fn new(completion: CompletionValues) -> Self {
        Self { completion, meta: Meta::new() }
    }
}

setters!(CompleteResult { meta: Meta });

/// Suggested values, best match first.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/completion>.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CompletionValues {
    /// The values; at most [`CompletionValues::MAX_VALUES`].
    pub values: Vec<String>,
    /// The total number of available values, if known. It can exceed the number of values in the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Whether more values are available.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_more: Option<bool>,
}

impl CompletionValues {
    /// The maximum number of values in a result.
    pub const MAX_VALUES: usize = 100;

    /// Creates a completion from the first [`CompletionValues::MAX_VALUES`] values, and sets `total` and `has_more`.
    ///
    /// ```
    /// use ferromcp_core::model::CompletionValues;
    /// let completion = CompletionValues::new((0..250).map(|n| n.to_string()));
    /// assert_eq!((completion.values.len(), completion.total, completion.has_more), (100, Some(250), Some(true)));
    /// ```
    pub fn new(values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut rest = values.into_iter();
        let values: Vec<String> = rest.by_ref().take(Self::MAX_VALUES).map(Into::into).collect();
        let left = rest.count();
        let total = (values.len() + left) as u64;
        Self { values, total: Some(total), has_more: Some(left > 0) }
    }
}

setters!(CompletionValues {
    total: Option<u64>,
    has_more: Option<bool>,
});
