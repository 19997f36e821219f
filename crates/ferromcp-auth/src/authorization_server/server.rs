//! [`AuthorizationServer`]: construction and routing.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use ferromcp_core::text::excerpt;
use ferromcp_server::http::{AuthorizationFuture, HttpAuthorization};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use url::Url;

use super::inner::{Inner, is_same_resource};
use super::options::AuthorizationServerOptions;
use super::provider::AuthorizationProvider;
use super::rate_limit::{Limited, RateLimiter};
use super::scope::ScopePolicy;
use super::verifier::ProviderVerifier;
use super::{metadata, redirect_uri, response, scope};
use crate::error::AuthError;
use crate::fetch::is_loopback_host;
use crate::resource_server::ResourceServer;

/// Maximum size of the body of a request, in bytes.
pub(super) const MAX_BODY_BYTES: usize = 64 * 1024;
const METADATA: &str = "/.well-known/oauth-authorization-server";
const OPENID_METADATA: &str = "/.well-known/openid-configuration";

/// An authorization server. Cloning is cheap.
///
/// As the authorization of an HTTP endpoint, it protects the first resource of its options and serves all its routes:
///
/// - the metadata documents of the authorization server (RFC 8414) and of the MCP server (RFC 9728)
/// - `/authorize`, `/token`, `/register` and `/revoke`, below the path of the issuer
/// - the pages of the provider, such as its login page
///
/// With another web framework, [`routes`](Self::routes) is a [`tower_service::Service`]. All URLs are those of the
/// options: the `Host` and `X-Forwarded-…` headers of requests are ignored.
#[derive(Clone)]
pub struct AuthorizationServer(Arc<Shared>);

/// The endpoints, the resource servers and the metadata.
struct Shared {
    inner: Inner,
    resource_servers: Vec<(String, ResourceServer)>,
    limiter: RateLimiter,
    metadata: Bytes,
    metadata_paths: Vec<String>,
    /// The path of the issuer, without a trailing slash.
    base_path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Endpoint {
    Metadata,
    Authorize,
    Token,
    Register,
    Revoke,
}

impl AuthorizationServer {
    /// Creates an authorization server.
    ///
    /// # Errors
    /// Fails if the issuer, a resource, a scope, a redirect scheme or a trusted issuer is invalid, or the provider does
    /// not support the issuer.
    pub fn new(options: AuthorizationServerOptions, provider: impl AuthorizationProvider) -> Result<Self, AuthError> {
        let issuer = check_issuer(&options.issuer)?;
        let scopes = options.scopes.policy()?;
        options.redirect_schemes.iter().try_for_each(|scheme| redirect_uri::check_scheme(scheme))?;
        provider.start(&options.issuer)?;
        let provider: Arc<dyn AuthorizationProvider> = Arc::new(provider);
        let base_path = issuer.path().trim_end_matches('/').to_owned();
        Ok(Self(Arc::new(Shared {
            resource_servers: resource_servers(&options, &scopes, &provider)?,
            limiter: RateLimiter::new(options.rate_limits.clone()),
            metadata: metadata::document(&options, &scopes),
            metadata_paths: metadata_paths(&base_path),
            base_path,
            inner: Inner::new(options, scopes, provider)?,
        })))
    }

    /// Returns the issuer, unchanged.
    pub fn issuer(&self) -> &str {
        &self.0.inner.options.issuer
    }

    /// Returns the resource server of a resource of the options, for an MCP server at another endpoint than the first.
    /// The URL may differ in a trailing slash, and in the case of scheme and host.
    pub fn resource_server(&self, resource: &str) -> Option<ResourceServer> {
        self.0
            .resource_servers
            .iter()
            .find(|(url, _)| is_same_resource(url, resource))
            .map(|(_, server)| server.clone())
    }
}

impl HttpAuthorization for AuthorizationServer {
    fn authorize<'a>(&'a self, request: &'a mut Parts) -> AuthorizationFuture<'a, Result<(), Response<Bytes>>> {
        match self.0.resource_servers.first() {
            Some((_, server)) => server.authorize(request),
            // The options have at least one resource.
            None => Box::pin(async { Err(response::empty(StatusCode::UNAUTHORIZED)) }),
        }
    }

    fn is_route(&self, path: &str) -> bool {
        self.0.endpoint(path).is_some()
            || self.0.resource_servers.iter().any(|(_, server)| server.is_route(path))
            || self.0.inner.provider.is_route(path)
    }

    fn respond(&self, request: Request<Bytes>) -> AuthorizationFuture<'_, Response<Bytes>> {
        Box::pin(self.0.respond(request))
    }
}

impl fmt::Debug for AuthorizationServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationServer").field("issuer", &self.0.inner.options.issuer).finish_non_exhaustive()
    }
}

impl Shared {
    async fn respond(&self, request: Request<Bytes>) -> Response<Bytes> {
        if request.body().len() > MAX_BODY_BYTES {
            return response::too_large(MAX_BODY_BYTES);
        }
        let path = request.uri().path();
        let Some(endpoint) = self.endpoint(path) else {
            if let Some((_, server)) = self.resource_servers.iter().find(|(_, server)| server.is_route(path)) {
                return server.respond(request).await;
            }
            if self.inner.provider.is_route(path) {
                return self.inner.provider.respond(request).await;
            }
            return response::empty(StatusCode::NOT_FOUND);
        };
        let method = request.method().clone();
        match endpoint {
            Endpoint::Metadata => match method {
                Method::GET | Method::HEAD => response::document(&self.metadata, &method),
                Method::OPTIONS => response::preflight("GET, HEAD, OPTIONS"),
                _ => response::method_not_allowed("GET, HEAD, OPTIONS"),
            },
            // A browser visits it; other web pages must not read it, so that it has no CORS headers.
            Endpoint::Authorize => match method {
                Method::GET | Method::POST => match self.count(Limited::Authorize, &request) {
                    Ok(()) => self.inner.authorize(&request).await,
                    Err(response) => response,
                },
                _ => response::method_not_allowed("GET, POST"),
            },
            Endpoint::Token | Endpoint::Register | Endpoint::Revoke => match method {
                Method::POST => response::with_cors(self.post(endpoint, &request).await),
                Method::OPTIONS => response::preflight("POST, OPTIONS"),
                _ => response::with_cors(response::method_not_allowed("POST, OPTIONS")),
            },
        }
    }

    async fn post(&self, endpoint: Endpoint, request: &Request<Bytes>) -> Response<Bytes> {
        let limited = match endpoint {
            Endpoint::Register => Limited::Register,
            Endpoint::Revoke => Limited::Revoke,
            _ => Limited::Token,
        };
        if let Err(response) = self.count(limited, request) {
            return response;
        }
        match endpoint {
            Endpoint::Register => self.inner.register(request).await,
            Endpoint::Revoke => self.inner.revoke(request).await,
            _ => self.inner.token(request).await,
        }
    }

    #[allow(clippy::result_large_err, reason = "the error is the response")]
    fn count(&self, endpoint: Limited, request: &Request<Bytes>) -> Result<(), Response<Bytes>> {
        self.limiter.count(endpoint, request.headers(), request.extensions()).map_err(response::too_many_requests)
    }

    fn endpoint(&self, path: &str) -> Option<Endpoint> {
        if self.metadata_paths.iter().any(|known| known == path) {
            return Some(Endpoint::Metadata);
        }
        match path.strip_prefix(&self.base_path)? {
            "/authorize" => Some(Endpoint::Authorize),
            "/token" => Some(Endpoint::Token),
            "/register" => self.inner.options.registration.is_some().then_some(Endpoint::Register),
            "/revoke" => self.inner.options.revocation.then_some(Endpoint::Revoke),
            _ => None,
        }
    }
}

/// Checks an issuer: RFC 8414, section 2.
fn check_issuer(issuer: &str) -> Result<Url, AuthError> {
    let invalid = |problem: &str| {
        AuthError::configuration(format!(
            "cannot use the issuer `{}`: {problem}; use a URL such as `https://example.com`",
            excerpt(issuer)
        ))
    };
    let url = Url::parse(issuer).map_err(|error| invalid(&error.to_string()))?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback_host(&url) => {}
        "http" => return Err(invalid("plain HTTP is allowed on the loopback interface only")),
        _ => return Err(invalid("the scheme is not https")),
    }
    if url.host_str().is_none() || !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("it has no host, or contains a user"));
    }
    if issuer.contains(['?', '#']) || issuer.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(invalid("it contains a query, a fragment or spaces"));
    }
    Ok(url)
}

/// Returns the paths of the metadata: RFC 8414, section 3. For an issuer with a path, also below it, for proxies that
/// forward only that path.
fn metadata_paths(base_path: &str) -> Vec<String> {
    let mut paths = vec![format!("{METADATA}{base_path}")];
    if !base_path.is_empty() {
        paths.push(format!("{base_path}{METADATA}"));
        paths.push(format!("{base_path}{OPENID_METADATA}"));
    }
    paths
}

/// Creates the resource servers of the resources.
fn resource_servers(
    options: &AuthorizationServerOptions,
    scopes: &ScopePolicy,
    provider: &Arc<dyn AuthorizationProvider>,
) -> Result<Vec<(String, ResourceServer)>, AuthError> {
    if options.resources.is_empty() {
        return Err(AuthError::configuration(
            "cannot create an authorization server without a resource; add the URL of the MCP endpoint with \
             `AuthorizationServerOptions::resource`",
        ));
    }
    let create = |url: &String| {
        let verifier = ProviderVerifier::new(options.issuer.clone(), provider.clone());
        let builder = ResourceServer::builder(url.clone(), verifier)
            .authorization_server(options.issuer.clone())
            .required_scopes(scope::list(&scopes.required))
            .scopes_supported(scopes.of_resource())
            .dpop(options.dpop);
        Ok((url.clone(), options.configured(builder).build()?))
    };
    options.resources.iter().map(create).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_issuers_are_refused_with_a_remedy() {
        //
        for issuer in [
            "http://example.com",
            "http://10.0.0.1",
            "ftp://example.com",
            "https://user@example.com",
            "https://example.com?x=1",
            "https://example.com#x",
            "https://example.com/ ",
            "example.com",
            "",
        ] {
            let error = check_issuer(issuer).unwrap_err().to_string();
            assert!(error.contains("cannot use the issuer") && error.contains("; use a URL"), "{error}");
        }
        for issuer in ["https://example.com", "https://example.com/tenant", "http://localhost:1", "http://[::1]:2/"] {
            check_issuer(issuer).unwrap();
        }
    }

    #[test]
    fn metadata_is_found_by_the_path_of_the_issuer() {
        assert_eq!(metadata_paths(""), ["/.well-known/oauth-authorization-server"]);
        assert!(metadata_paths("/a").contains(&"/.well-known/oauth-authorization-server/a".to_owned()));
    }
}
