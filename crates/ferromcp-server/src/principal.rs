//! [`Principal`]: the authenticated principal of a request.

use std::fmt;
use std::future::{Future, pending};
use std::sync::Arc;
use std::time::SystemTime;

use ferromcp_core::{Identity, RawJson};
use serde::de::DeserializeOwned;
use tokio::time::sleep;

/// The authenticated principal of a request, with what its access token grants.
///
/// The authorization of an HTTP endpoint inserts it into the extensions of each request. Handlers extract it:
///
/// ```
/// use ferromcp_server::{Principal, Tool};
///
/// let tool = Tool::sync("whoami", |user: Principal| user.subject().unwrap_or("unknown").to_owned());
/// ```
///
/// A call without a principal (stdio, or an endpoint without authorization) fails if its handler extracts one;
/// `Option<Principal>` accepts both. Sessions, streams and request states are bound to the
/// [`identity`](Self::identity). Cloning is cheap. `Debug` shows only the scopes.
#[derive(Clone)]
pub struct Principal(Arc<Parts>);

#[derive(Clone)]
struct Parts {
    identity: Identity,
    issuer: Option<String>,
    subject: Option<String>,
    client_id: Option<String>,
    scopes: Vec<String>,
    expires_at: Option<SystemTime>,
    claims: Option<RawJson>,
}

impl Principal {
    /// Creates a principal without scopes. The identity must be unique among all principals of the server, such as the
    /// issuer, the subject and the client ID together.
    pub fn new(identity: impl Into<Arc<str>>) -> Self {
        Self(Arc::new(Parts {
            identity: Identity::new(identity),
            issuer: None,
            subject: None,
            client_id: None,
            scopes: Vec::new(),
            expires_at: None,
            claims: None,
        }))
    }

    /// Sets the issuer of the access token.
    pub fn with_issuer(mut self, issuer: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.0).issuer = Some(issuer.into());
        self
    }

    /// Sets the subject: the user, or the client if it acts for itself.
    pub fn with_subject(mut self, subject: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.0).subject = Some(subject.into());
        self
    }

    /// Sets the ID of the client.
    pub fn with_client_id(mut self, client_id: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.0).client_id = Some(client_id.into());
        self
    }

    /// Sets the granted scopes, including those that the granted ones imply.
    pub fn with_scopes(mut self, scopes: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        Arc::make_mut(&mut self.0).scopes = scopes.into_iter().map(|scope| scope.as_ref().to_owned()).collect();
        self
    }

    /// Sets when the access token expires. Streams of the principal end then.
    pub fn with_expiry(mut self, at: SystemTime) -> Self {
        Arc::make_mut(&mut self.0).expires_at = Some(at);
        self
    }

    /// Sets the claims of the access token, a JSON object.
    pub fn with_claims(mut self, claims: RawJson) -> Self {
        Arc::make_mut(&mut self.0).claims = Some(claims);
        self
    }

    /// Returns the unique identity, to which sessions and request states are bound.
    pub fn identity(&self) -> &Identity {
        &self.0.identity
    }

    /// Returns the issuer of the access token.
    pub fn issuer(&self) -> Option<&str> {
        self.0.issuer.as_deref()
    }

    /// Returns the subject: the user, or the client if it acts for itself.
    pub fn subject(&self) -> Option<&str> {
        self.0.subject.as_deref()
    }

    /// Returns the ID of the client.
    pub fn client_id(&self) -> Option<&str> {
        self.0.client_id.as_deref()
    }

    /// Returns the granted scopes.
    pub fn scopes(&self) -> &[String] {
        &self.0.scopes
    }

    /// Returns whether a scope is granted.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.0.scopes.iter().any(|granted| granted == scope)
    }

    /// Returns when the access token expires.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.0.expires_at
    }

    /// Returns a claim of the access token, or `None` if it is missing or has another type.
    pub fn claim<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let claims = self.0.claims.as_ref()?;
        let mut claims: serde_json::Map<String, serde_json::Value> = serde_json::from_str(claims.as_str()).ok()?;
        serde_json::from_value(claims.remove(name)?).ok()
    }
}

/// Resolves when the access token of the principal expires. Does not resolve without a principal or an expiry.
pub(crate) fn expiry(principal: Option<&Principal>) -> impl Future<Output = ()> + Send + use<> {
    let at = principal.and_then(Principal::expires_at);
    async move {
        match at {
            Some(at) => sleep(at.duration_since(SystemTime::now()).unwrap_or_default()).await,
            None => pending().await,
        }
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal").field("scopes", &self.0.scopes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_read_by_type_and_debug_omits_the_subject() {
        let claims = RawJson::new(&serde_json::json!({ "email": "ada@example.com", "level": 3 })).unwrap();
        let principal = Principal::new("x").with_subject("ada").with_scopes(["read"]).with_claims(claims);
        assert_eq!(principal.claim::<String>("email").as_deref(), Some("ada@example.com"));
        assert_eq!(principal.claim::<u8>("level"), Some(3));
        assert_eq!(principal.claim::<u8>("email"), None);
        assert_eq!(principal.claim::<u8>("missing"), None);
        assert!(principal.has_scope("read") && !principal.has_scope("write"));
        assert_eq!(format!("{principal:?}"), r#"Principal { scopes: ["read"], .. }"#);
    }
}
