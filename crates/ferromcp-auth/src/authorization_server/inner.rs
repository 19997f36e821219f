//! [`Inner`]: the state that the endpoints share.

use std::sync::Arc;

use url::Url;

use super::cimd::MetadataDocuments;
use super::client::RegisteredClient;
use super::client_keys::ClientKeys;
use super::error::OAuthError;
use super::issuer_keys::IssuerKeys;
use super::options::AuthorizationServerOptions;
use super::provider::AuthorizationProvider;
use super::replay::ReplayStore;
use super::scope::ScopePolicy;
use crate::dpop_proof::DpopVerifier;
use crate::error::AuthError;
use crate::fetch::{Fetcher, Network};

/// The state that the endpoints share.
pub(super) struct Inner {
    pub(super) options: AuthorizationServerOptions,
    pub(super) scopes: ScopePolicy,
    pub(super) provider: Arc<dyn AuthorizationProvider>,
    pub(super) client_keys: ClientKeys,
    pub(super) issuer_keys: IssuerKeys,
    /// The assertions of trusted issuers.
    pub(super) used_grants: ReplayStore,
    used_by_registered: ReplayStore,
    used_by_self_described: ReplayStore,
    pub(super) dpop: DpopVerifier,
    pub(super) token_endpoint: String,
    metadata_documents: Option<MetadataDocuments>,
}

impl Inner {
    /// Creates the state.
    ///
    /// # Errors
    /// Fails if a trusted issuer is invalid, or the system lacks a resource.
    pub(super) fn new(
        options: AuthorizationServerOptions,
        scopes: ScopePolicy,
        provider: Arc<dyn AuthorizationProvider>,
    ) -> Result<Self, AuthError> {
        let network = if options.private_networks { Network::Any } else { Network::Global };
        let fetcher = Fetcher::direct(network)?;
        let metadata_documents =
            options.metadata_documents.then(|| MetadataDocuments::new(fetcher.clone(), &options.redirect_schemes));
        let dpop = DpopVerifier::new();
        Ok(Self {
            provider,
            client_keys: ClientKeys::new(fetcher),
            issuer_keys: IssuerKeys::new(&options)?,
            used_grants: ReplayStore::of_issuers(),
            used_by_registered: ReplayStore::of_registered_clients(),
            used_by_self_described: ReplayStore::of_self_described_clients(),
            dpop: if options.requires_nonces() { dpop.with_nonces()? } else { dpop },
            token_endpoint: format!("{}/token", options.base_url()),
            metadata_documents,
            scopes,
            options,
        })
    }

    /// Returns a client: by its metadata document, or from the provider.
    ///
    /// # Errors
    /// `invalid_client` if its metadata document is invalid.
    pub(super) async fn client(&self, client_id: &str) -> Result<Option<RegisteredClient>, OAuthError> {
        match &self.metadata_documents {
            Some(documents) if documents.is_document_url(client_id) => documents.client(client_id).await.map(Some),
            _ => self.provider.get_client(client_id).await,
        }
    }

    /// Returns the record of the assertions with which a client authenticated.
    pub(super) fn used_assertions(&self, client: &RegisteredClient) -> &ReplayStore {
        if client.is_self_described() { &self.used_by_self_described } else { &self.used_by_registered }
    }

    /// Returns the resource of a request (RFC 8707): one of the options, the first if the request has none.
    ///
    /// # Errors
    /// `invalid_target` if it is another one.
    pub(super) fn resource(&self, requested: Option<&str>) -> Result<String, OAuthError> {
        let mut known = self.options.resources.iter();
        let found = match requested {
            None => known.next(),
            Some(requested) => known.find(|known| is_same_resource(known, requested)),
        };
        found.cloned().ok_or_else(|| OAuthError::invalid_target("the resource is not one of this authorization server"))
    }
}

/// Returns whether two resource identifiers are the same. They may differ in one trailing slash, and in the case of
/// scheme and host: clients normalize URLs in different ways.
pub(super) fn is_same_resource(resource: &str, other: &str) -> bool {
    if resource == other {
        return true;
    }
    let (Ok(resource), Ok(other)) = (Url::parse(resource), Url::parse(other)) else { return false };
    let path = |url: &Url| url.path().strip_suffix('/').unwrap_or(url.path()).to_owned();
    resource.origin() == other.origin()
        && path(&resource) == path(&other)
        && resource.query() == other.query()
        && other.fragment().is_none()
        && other.username().is_empty()
        && other.password().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_differ_in_more_than_a_trailing_slash() {
        //
        let resource = "https://example.com/mcp";
        for same in ["https://example.com/mcp", "https://example.com/mcp/", "HTTPS://EXAMPLE.com:443/mcp"] {
            assert!(is_same_resource(resource, same), "{same}");
        }
        for other in [
            "https://example.com/mcp//",
            "https://example.com/mcp#x",
            "https://example.com/mcp?x=1",
            "https://a@example.com/mcp",
            "https://example.com/",
            "https://example.com.evil.com/mcp",
            "http://example.com/mcp",
            "https://example.com/MCP",
            "mcp",
        ] {
            assert!(!is_same_resource(resource, other), "{other}");
        }
    }
}
