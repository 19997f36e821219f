//! The modern era: each request carries its revision and the client's capabilities.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic#meta>.

use std::sync::Arc;

use ferromcp_core::meta::key;
use ferromcp_core::model::{ClientCapabilities, LogLevel};
use ferromcp_core::wire::meta_of_params;
use ferromcp_core::{ClientRequest, Error, RawJson, Revision};

use crate::call::Peer;

/// The description of the client in `_meta` of a modern request.
pub(crate) struct Claim<'a> {
    version: &'a str,
    capabilities: Arc<ClientCapabilities>,
    info: Option<RawJson>,
    log_level: Option<LogLevel>,
}

impl Claim<'_> {
    /// Returns the revision in the request, which may be unknown.
    pub(crate) fn version(&self) -> &str {
        self.version
    }

    /// Returns the peer that the request describes.
    ///
    /// # Errors
    /// Fails with -32022 if the revision is not supported.
    pub(crate) fn peer(self) -> Result<Peer, Error> {
        let Some(revision) = parse_revision(self.version) else {
            let newest_first: Vec<Revision> = Revision::ALL.into_iter().rev().collect();
            return Err(Error::unsupported_revision(self.version, &newest_first));
        };
        Ok(Peer::new(revision).with_capabilities(self.capabilities).with_info(self.info).with_log_level(self.log_level))
    }
}

/// Calls `read` with the claim of a request, or with `None` if the request is not modern.
///
/// # Errors
/// Fails with -32602 if a required key is missing.
pub(crate) fn with_claim<R>(
    request: &ClientRequest,
    is_modern: impl FnOnce() -> bool,
    read: impl FnOnce(Option<Claim<'_>>) -> Result<R, Error>,
) -> Result<R, Error> {
    let foreign;
    let meta = match request {
        ClientRequest::Custom(other) => {
            foreign = meta_of_params(&other.params)
                .map_err(|error| Error::invalid_params(format!("Invalid params: {error}")))?;
            &foreign
        }
        known => match known.meta() {
            Some(meta) => meta,
            None => return read(None),
        },
    };
    let only_modern = request.info().is_some_and(|method| method.since.is_modern());
    if meta.protocol_version.is_none() && meta.client_capabilities.is_none() && !only_modern && !is_modern() {
        return read(None);
    }
    let Some(version) = &meta.protocol_version else { return Err(missing(key::PROTOCOL_VERSION)) };
    let Some(capabilities) = &meta.client_capabilities else { return Err(missing(key::CLIENT_CAPABILITIES)) };
    read(Some(Claim {
        version,
        capabilities: Arc::clone(capabilities),
        info: meta.client_info.clone(),
        log_level: meta.log_level,
    }))
}

/// Checks that the revision has the method of the request. Custom methods are accepted.
///
/// # Errors
/// Fails with -32601 if the revision does not have the method.
pub(crate) fn has_method(request: &ClientRequest, revision: Revision) -> Result<(), Error> {
    if request.info().is_none_or(|method| !method.exists_in(revision)) && !matches!(request, ClientRequest::Custom(_)) {
        return Err(Error::method_not_found(request.method()));
    }
    Ok(())
}

/// Returns true if the newest revision has a method of this name.
pub(crate) fn has_named(method: &str) -> bool {
    ClientRequest::METHODS.iter().any(|known| known.name == method && known.exists_in(Revision::LATEST))
}

/// Returns the modern revision of this name.
pub(crate) fn parse_revision(name: &str) -> Option<Revision> {
    Revision::parse(name).filter(|revision| revision.is_modern())
}

/// Returns the peer that `_meta` of the request describes, or `None` if the request is not modern.
///
/// # Errors
/// Fails with -32602 if a required key is missing, -32022 if the revision is not supported, and -32601 if the revision does
/// not have the method.
pub(crate) fn peer(request: &ClientRequest) -> Result<Option<Peer>, Error> {
    let peer = with_claim(request, || false, |claim| claim.map(Claim::peer).transpose())?;
    if let Some(peer) = &peer {
        has_method(request, peer.revision())?;
    }
    Ok(peer)
}

fn missing(key: &str) -> Error {
    Error::invalid_params(format!("Invalid params: `_meta` requires `{key}`"))
}
