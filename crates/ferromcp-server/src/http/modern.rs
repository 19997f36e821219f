//! Requests of the modern era over HTTP: each stands alone, and its headers repeat what its body says.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#standard-request-headers>.

use ferromcp_core::header::{self, Mismatch, Reason, field};
use ferromcp_core::{ClientRequest, Error, Revision};
use http::header::AsHeaderName;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::fields;
use crate::call::Peer;
use crate::era::modern::{Claim, has_method};
use crate::inner::Inner;

/// Whether the request's headers say that it is modern.
pub(crate) fn is_meant(headers: &HeaderMap) -> bool {
    let named = headers.get(&fields::PROTOCOL_VERSION).and_then(|value| value.to_str().ok());
    named.and_then(|name| Revision::parse(name.trim())).is_some_and(Revision::is_modern)
}

/// The peer of a request, once the headers agree with the body, rung by rung.
///
/// # Errors
/// -32020 where they do not, -32022 when the revision is not spoken, -32601 when it has no such method.
pub(crate) fn admit(
    inner: &Inner,
    claim: Claim<'_>,
    request: &ClientRequest,
    headers: &HeaderMap,
) -> Result<Peer, Error> {
    plain(headers, field::PROTOCOL_VERSION, &fields::PROTOCOL_VERSION, claim.version())?;
    let peer = claim.peer()?;
    plain(headers, field::METHOD, &fields::METHOD, request.method())?;
    header::check_name(request, single(headers, field::NAME, &fields::NAME)?)?;
    has_method(request, peer.revision())?;
    parameters(inner, request, headers)?;
    Ok(peer)
}

/// Compares a header that is never encoded with what the body says.
fn plain(headers: &HeaderMap, name: &str, key: &HeaderName, said: &str) -> Result<(), Mismatch> {
    match single(headers, name, key)? {
        None => Err(Mismatch::new(name, Reason::Missing)),
        Some(value) if value.trim_ascii() == said.as_bytes() => Ok(()),
        Some(_) => Err(Mismatch::new(name, Reason::Different)),
    }
}

/// A header that may be there once: two readers could take different ones of two.
fn single<'h>(headers: &'h HeaderMap, name: &str, key: impl AsHeaderName) -> Result<Option<&'h [u8]>, Mismatch> {
    let mut values = headers.get_all(key).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Mismatch::new(name, Reason::Repeated));
    }
    Ok(first.map(HeaderValue::as_bytes))
}

/// Compares the annotated arguments of a tool with their headers.
fn parameters(inner: &Inner, request: &ClientRequest, headers: &HeaderMap) -> Result<(), Mismatch> {
    let ClientRequest::CallTool(params) = request else { return Ok(()) };
    let tables = inner.registry.snapshot();
    let Some(tool) = tables.tool(&params.name) else { return Ok(()) };
    for annotation in &tool.headers {
        let name = annotation.header();
        annotation.agrees(single(headers, name, name)?, params.arguments.as_ref())?;
    }
    Ok(())
}
