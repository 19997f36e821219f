//! JSON-RPC errors: a code, a message and optional data.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic#error-codes>.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::json::{RawJson, present};
use crate::model::capability::ClientCapabilities;
use crate::revision::Revision;
use crate::text::{excerpt, message};

/// A JSON-RPC or MCP error code.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic#error-codes>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ErrorCode(pub i64);

impl ErrorCode {
    /// Parse error: the frame is not valid JSON.
    pub const PARSE_ERROR: Self = Self(-32700);
    /// Invalid request: the JSON is not a JSON-RPC message.
    pub const INVALID_REQUEST: Self = Self(-32600);
    /// Method not found: the method is unknown, or belongs to a capability that the peer did not declare.
    pub const METHOD_NOT_FOUND: Self = Self(-32601);
    /// Invalid params. Also used for an unknown tool or prompt and for an invalid cursor.
    pub const INVALID_PARAMS: Self = Self(-32602);
    /// Internal error.
    pub const INTERNAL_ERROR: Self = Self(-32603);
    /// Resource not found. For a peer of 2026-07-28 the code is serialized as
    /// [`INVALID_PARAMS`](Self::INVALID_PARAMS).
    pub const RESOURCE_NOT_FOUND: Self = Self(-32002);
    /// Header mismatch: an HTTP header that repeats part of the body is missing, malformed or different (2026-07-28).
    pub const HEADER_MISMATCH: Self = Self(-32020);
    /// Missing required client capability (2026-07-28).
    pub const MISSING_CLIENT_CAPABILITY: Self = Self(-32021);
    /// Unsupported protocol version (2026-07-28).
    pub const UNSUPPORTED_REVISION: Self = Self(-32022);
    /// URL elicitation required: the user must visit a URL before the request can succeed (2025-11-25 only).
    pub const URL_ELICITATION_REQUIRED: Self = Self(-32042);
}

/// A JSON-RPC error.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic#error-codes>.
///
/// A handler that returns this type fails the request with a protocol error. Return a tool error instead for a
/// failure that the model should read.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Error {
    /// The error code.
    pub code: ErrorCode,
    /// A short description, in one sentence.
    pub message: String,
    /// Additional information, as any JSON value.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub data: Option<RawJson>,
}

impl Error {
    /// Creates an error without data.
    ///
    /// Application-defined codes must lie outside -32768..=-32000, the range that JSON-RPC reserves.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    /// Sets `data`. A value that cannot be serialized to JSON leaves `data` unset.
    pub fn with_data<T: Serialize + ?Sized>(mut self, data: &T) -> Self {
        self.data = RawJson::new(data).ok();
        self
    }

    /// Creates a parse error (-32700).
    pub fn parse(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::PARSE_ERROR, message)
    }

    /// Creates an invalid request error (-32600).
    pub fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::INVALID_REQUEST, message)
    }

    /// Creates a method not found error (-32601).
    pub fn method_not_found(method: &str) -> Self {
        Self::new(ErrorCode::METHOD_NOT_FOUND, format!("Method not found: {}", excerpt(method)))
    }

    /// Creates an invalid params error (-32602).
    pub fn invalid_params(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::INVALID_PARAMS, message)
    }

    /// Creates an internal error (-32603).
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::INTERNAL_ERROR, message)
    }

    /// Creates a resource not found error: -32002 for a legacy peer, -32602 for a modern peer.
    pub fn resource_not_found(uri: &str) -> Self {
        Self::new(ErrorCode::RESOURCE_NOT_FOUND, format!("Resource not found: {}", excerpt(uri)))
            .with_data(&serde_json::json!({ "uri": echoed(uri) }))
    }

    /// Creates an unsupported protocol version error (-32022) that lists the supported revisions.
    pub fn unsupported_revision(requested: &str, supported: &[Revision]) -> Self {
        Self::new(ErrorCode::UNSUPPORTED_REVISION, format!("Unsupported protocol version: {}", excerpt(requested)))
            .with_data(&serde_json::json!({ "supported": supported, "requested": echoed(requested) }))
    }

    /// Creates a missing client capability error (-32021) that names the required capabilities.
    pub fn missing_client_capability(required: &ClientCapabilities) -> Self {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Data<'a> {
            required_capabilities: &'a ClientCapabilities,
        }
        let names = required.names().join("` and `");
        let message = format!("The client did not declare the capability `{names}`, which this request needs");
        Self::new(ErrorCode::MISSING_CLIENT_CAPABILITY, message).with_data(&Data { required_capabilities: required })
    }
}

/// Maximum length of a value of a request that is repeated unchanged in the data of its error, in bytes.
const MAX_ECHO_BYTES: usize = 8 << 10;

/// Returns a value for the data of an error, truncated if it is too long.
fn echoed(value: &str) -> Cow<'_, str> {
    if value.len() > MAX_ECHO_BYTES { excerpt(value).to_string().into() } else { value.into() }
}

/// Escapes control characters, because the message may come from a peer, and truncates a long message.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", message(&self.message), self.code.0)
    }
}

/// Truncates a long message and long data, because they may come from a peer.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.code)
            .field("message", &message(&self.message).to_string())
            .field("data", &self.data.as_ref().map(|data| message(data.as_str()).to_string()))
            .finish()
    }
}

impl std::error::Error for Error {}
