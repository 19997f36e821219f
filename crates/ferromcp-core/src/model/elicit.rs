//! Elicitation: requests for input from the user.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation>.
//! A form is a flat object of strings, numbers, booleans and choices.

use serde::{Deserialize, Serialize};
use serde_json::Number;

use super::task::TaskMetadata;
use crate::json::{RawJson, RawMap};
use crate::meta_object::Meta;
use crate::request_meta::RequestMeta;
use crate::setters::setters;

/// The parameters of `elicitation/create`, in form or URL mode.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "LooseParams", try_from = "LooseParams")]
#[non_exhaustive]
pub enum ElicitParams {
    /// Form mode: the user fills in a form.
    Form(FormParams),
    /// URL mode: the user visits a URL (since 2025-11-25).
    Url(UrlParams),
}

/// The parameters of an elicitation in form mode.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FormParams {
    /// Whether `mode: "form"` is serialized. An absent mode has the same meaning; 2025-06-18 has no `mode`.
    pub explicit_mode: bool,
    /// The message to the user, which explains what is requested and why.
    pub message: String,
    /// The schema of the form.
    pub requested_schema: FormSchema,
    /// Requests execution as a task (2025-11-25 only).
    pub task: Option<TaskMetadata>,
    /// The request's `_meta` (legacy only).
    pub meta: RequestMeta,
}

/// The parameters of an elicitation in URL mode.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct UrlParams {
    /// The message to the user, which explains what is requested and why.
    pub message: String,
    /// The URL that the user visits.
    pub url: String,
    /// The id that the completion notification refers to (2025-11-25 only, where it is required).
    pub elicitation_id: Option<String>,
    /// Requests execution as a task (2025-11-25 only).
    pub task: Option<TaskMetadata>,
    /// The request's `_meta` (legacy only).
    pub meta: RequestMeta,
}

impl FormParams {
    /// Creates a form elicitation.
    pub fn new(message: impl Into<String>, requested_schema: FormSchema) -> Self {
        Self {
            explicit_mode: true,
            message: message.into(),
            requested_schema,
            task: None,
            meta: RequestMeta::default(),
        }
    }
}

setters!(FormParams {
    task: Option<TaskMetadata>,
    meta: RequestMeta,
});

impl UrlParams {
    /// Creates a URL elicitation.
    pub fn new(message: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            url: url.into(),
            elicitation_id: None,
            task: None,
            meta: RequestMeta::default(),
        }
    }
}

setters!(UrlParams {
    elicitation_id: Option<String>,
    task: Option<TaskMetadata>,
    meta: RequestMeta,
});

/// The union of the fields of both modes; `mode` selects the fields to use.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LooseParams {
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<String>,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    requested_schema: Option<FormSchema>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    elicitation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<TaskMetadata>,
    #[serde(rename = "_meta", default, skip_serializing_if = "RequestMeta::is_empty")]
    meta: RequestMeta,
}

impl From<ElicitParams> for LooseParams {
    fn from(params: ElicitParams) -> Self {
        match params {
            ElicitParams::Form(form) => Self {
                mode: form.explicit_mode.then(|| "form".into()),
                message: form.message,
                requested_schema: Some(form.requested_schema),
                url: None,
                elicitation_id: None,
                task: form.task,
                meta: form.meta,
            },
            ElicitParams::Url(url) => Self {
                mode: Some("url".into()),
                message: url.message,
                requested_schema: None,
                url: Some(url.url),
                elicitation_id: url.elicitation_id,
                task: url.task,
                meta: url.meta,
            },
        }
    }
}

impl TryFrom<LooseParams> for ElicitParams {
    type Error = String;

    fn try_from(loose: LooseParams) -> Result<Self, String> {
        match loose.mode.as_deref() {
            None | Some("form") => Ok(Self::Form(FormParams {
                explicit_mode: loose.mode.is_some(),
                message: loose.message,
                requested_schema: loose.requested_schema.ok_or("missing field `requestedSchema` for mode `form`")?,
                task: loose.task,
                meta: loose.meta,
            })),
            Some("url") => Ok(Self::Url(UrlParams {
                message: loose.message,
                url: loose.url.ok_or("missing field `url` for mode `url`")?,
                elicitation_id: loose.elicitation_id,
                task: loose.task,
                meta: loose.meta,
            })),
            Some(other) => Err(format!("unknown elicitation mode `{other}`")),
        }
    }
}

/// The schema of a form: an object of ordered primitive fields.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FormSchema {
    /// The JSON Schema dialect (since 2025-11-25).
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<String>,
    /// Always `object`.
    r#type: ObjectType,
    /// The fields, by name.
    #[serde(with = "fields")]
    pub properties: Vec<(String, PrimitiveSchema)>,
    /// The names of the required fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ObjectType {
    Object,
}

impl FormSchema {
    /// Creates a form with these fields.
    pub fn new(properties: Vec<(String, PrimitiveSchema)>) -> Self {
        Self { dialect: None, r#type: ObjectType::Object, properties, required: None }
    }
}

setters!(FormSchema {
    dialect: Option<String>,
    required: Option<Vec<String>>,
});

/// A field of a form: a string, number, boolean, or a choice of one or several values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PrimitiveSchema {
    /// The type: `string`, `number`, `integer`, `boolean`, or `array` for multiple choices (since 2025-11-25).
    pub r#type: FieldType,
    /// The display name of the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The description of the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The minimum length of a string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u64>,
    /// The maximum length of a string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u64>,
    /// The format of a string: `email`, `uri`, `date` or `date-time`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The minimum value of a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Number>,
    /// The maximum value of a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<Number>,
    /// The values of a single choice, without titles (`enum`).
    #[serde(rename = "enum", default, skip_serializing_if = "Option::is_none")]
    pub choices: Option<Vec<String>>,
    /// The titles of the values in `enum`, in the format of 2025-06-18 (`enumNames`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enum_names: Option<Vec<String>>,
    /// The options of a single choice, with titles (since 2025-11-25).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_of: Option<Vec<Choice>>,
    /// The options of a multiple choice (since 2025-11-25).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<ChoiceItems>,
    /// The minimum number of selected options.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_items: Option<u64>,
    /// The maximum number of selected options.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u64>,
    /// The default value, of the same type as the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<RawJson>,
}

/// The type of a form field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum FieldType {
    /// A string, or a single choice.
    String,
    /// A number.
    Number,
    /// An integer.
    Integer,
    /// A boolean.
    Boolean,
    /// A multiple choice.
    Array,
}

/// An option of a choice, with its title.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Choice {
    /// The value.
    pub r#const: String,
    /// The display name.
    pub title: String,
}

impl Choice {
    /// Creates an option with a value and a title.
    pub fn new(value: impl Into<String>, title: impl Into<String>) -> Self {
        Self { r#const: value.into(), title: title.into() }
    }
}

/// The options of a multiple choice, with or without titles.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ChoiceItems {
    /// The type `string`, used together with `enum`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<FieldType>,
    /// The values without titles (`enum`).
    #[serde(rename = "enum", default, skip_serializing_if = "Option::is_none")]
    pub choices: Option<Vec<String>>,
    /// The options with titles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub any_of: Option<Vec<Choice>>,
}

impl ChoiceItems {
    /// Creates options with titles.
    pub fn titled(options: impl IntoIterator<Item = Choice>) -> Self {
        Self { any_of: Some(options.into_iter().collect()), ..Self::default() }
    }

    /// Creates options without titles.
    pub fn untitled(values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let choices = values.into_iter().map(Into::into).collect();
        Self { r#type: Some(FieldType::String), choices: Some(choices), any_of: None }
    }
}

impl PrimitiveSchema {
    /// Creates a field of this type without constraints.
    pub fn new(r#type: FieldType) -> Self {
        Self {
            r#type,
            title: None,
            description: None,
            min_length: None,
            max_length: None,
            format: None,
            minimum: None,
            maximum: None,
            choices: None,
            enum_names: None,
            one_of: None,
            items: None,
            min_items: None,
            max_items: None,
            default: None,
        }
    }
}

setters!(PrimitiveSchema {
    title: Option<String>,
    description: Option<String>,
    min_length: Option<u64>,
    max_length: Option<u64>,
    format: Option<String>,
    minimum: Option<Number>,
    maximum: Option<Number>,
    choices: Option<Vec<String>>,
    enum_names: Option<Vec<String>>,
    one_of: Option<Vec<Choice>>,
    items: Option<ChoiceItems>,
    min_items: Option<u64>,
    max_items: Option<u64>,
    default: Option<RawJson>,
});

/// The action of the user in response to an elicitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ElicitAction {
    /// The user submitted the form, or agreed to visit the URL.
    Accept,
    /// The user explicitly declined.
    Decline,
    /// The user dismissed the request without a choice.
    Cancel,
}

/// The result of `elicitation/create`.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ElicitResult {
    /// The action of the user.
    pub action: ElicitAction,
    /// The values of the form. Present only if the user accepted a form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<RawMap>,
    /// The `_meta` of the result (legacy only).
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl ElicitResult {
    /// Creates a result without form content.
    pub fn new(action: ElicitAction) -> Self {
        Self { action, content: None, meta: Meta::new() }
    }
}

setters!(ElicitResult {
    content: Option<RawMap>,
    meta: Meta,
});

/// The parameters of `notifications/elicitation/complete` (2025-11-25 only).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ElicitationCompleteParams {
    /// The id of the completed elicitation.
    pub elicitation_id: String,
    /// The `_meta` of the notification.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl ElicitationCompleteParams {
    /// Creates a notification for a completed elicitation.
    pub fn new(elicitation_id: impl Into<String>) -> Self {
        Self { elicitation_id: elicitation_id.into(), meta: Meta::new() }
    }
}

setters!(ElicitationCompleteParams { meta: Meta });

/// Serializes the fields as an object and preserves their order.
mod fields {
    use super::PrimitiveSchema;
    use crate::json::Entries;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        fields: &[(String, PrimitiveSchema)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(fields.iter().map(|(name, field)| (name, field)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(String, PrimitiveSchema)>, D::Error> {
        Entries::<String, PrimitiveSchema>::deserialize(deserializer).map(|entries| entries.0)
    }
}
