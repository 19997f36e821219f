//! [`JwtVerifier`]: verifies access tokens that are signed JSON Web Tokens (RFC 9068).

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use ferromcp_core::text::excerpt;
use serde_json::{Map, Value};
use url::Url;

use super::claims::access_token;
use super::token_cache::{Cached, TokenCache};
use crate::access_token::AccessToken;
use crate::clock::now;
use crate::digest_cache::token_digest;
use crate::error::AuthError;
use crate::fetch::{Fetcher, Network};
use crate::jwt::{
    Algorithm, CompactToken, DEFAULT_ALGORITHMS, DEFAULT_LEEWAY_SECONDS, DEFAULT_MAX_AGE, Expected, JwkSource,
    MAX_TOKEN_BYTES, parse_algorithm, verify,
};
use crate::token_verifier::{TokenVerifier, VerifyError, VerifyFuture};
use crate::verified_token::VerifiedToken;

/// The types of access tokens: of RFC 9068, and of servers that do not distinguish tokens by type.
const TYPES: [&str; 3] = ["at+jwt", "JWT", ""];
/// Claims of ID tokens, which are for the client and not for resources.
const ID_TOKEN_CLAIMS: [&str; 3] = ["nonce", "at_hash", "c_hash"];
/// The claim of logout tokens and other security events (RFC 8417).
const EVENTS: &str = "events";
/// Claims of access tokens: their scopes, and the roles or permissions of common servers.
const GRANT_CLAIMS: [&str; 4] = ["scope", "scp", "roles", "permissions"];
/// Values of the claim `typ` with which Keycloak marks tokens that are not access tokens.
const OTHER_TOKENS: [&str; 4] = ["ID", "Refresh", "Offline", "Logout"];
/// Values of the claim `token_use` with which Cognito and others mark tokens that are not access tokens.
const OTHER_USES: [&str; 4] = ["id", "id_token", "refresh", "refresh_token"];

/// Verifies access tokens that an authorization server signed, such as Auth0, Entra ID, Keycloak or Okta.
///
/// The keys are found by the metadata of the issuer (RFC 8414, OpenID Connect Discovery) unless
/// [`jwks_url`](Self::jwks_url) or [`jwks`](Self::jwks) is set. They are fetched with the first token, and again every
/// ten minutes and when a token names an unknown key. Verified tokens are cached until they expire or the keys change.
///
/// ```
/// use std::time::Duration;
/// use ferromcp_auth::resource_server::JwtVerifier;
///
/// let verifier = JwtVerifier::new("https://login.example.com")
///     .jwks_url("https://login.example.com/keys")
///     .algorithms(["RS256"])
///     .leeway(Duration::from_secs(10));
/// # drop(verifier);
/// ```
#[must_use = "it does nothing until it is passed to a resource server"]
pub struct JwtVerifier {
    issuer: String,
    keys: Keys,
    algorithms: Option<Vec<String>>,
    leeway: Duration,
    scope_claim: Option<String>,
    key_max_age: Duration,
    allows_private_networks: bool,
    state: OnceLock<Result<State, String>>,
}

enum Keys {
    Discovered,
    Url(String),
    Fixed(Value),
}

/// What is created from the options.
struct State {
    keys: JwkSource,
    algorithms: Vec<Algorithm>,
    cache: TokenCache,
}

impl JwtVerifier {
    /// Creates a verifier for the tokens of an issuer. The claim `iss` must be identical.
    pub fn new(issuer: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            keys: Keys::Discovered,
            algorithms: None,
            leeway: Duration::from_secs(DEFAULT_LEEWAY_SECONDS),
            scope_claim: None,
            key_max_age: DEFAULT_MAX_AGE,
            allows_private_networks: false,
            state: OnceLock::new(),
        }
    }

    /// Sets the URL of the keys (JSON Web Key Set).
    pub fn jwks_url(mut self, url: impl Into<String>) -> Self {
        self.keys = Keys::Url(url.into());
        self
    }

    /// Sets the keys (JSON Web Key Set). Nothing is fetched.
    pub fn jwks(mut self, keys: Value) -> Self {
        self.keys = Keys::Fixed(keys);
        self
    }

    /// Sets the signature algorithms that are accepted, such as `RS256`. Default: all asymmetric algorithms that are
    /// supported: ES256, ES384, EdDSA, and RS and PS with 256, 384 and 512. Symmetric algorithms are not supported.
    pub fn algorithms(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.algorithms = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the clock difference that is tolerated, in whole seconds. Default: 60 seconds. A longer leeway does not apply to
    /// the expiry.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Sets the claim with the scopes: a text with spaces, or an array. Default: `scope`, or `scp` if it is missing.
    pub fn scope_claim(mut self, name: impl Into<String>) -> Self {
        self.scope_claim = Some(name.into());
        self
    }

    /// Sets the maximum age of the keys, after which they are fetched again. Default: ten minutes. If a fetch fails, the
    /// previous keys remain in use for up to 24 hours, so that tokens of a revoked key can be accepted for that time.
    pub fn key_max_age(mut self, max_age: Duration) -> Self {
        self.key_max_age = max_age;
        self
    }

    /// Allows that the issuer and its keys are in a private network.
    pub fn allow_private_networks(mut self) -> Self {
        self.allows_private_networks = true;
        self
    }

    fn create(&self) -> Result<State, AuthError> {
        let algorithms = match &self.algorithms {
            None => DEFAULT_ALGORITHMS.to_vec(),
            Some(names) => names.iter().map(|name| parse(name)).collect::<Result<_, _>>()?,
        };
        if self.issuer.is_empty() || algorithms.is_empty() {
            return Err(AuthError::configuration(
                "cannot verify tokens: the issuer or the list of algorithms is empty",
            ));
        }
        let keys = match &self.keys {
            Keys::Fixed(set) => JwkSource::fixed(set),
            Keys::Discovered => JwkSource::issuer(self.fetcher(&self.issuer)?, self.issuer.clone()),
            Keys::Url(url) => JwkSource::url(self.fetcher(url)?, url.clone()),
        };
        Ok(State { keys: keys.with_max_age(self.key_max_age), algorithms, cache: TokenCache::new() })
    }

    /// Creates a fetcher for a URL, which must be allowed.
    fn fetcher(&self, url: &str) -> Result<Fetcher, AuthError> {
        let own = Url::parse(url).map_or(Network::Global, |url| Network::of(&url));
        let network = if self.allows_private_networks { Network::Any } else { own };
        network.check(url)?;
        Fetcher::new(network)
    }

    fn state(&self) -> Result<&State, &str> {
        let state = self.state.get_or_init(|| self.create().map_err(|error| error.to_string()));
        state.as_ref().map_err(String::as_str)
    }

    async fn verify_token(&self, text: &str) -> Result<VerifiedToken, VerifyError> {
        let state = self.state().map_err(|error| {
            tracing::error!(%error, "the options of the token verifier are invalid");
            VerifyError::Unavailable("tokens cannot be verified now".to_owned())
        })?;
        if text.len() > MAX_TOKEN_BYTES {
            return Err(VerifyError::Invalid("the token is too long".to_owned()));
        }
        let (digest, now) = (token_digest(text), now());
        let generation = state.keys.generation().await?;
        if let Some(Cached::Valid(token)) = state.cache.get(&digest, generation, now) {
            return Ok(token);
        }
        let expected = Expected {
            issuer: Some(&self.issuer),
            audiences: &[], // checked by the resource server, which knows its URL
            types: &TYPES,
            algorithms: &state.algorithms,
            leeway_seconds: self.leeway.as_secs(),
        };
        let claims = verify(text, &state.keys, &expected).await?;
        let invalid = |text: &str| VerifyError::Invalid(text.to_owned());
        if is_other_token(&claims) {
            return Err(invalid("the token is not an access token"));
        }
        let token = access_token(claims, self.scope_claim.as_deref()).map_err(invalid)?;
        if self.may_be_id_token(&token) && !has_access_token_type(text) {
            return Err(invalid("the token has no scopes and is for its client: it may be an ID token"));
        }
        let token = VerifiedToken::from(token);
        let expires_at = token.expires_at.unwrap_or(now).saturating_add(self.leeway.as_secs());
        state.cache.insert(digest, Cached::Valid(token.clone()), generation, expires_at, now);
        Ok(token)
    }
}

impl JwtVerifier {
    /// Returns whether a token without type may be an ID token, whose audience is its client. Such a token is otherwise
    /// accepted if the ID of a client is configured as an audience.
    fn may_be_id_token(&self, token: &AccessToken) -> bool {
        let mut names = GRANT_CLAIMS.iter().copied().chain(self.scope_claim.as_deref());
        let is_for_client = token.client_id.as_ref().is_none_or(|client| token.audiences.contains(client));
        is_for_client && !names.any(|name| token.claims.contains_key(name))
    }
}

impl TokenVerifier for JwtVerifier {
    fn verify<'a>(&'a self, token: &'a str) -> VerifyFuture<'a> {
        Box::pin(self.verify_token(token))
    }

    fn issuer(&self) -> Option<&str> {
        Some(&self.issuer)
    }

    fn check(&self) -> Result<(), AuthError> {
        self.state().map(drop).map_err(AuthError::configuration)
    }
}

fn parse(name: &str) -> Result<Algorithm, AuthError> {
    parse_algorithm(name).ok_or_else(|| {
        AuthError::configuration(format!(
            "cannot accept signature algorithm `{}`: it is unknown or symmetric; use ES256, EdDSA, PS256 or RS256",
            excerpt(name)
        ))
    })
}

/// Returns whether claims are those of an ID token or another token that is not for resources.
pub(super) fn is_other_token(claims: &Map<String, Value>) -> bool {
    let is =
        |name: &str, values: &[&str]| claims.get(name).and_then(Value::as_str).is_some_and(|it| values.contains(&it));
    let mut names = ID_TOKEN_CLAIMS.iter().chain([&EVENTS]);
    names.any(|name| claims.contains_key(*name)) || is("typ", &OTHER_TOKENS) || is("token_use", &OTHER_USES)
}

/// Returns whether the type of a token is that of RFC 9068.
fn has_access_token_type(token: &str) -> bool {
    CompactToken::parse(token).is_ok_and(|token| token.has_type(&["at+jwt"]))
}

impl fmt::Debug for JwtVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtVerifier").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::jwt::test_keys::TestKey;

    const ISSUER: &str = "https://as.example.com";

    fn claims(extra: &Value) -> Value {
        let mut claims = json!({ "iss": ISSUER, "sub": "ada", "aud": "https://h", "exp": now() + 300, "scope": "a b" });
        for (name, value) in extra.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        claims
    }

    #[tokio::test]
    async fn access_tokens_are_verified_and_cached() {
        // A-111
        let key = TestKey::es256("a");
        let verifier = JwtVerifier::new(ISSUER).jwks(json!({ "keys": [key.jwk()] }));
        for header in [json!({}), json!({ "typ": "JWT" }), json!({ "typ": "application/at+jwt" })] {
            let text = key.sign(&header, &claims(&json!({})));
            for _ in 0..2 {
                let token = verifier.verify(&text).await.unwrap();
                assert_eq!((token.subject.as_deref(), token.scopes.len()), (Some("ada"), 2));
            }
            let state = verifier.state().unwrap();
            assert!(state.cache.get(&token_digest(&text), 0, now()).is_some());
        }
    }

    #[tokio::test]
    async fn trap_id_token_as_access_token() {
        // A-111
        let key = TestKey::es256("a");
        let verifier = JwtVerifier::new(ISSUER).jwks(json!({ "keys": [key.jwk()] }));
        for (header, extra) in [
            (json!({}), json!({ "nonce": "x" })),
            (json!({}), json!({ "at_hash": "x" })),
            (json!({}), json!({ "typ": "ID" })),
            (json!({}), json!({ "token_use": "id" })),
            (json!({}), json!({ "events": { "http://schemas.openid.net/event/backchannel-logout": {} } })),
            // Without the marks of ID tokens: it is for its client, or for an unknown one, and has no scopes.
            (json!({}), json!({ "scope": null, "aud": "client", "azp": "client" })),
            (json!({ "typ": "JWT" }), json!({ "scope": null, "aud": ["client"], "azp": "client" })),
            (json!({ "typ": "JWT" }), json!({ "scope": null, "aud": "client" })),
            (json!({ "typ": "logout+jwt" }), json!({})),
            (json!({ "typ": "dpop+jwt" }), json!({})),
        ] {
            let result = verifier.verify(&key.sign(&header, &claims(&extra))).await;
            assert!(matches!(result, Err(VerifyError::Invalid(_))), "{header} {extra}");
        }
    }

    #[tokio::test]
    async fn access_tokens_without_scopes_are_accepted() {
        let key = TestKey::es256("a");
        let verifier = JwtVerifier::new(ISSUER).jwks(json!({ "keys": [key.jwk()] }));
        for (header, extra) in [
            (json!({}), json!({ "scope": null, "azp": "client" })),
            (json!({}), json!({ "scope": null, "aud": "api", "azp": "api", "roles": ["reader"] })),
            (json!({ "typ": "at+jwt" }), json!({ "scope": null, "aud": "api", "azp": "api" })),
        ] {
            let result = verifier.verify(&key.sign(&header, &claims(&extra))).await;
            assert!(result.is_ok(), "{header} {extra} {result:?}");
        }
    }

    #[test]
    fn invalid_options_are_refused() {
        for (verifier, text) in [
            (JwtVerifier::new(""), "issuer"),
            (JwtVerifier::new("http://as.example.com"), "plain HTTP"),
            (JwtVerifier::new("https://10.0.0.1"), "globally routable"),
            (JwtVerifier::new(ISSUER).jwks_url("x"), "unsafe URL"),
            (JwtVerifier::new(ISSUER).algorithms(["HS256"]), "symmetric"),
            (JwtVerifier::new(ISSUER).algorithms(["none"]), "symmetric"),
            (JwtVerifier::new(ISSUER).algorithms([""; 0]), "algorithms is empty"),
        ] {
            let error = verifier.check().unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        }
        assert!(JwtVerifier::new("https://10.0.0.1").allow_private_networks().check().is_ok());
        assert!(JwtVerifier::new("http://localhost:1").check().is_ok());
    }
}
