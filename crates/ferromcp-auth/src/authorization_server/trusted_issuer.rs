//! [`TrustedIssuer`]: an issuer whose assertions are exchanged for access tokens.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

/// What an assertion grants.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "it does nothing until a rule returns it"]
pub struct AssertionGrant {
    pub(super) subject: String,
    pub(super) scopes: Option<Vec<String>>,
    pub(super) resources: Vec<String>,
}

impl AssertionGrant {
    /// Creates a grant for a subject of this authorization server, which becomes the `sub` of the access token. It must
    /// be unique among the users and workloads of all issuers.
    pub fn new(subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), scopes: None, resources: Vec::new() }
    }

    /// Sets the scopes that may be granted. Default: for an identity provider, the scopes of its assertion; for a
    /// workload, none.
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Restricts the grant to an MCP server. May be repeated. Default: all resources of the authorization server.
    pub fn resource(mut self, url: impl Into<String>) -> Self {
        self.resources.push(url.into());
        self
    }
}

type Rule = dyn Fn(&Map<String, Value>) -> Option<AssertionGrant> + Send + Sync;

/// The kind of the assertions of an issuer. An issuer is trusted for one kind only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AssertionKind {
    /// Identity assertions of an identity provider for a client: ID-JAG.
    Identity,
    /// Tokens of workloads, which act for themselves.
    Workload,
}

/// Where the keys of an issuer are found.
#[derive(Clone)]
pub(super) enum Keys {
    /// By the metadata of the issuer.
    Discovered,
    Url(String),
    Fixed(Value),
}

/// An issuer whose assertions are exchanged for access tokens by the JWT bearer grant (RFC 7523).
///
/// An [identity provider](Self::identity_provider) vouches for the users of a company (enterprise-managed
/// authorization). A [workload issuer](Self::workloads) vouches for programs, such as jobs of a cloud platform
/// (workload identity federation).
///
/// Its keys are found by its metadata unless [`jwks`](Self::jwks) or [`jwks_url`](Self::jwks_url) is set.
#[derive(Clone)]
#[must_use = "it does nothing until it is passed to `AuthorizationServerOptions::trusted_issuer`"]
pub struct TrustedIssuer {
    pub(super) issuer: String,
    pub(super) kind: AssertionKind,
    pub(super) keys: Keys,
    pub(super) audiences: Vec<String>,
    pub(super) is_reusable: bool,
    rule: Arc<Rule>,
}

impl TrustedIssuer {
    /// Trusts the identity assertions (ID-JAG) of an identity provider.
    ///
    /// The subject of the access token is `<issuer>#<sub>`, so that users of several providers cannot be confused; set
    /// another mapping with [`rule`](Self::rule).
    pub fn identity_provider(issuer: impl Into<String>) -> Self {
        let issuer = issuer.into();
        let name = issuer.clone();
        let rule = move |claims: &Map<String, Value>| {
            let subject = claims.get("sub")?.as_str()?;
            Some(AssertionGrant::new(format!("{name}#{subject}")))
        };
        Self::create(issuer, AssertionKind::Identity, Arc::new(rule))
    }

    /// Trusts the tokens of workloads. The rule maps the claims of a token to what the workload may do; `None` refuses
    /// it.
    ///
    /// Check the claims that the issuer controls, such as the tenant or the repository: an issuer with many tenants
    /// signs tokens for all of them.
    ///
    /// ```
    /// use ferromcp_auth::authorization_server::{AssertionGrant, TrustedIssuer};
    ///
    /// let issuer = TrustedIssuer::workloads("https://token.actions.githubusercontent.com", |claims| {
    ///     let is_ours = claims.get("repository")? == "example/deploy" && claims.get("ref")? == "refs/heads/main";
    ///     is_ours.then(|| AssertionGrant::new("github:example/deploy").scopes(["deploy"]))
    /// });
    /// # drop(issuer);
    /// ```
    pub fn workloads(
        issuer: impl Into<String>,
        rule: impl Fn(&Map<String, Value>) -> Option<AssertionGrant> + Send + Sync + 'static,
    ) -> Self {
        Self::create(issuer.into(), AssertionKind::Workload, Arc::new(rule))
    }

    fn create(issuer: String, kind: AssertionKind, rule: Arc<Rule>) -> Self {
        Self { issuer, kind, keys: Keys::Discovered, audiences: Vec::new(), is_reusable: false, rule }
    }

    /// Sets the rule that maps the claims of an assertion to a grant; `None` refuses the assertion.
    pub fn rule(
        mut self,
        rule: impl Fn(&Map<String, Value>) -> Option<AssertionGrant> + Send + Sync + 'static,
    ) -> Self {
        self.rule = Arc::new(rule);
        self
    }

    /// Sets the keys: a JSON Web Key Set. Keys that the issuer adds later are then unknown.
    pub fn jwks(mut self, keys: Value) -> Self {
        self.keys = Keys::Fixed(keys);
        self
    }

    /// Sets the URL of the keys.
    pub fn jwks_url(mut self, url: impl Into<String>) -> Self {
        self.keys = Keys::Url(url.into());
        self
    }

    /// Accepts a further audience (`aud`) in tokens of workloads. May be repeated. By default, the audience must be the
    /// issuer of the authorization server or its token endpoint. The audience of identity assertions is always the
    /// issuer.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Accepts the same token of a workload several times, for platforms that store a token in a file until it expires,
    /// such as Kubernetes. Identity assertions are always accepted once only.
    ///
    /// Risk: a stolen token can be exchanged until it expires.
    pub fn allow_reuse(mut self) -> Self {
        self.is_reusable = true;
        self
    }

    /// Returns what an assertion with these claims grants.
    pub(super) fn grant(&self, claims: &Map<String, Value>) -> Option<AssertionGrant> {
        (self.rule)(claims)
    }
}

impl fmt::Debug for TrustedIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustedIssuer").field("issuer", &self.issuer).field("kind", &self.kind).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn subjects_of_identity_providers_contain_the_issuer() {
        // A-274
        let provider = TrustedIssuer::identity_provider("https://idp.example.com");
        let claims = json!({ "sub": "ada" });
        let grant = provider.grant(claims.as_object().unwrap()).unwrap();
        assert_eq!(grant, AssertionGrant::new("https://idp.example.com#ada"));
        assert_eq!(provider.grant(&Map::new()), None);
    }
}
