//! Modern requests over HTTP: each is independent of the others, and its headers mirror its body.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#standard-request-headers>.

use ferromcp_core::header::field::{self, lower};
use ferromcp_core::header::{self, HeaderMismatch, MismatchReason};
use ferromcp_core::wire::{FromClient, Incoming, Message};
use ferromcp_core::{ClientRequest, Error};
use http::header::AsHeaderName;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use super::body::Body;
use super::reply;
use crate::call::Peer;
use crate::era::modern::{Claim, has_method, parse_revision};
use crate::inner::Inner;

// Parsed once, so that lookups in a header map need no parsing.

/// `MCP-Protocol-Version`: the revision of the request.
pub(crate) static PROTOCOL_VERSION: HeaderName = HeaderName::from_static(lower::PROTOCOL_VERSION);
/// `Mcp-Method`: the method of the message.
static METHOD: HeaderName = HeaderName::from_static(lower::METHOD);
/// `Mcp-Name`: the tool, prompt or resource of the request.
static NAME: HeaderName = HeaderName::from_static(lower::NAME);

/// Returns whether the `MCP-Protocol-Version` header names a modern revision.
pub(crate) fn is_declared(headers: &HeaderMap) -> bool {
    let version = headers.get(&PROTOCOL_VERSION).and_then(|value| value.to_str().ok());
    version.is_some_and(|name| parse_revision(name.trim()).is_some())
}

/// Responds to a message other than a request.
pub(crate) fn respond_to_other(message: &Incoming<FromClient>) -> Response<Body> {
    let why = match message {
        // Ignored: a modern client cancels by closing the response.
        Incoming::One(Message::Notification(_)) => return reply::accepted(),
        Incoming::One(_) => "Invalid request: the server sent no request that a response could answer",
        Incoming::Batch(_) => "Invalid request: batches are not supported; send one message per POST",
    };
    reply::reject(StatusCode::BAD_REQUEST, why)
}

/// Validates the headers against the body and returns the peer. The first failing check decides the error.
///
/// # Errors
/// -32020 if a header and the body differ, -32022 if the revision is not supported, -32601 if the revision does not
/// define the method.
pub(crate) fn admit(
    inner: &Inner,
    claim: Claim<'_>,
    request: &ClientRequest,
    headers: &HeaderMap,
) -> Result<Peer, Error> {
    check_plain(headers, field::PROTOCOL_VERSION, &PROTOCOL_VERSION, claim.version())?;
    let peer = claim.peer()?;
    check_plain(headers, field::METHOD, &METHOD, request.method())?;
    header::check_name(request, single(headers, field::NAME, &NAME)?)?;
    has_method(request, peer.revision())?;
    check_parameters(inner, request, headers)?;
    Ok(peer)
}

/// Compares a header that is never encoded with its value in the body.
fn check_plain(headers: &HeaderMap, name: &str, key: &HeaderName, expected: &str) -> Result<(), HeaderMismatch> {
    match single(headers, name, key)? {
        None => Err(HeaderMismatch::new(name, MismatchReason::Missing)),
        Some(value) if value.trim_ascii() == expected.as_bytes() => Ok(()),
        Some(_) => Err(HeaderMismatch::new(name, MismatchReason::Different)),
    }
}

/// Returns the value of a header. A repeated header is an error, because two readers could pick different values.
fn single<'h>(headers: &'h HeaderMap, name: &str, key: impl AsHeaderName) -> Result<Option<&'h [u8]>, HeaderMismatch> {
    let mut values = headers.get_all(key).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(HeaderMismatch::new(name, MismatchReason::Repeated));
    }
    Ok(first.map(HeaderValue::as_bytes))
}

/// Compares the annotated arguments of a tool call with their `Mcp-Param-*` headers.
fn check_parameters(inner: &Inner, request: &ClientRequest, headers: &HeaderMap) -> Result<(), HeaderMismatch> {
    let ClientRequest::CallTool(params) = request else { return Ok(()) };
    let tables = inner.registry.snapshot();
    let Some(tool) = tables.tool(&params.name) else { return Ok(()) };
    for annotation in &tool.headers {
        let name = annotation.header();
        annotation.check(single(headers, name, name)?, params.arguments.as_ref())?;
    }
    Ok(())
}
