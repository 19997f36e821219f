//! Multi round-trip requests: `input_required` results, with which a modern server asks the client for input.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr>.

use serde::{Deserialize, Serialize};

use super::elicit::ElicitParams;
use super::lifecycle::EmptyParams;
use super::sampling::CreateMessageParams;
use crate::meta_object::Meta;
use crate::setters::setters;
use crate::shared_str::Str;

/// A request for input in an `input_required` result: elicitation, sampling or roots.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "WireRequest", try_from = "WireRequest")]
#[non_exhaustive]
#[allow(clippy::large_enum_variant)] // few exist at a time, and the large variant is the most frequent
pub enum InputRequest {
    /// An elicitation request (`elicitation/create`).
    Elicit(ElicitParams),
    /// A sampling request (`sampling/createMessage`).
    CreateMessage(Box<CreateMessageParams>),
    /// A request for the roots (`roots/list`).
    ListRoots,
}

/// The wire format of an [`InputRequest`]: a method and its parameters.
#[derive(Serialize, Deserialize)]
struct WireRequest {
    method: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    params: Option<crate::json::RawJson>,
}

impl From<InputRequest> for WireRequest {
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

impl TryFrom<WireRequest> for InputRequest {
    type Error = String;

    fn try_from(wire: WireRequest) -> Result<Self, String> {
        let params = wire.params.unwrap_or_else(crate::RawJson::empty_object);
        let text = |error: serde_json::Error| error.to_string();
        match wire.method.as_str() {
            "elicitation/create" => params.decode().map(Self::Elicit).map_err(text),
            "sampling/createMessage" => {
                params.decode().map(|params| Self::CreateMessage(Box::new(params))).map_err(text)
            }
            "roots/list" => params.decode::<EmptyParams>().map(|_| Self::ListRoots).map_err(text),
            other => Err(format!("`{other}` is not a method that a server can request")),
        }
    }
}

/// An `input_required` result (2026-07-28): input requests, request state, or both.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr>.
///
/// The client sends the request again with the responses and the unchanged state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct InputRequired {
    /// The input requests, each with a key chosen by the server.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "ordered_requests")]
    pub input_requests: Option<Vec<(String, InputRequest)>>,
    /// Opaque state that the client returns unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_state: Option<Str>,
    /// The `_meta` of the result.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

setters!(InputRequired {
    input_requests: Option<Vec<(String, InputRequest)>>,
    request_state: Option<Str>,
    meta: Meta,
});

/// Serializes the requests as an object and preserves their order.
mod ordered_requests {
    use super::InputRequest;
    use crate::json::Entries;
    use serde::{Deserialize, Deserializer, Serializer};

    #[allow(clippy::ref_option)] // signature required by serde
    pub(super) fn serialize<S: Serializer>(
        requests: &Option<Vec<(String, InputRequest)>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(requests.iter().flatten().map(|(key, request)| (key, request)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<(String, InputRequest)>>, D::Error> {
        let entries = Option::<Entries<String, InputRequest>>::deserialize(deserializer)?;
        Ok(entries.map(|entries| entries.0))
    }
}
