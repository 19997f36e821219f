//! Removes the credentials, and revokes the tokens at the authorization server.
//!
//! Spec: RFC 7009.

use std::sync::Arc;
use std::time::Duration;

use ferromcp_core::text::excerpt;
use tokio::time::timeout;

use super::discovery::Discovered;
use super::inner::Inner;
use super::session::Session;
use super::task::uncancelled;
use super::token::TokenEndpoint;
use crate::error::AuthError;

/// Timeout of the lock of the store, which another process may hold until its user has logged in.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
/// Timeout of the revocation of both tokens, including the discovery of the endpoint.
const REVOCATION_TIMEOUT: Duration = Duration::from_secs(10);

impl Inner {
    /// Removes the credentials and revokes the tokens. Returns whether no token remains valid. A logout that has removed
    /// the credentials is not cancelled.
    ///
    /// # Errors
    /// Fails if the store cannot be written.
    pub(super) async fn log_out(self: &Arc<Self>) -> Result<bool, AuthError> {
        let mut session = self.interrupt().await;
        let removed = std::mem::take(&mut *session);
        session.is_loaded = true;
        // The configured secret is still sent to its server only.
        session.bound_issuer.clone_from(&removed.bound_issuer);
        self.publish(&session);
        let inner = Arc::clone(self);
        let removal = async move {
            let result = inner.remove(removed).await;
            drop(session);
            result
        };
        uncancelled(removal).await
    }

    async fn remove(&self, mut session: Session) -> Result<bool, AuthError> {
        let (store, key) = (self.options.store.as_ref(), self.server.as_str());
        let lock = timeout(LOCK_TIMEOUT, self.lock_store()).await;
        if lock.is_err() {
            tracing::warn!("another process is logging in; the credentials are removed without its lock");
        }
        // Another process may have refreshed the tokens.
        if let Err(error) = session.load(store, key).await {
            tracing::warn!(%error, "cannot read the credential store; only the tokens in memory are revoked");
        }
        let removed = store.remove(key).await;
        let revoked = timeout(REVOCATION_TIMEOUT, self.revoke(&mut session)).await.unwrap_or_else(|_| {
            let seconds = REVOCATION_TIMEOUT.as_secs();
            Err(AuthError::unavailable(format!("the authorization server did not respond within {seconds} s")))
        });
        drop(lock);
        let revoked = revoked.unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot revoke the tokens; they remain valid until they expire");
            false
        });
        removed.map(|()| revoked)
    }

    /// Revokes the tokens of a session at the authorization server that issued them. Returns whether none remains valid.
    async fn revoke(&self, session: &mut Session) -> Result<bool, AuthError> {
        let (Some(tokens), Some(issuer)) = (session.tokens.clone(), session.issuer.clone()) else { return Ok(true) };
        let discovered = self.issuer(session, &issuer).await?;
        let Some(url) = discovered.server.revocation_endpoint.as_deref() else {
            let issuer = excerpt(&issuer);
            return Err(AuthError::discovery(format!("authorization server {issuer} has no revocation endpoint")));
        };
        let client = self.flow().identity_for_tokens(session, &discovered)?;
        // The endpoint requires no proof of possession, because a revoked token cannot be used.
        let (fetcher, key) = (&self.fetcher, self.options.key.as_ref());
        let endpoint = TokenEndpoint { fetcher, url, issuer: &issuer, client: client.as_ref(), key, dpop: None };
        let mut is_revoked = true;
        // The refresh token first: it is valid for longer, and most servers revoke the access token with it.
        for (token, kind) in [(tokens.refresh.as_ref(), "refresh_token"), (Some(&tokens.access), "access_token")] {
            let Some(token) = token else { continue };
            if let Err(error) = endpoint.revoke(token, kind).await {
                let error = AuthError::from(error);
                tracing::warn!(%error, kind, "cannot revoke a token; it remains valid until it expires");
                is_revoked = false;
            }
        }
        Ok(is_revoked)
    }

    /// Returns the metadata of the issuer of the tokens. The MCP server is not contacted, because it may name another one
    /// now.
    async fn issuer(&self, session: &Session, issuer: &str) -> Result<Discovered, AuthError> {
        if let Some(discovered) = session.discovered.clone().filter(|discovered| discovered.server.issuer == issuer) {
            return Ok(discovered);
        }
        let server = self.discovery(None).server_metadata(issuer).await?;
        let server = server
            .ok_or_else(|| AuthError::discovery(format!("authorization server {} has no metadata", excerpt(issuer))))?;
        Ok(Discovered { resource: String::new(), scopes_supported: Vec::new(), server })
    }
}
