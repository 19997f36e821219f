//! [`JwkSource`]: the public keys of an issuer (RFC 7517), fixed or fetched.
//!
//! Fetched keys are cached. They are fetched again when they reach their maximum age, so that revoked keys are
//! forgotten, and when a token names an unknown key, at most once per interval. During an outage, the old keys remain
//! in use.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use http::{HeaderMap, StatusCode};
use serde_json::Value;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::compact::CompactToken;
use super::key::VerificationKey;
use crate::digest_cache::{Digest, digest_of_bytes};
use crate::error::AuthError;
use crate::fetch::Fetcher;
use crate::metadata::fetch_server_metadata;
use crate::token_verifier::VerifyError;

/// How long fetched keys are used before they are fetched again, by default.
pub(crate) const DEFAULT_MAX_AGE: Duration = Duration::from_secs(600);
/// How long fetched keys are used at most during an outage.
const MAX_OUTAGE: Duration = Duration::from_secs(24 * 60 * 60);
/// Minimum time between two fetches because of unknown keys.
const UNKNOWN_KEY_INTERVAL: Duration = Duration::from_secs(30);
/// Minimum time between a failed fetch and the next one.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);
/// Timeout of a fetch, including the discovery of the URL.
const FETCH_TIMEOUT: Duration = Duration::from_secs(15);
/// Maximum number of keys of a set. Further keys are ignored.
const MAX_KEYS: usize = 100;
/// Maximum number of keys with which the signature of a token is verified.
const MAX_ATTEMPTS: usize = 8;

/// A source of keys.
pub(crate) struct JwkSource {
    location: Location,
    max_age: Duration,
    state: Arc<RwLock<State>>,
    /// Held by the task that fetches.
    flight: Arc<Mutex<()>>,
}

#[derive(Clone)]
enum Location {
    Fixed,
    Url(Fetcher, String),
    /// The URL is in the metadata of this issuer.
    Issuer(Fetcher, String),
}

#[derive(Clone, Default)]
struct State {
    keys: Arc<[VerificationKey]>,
    /// The digest of the document, to detect changes.
    digest: Digest,
    /// Changes with the keys.
    generation: u64,
    /// The number of fetches that succeeded.
    fetches: u64,
    fetched_at: Option<Instant>,
    /// When the last fetch failed, or the last refresh began.
    attempted_at: Option<Instant>,
    /// When a token with an unknown key caused a fetch.
    unknown_at: Option<Instant>,
}

enum Outcome {
    Valid,
    Invalid,
    /// No key has the ID of the token, or the token has no ID and no key fits.
    UnknownKey,
}

impl JwkSource {
    /// Creates a source with the keys of a JSON Web Key Set. Keys that are malformed or not for signatures are ignored.
    pub(crate) fn fixed(set: &Value) -> Self {
        let keys = parse_set(set).unwrap_or_default().into();
        Self { state: Arc::new(RwLock::new(State { keys, ..State::default() })), ..Self::new(Location::Fixed) }
    }

    /// Creates a source that fetches a JSON Web Key Set.
    pub(crate) fn url(fetcher: Fetcher, url: String) -> Self {
        Self::new(Location::Url(fetcher, url))
    }

    /// Creates a source that finds the URL of the keys in the metadata of an issuer.
    pub(crate) fn issuer(fetcher: Fetcher, issuer: String) -> Self {
        Self::new(Location::Issuer(fetcher, issuer))
    }

    fn new(location: Location) -> Self {
        Self { location, max_age: DEFAULT_MAX_AGE, state: Arc::default(), flight: Arc::default() }
    }

    /// Sets how long fetched keys are used before they are fetched again.
    pub(crate) fn with_max_age(self, max_age: Duration) -> Self {
        Self { max_age, ..self }
    }

    /// Verifies the signature of a token.
    ///
    /// # Errors
    /// `Invalid` if no key has signed the token; `Unavailable` if the keys cannot be fetched.
    pub(crate) async fn verify_signature(&self, token: &CompactToken<'_>) -> Result<(), VerifyError> {
        let state = self.current().await?;
        let outcome = match state.verify(token) {
            Outcome::UnknownKey => match self.refetch(state.fetches).await {
                Some(state) => state.verify(token),
                None => Outcome::UnknownKey,
            },
            outcome => outcome,
        };
        let text = match outcome {
            Outcome::Valid => return Ok(()),
            Outcome::Invalid => "the signature of the token is not valid",
            Outcome::UnknownKey => "the token was not signed with a key of its issuer",
        };
        Err(VerifyError::Invalid(text.to_owned()))
    }

    /// Returns a number that changes with the keys, after the keys are fetched if that is due.
    pub(crate) async fn generation(&self) -> Result<u64, VerifyError> {
        Ok(self.current().await?.generation)
    }

    /// Returns whether the keys are known and young, so that the next verification need not wait for them.
    pub(crate) fn is_fetched(&self) -> bool {
        matches!(self.location, Location::Fixed) || self.snapshot().is_younger_than(self.max_age)
    }

    /// Returns the keys, after they are fetched if that is due.
    async fn current(&self) -> Result<State, VerifyError> {
        if matches!(self.location, Location::Fixed) {
            return Ok(self.snapshot());
        }
        let state = self.snapshot();
        if state.is_younger_than(self.max_age) {
            return Ok(state);
        }
        if !state.is_younger_than(MAX_OUTAGE.max(self.max_age)) {
            return self.first().await;
        }
        // One request fetches. The others use the old keys, as does each request within the retry interval.
        let Ok(flight) = Arc::clone(&self.flight).try_lock_owned() else { return Ok(state) };
        if !is_within(state.attempted_at, RETRY_INTERVAL.min(self.max_age)) {
            update(&self.state, |state| state.attempted_at = Some(Instant::now()));
            self.fetch(flight).await;
        }
        Ok(self.snapshot())
    }

    /// Fetches the keys if none may be used.
    async fn first(&self) -> Result<State, VerifyError> {
        let flight = Arc::clone(&self.flight).lock_owned().await;
        let state = self.snapshot();
        if state.is_younger_than(self.max_age) {
            return Ok(state); // another request has fetched them
        }
        if !is_within(state.attempted_at, RETRY_INTERVAL) && self.fetch(flight).await {
            return Ok(self.snapshot());
        }
        Err(VerifyError::Unavailable("cannot fetch the keys of the issuer; try again later".to_owned()))
    }

    /// Fetches the keys because of an unknown key. `None` if they were fetched for this reason recently.
    async fn refetch(&self, fetches: u64) -> Option<State> {
        if matches!(self.location, Location::Fixed) {
            return None;
        }
        let flight = Arc::clone(&self.flight).lock_owned().await;
        let state = self.snapshot();
        if state.fetches != fetches {
            return Some(state); // another request has fetched them
        }
        if is_within(state.unknown_at, UNKNOWN_KEY_INTERVAL) {
            return None;
        }
        update(&self.state, |state| state.unknown_at = Some(Instant::now()));
        self.fetch(flight).await;
        Some(self.snapshot())
    }

    /// Fetches the keys in a task, so that a client that disconnects does not cancel it. Returns whether it succeeded.
    async fn fetch(&self, flight: OwnedMutexGuard<()>) -> bool {
        let (location, state) = (self.location.clone(), Arc::clone(&self.state));
        let fetch = async move {
            let succeeded = location.fetch(&state).await;
            drop(flight);
            succeeded
        };
        tokio::spawn(fetch).await.unwrap_or(false)
    }

    fn snapshot(&self) -> State {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn update(state: &RwLock<State>, change: impl FnOnce(&mut State)) {
    change(&mut state.write().unwrap_or_else(PoisonError::into_inner));
}

impl Location {
    /// Fetches the keys. Returns whether it succeeded; errors are logged.
    async fn fetch(&self, state: &RwLock<State>) -> bool {
        let result = tokio::time::timeout(FETCH_TIMEOUT, self.fetch_set()).await;
        let error = match result {
            Ok(Ok((keys, digest))) => {
                update(state, |state| {
                    if state.digest != digest {
                        state.generation += 1;
                    }
                    state.keys = keys.into();
                    state.digest = digest;
                    state.fetches += 1;
                    state.fetched_at = Some(Instant::now());
                    state.attempted_at = None;
                });
                return true;
            }
            Ok(Err(error)) => error,
            Err(_) => AuthError::unavailable("timed out fetching keys"),
        };
        tracing::warn!(source = ?self, %error, "cannot fetch keys of an issuer");
        update(state, |state| state.attempted_at = Some(Instant::now()));
        false
    }

    async fn fetch_set(&self) -> Result<(Vec<VerificationKey>, Digest), AuthError> {
        let (fetcher, url) = match self {
            Self::Fixed => return Err(AuthError::configuration("fixed keys are not fetched")),
            Self::Url(fetcher, url) => (fetcher, url.clone()),
            Self::Issuer(fetcher, issuer) => {
                let metadata = fetch_server_metadata(fetcher, issuer).await?;
                let missing = || AuthError::discovery("the metadata of the issuer has no `jwks_uri`");
                (fetcher, metadata.jwks_uri.ok_or_else(missing)?)
            }
        };
        let response = fetcher.get(&url, HeaderMap::new()).await?.ensure_available(&url)?;
        if response.status != StatusCode::OK {
            return Err(AuthError::discovery(format!("status {} for a key set", response.status.as_u16())));
        }
        let set = serde_json::from_slice(&response.body).ok();
        let keys = set.as_ref().and_then(parse_set).ok_or_else(|| AuthError::discovery("invalid key set"))?;
        Ok((keys, digest_of_bytes(&response.body)))
    }
}

impl State {
    fn is_younger_than(&self, age: Duration) -> bool {
        is_within(self.fetched_at, age)
    }

    /// Verifies a token with the keys of its ID; without such keys, with each key that fits and has no ID.
    fn verify(&self, token: &CompactToken<'_>) -> Outcome {
        let id = token.header_text("kid");
        let named = |key: &&VerificationKey| id.is_some() && key.id() == id;
        let is_signed = |key: &VerificationKey| token.is_signed_by(key);
        if self.keys.iter().any(|key| named(&key)) {
            let mut keys = self.keys.iter().filter(named).take(MAX_ATTEMPTS);
            return if keys.any(is_signed) { Outcome::Valid } else { Outcome::Invalid };
        }
        let is_candidate = |key: &&VerificationKey| key.fits(token.algorithm) && (id.is_none() || key.id().is_none());
        let mut candidates = self.keys.iter().filter(is_candidate).take(MAX_ATTEMPTS);
        if candidates.any(is_signed) { Outcome::Valid } else { Outcome::UnknownKey }
    }
}

impl fmt::Debug for JwkSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JwkSource").field(&self.location).finish()
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed => f.write_str("Fixed"),
            Self::Url(_, url) => write!(f, "Url({url:?})"),
            Self::Issuer(_, issuer) => write!(f, "Issuer({issuer:?})"),
        }
    }
}

fn is_within(since: Option<Instant>, duration: Duration) -> bool {
    since.is_some_and(|since| since.elapsed() < duration)
}

/// Parses a key set. A malformed key is ignored.
fn parse_set(set: &Value) -> Option<Vec<VerificationKey>> {
    let keys = set.get("keys")?.as_array()?;
    let parsed: Vec<_> = keys.iter().filter_map(VerificationKey::parse).take(MAX_KEYS).collect();
    if parsed.len() < keys.len() {
        tracing::debug!(ignored = keys.len() - parsed.len(), "ignoring keys that cannot verify signatures");
    }
    Some(parsed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::jwt::test_keys::TestKey;

    async fn verify(source: &JwkSource, token: &str) -> Result<(), VerifyError> {
        source.verify_signature(&CompactToken::parse(token).unwrap()).await
    }

    #[tokio::test]
    async fn a_malformed_key_does_not_affect_the_others() {
        let key = TestKey::es256("a");
        let set = json!({ "keys": [null, 1, {}, { "kty": "EC", "crv": "P-256", "x": "!", "y": "" }, key.jwk()] });
        let source = JwkSource::fixed(&set);
        verify(&source, &key.sign(&json!({}), &json!({}))).await.unwrap();
        assert!(verify(&source, &TestKey::es256("a").sign(&json!({}), &json!({}))).await.is_err());
        assert!(verify(&JwkSource::fixed(&json!([])), &key.sign(&json!({}), &json!({}))).await.is_err());
    }

    #[tokio::test]
    async fn keys_without_id_are_tried_if_they_fit() {
        let (ec, ed) = (TestKey::es256(""), TestKey::ed25519(""));
        let source = JwkSource::fixed(&json!({ "keys": [ec.jwk(), ed.jwk()] }));
        for key in [&ec, &ed] {
            verify(&source, &key.sign(&json!({}), &json!({}))).await.unwrap();
            verify(&source, &key.sign(&json!({ "kid": "unknown" }), &json!({}))).await.unwrap();
        }
        // A key with an ID is not used for a token with another ID.
        let named = TestKey::es256("a");
        let source = JwkSource::fixed(&json!({ "keys": [named.jwk()] }));
        assert!(verify(&source, &named.sign(&json!({ "kid": "b" }), &json!({}))).await.is_err());
        verify(&source, &named.sign(&json!({ "kid": null }), &json!({}))).await.unwrap();
    }

    #[tokio::test]
    async fn trap_key_confusion() {
        // The algorithm of the token must fit the key that its ID names.
        let (ec, ed) = (TestKey::es256("a"), TestKey::ed25519("b"));
        let source = JwkSource::fixed(&json!({ "keys": [ec.jwk(), ed.jwk()] }));
        assert!(verify(&source, &ed.sign(&json!({ "kid": "a" }), &json!({}))).await.is_err());
        let mut jwk = ec.jwk();
        jwk["alg"] = json!("ES384");
        let source = JwkSource::fixed(&json!({ "keys": [jwk] }));
        assert!(verify(&source, &ec.sign(&json!({}), &json!({}))).await.is_err());
    }

    #[tokio::test]
    async fn unreachable_keys_are_unavailable_and_not_fetched_at_once_again() {
        let fetcher = Fetcher::new(crate::fetch::Network::Global).unwrap();
        let source = JwkSource::url(fetcher, "https://127.0.0.1/keys".to_owned());
        let token = TestKey::es256("a").sign(&json!({}), &json!({}));
        assert!(matches!(verify(&source, &token).await, Err(VerifyError::Unavailable(_))));
        let attempted = source.snapshot().attempted_at;
        assert!(attempted.is_some());
        assert!(matches!(verify(&source, &token).await, Err(VerifyError::Unavailable(_))));
        assert_eq!(source.snapshot().attempted_at, attempted);
    }
}
