//! Options of a resource server.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ferromcp_core::text::excerpt;
use url::Url;

use super::audience::{Audiences, is_generic, normalized};
use super::metadata::{Metadata, MetadataFields};
use super::rejection::ChallengeContext;
use super::scope_rules::ScopeRules;
use super::server::{Inner, ResourceServer};
use crate::dpop_proof::DpopVerifier;
use crate::error::AuthError;
use crate::fetch::Network;
use crate::scopes::{OFFLINE_ACCESS, is_valid};
use crate::token_verifier::TokenVerifier;

/// The ID of the next resource server.
static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// The policy for access tokens that are bound to a key (DPoP, RFC 9449).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "it does nothing until it is passed to `ResourceServerBuilder::dpop`"]
pub struct DpopPolicy {
    is_required: bool,
    has_nonces: bool,
}

impl DpopPolicy {
    /// Accepts tokens that are bound to a key, with proofs, and other tokens as bearer tokens.
    pub fn optional() -> Self {
        Self { is_required: false, has_nonces: false }
    }

    /// Accepts only tokens that are bound to a key.
    pub fn required() -> Self {
        Self { is_required: true, has_nonces: false }
    }

    /// Requires that proofs contain a recent nonce of this process, so that proofs cannot be created in advance.
    /// Clients of several processes behind one URL must be sent to the same process.
    pub fn with_nonces(self) -> Self {
        Self { has_nonces: true, ..self }
    }
}

/// Builds a [`ResourceServer`].
#[must_use = "it does nothing until `build` is called"]
pub struct ResourceServerBuilder {
    resource: String,
    verifier: Arc<dyn TokenVerifier>,
    authorization_servers: Vec<String>,
    required_scopes: Vec<String>,
    scopes_supported: Option<Vec<String>>,
    implied_scopes: BTreeMap<String, Vec<String>>,
    audiences: Vec<String>,
    checks_audience: bool,
    name: Option<String>,
    documentation: Option<String>,
    dpop: Option<DpopPolicy>,
}

impl ResourceServer {
    /// Starts building a resource server for an MCP endpoint with this public URL. The URL is the identifier of the
    /// resource: the audience of its access tokens.
    pub fn builder(url: impl Into<String>, verifier: impl TokenVerifier) -> ResourceServerBuilder {
        ResourceServerBuilder::new(url.into(), Arc::new(verifier))
    }
}

impl ResourceServerBuilder {
    fn new(resource: String, verifier: Arc<dyn TokenVerifier>) -> Self {
        Self {
            resource,
            verifier,
            authorization_servers: Vec::new(),
            required_scopes: Vec::new(),
            scopes_supported: None,
            implied_scopes: BTreeMap::new(),
            audiences: Vec::new(),
            checks_audience: true,
            name: None,
            documentation: None,
            dpop: None,
        }
    }

    /// Adds an authorization server to the metadata: its issuer identifier, exactly as the server's own metadata spells
    /// it. May be repeated. Default: the issuer of the verifier, if it has one.
    pub fn authorization_server(mut self, issuer: impl Into<String>) -> Self {
        self.authorization_servers.push(issuer.into());
        self
    }

    /// Sets the scopes that each request requires. Tools may require further ones.
    pub fn required_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.required_scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the scopes in the metadata, which clients request first. Keep the set small: clients request further scopes
    /// when an operation requires them. Default: the required scopes.
    pub fn scopes_supported(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes_supported = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Declares that a scope implies others: a token with `scope` is treated as if it had all of them.
    pub fn scope_implies(
        mut self,
        scope: impl Into<String>,
        implied: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.implied_scopes.entry(scope.into()).or_default().extend(implied.into_iter().map(Into::into));
        self
    }

    /// Accepts tokens with another audience too, such as `api://…` or a client ID, for authorization servers that do
    /// not use the URL of the resource. It must identify this server only. May be repeated.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Accepts tokens with any audience, and without one.
    ///
    /// Risk: every service that receives a token of the same authorization server can use this server on behalf of the
    /// user. The specification forbids it unless the verifier ensures otherwise that tokens were issued for this
    /// server.
    pub fn without_audience_check(mut self) -> Self {
        self.checks_audience = false;
        self
    }

    /// Sets the name of the server in the metadata, for users.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the URL of documentation for developers in the metadata.
    pub fn documentation(mut self, url: impl Into<String>) -> Self {
        self.documentation = Some(url.into());
        self
    }

    /// Accepts access tokens that are bound to a key. Without it, such tokens are rejected.
    pub fn dpop(mut self, policy: DpopPolicy) -> Self {
        self.dpop = Some(policy);
        self
    }

    /// Builds the resource server.
    ///
    /// # Errors
    /// If the URL of the resource, an authorization server, a scope, an audience or an option of the verifier is
    /// invalid.
    pub fn build(self) -> Result<ResourceServer, AuthError> {
        let url = parse_resource(&self.resource)?;
        self.verifier.check()?;
        let authorization_servers = self.checked_authorization_servers()?;
        let scopes_supported = self.scopes_supported.as_ref().unwrap_or(&self.required_scopes);
        let implied = self.implied_scopes.iter().flat_map(|(scope, implied)| implied.iter().chain([scope]));
        for scope in self.required_scopes.iter().chain(scopes_supported).chain(implied) {
            check_scope(scope)?;
        }
        if let Some(audience) = self.audiences.iter().find(|audience| is_generic(audience)) {
            return Err(AuthError::configuration(format!(
                "cannot accept audience `{}`: it does not identify this server; configure a URL or a unique ID",
                excerpt(audience)
            )));
        }
        let resource = canonical(&url);
        let requires_dpop = self.dpop.is_some_and(|policy| policy.is_required);
        let fields = MetadataFields {
            resource: &resource,
            authorization_servers: &authorization_servers,
            scopes_supported,
            name: self.name.as_deref(),
            documentation: self.documentation.as_deref(),
            supports_dpop: self.dpop.is_some(),
            requires_dpop,
        };
        let metadata = Metadata::new(&url, &fields);
        let challenge = ChallengeContext {
            metadata_url: metadata.url(&url),
            accepts_bearer: !requires_dpop,
            accepts_dpop: self.dpop.is_some(),
        };
        let dpop = match self.dpop {
            None => None,
            Some(policy) if policy.has_nonces => Some(DpopVerifier::new().with_nonces()?),
            Some(_) => Some(DpopVerifier::new()),
        };
        let accepted = [&resource].into_iter().chain(&self.audiences).map(|it| normalized(it).into_owned()).collect();
        Ok(ResourceServer::from_inner(Inner {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            audiences: if self.checks_audience { Audiences::OneOf(accepted) } else { Audiences::Unchecked },
            resource,
            verifier: self.verifier,
            scopes: ScopeRules { required: self.required_scopes, implied: self.implied_scopes },
            metadata,
            challenge,
            dpop,
        }))
    }

    fn checked_authorization_servers(&self) -> Result<Vec<String>, AuthError> {
        let mut servers = self.authorization_servers.clone();
        if servers.is_empty() {
            servers.extend(self.verifier.issuer().map(str::to_owned));
        }
        if servers.is_empty() {
            return Err(AuthError::configuration(
                "cannot build the resource server: no authorization server; call `authorization_server(issuer)`",
            ));
        }
        for server in &servers {
            let url = Network::Any.check(server);
            if !url.is_ok_and(|url| url.query().is_none() && url.fragment().is_none()) {
                return Err(AuthError::configuration(format!(
                    "cannot use authorization server `{}`: an issuer is an https URL without query and fragment",
                    excerpt(server)
                )));
            }
        }
        Ok(servers)
    }
}

impl fmt::Debug for ResourceServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceServerBuilder")
            .field("resource", &self.resource)
            .field("authorization_servers", &self.authorization_servers)
            .finish_non_exhaustive()
    }
}

/// Parses the identifier of a resource: RFC 8707, section 2.
fn parse_resource(resource: &str) -> Result<Url, AuthError> {
    let invalid = |problem: &str| {
        AuthError::configuration(format!(
            "cannot protect resource `{}`: {problem}; use the public URL of the MCP endpoint, such as \
             `https://mcp.example.com/mcp`",
            excerpt(resource)
        ))
    };
    let url = Network::Any.check(resource).map_err(|_| invalid("it is not an https URL"))?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("it has a query or a fragment"));
    }
    Ok(url)
}

/// Returns the canonical form of a resource: scheme and host in lower case, no slash after the host.
fn canonical(url: &Url) -> String {
    let path = if url.path() == "/" { "" } else { url.path() };
    format!("{}{path}", url.origin().ascii_serialization())
}

fn check_scope(scope: &str) -> Result<(), AuthError> {
    if !is_valid(scope) {
        return Err(AuthError::configuration(format!(
            "cannot use scope `{}`: it is empty or contains a space, quote, backslash or non-ASCII character",
            excerpt(scope)
        )));
    }
    if scope == OFFLINE_ACCESS {
        return Err(AuthError::configuration(
            "cannot use scope `offline_access`: it concerns the authorization server only; remove it",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::resource_server::StaticTokens;

    fn builder(resource: &str) -> ResourceServerBuilder {
        ResourceServer::builder(resource, StaticTokens::new(resource)).authorization_server("https://as")
    }

    #[track_caller]
    fn fails(builder: ResourceServerBuilder, text: &str) {
        let error = builder.build().unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    }

    #[test]
    fn invalid_resources_are_refused() {
        //
        for resource in [
            "",
            "mcp.example.com",
            "/mcp",
            "http://mcp.example.com/mcp",
            "http://10.0.0.1/mcp",
            "ftp://h/",
            "https://user@h/",
            "https://h/mcp?x=1",
            "https://h/mcp#x",
        ] {
            fails(builder(resource), "use the public URL of the MCP endpoint");
        }
        for resource in ["https://h/mcp", "http://localhost:1/mcp", "http://127.0.0.1:1", "https://10.0.0.1/mcp"] {
            assert!(builder(resource).build().is_ok(), "{resource}");
        }
    }

    #[test]
    fn resource_is_canonical() {
        //
        for (resource, expected) in [
            ("HTTPS://MCP.Example.COM/Path", "https://mcp.example.com/Path"),
            ("https://h:443/", "https://h"),
            ("https://h/mcp/", "https://h/mcp/"),
        ] {
            assert_eq!(builder(resource).build().unwrap().resource(), expected);
        }
    }

    #[test]
    fn invalid_options_are_refused() {
        //
        let without = ResourceServer::builder("https://h", StaticTokens::new("https://h"));
        fails(without, "call `authorization_server(issuer)`");
        for issuer in ["", "as.example.com", "http://as.example.com", "https://as?x", "https://as#x"] {
            fails(builder("https://h").authorization_server(issuer), "an issuer is an https URL");
        }
        fails(builder("https://h").scopes_supported(["read", "offline_access"]), "remove it");
        fails(builder("https://h").required_scopes(["offline_access"]), "remove it");
        fails(builder("https://h").required_scopes(["a b"]), "contains a space");
        fails(builder("https://h").scope_implies("a", [""]), "it is empty");
        fails(builder("https://h").audience("api"), "a unique ID");
    }

    proptest! {
        //
        #[test]
        fn canonical_resource_is_idempotent(
            scheme in "(?i)https?",
            host in "(localhost|127\\.0\\.0\\.1|\\[::1\\]|[A-Za-z][A-Za-z0-9.-]{0,8}|[0-9.]{1,12}|ü)",
            port in "(:[0-9]{0,5})?",
            path in "(/|//|\\\\|[a-zA-Z0-9._~%-]|\\.\\./|%2[eEfF]|ü| ){0,12}",
        ) {
            if let Ok(server) = builder(&format!("{scheme}://{host}{port}{path}")).build() {
                let again = builder(server.resource()).build().unwrap();
                prop_assert_eq!(again.resource(), server.resource());
                prop_assert_eq!(again.metadata_url(), server.metadata_url());
                prop_assert!(server.resource().is_ascii() && !server.resource().contains(['?', '#', '\\', ' ']));
            }
        }
    }
}
