//! Handles 401 and 403 responses: refreshes tokens, authorizes again, or gives up.

use std::sync::Arc;

use ferromcp_client::http::{Challenge, ChallengeAction};
use ferromcp_core::text::excerpt;
use http::StatusCode;
use tokio::sync::OwnedMutexGuard;

use super::challenge::{self, AuthChallenge, bearer};
use super::inner::Inner;
use super::session::Session;
use crate::error::AuthError;
use crate::scopes::Scopes;

/// The number of challenges after which a request no longer authorizes with more scopes or retries with a DPoP nonce.
const MAX_ATTEMPTS: u32 = 2;

impl Inner {
    /// Handles a challenge of the server.
    pub(super) async fn respond(self: &Arc<Self>, challenge: &Challenge) -> Result<ChallengeAction, AuthError> {
        let challenges = challenge::parse(challenge.www_authenticate());
        let bearer = bearer(&challenges);
        let error = bearer.and_then(|bearer| bearer.get("error"));
        // Some servers reject an expired token with status 403.
        let is_unauthorized = challenge.status() == StatusCode::UNAUTHORIZED.as_u16() || error == Some("invalid_token");
        if is_unauthorized && error == Some("use_dpop_nonce") && challenge.attempt() < MAX_ATTEMPTS {
            return Ok(ChallengeAction::Retry); // with the nonce of the response
        }
        if !is_unauthorized && error != Some("insufficient_scope") {
            return Ok(ChallengeAction::GiveUp);
        }
        let mut session = self.lock_session().await?;
        self.load(&mut session).await?;
        // Another request has renewed the token meanwhile.
        let sent = challenge.sent_authorization();
        if self.current(|current| current.token.as_ref().is_some_and(|token| Some(&token.header) != sent)) {
            return Ok(ChallengeAction::Retry);
        }
        if is_unauthorized {
            self.log_in_again(session, challenge.attempt(), bearer, sent.is_some()).await
        } else {
            self.step_up(session, challenge.attempt(), bearer).await
        }
    }

    /// Handles a 401 response: refreshes a token that was rejected, or authorizes again.
    async fn log_in_again(
        self: &Arc<Self>,
        mut session: OwnedMutexGuard<Session>,
        attempt: u32,
        challenge: Option<&AuthChallenge>,
        had_token: bool,
    ) -> Result<ChallengeAction, AuthError> {
        if had_token {
            // A token that was just obtained and rejected is not renewed again.
            if attempt > 0 && session.is_from_login {
                session.record_rejected();
            }
            if session.is_rejected() {
                tracing::warn!("the server rejects the token of the last login");
                return Ok(ChallengeAction::GiveUp);
            }
            self.discover(&mut session, challenge.and_then(|challenge| challenge.get("resource_metadata"))).await?;
            session.record_discovery();
            if attempt == 0 && session.tokens.is_some() {
                let (guard, renewed) = self.refresh(session).await;
                session = guard;
                if renewed? {
                    return Ok(ChallengeAction::Retry);
                }
            }
        }
        self.authorize(session, challenge, !had_token).await?;
        Ok(ChallengeAction::Retry)
    }

    /// Handles a 403 response: authorizes with more scopes.
    async fn step_up(
        self: &Arc<Self>,
        mut session: OwnedMutexGuard<Session>,
        attempt: u32,
        challenge: Option<&AuthChallenge>,
    ) -> Result<ChallengeAction, AuthError> {
        let challenged = challenge.and_then(|challenge| challenge.get("scope")).map(Scopes::parse).unwrap_or_default();
        let wanted = session.requested.clone().union(&challenged);
        let was_requested = attempt > 0 && session.requested.contains_all(&challenged);
        if was_requested {
            session.record_refused(wanted.clone());
        }
        if attempt >= MAX_ATTEMPTS || was_requested || session.is_refused(&wanted) {
            tracing::warn!(scope = %excerpt(&challenged.to_string()), "the server requires scopes that were not granted");
            return Ok(ChallengeAction::GiveUp);
        }
        self.authorize(session, challenge, false).await?;
        Ok(ChallengeAction::Retry)
    }
}
