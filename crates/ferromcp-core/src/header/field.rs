//! The names of MCP's header fields.
//!
//! Names are compared without regard to case; [`lower`] has the form that HTTP/2 and most header
//! maps keep.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#standard-request-headers>.

/// The session of a legacy connection.
pub const SESSION_ID: &str = "Mcp-Session-Id";
/// The revision a request is written in.
pub const PROTOCOL_VERSION: &str = "MCP-Protocol-Version";
/// The message's `method`, never encoded.
pub const METHOD: &str = "Mcp-Method";
/// What a request is about, see [`name_of`](super::name_of).
pub const NAME: &str = "Mcp-Name";
/// What the header of an annotated parameter begins with.
pub const PARAM_PREFIX: &str = "Mcp-Param-";

/// The same names in lower case.
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
