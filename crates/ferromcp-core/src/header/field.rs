//! The names of the HTTP header fields defined by MCP.
//!
//! Header names are case-insensitive. [`lower`] has the lowercase form used by HTTP/2 and most
//! header maps.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#standard-request-headers>.

/// The session id of a legacy session.
pub const SESSION_ID: &str = "Mcp-Session-Id";
/// The protocol revision of the request.
pub const PROTOCOL_VERSION: &str = "MCP-Protocol-Version";
/// The `method` of the message. The value is never encoded.
pub const METHOD: &str = "Mcp-Method";
/// The tool name, prompt name or resource URI of the request; see [`name_of`](super::name_of).
pub const NAME: &str = "Mcp-Name";
/// The prefix of the headers of annotated parameters.
pub const PARAM_PREFIX: &str = "Mcp-Param-";

/// The header names in lowercase.
pub mod lower {
    /// [`SESSION_ID`](super::SESSION_ID).
    pub const SESSION_ID: &str = "mcp-session-id";
    /// [`PROTOCOL_VERSION`](super::PROTOCOL_VERSION).
    pub const PROTOCOL_VERSION: &str = "mcp-protocol-version";
    /// [`METHOD`](super::METHOD).
    pub const METHOD: &str = "mcp-method";
    /// [`NAME`](super::NAME).
    pub const NAME: &str = "mcp-name";
    /// [`PARAM_PREFIX`](super::PARAM_PREFIX).
    pub const PARAM_PREFIX: &str = "mcp-param-";
}
