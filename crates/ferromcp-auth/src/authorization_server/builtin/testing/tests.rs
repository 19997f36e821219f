//! Stores that violate one rule each, to test that the check reports it.

use super::*;
use crate::authorization_server::builtin::MemoryAuthorizationStore;
use crate::authorization_server::builtin::records::{BrowserSession, PendingAuthorization, StoredRefreshToken};
use crate::authorization_server::provider::ProviderFuture;

/// The mistakes of implementations.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    Unavailable,
    SecretLost,
    PendingReadBeforeDeletion,
    CodeReadBeforeUpdate,
    ExpiryReplaced,
    GraceTimeIgnored,
    ParentLost,
    RejectedTokensStored,
    TokensKept,
    RedirectUriIgnored,
    ConsentsKept,
    RotationInTwoTransactions,
}

struct Faulty(MemoryAuthorizationStore, Fault);

impl AuthorizationStore for Faulty {
    fn get_client<'a>(&'a self, client_id: &'a str) -> ProviderFuture<'a, Option<RegisteredClient>> {
        if self.1 == Fault::Unavailable {
            return Box::pin(async { Err(OAuthError::server_error("cannot connect to the database")) });
        }
        self.0.get_client(client_id)
    }

    fn insert_client(&self, mut client: RegisteredClient) -> ProviderFuture<'_, ()> {
        client.client_secret = client.client_secret.filter(|_| self.1 != Fault::SecretLost);
        self.0.insert_client(client)
    }

    fn insert_pending(&self, digest: String, pending: PendingAuthorization) -> ProviderFuture<'_, ()> {
        self.0.insert_pending(digest, pending)
    }

    fn get_pending<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, Option<PendingAuthorization>> {
        self.0.get_pending(digest)
    }

    fn take_pending<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, Option<PendingAuthorization>> {
        Box::pin(async move {
            let pending = self.0.get_pending(digest).await?;
            if self.1 == Fault::PendingReadBeforeDeletion {
                tokio::task::yield_now().await;
                self.0.take_pending(digest).await?;
                return Ok(pending);
            }
            self.0.take_pending(digest).await
        })
    }

    fn insert_grant(&self, grant: StoredGrant, code: Option<(String, StoredCode)>) -> ProviderFuture<'_, ()> {
        self.0.insert_grant(grant, code)
    }

    fn get_code<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, Option<(StoredGrant, StoredCode)>> {
        self.0.get_code(digest)
    }

    fn take_code<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, CodeRedemption> {
        Box::pin(async move {
            let unused = self.0.get_code(digest).await?.filter(|(_, code)| !code.is_used);
            if self.1 == Fault::CodeReadBeforeUpdate {
                tokio::task::yield_now().await;
            }
            let redemption = self.0.take_code(digest).await?;
            match unused {
                Some(records) if self.1 == Fault::CodeReadBeforeUpdate => {
                    Ok(CodeRedemption::Consumed(Box::new(records)))
                }
                _ => Ok(redemption),
            }
        })
    }

    fn insert_tokens(&self, tokens: NewTokens) -> ProviderFuture<'_, bool> {
        self.0.insert_tokens(tokens)
    }

    fn get_access_token<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, Option<(StoredGrant, StoredAccessToken)>> {
        Box::pin(async move {
            let mut found = self.0.get_access_token(digest).await?;
            if let (Fault::ExpiryReplaced, Some((grant, token))) = (self.1, &mut found) {
                grant.expires_at = token.expires_at;
            }
            Ok(found)
        })
    }

    fn get_refresh_token<'a>(
        &'a self,
        digest: &'a str,
    ) -> ProviderFuture<'a, Option<(StoredGrant, StoredRefreshToken)>> {
        self.0.get_refresh_token(digest)
    }

    fn rotate_refresh_token<'a>(
        &'a self,
        digest: &'a str,
        mut tokens: NewTokens,
        grace_seconds: u64,
    ) -> ProviderFuture<'a, RefreshRotation> {
        let all = tokens.clone();
        let mut grace_seconds = grace_seconds;
        match (self.1, &mut tokens.refresh) {
            (Fault::GraceTimeIgnored, _) => grace_seconds = u64::MAX,
            (Fault::ParentLost, Some((_, token))) => token.parent = None,
            (Fault::RotationInTwoTransactions, refresh) => *refresh = None,
            _ => {}
        }
        Box::pin(async move {
            let rotation = self.0.rotate_refresh_token(digest, tokens, grace_seconds).await?;
            let is_rotated = rotation == RefreshRotation::Rotated;
            if self.1 == Fault::RotationInTwoTransactions && is_rotated {
                tokio::task::yield_now().await;
                self.0.insert_tokens(all).await?;
            } else if self.1 == Fault::RejectedTokensStored && !is_rotated {
                self.0.insert_tokens(all).await?;
            }
            Ok(rotation)
        })
    }

    fn revoke_grant<'a>(&'a self, grant_id: &'a str) -> ProviderFuture<'a, ()> {
        self.0.revoke_grant(if self.1 == Fault::TokensKept { "" } else { grant_id })
    }

    fn revoke_user<'a>(&'a self, subject: &'a str) -> ProviderFuture<'a, ()> {
        Box::pin(async move {
            self.0.revoke_user(subject).await?;
            if self.1 == Fault::ConsentsKept {
                self.0.insert_consent(consent(subject)).await?;
            }
            Ok(())
        })
    }

    fn insert_consent(&self, consent: StoredConsent) -> ProviderFuture<'_, ()> {
        self.0.insert_consent(consent)
    }

    fn get_consent<'a>(
        &'a self,
        subject: &'a str,
        client_id: &'a str,
        redirect_uri: &'a str,
        resource: &'a str,
    ) -> ProviderFuture<'a, Option<StoredConsent>> {
        let is_ignored = self.1 == Fault::RedirectUriIgnored;
        let redirect_uri = if is_ignored { "https://c.example/cb" } else { redirect_uri };
        self.0.get_consent(subject, client_id, redirect_uri, resource)
    }

    fn insert_session(&self, digest: String, session: BrowserSession) -> ProviderFuture<'_, ()> {
        self.0.insert_session(digest, session)
    }

    fn get_session<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, Option<BrowserSession>> {
        self.0.get_session(digest)
    }

    fn remove_session<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, ()> {
        self.0.remove_session(digest)
    }
}

/// Returns the message of the panic, or an empty text.
async fn violation(fault: Fault) -> String {
    let check = tokio::spawn(check_store(Faulty(MemoryAuthorizationStore::new(), fault)));
    let Err(error) = check.await else { return String::new() };
    let panic = error.into_panic();
    let message = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    message.expect("a message").to_owned()
}

#[tokio::test(start_paused = true)]
async fn check_reports_the_violated_rule_when_a_store_is_faulty() {
    assert_eq!(violation(Fault::None).await, "");
    for (fault, rule) in [
        (Fault::Unavailable, "a method of the store failed in the check of clients: server_error: cannot connect"),
        (Fault::SecretLost, "insert_client replaces the client with the same ID, and keeps all fields"),
        (Fault::PendingReadBeforeDeletion, "one of several concurrent calls of take_pending receives the record"),
        (Fault::CodeReadBeforeUpdate, "one of several concurrent calls of take_code receives Consumed"),
        (Fault::ExpiryReplaced, "insert_tokens only extends the expiry of the grant"),
        (Fault::GraceTimeIgnored, "without a grace time, one of several concurrent rotations of a token"),
        (Fault::ParentLost, "sets the successor of its parent"),
        (Fault::RejectedTokensStored, "stores both tokens if it returns Rotated, else none"),
        (Fault::TokensKept, "revoke_grant deletes the tokens of the grant"),
        (Fault::RedirectUriIgnored, "compares the subject, client, redirect URI and resource exactly"),
        (Fault::ConsentsKept, "revoke_user deletes the consents of the user only"),
        (Fault::RotationInTwoTransactions, "a rotation whose future is dropped is completed or rolled back"),
    ] {
        let message = violation(fault).await;
        assert!(message.contains(rule), "{fault:?}: {message}");
    }
}
