//! Codes and tokens: their creation, exchange, rotation and revocation.

use ferromcp_core::text::excerpt;

use super::consent::UserLogin;
use super::provider::StoredProvider;
use super::records::{
    CodeRedemption, NewTokens, PendingAuthorization, RefreshRotation, StoredAccessToken, StoredCode, StoredGrant,
    StoredRefreshToken,
};
use super::token::{digest, random};
use super::user::User;
use crate::Secret;
use crate::access_token::AccessToken;
use crate::authorization_server::client::RegisteredClient;
use crate::authorization_server::error::OAuthError;
use crate::authorization_server::provider::{
    AuthorizationCode, AuthorizationRequest, IssuedTokens, RefreshToken, TokenContext,
};
use crate::client_authentication::ClientAuthentication;
use crate::scopes::OFFLINE_ACCESS;

fn invalid_code() -> OAuthError {
    OAuthError::invalid_grant("the code is invalid, expired or already used")
}

fn invalid_refresh_token() -> OAuthError {
    OAuthError::invalid_grant("the refresh token is invalid, expired or revoked")
}

impl<L: UserLogin> StoredProvider<L> {
    /// Grants an authorization. Returns the redirect URI with a new code.
    pub(super) async fn grant(&self, pending: PendingAuthorization, user: User) -> Result<String, OAuthError> {
        let now = self.clock.now();
        let code = Secret::new(random()?);
        let scopes = pending.granted_scopes().to_vec();
        let request = pending.request;
        tracing::info!(
            client_id = %excerpt(&request.client_id),
            scopes = %excerpt(&scopes.join(" ")),
            "authorization granted"
        );
        let expires_at = now.saturating_add(self.settings.code_seconds);
        let grant = StoredGrant {
            id: random()?,
            issuer: request.issuer.clone(),
            client_id: request.client_id.clone(),
            user,
            scopes,
            resource: request.resource.clone(),
            created_at: now,
            expires_at,
        };
        let url = request.success_url(&code);
        let stored = StoredCode { grant_id: grant.id.clone(), request, expires_at, is_used: false };
        self.store.insert_grant(grant, Some((digest(code.expose()), stored))).await?;
        Ok(url)
    }

    pub(super) async fn load_code(
        &self,
        client: &RegisteredClient,
        code: &str,
    ) -> Result<Option<AuthorizationCode>, OAuthError> {
        let Some((grant, stored)) = self.store.get_code(&digest(code)).await? else { return Ok(None) };
        if grant.client_id != client.client_id {
            return Ok(None);
        }
        if stored.is_used {
            self.revoke_reused(&grant.id, &grant.client_id, "authorization code").await?;
            return Ok(None);
        }
        if stored.expires_at <= self.clock.now() {
            return Ok(None);
        }
        let expires_at = stored.expires_at;
        Ok(Some(AuthorizationCode::new(Secret::new(code), stored.request, grant.user.subject, expires_at)))
    }

    pub(super) async fn exchange_code(
        &self,
        client: &RegisteredClient,
        code: AuthorizationCode,
        context: TokenContext,
    ) -> Result<IssuedTokens, OAuthError> {
        let (grant, stored) = match self.store.take_code(&digest(code.code.expose())).await? {
            CodeRedemption::Consumed(consumed) => *consumed,
            CodeRedemption::AlreadyUsed { grant_id } => {
                self.revoke_reused(&grant_id, &client.client_id, "authorization code").await?;
                return Err(invalid_code());
            }
            CodeRedemption::Unknown => return Err(invalid_code()),
        };
        if grant.client_id != client.client_id || stored.expires_at <= self.clock.now() {
            return Err(invalid_code());
        }
        if stored.request.key_thumbprint.is_some() && stored.request.key_thumbprint != context.key_thumbprint {
            return Err(OAuthError::invalid_grant("the code is bound to another key"));
        }
        check_resource(&grant, &context)?;
        let scopes = grant.scopes.clone();
        let (mut tokens, mut issued) = self.new_tokens(client, &grant, scopes, context, None)?;
        if is_deselected(OFFLINE_ACCESS, &stored.request, &grant) {
            (tokens.refresh, issued.refresh_token) = (None, None);
        }
        if !self.store.insert_tokens(tokens).await? {
            return Err(invalid_code());
        }
        Ok(issued)
    }

    pub(super) async fn load_refresh(
        &self,
        client: &RegisteredClient,
        token: &str,
    ) -> Result<Option<RefreshToken>, OAuthError> {
        let Some((grant, stored)) = self.store.get_refresh_token(&digest(token)).await? else { return Ok(None) };
        let now = self.clock.now();
        if grant.client_id != client.client_id || stored.expires_at <= now {
            return Ok(None);
        }
        if !stored.is_exchangeable(now, self.settings.grace_seconds) {
            self.revoke_reused(&grant.id, &grant.client_id, "refresh token").await?;
            return Ok(None);
        }
        let mut loaded =
            RefreshToken::new(Secret::new(token), grant.client_id, grant.user.subject, grant.scopes, grant.resource);
        loaded.expires_at = Some(stored.expires_at);
        loaded.key_thumbprint = stored.key_thumbprint;
        Ok(Some(loaded))
    }

    pub(super) async fn exchange_refresh(
        &self,
        client: &RegisteredClient,
        token: RefreshToken,
        scopes: Vec<String>,
        context: TokenContext,
    ) -> Result<IssuedTokens, OAuthError> {
        let key = digest(token.token.expose());
        let Some((grant, stored)) = self.store.get_refresh_token(&key).await? else {
            return Err(invalid_refresh_token());
        };
        if grant.client_id != client.client_id || stored.expires_at <= self.clock.now() {
            return Err(invalid_refresh_token());
        }
        if let Some(scope) = scopes.iter().find(|scope| !grant.scopes.contains(scope)) {
            tracing::info!(
                client_id = %excerpt(&client.client_id),
                requested = %excerpt(&scopes.join(" ")),
                granted = %excerpt(&grant.scopes.join(" ")),
                "refresh with further scopes rejected"
            );
            return Err(OAuthError::invalid_scope(format!("the scope `{}` was not granted", excerpt(scope))));
        }
        if stored.key_thumbprint.is_some() && stored.key_thumbprint != context.key_thumbprint {
            return Err(OAuthError::invalid_grant("the refresh token is bound to another key"));
        }
        check_resource(&grant, &context)?;
        if !self.login.is_active(&grant.user).await? {
            self.store.revoke_grant(&grant.id).await?;
            return Err(OAuthError::invalid_grant("the user must log in again"));
        }
        let (tokens, issued) = self.new_tokens(client, &grant, scopes, context, Some(key.clone()))?;
        match self.store.rotate_refresh_token(&key, tokens, self.settings.grace_seconds).await? {
            RefreshRotation::Rotated => Ok(issued),
            RefreshRotation::Reused { grant_id } => {
                self.revoke_reused(&grant_id, &client.client_id, "refresh token").await?;
                Err(invalid_refresh_token())
            }
            RefreshRotation::Unknown => Err(invalid_refresh_token()),
        }
    }

    pub(super) async fn issue_for_client(
        &self,
        client_id: &str,
        subject: String,
        scopes: Vec<String>,
        context: TokenContext,
    ) -> Result<IssuedTokens, OAuthError> {
        let now = self.clock.now();
        let grant = StoredGrant {
            id: random()?,
            issuer: context.issuer.clone(),
            client_id: client_id.to_owned(),
            user: User::new(subject),
            scopes: scopes.clone(),
            resource: context.resource.clone(),
            created_at: now,
            expires_at: now.saturating_add(self.settings.access_seconds),
        };
        let access = self.access_token(&grant, scopes.clone(), context.key_thumbprint);
        let token = Secret::new(random()?);
        let tokens =
            NewTokens { grant_id: grant.id.clone(), access: (digest(token.expose()), access), refresh: None, now };
        self.store.insert_grant(grant, None).await?;
        if !self.store.insert_tokens(tokens).await? {
            return Err(OAuthError::server_error("cannot store the token: the store has removed its grant"));
        }
        let mut issued = IssuedTokens::new(token, scopes);
        issued.expires_in = Some(self.settings.access_seconds);
        Ok(issued)
    }

    pub(super) async fn load_access(&self, token: &str) -> Result<Option<AccessToken>, OAuthError> {
        let Some((grant, stored)) = self.store.get_access_token(&digest(token)).await? else { return Ok(None) };
        if stored.expires_at <= self.clock.now() {
            return Ok(None);
        }
        let mut token = AccessToken::new();
        token.issuer = Some(grant.issuer);
        token.subject = Some(grant.user.subject);
        token.client_id = Some(grant.client_id);
        token.scopes = stored.scopes;
        token.audiences = vec![grant.resource];
        token.expires_at = Some(stored.expires_at);
        token.key_thumbprint = stored.key_thumbprint;
        token.claims = grant.user.claims;
        Ok(Some(token))
    }

    pub(super) async fn revoke(&self, client: &RegisteredClient, token: &str) -> Result<(), OAuthError> {
        let key = digest(token);
        let grant = match self.store.get_access_token(&key).await? {
            Some((grant, _)) => grant,
            None => match self.store.get_refresh_token(&key).await? {
                Some((grant, _)) => grant,
                None => return Ok(()),
            },
        };
        if grant.client_id == client.client_id {
            self.store.revoke_grant(&grant.id).await?;
        }
        Ok(())
    }

    async fn revoke_reused(&self, grant_id: &str, client_id: &str, kind: &str) -> Result<(), OAuthError> {
        tracing::warn!(client_id = %excerpt(client_id), kind, "revoking a grant: its code or token was used twice");
        self.store.revoke_grant(grant_id).await
    }

    fn new_tokens(
        &self,
        client: &RegisteredClient,
        grant: &StoredGrant,
        scopes: Vec<String>,
        context: TokenContext,
        parent: Option<String>,
    ) -> Result<(NewTokens, IssuedTokens), OAuthError> {
        let now = self.clock.now();
        let access = Secret::new(random()?);
        let mut issued = IssuedTokens::new(access.clone(), scopes.clone());
        issued.expires_in = Some(self.settings.access_seconds);
        let mut refresh = None;
        if client.allows_grant("refresh_token") {
            let token = Secret::new(random()?);
            let last = grant.created_at.saturating_add(self.settings.grant_seconds);
            // A confidential client authenticates instead.
            let is_bound = client.auth_method == ClientAuthentication::None;
            let stored = StoredRefreshToken {
                grant_id: grant.id.clone(),
                key_thumbprint: context.key_thumbprint.clone().filter(|_| is_bound),
                expires_at: now.saturating_add(self.settings.refresh_seconds).min(last),
                parent,
                rotated_at: None,
                successor: None,
            };
            refresh = Some((digest(token.expose()), stored));
            issued.refresh_token = Some(token);
        }
        let stored = self.access_token(grant, scopes, context.key_thumbprint);
        let tokens = NewTokens { grant_id: grant.id.clone(), access: (digest(access.expose()), stored), refresh, now };
        Ok((tokens, issued))
    }

    fn access_token(&self, grant: &StoredGrant, scopes: Vec<String>, key: Option<String>) -> StoredAccessToken {
        let expires_at = self.clock.now().saturating_add(self.settings.access_seconds);
        StoredAccessToken { grant_id: grant.id.clone(), scopes, key_thumbprint: key, expires_at }
    }
}

/// Returns whether the client requested a scope that the user did not grant.
fn is_deselected(scope: &str, request: &AuthorizationRequest, grant: &StoredGrant) -> bool {
    let contains = |scopes: &[String]| scopes.iter().any(|it| it == scope);
    contains(&request.scopes) && !contains(&grant.scopes)
}

fn check_resource(grant: &StoredGrant, context: &TokenContext) -> Result<(), OAuthError> {
    if grant.resource == context.resource && grant.issuer == context.issuer {
        return Ok(());
    }
    Err(OAuthError::invalid_target("the resource is not the one that was authorized"))
}

#[cfg(test)]
mod tests;
