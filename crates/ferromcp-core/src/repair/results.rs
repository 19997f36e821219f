//! Results, and other values, that are repaired if they cannot be decoded.

use serde::de::DeserializeOwned;

use super::edit::{duplicate_name, edit, elements, value_at, without_duplicates};
use super::path::{FieldError, Path, Segment, decode_tracked};
use super::policy::{Policy, allows_in_elicitation};
use super::report::{Repair, RepairKind, Repairs, item_name};
use super::run::{repair_object, run};
use crate::json::RawJson;
use crate::model::{
    CallToolResult, ClientCapabilities, CompleteResult, ContentBlock, CreateMessageParams, CreateMessageResult,
    CreateTaskResult, DiscoverResult, ElicitParams, ElicitResult, EmptyResult, GetPromptResult, Implementation,
    InitializeResult, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListRootsResult,
    ListTasksResult, ListToolsResult, ListenResult, PromptDefinition, PromptMessage, ReadResourceResult,
    ResourceContents, ResourceDefinition, ResourceTemplate, Root, SamplingContent, Task, TaskPayload, ToolDefinition,
};
use crate::surrogates::replace_lone_surrogates;

/// A value of a peer that is repaired if it cannot be decoded.
pub trait Repairable: DeserializeOwned {
    /// Decodes `text`, which is at `root` in the message, and repairs it where necessary.
    ///
    /// # Errors
    /// Returns the error of a field that cannot be repaired.
    fn repair(text: &str, root: &str, repairs: &mut Repairs) -> Result<Self, FieldError>;
}

/// Decodes a value of a peer, which is at `root` in the message. A value that cannot be decoded strictly is repaired.
///
/// # Errors
/// Returns the error of a field that cannot be repaired.
#[inline]
pub fn decode_result<T: Repairable>(raw: &RawJson, root: &str, repairs: &mut Repairs) -> Result<T, FieldError> {
    match serde_json::from_str(raw.as_str()) {
        Ok(value) => Ok(value),
        Err(_) => T::repair(&replace_lone_surrogates(raw.as_str()), root, repairs),
    }
}

impl<T: Repairable> Repairable for Box<T> {
    fn repair(text: &str, root: &str, repairs: &mut Repairs) -> Result<Self, FieldError> {
        T::repair(text, root, repairs).map(Self::new)
    }
}

macro_rules! objects {
    ($($type:ty $(, $allows:expr)?;)*) => {
        $(impl Repairable for $type {
            fn repair(text: &str, root: &str, repairs: &mut Repairs) -> Result<Self, FieldError> {
                objects!(@policy policy $(, $allows)?);
                repair_object(text, &Path::root(root), &policy, repairs)
            }
        })*
    };
    (@policy $policy:ident) => {
        let $policy = Policy::ANY;
    };
    (@policy $policy:ident, $allows:expr) => {
        let allows = $allows;
        let $policy = Policy { allows: &allows, ..Policy::ANY };
    };
}

objects! {
    InitializeResult;
    DiscoverResult;
    EmptyResult;
    ListenResult;
    CreateTaskResult;
    Task;
    TaskPayload;
    Implementation;
    ClientCapabilities;
    CreateMessageParams;
    ElicitParams, allows_in_elicitation;
    // Values that the user entered must not be lost silently.
    ElicitResult, |path: &[Segment]| path.first().and_then(Segment::as_key) != Some("content");
}

macro_rules! lists {
    ($($type:ty => $($field:ident).+: [$item:ty] at $path:expr;)*) => {
        $(impl Repairable for $type {
            fn repair(text: &str, root: &str, repairs: &mut Repairs) -> Result<Self, FieldError> {
                let list = $path.map(Segment::key);
                let (mut result, items) = repair_list::<Self, $item>(text, &Path::root(root), &list, repairs)?;
                if let Some(items) = items {
                    result.$($field).+ = items.into();
                }
                Ok(result)
            }
        })*
    };
}

lists! {
    ListToolsResult => tools: [ToolDefinition] at ["tools"];
    ListResourcesResult => resources: [ResourceDefinition] at ["resources"];
    ListResourceTemplatesResult => resource_templates: [ResourceTemplate] at ["resourceTemplates"];
    ListPromptsResult => prompts: [PromptDefinition] at ["prompts"];
    ListTasksResult => tasks: [Task] at ["tasks"];
    ListRootsResult => roots: [Root] at ["roots"];
    CallToolResult => content: [ContentBlock] at ["content"];
    ReadResourceResult => contents: [ResourceContents] at ["contents"];
    GetPromptResult => messages: [PromptMessage] at ["messages"];
    CompleteResult => completion.values: [String] at ["completion", "values"];
    CreateMessageResult => content: [SamplingContent] at ["content"];
}

/// Decodes an object with a list at `list`. Its items are decoded one by one, and those that cannot be repaired are skipped.
/// The items are `None` if there is no such array.
fn repair_list<T: DeserializeOwned, I: DeserializeOwned>(
    text: &str,
    base: &Path,
    list: &[Segment],
    repairs: &mut Repairs,
) -> Result<(T, Option<Vec<I>>), FieldError> {
    let unique = without_duplicates(text);
    if let Some(name) = unique.as_ref().and_then(|_| duplicate_name(text)) {
        let cause = FieldError::new(base.clone(), &format!("duplicate field `{name}`"));
        repairs.push(Repair::new(RepairKind::Replaced, base, None, cause));
    }
    let text = unique.as_deref().unwrap_or(text);
    // Some languages serialize an empty list as `null`.
    let is_null = value_at(text, list) == Some("null");
    if is_null {
        let path = base.join(list);
        let cause = FieldError::new(path.clone(), "invalid type: null, expected a sequence");
        repairs.push(Repair::new(RepairKind::Replaced, &path, None, cause));
    }
    let array = if is_null { Some(Vec::new()) } else { value_at(text, list).and_then(elements) };
    let rest = array.as_ref().and_then(|_| edit(text, list, Some("[]")));
    // The list itself is required, so it is never ignored.
    let allows = |path: &[Segment]| !list.starts_with(path);
    let policy = Policy { allows: &allows, ..Policy::ANY };
    let result = repair_object(rest.as_deref().unwrap_or(text), base, &policy, repairs)?;
    let Some(array) = array else { return Ok((result, None)) };
    let list = base.join(list);
    let items = array.into_iter().enumerate().filter_map(|(index, raw)| {
        let strict = serde_json::from_str(raw.get()).ok();
        strict.or_else(|| repair_item(raw.get(), &list.join(&[Segment::Index(index)]), repairs))
    });
    let items = items.collect();
    Ok((result, Some(items)))
}

fn repair_item<I: DeserializeOwned>(text: &str, path: &Path, repairs: &mut Repairs) -> Option<I> {
    let name = item_name(text);
    let attempt = |text: &str| decode_tracked(std::marker::PhantomData, text);
    match run(text, (path, name.as_deref()), &Policy::ANY, repairs, attempt) {
        Ok(item) => Some(item),
        Err(cause) => {
            repairs.push(Repair::new(RepairKind::Skipped, path, name, cause));
            None
        }
    }
}
