//! Access to tools, resources and prompts by the scopes of the caller.
//!
//! An item that requires scopes is hidden from the lists of a caller without them, and a request for it is rejected: over HTTP
//! with status 403, so that the client can obtain more scopes.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization>.

use std::sync::Arc;
use std::time::SystemTime;

use ferromcp_core::model::Reference;
use ferromcp_core::{ClientRequest, Error, Revision};

use crate::peer::{Caller, Peer};
use crate::principal::Principal;
use crate::registry::{Registry, Tables};
use crate::subscription::UriFilter;

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

/// Returns the filter of updates that a peer may receive, or `None` if it may use all items.
pub(crate) fn resource_filter(registry: &Registry, peer: &Peer) -> Option<UriFilter> {
    if !peer.is_scoped() {
        return None;
    }
    Some(principal_filter(registry, peer.principal()))
}

/// Returns the filter of updates that a remote caller may receive, until its access token expires.
pub(crate) fn principal_filter(registry: &Registry, principal: Option<&Principal>) -> UriFilter {
    // The revision is not used. A peer of a session has a mailbox, which will contain the filter.
    let peer = Peer::new(Revision::LATEST).called_by(&Caller::remote(None, principal.cloned()));
    let (registry, expires_at) = (registry.clone(), principal.and_then(Principal::expires_at));
    let is_expired = move || expires_at.is_some_and(|at| SystemTime::now() >= at);
    Arc::new(move |uri| {
        let tables = registry.snapshot();
        !tables.has_scopes()
            || match tables.resource(uri) {
                Ok(Some((resource, _))) if !resource.scopes.is_empty() => {
                    peer.may_use(&resource.scopes) && !is_expired()
                }
                Ok(_) => true,
                Err(_) => false,
            }
    })
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
