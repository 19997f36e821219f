//! [`IntrospectionVerifier`]: verifies access tokens at the authorization server: RFC 7662.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};
use zeroize::Zeroizing;

use super::claims::access_token;
use super::jwt_verifier::is_other_token;
use super::token_cache::{Cached, TokenCache};
use crate::Secret;
use crate::access_token::AccessToken;
use crate::clock::now;
use crate::digest_cache::token_digest;
use crate::error::AuthError;
use crate::fetch::{Fetcher, Network};
use crate::jwt::{DEFAULT_LEEWAY_SECONDS, numeric_date};
use crate::token_verifier::{TokenVerifier, VerifyError, VerifyFuture};
use crate::verified_token::VerifiedToken;

/// How long the result for a valid token is cached, by default.
const DEFAULT_CACHE_TIME: Duration = Duration::from_secs(30);
/// How long the result for an invalid token is cached at most.
const MAX_NEGATIVE_CACHE_TIME: Duration = Duration::from_secs(10);

/// Maximum number of concurrent requests to the endpoint. Further ones wait.
const MAX_REQUESTS: usize = 32;
/// How long a token waits for one of these requests, before it cannot be verified now.
const PERMIT_TIMEOUT: Duration = Duration::from_secs(5);

/// Verifies access tokens by requests to the introspection endpoint of the authorization server, for opaque tokens.
///
/// Results are cached: a revoked token is accepted for up to 30 seconds, or as [`cache_time`](Self::cache_time) sets.
/// The response must contain the audience (`aud`) of the token.
#[must_use = "it does nothing until it is passed to a resource server"]
pub struct IntrospectionVerifier {
    url: String,
    client_id: String,
    client_secret: Secret,
    issuer: Option<String>,
    scope_claim: Option<String>,
    cache_time: Duration,
    allows_private_networks: bool,
    fetcher: OnceLock<Result<Fetcher, String>>,
    cache: TokenCache,
    rejected: TokenCache,
    permits: Semaphore,
}

impl IntrospectionVerifier {
    /// Creates a verifier that sends tokens to this endpoint, and authenticates with this client by HTTP Basic.
    pub fn new(url: impl Into<String>, client_id: impl Into<String>, client_secret: impl Into<Secret>) -> Self {
        Self {
            url: url.into(),
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            issuer: None,
            scope_claim: None,
            cache_time: DEFAULT_CACHE_TIME,
            allows_private_networks: false,
            fetcher: OnceLock::new(),
            cache: TokenCache::new(),
            rejected: TokenCache::new(),
            permits: Semaphore::new(MAX_REQUESTS),
        }
    }

    /// Sets the issuer of the tokens. A response with another issuer is rejected.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Sets the member with the scopes: a text with spaces, or an array. Default: `scope`, or `scp` if it is missing.
    pub fn scope_claim(mut self, name: impl Into<String>) -> Self {
        self.scope_claim = Some(name.into());
        self
    }

    /// Sets how long results are cached, in whole seconds, and not beyond the expiry of the token. Zero: not at all.
    pub fn cache_time(mut self, time: Duration) -> Self {
        self.cache_time = time;
        self
    }

    /// Allows that the endpoint is in a private network.
    pub fn allow_private_networks(mut self) -> Self {
        self.allows_private_networks = true;
        self
    }

    fn create_fetcher(&self) -> Result<Fetcher, AuthError> {
        let own = Url::parse(&self.url).map_or(Network::Global, |url| Network::of(&url));
        let network = if self.allows_private_networks { Network::Any } else { own };
        network.check(&self.url)?;
        Fetcher::new(network)
    }

    fn fetcher(&self) -> Result<&Fetcher, &str> {
        let fetcher = self.fetcher.get_or_init(|| self.create_fetcher().map_err(|error| error.to_string()));
        fetcher.as_ref().map_err(String::as_str)
    }

    async fn verify_token(&self, token: &str) -> Result<VerifiedToken, VerifyError> {
        let (digest, start) = (token_digest(token), now());
        let inactive = || VerifyError::Invalid("the token is unknown, expired or revoked".to_owned());
        let cached = || self.cache.get(&digest, 0, start).or_else(|| self.rejected.get(&digest, 0, start));
        let mut found = cached();
        // A flood of invalid tokens must not overload the authorization server.
        let _permit = match found {
            Some(_) => None,
            None => Some(timeout(PERMIT_TIMEOUT, self.permits.acquire()).await.map_err(|_| {
                tracing::warn!("too many access tokens are being introspected");
                VerifyError::Unavailable("too many tokens are being verified; try again later".to_owned())
            })?),
        };
        found = found.or_else(cached); // another request may have introspected the token meanwhile
        match found {
            Some(Cached::Valid(token)) => return Ok(token),
            Some(Cached::Invalid) => return Err(inactive()),
            None => {}
        }
        let result = self.introspect(token).await.map_err(|error| {
            tracing::warn!(%error, "cannot introspect an access token");
            VerifyError::Unavailable("the token cannot be verified now; try again later".to_owned())
        })?;
        let verified = self.read(result).map(VerifiedToken::from);
        let now = now();
        let expires_at = match &verified {
            Ok(token) => {
                let until = now.saturating_add(self.cache_time.as_secs());
                token.expires_at.map_or(until, |expires_at| until.min(expires_at))
            }
            Err(_) => now.saturating_add(self.cache_time.min(MAX_NEGATIVE_CACHE_TIME).as_secs()),
        };
        // In separate caches, so that invalid tokens do not evict valid ones.
        match &verified {
            Ok(token) => self.cache.insert(digest, Cached::Valid(token.clone()), 0, expires_at, now),
            Err(_) => self.rejected.insert(digest, Cached::Invalid, 0, expires_at, now),
        }
        verified.map_err(|problem| {
            tracing::debug!(problem, "rejected an introspected token");
            inactive()
        })
    }

    async fn introspect(&self, token: &str) -> Result<Map<String, Value>, AuthError> {
        let fetcher = self.fetcher().map_err(AuthError::configuration)?;
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, self.basic_credentials()?);
        let form = [("token", token), ("token_type_hint", "access_token")];
        let form = Serializer::new(String::new()).extend_pairs(form).finish();
        let response = fetcher.post_form(&self.url, headers, form).await?.ensure_available(&self.url)?;
        if response.status != StatusCode::OK {
            let status = response.status.as_u16();
            return Err(AuthError::configuration(format!(
                "the introspection endpoint responded with status {status}; check the client and its secret"
            )));
        }
        match serde_json::from_slice(&response.body) {
            Ok(Value::Object(response)) => Ok(response),
            _ => Err(AuthError::unavailable("the response of the introspection endpoint is not a JSON object")),
        }
    }

    /// Returns the credentials: both parts are encoded as in forms (RFC 6749, section 2.3.1).
    fn basic_credentials(&self) -> Result<HeaderValue, AuthError> {
        let [id, secret] = [self.client_id.as_str(), self.client_secret.expose()]
            .map(|part| Zeroizing::new(byte_serialize(part.as_bytes()).collect::<String>()));
        let pair = Zeroizing::new(format!("{}:{}", *id, *secret));
        let encoded = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
        let mut value = HeaderValue::from_str(&encoded)
            .map_err(|_| AuthError::configuration("cannot encode the credentials of the introspection client"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Reads the token of a response.
    pub(super) fn read(&self, response: Map<String, Value>) -> Result<AccessToken, &'static str> {
        if response.get("active") != Some(&Value::Bool(true)) {
            return Err("not active");
        }
        let text = |name: &str| response.get(name).and_then(Value::as_str);
        if text("token_type") == Some("refresh_token") || is_other_token(&response) {
            return Err("not an access token");
        }
        let time = |name: &str| response.get(name).filter(|value| !value.is_null());
        let (expiry, start) = (time("exp").map(numeric_date), time("nbf").map(numeric_date));
        let now = now();
        if expiry.is_some_and(|at| at.is_none_or(|at| now >= at.saturating_add(DEFAULT_LEEWAY_SECONDS))) {
            return Err("expired, or with an invalid expiry");
        }
        if start.is_some_and(|at| at.is_none_or(|at| now.saturating_add(DEFAULT_LEEWAY_SECONDS) < at)) {
            return Err("not valid yet, or with an invalid start");
        }
        let mut token = access_token(response, self.scope_claim.as_deref())?;
        match (&self.issuer, &token.issuer) {
            (Some(expected), Some(issuer)) if expected != issuer => return Err("of another issuer"),
            (Some(expected), None) => token.issuer = Some(expected.clone()),
            _ => {}
        }
        Ok(token)
    }
}

impl TokenVerifier for IntrospectionVerifier {
    fn verify<'a>(&'a self, token: &'a str) -> VerifyFuture<'a> {
        Box::pin(self.verify_token(token))
    }

    fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    fn check(&self) -> Result<(), AuthError> {
        self.fetcher().map(drop).map_err(AuthError::configuration)
    }
}

impl fmt::Debug for IntrospectionVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntrospectionVerifier")
            .field("url", &self.url)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(response: Value) -> Result<AccessToken, &'static str> {
        let Value::Object(response) = response else { unreachable!() };
        IntrospectionVerifier::new("https://as/i", "id", "secret").issuer("https://as").read(response)
    }

    #[test]
    fn only_active_tokens_of_the_issuer_are_valid() {
        //
        let token = read(json!({ "active": true, "sub": "ada", "scope": "a b", "exp": now() + 60 })).unwrap();
        assert_eq!((token.issuer.as_deref(), token.scopes.len()), (Some("https://as"), 2));
        for response in [
            json!({}),
            json!({ "active": false }),
            json!({ "active": "true" }),
            json!({ "active": 1 }),
            json!({ "active": true, "iss": "https://other" }),
            json!({ "active": true, "exp": now() - 61 }),
            json!({ "active": true, "exp": "soon" }),
            json!({ "active": true, "nbf": now() + 120 }),
            json!({ "active": true, "cnf": { "x5t#S256": "x" } }),
            json!({ "active": true, "token_type": "refresh_token" }),
            json!({ "active": true, "token_use": "id" }),
            json!({ "active": true, "at_hash": "x" }),
        ] {
            assert!(read(response.clone()).is_err(), "{response}");
        }
    }

    #[test]
    fn credentials_are_encoded_and_hidden() {
        //
        let verifier = IntrospectionVerifier::new("https://as/i", "a:b", "s3cret /");
        let value = verifier.basic_credentials().unwrap();
        let expected = format!("Basic {}", STANDARD.encode("a%3Ab:s3cret+%2F"));
        assert_eq!(value.to_str().unwrap(), expected);
        assert!(!format!("{verifier:?} {value:?}").contains("s3cret"));
        assert!(verifier.check().is_ok());
        assert!(IntrospectionVerifier::new("http://as/i", "id", "secret").check().is_err());
    }
}
