//! The wire's word for failure: a code, a sentence, and perhaps data.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic#error-codes>.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::json::{RawJson, present};
use crate::model::capability::ClientCapabilities;
use crate::revision::Revision;

/// An error code of JSON-RPC or MCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ErrorCode(pub i64);

impl ErrorCode {
    /// The text was not JSON.
    pub const PARSE_ERROR: Self = Self(-32700);
    /// The JSON was not a request.
    pub const INVALID_REQUEST: Self = Self(-32600);
    /// The method is unknown, or belongs to a capability that was not advertised.
    pub const METHOD_NOT_FOUND: Self = Self(-32601);
    /// The parameters do not fit the method; also an unknown tool or prompt, a bad cursor.
    pub const INVALID_PARAMS: Self = Self(-32602);
    /// Something failed inside.
    pub const INTERNAL_ERROR: Self = Self(-32603);
    /// No such resource. On 2026-07-28 this is written as [`INVALID_PARAMS`](Self::INVALID_PARAMS).
    pub const RESOURCE_NOT_FOUND: Self = Self(-32002);
    /// A mirrored HTTP header is missing, malformed or different (2026-07-28).
    pub const HEADER_MISMATCH: Self = Self(-32020);
    /// The request needs a capability the client did not declare (2026-07-28).
    pub const MISSING_CLIENT_CAPABILITY: Self = Self(-32021);
    /// The revision asked for is not spoken here (2026-07-28).
    pub const UNSUPPORTED_REVISION: Self = Self(-32022);
    /// The user has to visit a URL first (2025-11-25 only).
    pub const URL_ELICITATION_REQUIRED: Self = Self(-32042);
}

/// A JSON-RPC error, as one peer tells it to the other.
///
/// From a handler it stays a protocol error; what a *model* should read is a tool error instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Error {
    /// Which kind of failure.
    pub code: ErrorCode,
    /// One short sentence.
    pub message: String,
    /// Whatever else helps.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub data: Option<RawJson>,
}

impl Error {
    /// An error of any code. Codes of your own lie outside -32768..=-32000.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    /// Adds data; what cannot be JSON is left out.
    pub fn with_data<T: Serialize + ?Sized>(mut self, data: &T) -> Self {
        self.data = RawJson::new(data).ok();
        self
    }

    /// -32700.
    pub fn parse(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::PARSE_ERROR, message)
    }

    /// -32600.
    pub fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::INVALID_REQUEST, message)
    }

    /// -32601.
    pub fn method_not_found(method: &str) -> Self {
        Self::new(ErrorCode::METHOD_NOT_FOUND, format!("Method not found: {method}"))
    }

    /// -32602.
    pub fn invalid_params(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::INVALID_PARAMS, message)
    }

    /// -32603.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::INTERNAL_ERROR, message)
    }

    /// No resource of that URI: -32002 to a legacy peer, -32602 to a modern one.
    pub fn resource_not_found(uri: &str) -> Self {
        Self::new(ErrorCode::RESOURCE_NOT_FOUND, format!("Resource not found: {uri}"))
            .with_data(&serde_json::json!({ "uri": uri }))
    }

    /// -32022, naming what is spoken here.
    pub fn unsupported_revision(requested: &str, supported: &[Revision]) -> Self {
        Self::new(ErrorCode::UNSUPPORTED_REVISION, format!("Unsupported protocol version: {requested}"))
            .with_data(&serde_json::json!({ "supported": supported, "requested": requested }))
    }

    /// -32021, naming what the client would have to declare.
    pub fn missing_client_capability(required: &ClientCapabilities) -> Self {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Data<'a> {
            required_capabilities: &'a ClientCapabilities,
        }
        Self::new(ErrorCode::MISSING_CLIENT_CAPABILITY, "The client did not declare a capability this request needs")
            .with_data(&Data { required_capabilities: required })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code.0)
    }
}

impl std::error::Error for Error {}
