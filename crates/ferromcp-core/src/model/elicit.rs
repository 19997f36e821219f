//! Elicitation: a server asks the client's user.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation>.
//! A form is flat: texts, numbers, booleans and choices.

use serde::{Deserialize, Serialize};

use super::task::TaskMetadata;
use crate::json::{RawJson, RawMap};
use crate::meta::Meta;
use crate::request_meta::RequestMeta;

/// `elicitation/create`, in either mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "LooseParams", try_from = "LooseParams")]
#[non_exhaustive]
pub enum ElicitParams {
    /// A form to fill in.
    Form(FormParams),
    /// A URL to visit (from 2025-11-25).
    Url(UrlParams),
}

/// A form to fill in.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FormParams {
    /// Whether `mode: "form"` is said; absent means the same, and 2025-06-18 knows no `mode`.
    pub say_mode: bool,
    /// What is asked and why.
    pub message: String,
    /// The form.
    pub requested_schema: FormSchema,
    /// Run it as a task (2025-11-25 only).
    pub task: Option<TaskMetadata>,
    /// The request's `_meta` (legacy only).
    pub meta: RequestMeta,
}

/// A URL to visit.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct UrlParams {
    /// What is asked and why.
    pub message: String,
    /// Where to go.
    pub url: String,
    /// What the completion notification will name (2025-11-25 only, where it is required).
    pub elicitation_id: Option<String>,
    /// Run it as a task (2025-11-25 only).
    pub task: Option<TaskMetadata>,
    /// The request's `_meta` (legacy only).
    pub meta: RequestMeta,
}

impl FormParams {
    /// Asks for what `requested_schema` describes.
    pub fn new(message: impl Into<String>, requested_schema: FormSchema) -> Self {
        Self { say_mode: true, message: message.into(), requested_schema, task: None, meta: RequestMeta::default() }
    }
}

impl UrlParams {
    /// Sends the user to `url`.
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

/// Both modes' fields; `mode` then says which count.
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
                mode: form.say_mode.then(|| "form".into()),
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
                say_mode: loose.mode.is_some(),
                message: loose.message,
                requested_schema: loose.requested_schema.ok_or("a form lacks `requestedSchema`")?,
                task: loose.task,
                meta: loose.meta,
            })),
            Some("url") => Ok(Self::Url(UrlParams {
                message: loose.message,
                url: loose.url.ok_or("`mode` is `url`, but `url` is missing")?,
                elicitation_id: loose.elicitation_id,
                task: loose.task,
                meta: loose.meta,
            })),
            Some(other) => Err(format!("unknown elicitation mode `{other}`")),
        }
    }
}

/// The form: an object of simple fields, in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FormSchema {
    /// The JSON Schema dialect, where stated (from 2025-11-25).
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<String>,
    /// Always `object`.
    r#type: ObjectType,
    /// The fields by name.
    #[serde(with = "fields")]
    pub properties: Vec<(String, PrimitiveSchema)>,
    /// Which must be filled in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ObjectType {
    Object,
}

impl FormSchema {
    /// A form of these fields.
    pub fn new(properties: Vec<(String, PrimitiveSchema)>) -> Self {
        Self { dialect: None, r#type: ObjectType::Object, properties, required: None }
    }

    /// States which fields must be filled in.
    pub fn required(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.required = Some(names.into_iter().map(Into::into).collect());
        self
    }
}

/// One field of a form, known by its `type` and by whether it lists choices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PrimitiveSchema {
    /// `string`, `number`, `integer`, `boolean`, or `array` for several choices (from 2025-11-25).
    pub r#type: FieldType,
    /// The field's name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What to fill in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The least length of a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u64>,
    /// The greatest length of a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u64>,
    /// `email`, `uri`, `date` or `date-time`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The least number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<serde_json::Number>,
    /// The greatest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<serde_json::Number>,
    /// Choices without titles.
    #[serde(rename = "enum", default, skip_serializing_if = "Option::is_none")]
    pub choices: Option<Vec<String>>,
    /// Titles beside `enum`, as 2025-06-18 writes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enum_names: Option<Vec<String>>,
    /// Choices with titles (from 2025-11-25).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_of: Option<Vec<Choice>>,
    /// The choices of which several may be taken (from 2025-11-25).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<ChoiceItems>,
    /// The least number of choices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_items: Option<u64>,
    /// The greatest number of choices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u64>,
    /// What is filled in at first: of the field's own type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<RawJson>,
}

/// The type of a form's field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldType {
    /// Text, or one choice.
    String,
    /// A number.
    Number,
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
    /// Several choices.
    Array,
}

/// A choice with its title.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Choice {
    /// The value.
    pub r#const: String,
    /// What people read.
    pub title: String,
}

impl Choice {
    /// `value`, shown as `title`.
    pub fn new(value: impl Into<String>, title: impl Into<String>) -> Self {
        Self { r#const: value.into(), title: title.into() }
    }
}

/// Choices of which several may be taken: with titles or without.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ChoiceItems {
    /// `string`, beside `enum`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<FieldType>,
    /// Without titles.
    #[serde(rename = "enum", default, skip_serializing_if = "Option::is_none")]
    pub choices: Option<Vec<String>>,
    /// With titles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub any_of: Option<Vec<Choice>>,
}

impl PrimitiveSchema {
    /// A field of `type` without any rule.
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

/// What the user did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ElicitAction {
    /// Agreed, and filled the form in or will visit the URL.
    Accept,
    /// Said no.
    Decline,
    /// Went away without a choice.
    Cancel,
}

/// The answer to `elicitation/create`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ElicitResult {
    /// What the user did.
    pub action: ElicitAction,
    /// The form's values, only with an accepted form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<RawMap>,
    /// Foreign keys (legacy only).
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl ElicitResult {
    /// The user did `action`.
    pub fn new(action: ElicitAction) -> Self {
        Self { action, content: None, meta: Meta::new() }
    }
}

/// `notifications/elicitation/complete` (2025-11-25 only).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ElicitationCompleteParams {
    /// Which elicitation.
    pub elicitation_id: String,
    /// Foreign keys.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl ElicitationCompleteParams {
    /// This elicitation is over.
    pub fn new(elicitation_id: impl Into<String>) -> Self {
        Self { elicitation_id: elicitation_id.into(), meta: Meta::new() }
    }
}

/// The fields are an object whose order is kept.
mod fields {
    use super::PrimitiveSchema;
    use crate::json::{RawJson, RawMap};
    use serde::de::Error as _;
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
        let map = RawMap::deserialize(deserializer)?;
        let decode = |(name, json): (&str, &RawJson)| Ok((name.to_owned(), json.decode().map_err(D::Error::custom)?));
        map.iter().map(decode).collect()
    }
}
