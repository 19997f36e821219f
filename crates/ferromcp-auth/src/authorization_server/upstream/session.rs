//! Tokens of the upstream server, by the reference of a login. They never leave this process.

use std::sync::{Arc, Mutex, PoisonError};

use super::exchange::{Exchange, TokenFailure, UpstreamTokens};
use crate::Secret;
use crate::authorization_server::OAuthError;
use crate::authorization_server::builtin::ExpiringMap;
use crate::clock::now;
use crate::random::random_text;

/// Maximum number of logins whose tokens are stored. The oldest are then removed.
const MAX_SESSIONS: usize = 20_000;
/// How long tokens are stored after their last use, in seconds.
const SESSION_SECONDS: u64 = 30 * 24 * 60 * 60;
/// Maximum number of logins that are known as revoked. The oldest are then removed.
const MAX_REVOKED: usize = 100_000;
/// How long a login is known as revoked, in seconds: longer than the usual lifetime of grants.
const REVOKED_SECONDS: u64 = 10 * 365 * 24 * 60 * 60;
/// A token is refreshed when its remaining lifetime is shorter, in seconds.
const REFRESH_MARGIN_SECONDS: u64 = 60;

/// The tokens of a login. The lock is held while they are refreshed, because a refresh token may be usable only once.
type Entry = Arc<tokio::sync::Mutex<UpstreamTokens>>;

/// The tokens of all logins.
pub(super) struct Sessions {
    entries: Mutex<ExpiringMap<Entry>>,
    /// The references of the logins that the upstream server has revoked. Each grant and session with the reference is
    /// refused, not only the first that finds it.
    revoked: Mutex<ExpiringMap<()>>,
}

/// The state of a login at the upstream server.
pub(super) enum Status {
    /// The access token, which is valid as far as known.
    Active(Secret),
    /// The access token has expired, and the provider issued no refresh token.
    Expired,
    /// The upstream server has revoked the login.
    Revoked,
    /// The tokens are not known, for example after a restart.
    Unknown,
}

impl Sessions {
    pub(super) fn new() -> Self {
        Self { entries: Mutex::new(ExpiringMap::new(MAX_SESSIONS)), revoked: Mutex::new(ExpiringMap::new(MAX_REVOKED)) }
    }

    /// Stores the tokens of a login. Returns their reference.
    pub(super) fn insert(&self, tokens: UpstreamTokens) -> Result<String, OAuthError> {
        let reference = random_text().map_err(|error| OAuthError::server_error(error.to_string()))?;
        let now = now();
        let entry = Arc::new(tokio::sync::Mutex::new(tokens));
        self.entries().insert(&reference, entry, now.saturating_add(SESSION_SECONDS), now);
        Ok(reference)
    }

    /// Returns the state of a login, after its tokens are refreshed if they have expired.
    pub(super) async fn status(&self, reference: &str, exchange: &Exchange) -> Result<Status, OAuthError> {
        let Some(entry) = self.entries().get(reference).map(Arc::clone) else {
            return Ok(if self.revoked().contains(reference) { Status::Revoked } else { Status::Unknown });
        };
        let mut tokens = entry.lock().await;
        if self.revoked().contains(reference) {
            return Ok(Status::Revoked);
        }
        let now = now();
        if tokens.expires_at > now.saturating_add(REFRESH_MARGIN_SECONDS) {
            return Ok(Status::Active(tokens.access.clone()));
        }
        let Some(refresh) = tokens.refresh.clone() else {
            let is_valid = tokens.expires_at > now;
            return Ok(if is_valid { Status::Active(tokens.access.clone()) } else { Status::Expired });
        };
        let parameters = [("grant_type", "refresh_token"), ("refresh_token", refresh.expose())];
        match exchange.tokens(&parameters).await {
            Ok(mut refreshed) => {
                refreshed.refresh = refreshed.refresh.or(Some(refresh));
                refreshed.id_token = None;
                *tokens = refreshed;
                self.entries().set_expiry(reference, now.saturating_add(SESSION_SECONDS));
                Ok(Status::Active(tokens.access.clone()))
            }
            Err(TokenFailure::InvalidGrant) => {
                // Before the tokens are removed, so that no other call finds neither.
                self.revoked().insert(reference, (), now.saturating_add(REVOKED_SECONDS), now);
                self.entries().remove(reference);
                Ok(Status::Revoked)
            }
            Err(TokenFailure::Other(error)) => Err(error),
        }
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, ExpiringMap<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn revoked(&self) -> std::sync::MutexGuard<'_, ExpiringMap<()>> {
        self.revoked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
