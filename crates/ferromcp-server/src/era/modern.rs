//! The modern era: each request carries its revision and the client's capabilities.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic#meta>.

use std::sync::Arc;

use ferromcp_core::meta::key;
use ferromcp_core::{ClientRequest, Error, RequestMeta, Revision};

use crate::call::Peer;

/// The peer that a request's own `_meta` describes; `None` if the request is not a modern one.
///
/// # Errors
/// -32602 when a required key is missing, -32022 when the revision is not spoken, -32601 when it
/// does not have the method.
pub(crate) fn peer(request: &ClientRequest) -> Result<Option<Peer>, Error> {
    let foreign;
    let meta = match request {
        ClientRequest::Other(other) => {
            foreign = meta_of_other(other.params.as_str())?;
            &foreign
        }
        known => match known.meta() {
            Some(meta) => meta,
            None => return Ok(None),
        },
    };
    let only_modern = request.info().is_some_and(|method| method.since.is_modern());
    if meta.protocol_version.is_none() && meta.client_capabilities.is_none() && !only_modern {
        return Ok(None);
    }
    let Some(version) = &meta.protocol_version else { return Err(missing(key::PROTOCOL_VERSION)) };
    let Some(capabilities) = &meta.client_capabilities else { return Err(missing(key::CLIENT_CAPABILITIES)) };
    let Some(revision) = Revision::parse(version).filter(|revision| revision.is_modern()) else {
        let newest_first: Vec<Revision> = Revision::ALL.into_iter().rev().collect();
        return Err(Error::unsupported_revision(version, &newest_first));
    };
    if request.info().is_none_or(|method| !method.exists_in(revision)) && !matches!(request, ClientRequest::Other(_)) {
        return Err(Error::method_not_found(request.method()));
    }
    let peer = Peer::new(revision)
        .with_capabilities(Arc::clone(capabilities))
        .with_info(meta.client_info.clone())
        .with_log_level(meta.log_level);
    Ok(Some(peer))
}

fn missing(key: &str) -> Error {
    Error::invalid_params(format!("Invalid params: `_meta` lacks `{key}`"))
}

/// The `_meta` of a request whose method nobody here knows.
fn meta_of_other(params: &str) -> Result<RequestMeta, Error> {
    #[derive(serde::Deserialize)]
    struct OnlyMeta {
        #[serde(rename = "_meta", default)]
        meta: RequestMeta,
    }
    match serde_json::from_str::<OnlyMeta>(params) {
        Ok(only) => Ok(only.meta),
        Err(error) => Err(Error::invalid_params(format!("Invalid params: {error}"))),
    }
}
