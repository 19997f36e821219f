//! Questions in answers: how a modern server asks the client for input.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr>.

use serde::{Deserialize, Serialize};

use super::elicit::ElicitParams;
use super::lifecycle::EmptyParams;
use super::sampling::CreateMessageParams;
use crate::json::Str;
use crate::meta::Meta;

/// A question, without envelope: the three requests a server may make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "Bare", try_from = "Bare")]
#[non_exhaustive]
#[allow(clippy::large_enum_variant)] // a handful at a time, and the usual one is the large one
pub enum InputRequest {
    /// Ask the user.
    Elicit(ElicitParams),
    /// Run a model.
    CreateMessage(Box<CreateMessageParams>),
    /// Name the roots.
    ListRoots,
}

/// The wire's shape of a question: a method and its parameters.
#[derive(Serialize, Deserialize)]
struct Bare {
    method: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    params: Option<crate::json::RawJson>,
}

impl From<InputRequest> for Bare {
    fn from(request: InputRequest) -> Self {
        let raw = |params: Result<_, serde_json::Error>| params.ok();
        match request {
            InputRequest::Elicit(params) => {
                Self { method: "elicitation/create".into(), params: raw(crate::RawJson::new(&params)) }
            }
            InputRequest::CreateMessage(params) => {
                Self { method: "sampling/createMessage".into(), params: raw(crate::RawJson::new(&params)) }
            }
            InputRequest::ListRoots => Self { method: "roots/list".into(), params: None },
        }
    }
}

impl TryFrom<Bare> for InputRequest {
    type Error = String;

    fn try_from(bare: Bare) -> Result<Self, String> {
        let params = bare.params.unwrap_or_else(crate::RawJson::empty_object);
        let text = |error: serde_json::Error| error.to_string();
        match bare.method.as_str() {
            "elicitation/create" => params.decode().map(Self::Elicit).map_err(text),
            "sampling/createMessage" => {
                params.decode().map(|params| Self::CreateMessage(Box::new(params))).map_err(text)
            }
            "roots/list" => params.decode::<EmptyParams>().map(|_| Self::ListRoots).map_err(text),
            other => Err(format!("`{other}` is not a question a server may ask")),
        }
    }
}

/// Instead of a result: questions to answer, or state to come back with, or both.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct InputRequired {
    /// The questions, each under a key of the server's choice.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "questions")]
    pub input_requests: Option<Vec<(String, InputRequest)>>,
    /// Opaque state to be sent back unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_state: Option<Str>,
    /// Foreign keys.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

/// The questions are an object whose order is kept.
mod questions {
    use super::InputRequest;
    use crate::json::{RawJson, RawMap};
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    #[allow(clippy::ref_option)] // the signature that serde calls
    pub(super) fn serialize<S: Serializer>(
        questions: &Option<Vec<(String, InputRequest)>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(questions.iter().flatten().map(|(key, request)| (key, request)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<(String, InputRequest)>>, D::Error> {
        let map = RawMap::deserialize(deserializer)?;
        let decode = |(key, json): (&str, &RawJson)| Ok((key.to_owned(), json.decode().map_err(D::Error::custom)?));
        map.iter().map(decode).collect::<Result<_, _>>().map(Some)
    }
}
