//! [`Principal`]: the authenticated principal of a request.

use std::fmt;
use std::future::{Future, pending};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ferromcp_core::{Identity, RawJson};
use serde::de::DeserializeOwned;
use tokio::time::sleep;

use crate::box_future::BoxFuture;

/// How often the validity of an access token is checked while a stream of its principal is open.
const VALIDITY_CHECK_INTERVAL: Duration = Duration::from_secs(60);

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
pub struct Principal {
    parts: Arc<Parts>,
    /// Not among the parts, which the requests with one token share.
    validity_check: Option<Arc<ValidityCheck>>,
}

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

type ValidityCheck = dyn Fn() -> BoxFuture<bool> + Send + Sync;

impl Principal {
    /// Creates a principal without scopes. The identity must be unique among all principals of the server, such as the
    /// issuer, the subject and the client ID together.
    pub fn new(identity: impl Into<Arc<str>>) -> Self {
        let parts = Parts {
            identity: Identity::new(identity),
            issuer: None,
            subject: None,
            client_id: None,
            scopes: Vec::new(),
            expires_at: None,
            claims: None,
        };
        Self { parts: Arc::new(parts), validity_check: None }
    }

    /// Sets the issuer of the access token.
    pub fn with_issuer(mut self, issuer: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.parts).issuer = Some(issuer.into());
        self
    }

    /// Sets the subject: the user, or the client if it acts for itself.
    pub fn with_subject(mut self, subject: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.parts).subject = Some(subject.into());
        self
    }

    /// Sets the ID of the client.
    pub fn with_client_id(mut self, client_id: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.parts).client_id = Some(client_id.into());
        self
    }

    /// Sets the granted scopes, including those that the granted ones imply.
    pub fn with_scopes(mut self, scopes: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        Arc::make_mut(&mut self.parts).scopes = scopes.into_iter().map(|scope| scope.as_ref().to_owned()).collect();
        self
    }

    /// Sets when the access token expires. Streams of the principal end then.
    pub fn with_expiry(mut self, at: SystemTime) -> Self {
        Arc::make_mut(&mut self.parts).expires_at = Some(at);
        self
    }

    /// Sets a check of whether the access token is still valid, for example not revoked. While a stream of the principal is
    /// open, the check runs every 60 seconds, and the stream ends when it returns false.
    ///
    /// The check must not count as a use of credentials that can be used once. If the validity cannot be determined now, it
    /// must return true. Its future is dropped when the stream ends.
    ///
    /// ```
    /// use std::collections::HashSet;
    /// use std::sync::{Arc, RwLock};
    ///
    /// use ferromcp_server::Principal;
    ///
    /// fn principal(key: String, valid_keys: Arc<RwLock<HashSet<String>>>) -> Principal {
    ///     Principal::new("ada").with_validity_check(move || {
    ///         let is_valid = valid_keys.read().is_ok_and(|keys| keys.contains(&key));
    ///         async move { is_valid }
    ///     })
    /// }
    /// ```
    pub fn with_validity_check<F, R>(mut self, is_valid: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = bool> + Send + 'static,
    {
        self.validity_check = Some(Arc::new(move || Box::pin(is_valid())));
        self
    }

    /// Sets the claims of the access token, a JSON object.
    pub fn with_claims(mut self, claims: RawJson) -> Self {
        Arc::make_mut(&mut self.parts).claims = Some(claims);
        self
    }

    /// Returns the unique identity, to which sessions and request states are bound.
    pub fn identity(&self) -> &Identity {
        &self.parts.identity
    }

    /// Returns the issuer of the access token.
    pub fn issuer(&self) -> Option<&str> {
        self.parts.issuer.as_deref()
    }

    /// Returns the subject: the user, or the client if it acts for itself.
    pub fn subject(&self) -> Option<&str> {
        self.parts.subject.as_deref()
    }

    /// Returns the ID of the client.
    pub fn client_id(&self) -> Option<&str> {
        self.parts.client_id.as_deref()
    }

    /// Returns the granted scopes.
    pub fn scopes(&self) -> &[String] {
        &self.parts.scopes
    }

    /// Returns whether a scope is granted.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.parts.scopes.iter().any(|granted| granted == scope)
    }

    /// Returns when the access token expires.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.parts.expires_at
    }

    /// Returns a claim of the access token, or `None` if it is missing or has another type.
    pub fn claim<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let claims = self.parts.claims.as_ref()?;
        let mut claims: serde_json::Map<String, serde_json::Value> = serde_json::from_str(claims.as_str()).ok()?;
        serde_json::from_value(claims.remove(name)?).ok()
    }
}

/// Resolves when the principal loses its access: when its access token expires or becomes invalid. Returns the reason. Does
/// not resolve without a principal.
pub(crate) fn access_end(principal: Option<&Principal>) -> impl Future<Output = &'static str> + Send + use<> {
    let can_end = |principal: &&Principal| principal.parts.expires_at.is_some() || principal.validity_check.is_some();
    // Boxed, so that the streams of an endpoint without authorization are not larger.
    let end: Option<BoxFuture<_>> = principal.filter(can_end).map(|principal| Box::pin(end_of(principal.clone())) as _);
    async move {
        match end {
            Some(end) => end.await,
            None => pending().await,
        }
    }
}

async fn end_of(principal: Principal) -> &'static str {
    let Principal { parts, validity_check } = &principal;
    let expires = async {
        match parts.expires_at {
            Some(at) => sleep(at.duration_since(SystemTime::now()).unwrap_or_default()).await,
            None => pending().await,
        }
    };
    let becomes_invalid = async {
        let Some(is_valid) = validity_check else { return pending().await };
        loop {
            sleep(VALIDITY_CHECK_INTERVAL).await;
            if !is_valid().await {
                return;
            }
        }
    };
    tokio::select! {
        () = expires => "its access token has expired",
        () = becomes_invalid => "its access token has expired or was revoked",
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal").field("scopes", &self.parts.scopes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::time::{Instant, timeout};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn trap_stream_of_a_revoked_token() {
        let [valid, checks] = [AtomicUsize::new(1), AtomicUsize::new(0)].map(Arc::new);
        let (is_valid, counter) = (Arc::clone(&valid), Arc::clone(&checks));
        let principal = Principal::new("ada").with_validity_check(move || {
            counter.fetch_add(1, Ordering::SeqCst);
            let is_valid = is_valid.load(Ordering::SeqCst) == 1;
            async move { is_valid }
        });
        let start = Instant::now();
        let mut end = pin!(access_end(Some(&principal)));
        assert!(timeout(Duration::from_secs(150), end.as_mut()).await.is_err());
        assert_eq!(checks.load(Ordering::SeqCst), 2);
        valid.store(0, Ordering::SeqCst);
        assert_eq!(end.await, "its access token has expired or was revoked");
        assert_eq!((start.elapsed().as_secs(), checks.load(Ordering::SeqCst)), (180, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn access_ends_at_the_expiry_while_a_check_is_pending() {
        let principal = Principal::new("ada")
            .with_expiry(SystemTime::now() + Duration::from_secs(90))
            .with_validity_check(std::future::pending);
        let start = Instant::now();
        assert_eq!(access_end(Some(&principal)).await, "its access token has expired");
        assert!((89..=91).contains(&start.elapsed().as_secs()));
        for principal in [None, Some(&Principal::new("ada"))] {
            assert!(timeout(Duration::from_secs(1_000_000), access_end(principal)).await.is_err());
        }
    }

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
