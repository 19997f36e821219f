//! Finds the authorization server of an MCP server.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization/authorization-server-discovery>.
//!
//! A document that is missing (4xx) or cannot be parsed is searched at the next location. A timeout, 429 or 5xx is an error:
//! an outage must not change the trusted authorization server.

use ferromcp_core::text::excerpt;
use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::login_step::LoginStep;
use super::tolerance::Tolerances;
use crate::error::AuthError;
use crate::fetch::Fetcher;
use crate::metadata::{ResourceMetadata, ServerMetadata, server_metadata_urls};

/// The header with the protocol revision, which revision 2025-03-26 requests for discovery.
const REVISION_HEADER: HeaderName = HeaderName::from_static("mcp-protocol-version");

/// The authorization server of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Discovered {
    /// The identifier of the MCP server, exactly as its metadata spells it.
    pub(crate) resource: String,
    /// The scopes of the resource.
    pub(crate) scopes_supported: Vec<String>,
    /// The metadata of the authorization server. Its issuer is validated.
    pub(crate) server: ServerMetadata,
}

impl Discovered {
    /// Returns the step of a login that is complete.
    pub(super) fn login_step(&self) -> LoginStep {
        LoginStep::Discovered {
            resource: self.resource.clone(),
            issuer: self.server.issuer.clone(),
            authorization_endpoint: self.server.authorization_endpoint.clone(),
            token_endpoint: self.server.token_endpoint.clone(),
            scopes_supported: self.scopes_supported.clone(),
        }
    }
}

/// Discovers the authorization server of an MCP server.
pub(crate) struct Discovery<'a> {
    pub(crate) fetcher: &'a Fetcher,
    pub(crate) server_url: &'a Url,
    /// The revision of the request that was challenged.
    pub(crate) revision: Option<&'a HeaderValue>,
    pub(crate) tolerances: &'a Tolerances,
}

impl Discovery<'_> {
    /// Runs the discovery. `metadata_url` is the URL of the resource metadata in a challenge; `prefers` chooses between
    /// several authorization servers.
    ///
    /// # Errors
    /// Fails if the metadata is missing or invalid, or names another resource, or a server cannot be reached.
    pub(crate) async fn run(
        &self,
        metadata_url: Option<&str>,
        prefers: impl Fn(&str) -> bool,
    ) -> Result<Discovered, AuthError> {
        let Some(resource) = self.resource_metadata(metadata_url).await? else {
            return self.without_resource_metadata().await;
        };
        self.check_resource(&resource.resource)?;
        let servers = &resource.authorization_servers;
        let issuer = servers
            .iter()
            .find(|issuer| prefers(issuer))
            .or(servers.first())
            .ok_or_else(|| AuthError::discovery("the protected resource metadata names no authorization server"))?;
        let server = self.server_metadata(issuer).await?.ok_or_else(|| {
            AuthError::discovery(format!(
                "authorization server {} has no metadata (RFC 8414 or OpenID Connect Discovery)",
                excerpt(issuer)
            ))
        })?;
        Ok(Discovered { resource: resource.resource, scopes_supported: resource.scopes_supported, server })
    }

    /// Returns the protected resource metadata; `None` if the server has none.
    async fn resource_metadata(&self, metadata_url: Option<&str>) -> Result<Option<ResourceMetadata>, AuthError> {
        // A server whose challenge names a wrong URL may have the metadata at the other locations.
        let urls = metadata_url.map(str::to_owned).into_iter().chain(resource_metadata_urls(self.server_url));
        for url in urls {
            if let Some(document) = self.document(&url, ResourceMetadata::parse).await? {
                return Ok(Some(document));
            }
        }
        match metadata_url {
            // The server has metadata, so that the rules for servers without it do not apply.
            Some(url) => Err(AuthError::discovery(format!("no protected resource metadata at {}", excerpt(url)))),
            None => Ok(None),
        }
    }

    /// Returns the metadata of an issuer, whose identifier is validated; `None` if it has none.
    ///
    /// # Errors
    /// Fails if the metadata names another issuer, or a server cannot be reached.
    pub(crate) async fn server_metadata(&self, issuer: &str) -> Result<Option<ServerMetadata>, AuthError> {
        let parsed = self.fetcher.network().check(issuer)?;
        for url in server_metadata_urls(&parsed) {
            if let Some(document) = self.document(&url, ServerMetadata::parse).await? {
                self.check_issuer(issuer, &document.issuer)?;
                return Ok(Some(ServerMetadata { issuer: issuer.to_owned(), ..document }));
            }
        }
        Ok(None)
    }

    /// Discovers the authorization server by the rules of revision 2025-03-26: it is at the origin of the MCP server.
    async fn without_resource_metadata(&self) -> Result<Discovered, AuthError> {
        let origin = self.server_url.origin().ascii_serialization();
        let url = format!("{origin}/.well-known/oauth-authorization-server");
        let server = match self.document(&url, ServerMetadata::parse).await? {
            Some(document) => {
                self.check_issuer(&origin, document.issuer.trim_end_matches('/'))?;
                document
            }
            None => ServerMetadata::of_2025_03_26(&origin),
        };
        let mut resource = self.server_url.clone();
        resource.set_fragment(None);
        resource.set_query(None);
        let resource = resource.as_str().trim_end_matches('/').to_owned();
        Ok(Discovered { resource, scopes_supported: Vec::new(), server })
    }

    async fn document<T>(&self, url: &str, parse: impl Fn(&[u8]) -> Option<T>) -> Result<Option<T>, AuthError> {
        let mut headers = HeaderMap::new();
        headers.extend(self.revision.map(|revision| (REVISION_HEADER, revision.clone())));
        let fetched = self.fetcher.get(url, headers).await?.ensure_available(url)?;
        if !fetched.status.is_success() {
            return Ok(None);
        }
        let document = parse(&fetched.body);
        if document.is_none() {
            tracing::warn!(url = %excerpt(url), "ignoring an invalid metadata document");
        }
        Ok(document)
    }

    /// Checks that the metadata is that of the MCP server: the same origin, and a path that is a prefix.
    pub(super) fn check_resource(&self, resource: &str) -> Result<(), AuthError> {
        let same = Url::parse(resource).is_ok_and(|resource| {
            resource.fragment().is_none()
                && resource.origin() == self.server_url.origin()
                && is_path_prefix(resource.path(), self.server_url.path())
        });
        if same {
            return Ok(());
        }
        Err(AuthError::discovery(format!(
            "the protected resource metadata is for `{}`, not for {}",
            excerpt(resource),
            excerpt(&format!("{}{}", self.server_url.origin().ascii_serialization(), self.server_url.path()))
        )))
    }

    pub(super) fn check_issuer(&self, expected: &str, issuer: &str) -> Result<(), AuthError> {
        if issuer == expected || self.tolerances.allows_issuer(expected, issuer) {
            return Ok(());
        }
        Err(AuthError::discovery(format!(
            "the metadata of authorization server `{}` has issuer `{}`; the two must be identical. If the server is trusted, \
             see `Tolerance::IssuerSlash`",
            excerpt(expected),
            excerpt(issuer)
        )))
    }
}

/// Returns the locations of protected resource metadata: for the path of the URL, then for its origin.
fn resource_metadata_urls(server: &Url) -> Vec<String> {
    let origin = server.origin().ascii_serialization();
    let root = format!("{origin}/.well-known/oauth-protected-resource");
    match server.path().trim_end_matches('/') {
        "" => vec![root],
        path => vec![format!("{root}{path}"), root],
    }
}

/// Returns whether `prefix` is `path` or consists of its first segments.
fn is_path_prefix(prefix: &str, path: &str) -> bool {
    let rest = path.strip_prefix(prefix.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn resource_metadata_is_searched_at_the_path_then_the_root() {
        //
        assert_eq!(
            resource_metadata_urls(&url("https://h:1/a/mcp?x=1")),
            [
                "https://h:1/.well-known/oauth-protected-resource/a/mcp",
                "https://h:1/.well-known/oauth-protected-resource",
            ]
        );
        assert_eq!(resource_metadata_urls(&url("https://h/")), ["https://h/.well-known/oauth-protected-resource"]);
    }

    #[test]
    fn path_prefixes_end_at_segments() {
        for (prefix, path) in [("/", "/mcp"), ("", "/mcp"), ("/a", "/a/b"), ("/a/", "/a"), ("/a", "/a")] {
            assert!(is_path_prefix(prefix, path), "{prefix} {path}");
        }
        for (prefix, path) in [("/a", "/ab"), ("/a/b", "/a"), ("/b", "/a/b")] {
            assert!(!is_path_prefix(prefix, path), "{prefix} {path}");
        }
    }
}
