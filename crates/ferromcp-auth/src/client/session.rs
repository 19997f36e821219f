//! The state of the authorization for one MCP server. One task at a time changes it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::consent::Consent;
use super::discovery::Discovered;
use super::dpop::DpopKey;
use super::registration::{ClientIdentity, IdentityOrigin};
use super::store::{CredentialStore, StoredCredentials};
use super::token::Tokens;
use crate::Secret;
use crate::clock::now;
use crate::error::AuthError;
use crate::metadata::ServerMetadata;
use crate::scopes::{OFFLINE_ACCESS, Scopes};

/// Tokens are refreshed when they expire within this time, in seconds.
pub(crate) const REFRESH_MARGIN: u64 = 30;

/// How long no login starts after one whose tokens were rejected.
const LOGIN_PAUSE: Duration = Duration::from_secs(60);

/// How long a login uses the metadata that were fetched for the refresh before it.
const METADATA_LIFETIME: Duration = Duration::from_secs(10);

/// The longest time for which no tokens are requested, if the server is overloaded.
const MAX_PAUSE: Duration = Duration::from_secs(300);

/// Maximum number of refused scope sets that are remembered.
const MAX_REFUSED: usize = 32;

/// The state of the authorization.
#[derive(Debug, Default)]
pub(crate) struct Session {
    pub(crate) is_loaded: bool,
    pub(crate) discovered: Option<Discovered>,
    /// When the server was discovered for a refresh, so that a login after it needs no other discovery.
    discovered_at: Option<Instant>,
    /// The identity of the client at the issuer.
    pub(crate) identity: Option<ClientIdentity>,
    /// The issuer of the identity and the tokens.
    pub(crate) issuer: Option<String>,
    /// The issuer to which configured client credentials are bound. It remains when the server changes.
    pub(crate) bound_issuer: Option<String>,
    /// The issuer of the tokens that were forgotten because the server changed, until the next login or logout.
    pub(crate) previous_issuer: Option<String>,
    pub(crate) tokens: Option<Tokens>,
    /// Whether the tokens were obtained by a login of this process, not with a refresh token.
    pub(crate) is_from_login: bool,
    /// The scopes requested so far.
    pub(crate) requested: Scopes,
    /// Whether logins must ask for consent to obtain a refresh token.
    pub(crate) consent: Consent,
    /// Scopes with which a request was refused after an authorization that requested them.
    refused: Vec<Scopes>,
    pub(crate) dpop: Option<Arc<DpopKey>>,
    /// The URL of the resource metadata in the last challenge.
    pub(crate) metadata_url: Option<String>,
    /// Whether the tokens are newer than those in the store.
    pub(crate) is_unsaved: bool,
    /// When the server rejected tokens directly after a login.
    rejected_at: Option<Instant>,
    /// The last login that failed.
    failure: Option<(Instant, AuthError)>,
    /// When the authorization server accepts requests again.
    paused_until: Option<Instant>,
}

impl Session {
    /// Loads the credentials from the store, if they changed. Returns whether there are tokens that were not known before.
    pub(crate) async fn load(&mut self, store: &dyn CredentialStore, server: &str) -> Result<bool, AuthError> {
        if self.is_unsaved {
            // The store failed before. Its tokens are older.
            return Ok(false);
        }
        let stored = store.load(server).await?;
        self.is_loaded = true;
        let Some(stored) = stored else {
            // Another process has logged out.
            self.tokens = None;
            return Ok(false);
        };
        let StoredCredentials { issuer, client, tokens, dpop_key, metadata_url, requested, consent, .. } = stored;
        // The credentials of another issuer are not sent to the one that was discovered.
        let discovered = self.discovered.as_ref().map(|discovered| &*discovered.server.issuer);
        if [self.issuer.as_deref(), discovered].into_iter().flatten().any(|current| current != issuer) {
            self.previous_issuer = Some(issuer.clone());
            return Ok(false);
        }
        self.metadata_url = self.metadata_url.take().or(metadata_url);
        if let Some(client) = client.map(ClientIdentity::from) {
            if client.origin == IdentityOrigin::Configured {
                self.bound_issuer = Some(issuer.clone());
            }
            self.identity = Some(client);
        }
        self.issuer = Some(issuer);
        if self.consent.is_unknown() {
            self.consent = consent;
        }
        let Some(tokens) = tokens.map(Tokens::from) else {
            // The authorization server has rejected the refresh token of another process.
            self.tokens = None;
            return Ok(false);
        };
        if self.tokens.as_ref().is_some_and(|current| current.access == tokens.access) {
            return Ok(false);
        }
        if let Some(key) = dpop_key.as_ref().and_then(DpopKey::from_pkcs8) {
            self.dpop = Some(Arc::new(key));
        }
        // Servers may grant scopes that cannot be requested together.
        let requested =
            if requested.is_empty() { tokens.scopes.clone().unwrap_or_default() } else { Scopes::parse(&requested) };
        self.requested = std::mem::take(&mut self.requested).union(&requested);
        self.tokens = Some(tokens);
        self.is_from_login = false;
        Ok(true)
    }

    /// Saves the credentials.
    pub(crate) async fn save(&mut self, store: &dyn CredentialStore, server: &str) -> Result<(), AuthError> {
        let Some(issuer) = &self.issuer else { return Ok(()) };
        let credentials = StoredCredentials {
            issuer: issuer.clone(),
            resource: self.discovered.as_ref().map(|discovered| discovered.resource.clone()).unwrap_or_default(),
            metadata_url: self.metadata_url.clone(),
            client: self.identity.as_ref().map(Into::into),
            tokens: self.tokens.as_ref().map(Into::into),
            requested: self.requested.to_string(),
            consent: self.consent,
            dpop_key: self.dpop.as_ref().map(|key| key.pkcs8().clone()),
        };
        store.save(server, &credentials).await?;
        self.is_unsaved = false;
        Ok(())
    }

    /// Sets the authorization server. If it changed, the identity and the tokens of the previous one are forgotten.
    ///
    /// `metadata_url` is the URL of the resource metadata in the challenge.
    pub(crate) fn set_server(&mut self, discovered: Discovered, metadata_url: Option<&str>) {
        if self.issuer.as_ref().is_some_and(|issuer| *issuer != discovered.server.issuer) {
            tracing::warn!("the authorization server changed; its credentials are not sent to the new one");
            self.previous_issuer = self.issuer.take();
            self.forget();
        }
        self.discovered = Some(discovered);
        self.metadata_url = metadata_url.map(str::to_owned);
    }

    /// Records the time of the discovery, so that a login after the refresh uses the discovered server.
    pub(crate) fn record_discovery(&mut self) {
        self.discovered_at = Some(Instant::now());
    }

    /// Returns whether the server was just discovered with the metadata at this URL, for a refresh that failed. Returns
    /// `true` once only: the next login discovers the server again, which may have moved.
    pub(crate) fn take_discovery(&mut self, metadata_url: Option<&str>) -> bool {
        let is_recent = self.discovered_at.take().is_some_and(|at| at.elapsed() < METADATA_LIFETIME);
        is_recent && self.discovered.is_some() && self.metadata_url.as_deref() == metadata_url
    }

    /// Forgets the identity and the tokens.
    pub(crate) fn forget(&mut self) {
        self.identity = None;
        self.issuer = None;
        self.tokens = None;
        self.requested = Scopes::default();
        self.consent = Consent::default();
        self.refused.clear();
        self.rejected_at = None;
        self.paused_until = None;
    }

    pub(crate) fn refresh_token(&self) -> Option<Secret> {
        self.tokens.as_ref().and_then(|tokens| tokens.refresh.clone())
    }

    /// Returns whether the identity and the tokens belong to this issuer.
    pub(crate) fn belongs_to(&self, issuer: &str) -> bool {
        self.issuer.as_deref() == Some(issuer)
    }

    /// Sets the tokens of a response, which inherit what it omits.
    pub(crate) fn set_tokens(&mut self, mut tokens: Tokens, scopes: &Scopes, is_refreshed: bool) {
        if is_refreshed {
            let previous = self.tokens.take();
            tokens.refresh = tokens.refresh.or_else(|| previous.as_ref().and_then(|it| it.refresh.clone()));
            tokens.scopes = tokens.scopes.or_else(|| previous.and_then(|it| it.scopes));
        }
        if tokens.scopes.is_none() {
            tokens.scopes = Some(scopes.clone());
        }
        self.tokens = Some(tokens);
        self.is_from_login = !is_refreshed;
        self.is_unsaved = true;
        self.rejected_at = None;
        self.discovered_at = None;
    }

    /// Returns whether a login for these scopes must ask for consent to obtain a refresh token.
    pub(crate) fn needs_consent(&self, server: &ServerMetadata, scopes: &Scopes) -> bool {
        let values = server.prompt_values.as_ref();
        let is_supported = values.is_none_or(|values| values.iter().any(|value| value == "consent"));
        if !is_supported || !scopes.contains(OFFLINE_ACCESS) {
            return false;
        }
        match self.consent {
            Consent::Required => true,
            Consent::Useless => false,
            Consent::Unknown => {
                let has_no_refresh_token = self.tokens.as_ref().is_some_and(|tokens| tokens.refresh.is_none());
                has_no_refresh_token && self.requested.contains(OFFLINE_ACCESS)
            }
        }
    }

    /// Returns whether these scopes, which are not empty, were granted.
    pub(crate) fn has_scopes(&self, scopes: &Scopes) -> bool {
        let granted = self.tokens.as_ref().and_then(|tokens| tokens.scopes.as_ref());
        !scopes.is_empty() && granted.is_some_and(|granted| granted.contains_all(scopes))
    }

    /// Records that the server rejected tokens directly after a login.
    pub(crate) fn record_rejected(&mut self) {
        self.rejected_at = Some(Instant::now());
    }

    /// Returns whether the server rejected these tokens directly after a login a short time ago. Another login is unlikely to
    /// help, and background requests must not open the login page again and again.
    pub(crate) fn is_rejected(&self) -> bool {
        self.rejected_at.is_some_and(|at| at.elapsed() < LOGIN_PAUSE)
    }

    /// Records that a login failed.
    pub(crate) fn record_failure(&mut self, error: &AuthError) {
        self.failure = Some((Instant::now(), error.repeat()));
    }

    /// Returns the error of a login that failed after this time, for requests that waited for it.
    pub(crate) fn failure_since(&self, time: Instant) -> Option<AuthError> {
        let (at, error) = self.failure.as_ref()?;
        (*at > time).then(|| error.repeat())
    }

    /// Records the error of a request to the authorization server, which may be overloaded.
    pub(crate) fn record_overload(&mut self, error: &AuthError) {
        if let Some(time) = error.retry_after() {
            self.paused_until = Some(Instant::now() + time.min(MAX_PAUSE));
        }
    }

    /// Checks that the authorization server has not asked to wait.
    ///
    /// # Errors
    /// Fails until the server accepts requests again.
    pub(crate) fn check_overload(&self) -> Result<(), AuthError> {
        let remaining = self.paused_until.and_then(|until| until.checked_duration_since(Instant::now()));
        match remaining.filter(|remaining| !remaining.is_zero()) {
            None => Ok(()),
            Some(remaining) => Err(AuthError::outage("the authorization server is overloaded", Some(remaining))),
        }
    }

    /// Returns whether the access token has expired or expires soon.
    pub(crate) fn needs_refresh(&self) -> bool {
        let expires_at = self.tokens.as_ref().and_then(|tokens| tokens.expires_at);
        expires_at.is_some_and(|at| at <= now().saturating_add(REFRESH_MARGIN))
    }

    /// Returns whether the access token has not expired yet.
    pub(crate) fn is_valid(&self) -> bool {
        self.tokens.as_ref().is_some_and(|tokens| tokens.expires_at.is_none_or(|at| at > now()))
    }

    /// Records that a request was refused although these scopes were requested.
    pub(crate) fn record_refused(&mut self, scopes: Scopes) {
        if self.refused.len() >= MAX_REFUSED {
            self.refused.remove(0);
        }
        self.refused.push(scopes);
    }

    /// Returns whether these scopes were refused before.
    pub(crate) fn is_refused(&self, scopes: &Scopes) -> bool {
        self.refused.iter().any(|refused| refused == scopes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_authentication::ClientAuthentication;

    #[test]
    fn debug_omits_secrets() {
        //
        let identity = ClientIdentity::new(
            "id".to_owned(),
            Some(Secret::new("s3cret")),
            ClientAuthentication::ClientSecretBasic,
            IdentityOrigin::Registered,
        );
        let key = DpopKey::generate().unwrap();
        let pkcs8 = key.pkcs8().clone();
        let tokens = Tokens {
            access: Secret::new("s3cret"),
            refresh: Some(Secret::new("s3cret")),
            expires_at: None,
            scopes: None,
            is_dpop: true,
        };
        let session = Session {
            identity: Some(identity),
            tokens: Some(tokens),
            dpop: Some(Arc::new(key)),
            issuer: Some("https://as".to_owned()),
            ..Session::default()
        };
        let shown = format!("{session:?}");
        assert!(
            shown.contains("https://as") && !shown.contains("s3cret") && !shown.contains(pkcs8.expose()),
            "{shown}"
        );
    }
}
