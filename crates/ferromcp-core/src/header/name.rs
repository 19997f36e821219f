//! The `Mcp-Name` header.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#standard-request-headers>.

use super::field;
use super::mismatch::{HeaderMismatch, MismatchReason};
use super::value::decode;
use crate::methods::ClientRequest;

/// Returns the value of `Mcp-Name` for a request: the tool name, prompt name or resource URI.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#standard-request-headers>.
///
/// Returns `None` for methods without this header. The value must be [encoded](super::encode) before sending.
pub fn name_of(request: &ClientRequest) -> Option<&str> {
    match request {
        ClientRequest::CallTool(params) => Some(&params.name),
        ClientRequest::GetPrompt(params) => Some(&params.name),
        ClientRequest::ReadResource(params) => Some(&params.uri),
        _ => None,
    }
}

/// Validates the value of `Mcp-Name` against the request.
///
/// The header is ignored if the method does not require it.
///
/// # Errors
/// Returns an error if the header is missing, cannot be decoded, or differs from the request.
pub fn check_name(request: &ClientRequest, header: Option<&[u8]>) -> Result<(), HeaderMismatch> {
    let Some(name) = name_of(request) else { return Ok(()) };
    let wrong = |reason| HeaderMismatch::new(field::NAME, reason);
    let header = header.ok_or_else(|| wrong(MismatchReason::Missing))?;
    let header = decode(header).map_err(|error| wrong(MismatchReason::Invalid(error)))?;
    if header == name { Ok(()) } else { Err(wrong(MismatchReason::Different)) }
}
