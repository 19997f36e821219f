//! What `Mcp-Name` repeats.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#standard-request-headers>.

use super::field;
use super::mismatch::{Mismatch, Reason};
use super::value::decode;
use crate::methods::ClientRequest;

/// The text that `Mcp-Name` repeats: the name of a tool or prompt, or a resource's URI.
///
/// `None` for methods that need no such header. [`encode`](super::encode) it before sending.
pub fn name_of(request: &ClientRequest) -> Option<&str> {
    match request {
        ClientRequest::CallTool(params) => Some(&params.name),
        ClientRequest::GetPrompt(params) => Some(&params.name),
        ClientRequest::ReadResource(params) => Some(&params.uri),
        _ => None,
    }
}

/// Compares the value of `Mcp-Name` with the request.
///
/// Where the method needs none, a header sent all the same is ignored.
pub fn check_name(request: &ClientRequest, header: Option<&[u8]>) -> Result<(), Mismatch> {
    let Some(name) = name_of(request) else { return Ok(()) };
    let wrong = |reason| Mismatch::new(field::NAME, reason);
    let header = header.ok_or_else(|| wrong(Reason::Missing))?;
    let header = decode(header).map_err(|error| wrong(Reason::Invalid(error)))?;
    if header == name { Ok(()) } else { Err(wrong(Reason::Different)) }
}
