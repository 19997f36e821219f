//! Access to tools, resources and prompts by the scopes of the caller.
//!
//! An item that requires scopes is hidden from the lists of a caller without them, and a request for it is rejected: over HTTP
//! with status 403, so that the client can obtain more scopes.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization>.

use ferromcp_core::model::Reference;
use ferromcp_core::text::excerpt;
use ferromcp_core::{ClientRequest, Error};

use crate::peer::Peer;
use crate::registry::Tables;

/// The caller lacks a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InsufficientScope {
    /// All scopes that the request requires.
    pub(crate) scopes: Vec<String>,
}

impl From<InsufficientScope> for Error {
    fn from(error: InsufficientScope) -> Self {
        Self::invalid_request(format!("Insufficient scope: the request requires `{}`", error.scopes.join(" ")))
    }
}

/// Checks that the caller may send a request.
///
/// # Errors
/// If the caller lacks a scope that an item of the request requires.
pub(crate) fn check(tables: &Tables, peer: &Peer, request: &ClientRequest) -> Result<(), InsufficientScope> {
    if !tables.has_scopes() || !peer.is_scoped() {
        return Ok(());
    }
    let mut scopes: Vec<String> = Vec::new();
    for scope in required(tables, request).into_iter().flatten() {
        if !scopes.contains(scope) {
            scopes.push(scope.clone());
        }
    }
    if peer.may_use(&scopes) { Ok(()) } else { Err(InsufficientScope { scopes }) }
}

/// Returns the scopes of each item of a request.
fn required<'a>(tables: &'a Tables, request: &ClientRequest) -> Vec<&'a [String]> {
    let of_resource = |uri: &str| tables.resource(uri).ok().flatten().map(|(resource, _)| &*resource.scopes);
    let of_prompt = |name: &str| tables.prompt(name).map(|prompt| &*prompt.scopes);
    let one = |scopes: Option<&'a [String]>| scopes.into_iter().collect();
    match request {
        ClientRequest::CallTool(params) => one(tables.tool(&params.name).map(|tool| &*tool.scopes)),
        ClientRequest::ReadResource(params) => one(of_resource(&params.uri)),
        ClientRequest::GetPrompt(params) => one(of_prompt(&params.name)),
        ClientRequest::Complete(params) => one(match &params.r#ref {
            Reference::Prompt { name, .. } => of_prompt(name),
            Reference::Resource { uri } => match tables.template(uri) {
                Some(template) => Some(&*template.scopes),
                None => of_resource(uri),
            },
            _ => None,
        }),
        ClientRequest::Subscribe(params) => one(of_resource(&params.uri)),
        ClientRequest::Listen(params) => {
            let uris = params.notifications.resource_subscriptions.iter().flatten();
            uris.filter_map(|uri| of_resource(uri)).collect()
        }
        _ => Vec::new(),
    }
}

/// Checks that scopes can be sent in a challenge (RFC 6749, section 3.3).
///
/// # Errors
/// Returns a message that names the invalid scope.
pub(crate) fn check_scopes(scopes: &[String]) -> Result<(), String> {
    let is_valid =
        |scope: &str| !scope.is_empty() && scope.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
    match scopes.iter().find(|scope| !is_valid(scope)) {
        None => Ok(()),
        Some(scope) => Err(format!(
            "scope \"{}\" is not valid: use printable ASCII characters except spaces, quotes and backslashes",
            excerpt(scope)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_validated() {
        assert!(check_scopes(&["files:read".into(), "https://example.com/scope".into()]).is_ok());
        for scope in ["", "a b", "a\"", "a\\", "\u{e9}", "a\r\nb"] {
            assert!(check_scopes(&[scope.into()]).is_err(), "{scope:?}");
        }
    }
}
