//! Completions: values a user may mean while typing an argument.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/completion>.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::meta::Meta;
use crate::request_meta::RequestMeta;

/// `completion/complete`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CompleteParams {
    /// Whose argument.
    pub r#ref: Reference,
    /// Which argument, and what is typed so far.
    pub argument: CompletionArgument,
    /// What is known already (from 2025-06-18).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<CompletionContext>,
    /// The request's `_meta`.
    #[serde(rename = "_meta", default, skip_serializing_if = "RequestMeta::is_empty")]
    pub meta: RequestMeta,
}

impl CompleteParams {
    /// Asks what `argument` may become.
    pub fn new(r#ref: Reference, argument: CompletionArgument) -> Self {
        Self { r#ref, argument, context: None, meta: RequestMeta::default() }
    }
}

/// Whose argument is completed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[non_exhaustive]
pub enum Reference {
    /// A prompt's.
    #[serde(rename = "ref/prompt")]
    Prompt {
        /// The prompt's name.
        name: String,
        /// The prompt's name for people (from 2025-06-18).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
    },
    /// A resource template's.
    #[serde(rename = "ref/resource")]
    Resource {
        /// The URI or template.
        uri: String,
    },
}

/// What is typed so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CompletionArgument {
    /// The argument's name.
    pub name: String,
    /// The text so far.
    pub value: String,
}

impl CompletionArgument {
    /// `value` typed so far for `name`.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// What is known already.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CompletionContext {
    /// The arguments settled before this one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arguments: BTreeMap<String, String>,
}

/// The answer to `completion/complete`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CompleteResult {
    /// The values.
    pub completion: Completion,
    /// Foreign keys.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

/// Values, the best first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Completion {
    /// At most [`Completion::MAX_VALUES`] of them.
    pub values: Vec<String>,
    /// How many there are in all, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Whether there are more than these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_more: Option<bool>,
}

impl Completion {
    /// The most values an answer may hold.
    pub const MAX_VALUES: usize = 100;

    /// The first [`Completion::MAX_VALUES`] of `values`, saying so where there are more.
    ///
    /// ```
    /// use ferromcp_core::model::Completion;
    /// let completion = Completion::new((0..250).map(|n| n.to_string()));
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
