//! Tests of the contract of [`AuthorizationStore`], for implementations in other crates.
//!
//! Call [`run`] with an empty store, in a runtime with several threads.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, missing_docs, reason = "tests panic")]

use std::sync::Arc;

use super::records::{
    BrowserSession, CodeRedemption, NewTokens, PendingAuthorization, RefreshRotation, StoredAccessToken, StoredCode,
    StoredConsent, StoredGrant, StoredRefreshToken,
};
use super::store::AuthorizationStore;
use super::user::User;
use crate::authorization_server::client::RegisteredClient;
use crate::authorization_server::provider::AuthorizationRequest;
use crate::clock::now;

/// Concurrent calls of each test of atomicity.
const TASKS: usize = 16;

/// Runs all tests of the contract.
pub async fn run<S: AuthorizationStore>(store: Arc<S>) {
    clients_are_replaced(&*store).await;
    pending_authorizations_are_taken_once(Arc::clone(&store)).await;
    codes_are_taken_once(Arc::clone(&store)).await;
    refresh_tokens_are_rotated_once(Arc::clone(&store)).await;
    repeats_within_the_grace_time_are_accepted(&*store).await;
    revocation_deletes_codes_and_tokens(&*store).await;
    revocation_wins_over_concurrent_insertions(Arc::clone(&store)).await;
    consents_are_found_by_all_keys(&*store).await;
    sessions_are_removed(&*store).await;
    users_are_revoked(&*store).await;
}

pub fn request() -> AuthorizationRequest {
    AuthorizationRequest::new("https://as.example", "c", "https://c.example/cb", "challenge", "https://as.example/mcp")
}

pub fn grant(id: &str, client_id: &str, subject: &str) -> StoredGrant {
    StoredGrant {
        id: id.into(),
        issuer: "https://as.example".into(),
        client_id: client_id.into(),
        user: User::new(subject).with_claim("email", "ada@example.com").with_reference("r"),
        scopes: vec!["read".into()],
        resource: "https://as.example/mcp".into(),
        created_at: now(),
        expires_at: now() + 300,
    }
}

pub fn pending() -> PendingAuthorization {
    PendingAuthorization {
        request: request(),
        client_name: Some("Client".into()),
        is_metadata_document: false,
        is_public_client: true,
        is_approved: false,
        expires_at: now() + 600,
    }
}

pub fn code(grant_id: &str) -> StoredCode {
    StoredCode { grant_id: grant_id.into(), request: request(), expires_at: now() + 300, is_used: false }
}

pub fn tokens(grant_id: &str, access: &str, refresh: Option<&str>) -> NewTokens {
    let record = StoredAccessToken {
        grant_id: grant_id.into(),
        scopes: vec!["read".into()],
        key_thumbprint: Some("t".into()),
        expires_at: now() + 3600,
    };
    let refresh = refresh.map(|digest| {
        let record = StoredRefreshToken {
            grant_id: grant_id.into(),
            key_thumbprint: None,
            expires_at: now() + 86_400,
            parent: None,
            rotated_at: None,
            successor: None,
        };
        (digest.to_owned(), record)
    });
    NewTokens { grant_id: grant_id.into(), access: (access.into(), record), refresh, now: now() }
}

fn successor(grant_id: &str, access: &str, refresh: &str, parent: &str) -> NewTokens {
    let mut tokens = tokens(grant_id, access, Some(refresh));
    if let Some((_, record)) = &mut tokens.refresh {
        record.parent = Some(parent.into());
    }
    tokens
}

async fn clients_are_replaced<S: AuthorizationStore>(store: &S) {
    assert!(store.get_client("client").await.unwrap().is_none());
    let mut client = RegisteredClient::new("client", ["https://c.example/cb"]);
    store.insert_client(client.clone()).await.unwrap();
    client.client_name = Some("Name".into());
    store.insert_client(client.clone()).await.unwrap();
    assert!(store.get_client("client").await.unwrap() == Some(client));
}

async fn pending_authorizations_are_taken_once<S: AuthorizationStore>(store: Arc<S>) {
    let pending = PendingAuthorization { is_approved: true, ..pending() };
    store.insert_pending("pending".into(), pending.clone()).await.unwrap();
    assert_eq!(store.get_pending("pending").await.unwrap(), Some(pending));
    let taken = concurrently(|| {
        let store = Arc::clone(&store);
        async move { store.take_pending("pending").await.unwrap().is_some() }
    });
    assert_eq!(taken.await.into_iter().filter(|taken| *taken).count(), 1);
    assert!(store.get_pending("pending").await.unwrap().is_none());
}

async fn codes_are_taken_once<S: AuthorizationStore>(store: Arc<S>) {
    assert_eq!(store.take_code("code").await.unwrap(), CodeRedemption::Unknown);
    store.insert_grant(grant("code-grant", "c", "ada"), Some(("code".into(), code("code-grant")))).await.unwrap();
    assert!(store.get_code("code").await.unwrap().is_some_and(|(_, code)| !code.is_used));
    let redemptions = concurrently(|| {
        let store = Arc::clone(&store);
        async move { store.take_code("code").await.unwrap() }
    });
    let redemptions = redemptions.await;
    let consumed = redemptions.iter().filter(|it| matches!(it, CodeRedemption::Consumed(..))).count();
    let used = CodeRedemption::AlreadyUsed { grant_id: "code-grant".into() };
    assert_eq!((consumed, redemptions.iter().filter(|it| **it == used).count()), (1, TASKS - 1));
    assert!(store.get_code("code").await.unwrap().is_some_and(|(_, code)| code.is_used));
    assert!(store.insert_tokens(tokens("code-grant", "code-access", None)).await.unwrap());
    assert!(store.get_code("code").await.unwrap().is_some(), "a used code must be kept with its grant");
}

async fn refresh_tokens_are_rotated_once<S: AuthorizationStore>(store: Arc<S>) {
    store.insert_grant(grant("rotate", "c", "ada"), None).await.unwrap();
    assert!(store.insert_tokens(tokens("rotate", "rotate-a", Some("rotate-r"))).await.unwrap());
    let mut calls = Vec::new();
    for n in 0..TASKS {
        let store = Arc::clone(&store);
        calls.push(tokio::spawn(async move {
            let tokens = successor("rotate", &format!("rotate-a{n}"), &format!("rotate-r{n}"), "rotate-r");
            store.rotate_refresh_token("rotate-r", tokens, 0).await.unwrap()
        }));
    }
    let (mut rotated, mut stored) = (0, 0);
    for (n, call) in calls.into_iter().enumerate() {
        match call.await.unwrap() {
            RefreshRotation::Rotated => rotated += 1,
            RefreshRotation::Reused { grant_id } => assert_eq!(grant_id, "rotate"),
            RefreshRotation::Unknown => panic!("the token exists"),
        }
        stored += usize::from(store.get_access_token(&format!("rotate-a{n}")).await.unwrap().is_some());
    }
    assert_eq!((rotated, stored), (1, 1));
    let unknown = store.rotate_refresh_token("missing", tokens("rotate", "x", None), 10).await.unwrap();
    assert_eq!(unknown, RefreshRotation::Unknown);
}

async fn repeats_within_the_grace_time_are_accepted<S: AuthorizationStore>(store: &S) {
    store.insert_grant(grant("grace", "c", "ada"), None).await.unwrap();
    assert!(store.insert_tokens(tokens("grace", "grace-a0", Some("grace-r0"))).await.unwrap());
    for n in 1..3 {
        let tokens = successor("grace", &format!("grace-a{n}"), &format!("grace-r{n}"), "grace-r0");
        assert_eq!(store.rotate_refresh_token("grace-r0", tokens, 10).await.unwrap(), RefreshRotation::Rotated);
    }
    let mut late = successor("grace", "grace-late", "grace-late-r", "grace-r0");
    late.now += 10;
    let reused = RefreshRotation::Reused { grant_id: "grace".into() };
    assert_eq!(store.rotate_refresh_token("grace-r0", late, 10).await.unwrap(), reused);
    let tokens = successor("grace", "grace-a3", "grace-r3", "grace-r2");
    assert_eq!(store.rotate_refresh_token("grace-r2", tokens, 10).await.unwrap(), RefreshRotation::Rotated);
    let (_, parent) = store.get_refresh_token("grace-r0").await.unwrap().unwrap();
    assert!(parent.successor.as_deref() == Some("grace-r2") && parent.rotated_at.is_some());
    let tokens = successor("grace", "grace-a4", "grace-r4", "grace-r0");
    assert_eq!(store.rotate_refresh_token("grace-r0", tokens, 10).await.unwrap(), reused, "the grace time has ended");
    let tokens = successor("grace", "grace-a5", "grace-r5", "grace-r1");
    assert_eq!(
        store.rotate_refresh_token("grace-r1", tokens, 10).await.unwrap(),
        reused,
        "another token has continued"
    );
    assert!(store.get_access_token("grace-a5").await.unwrap().is_none());
    let tokens = successor("grace", "grace-a6", "grace-r6", "grace-r2");
    assert_eq!(store.rotate_refresh_token("grace-r2", tokens, 10).await.unwrap(), RefreshRotation::Rotated);
}

async fn revocation_deletes_codes_and_tokens<S: AuthorizationStore>(store: &S) {
    store.insert_grant(grant("revoke", "c", "ada"), Some(("revoke-c".into(), code("revoke")))).await.unwrap();
    assert!(store.insert_tokens(tokens("revoke", "revoke-a", Some("revoke-r"))).await.unwrap());
    let (found, token) = store.get_access_token("revoke-a").await.unwrap().unwrap();
    assert_eq!((found.user, token.key_thumbprint.as_deref()), (grant("revoke", "c", "ada").user, Some("t")));
    assert!(found.expires_at >= now() + 86_000, "the grant must live as long as its tokens");
    store.revoke_grant("revoke").await.unwrap();
    store.revoke_grant("revoke").await.unwrap();
    assert!(store.get_access_token("revoke-a").await.unwrap().is_none());
    assert!(store.get_refresh_token("revoke-r").await.unwrap().is_none());
    assert!(store.get_code("revoke-c").await.unwrap().is_none());
    assert!(!store.insert_tokens(tokens("revoke", "revoke-a2", None)).await.unwrap());
    assert!(store.get_access_token("revoke-a2").await.unwrap().is_none());
}

async fn revocation_wins_over_concurrent_insertions<S: AuthorizationStore>(store: Arc<S>) {
    store.insert_grant(grant("race", "c", "ada"), None).await.unwrap();
    let mut calls = Vec::new();
    for n in 0..TASKS {
        let store = Arc::clone(&store);
        calls.push(tokio::spawn(async move {
            if n == TASKS / 2 {
                store.revoke_grant("race").await.unwrap();
            } else {
                store.insert_tokens(tokens("race", &format!("race-a{n}"), None)).await.unwrap();
            }
        }));
    }
    for call in calls {
        call.await.unwrap();
    }
    for n in 0..TASKS {
        assert!(store.get_access_token(&format!("race-a{n}")).await.unwrap().is_none());
    }
}

async fn consents_are_found_by_all_keys<S: AuthorizationStore>(store: &S) {
    let consent = StoredConsent {
        subject: "ada".into(),
        client_id: "c".into(),
        redirect_uri: "https://c.example/cb".into(),
        resource: "https://as.example/mcp".into(),
        scopes: vec!["read".into()],
        expires_at: now() + 600,
    };
    store.insert_consent(consent.clone()).await.unwrap();
    let (uri, resource) = ("https://c.example/cb", "https://as.example/mcp");
    assert_eq!(store.get_consent("ada", "c", uri, resource).await.unwrap(), Some(consent));
    for (subject, client, uri, resource) in [
        ("eve", "c", uri, resource),
        ("ada", "d", uri, resource),
        ("ada", "c", "https://c.example/cb2", resource),
        ("ada", "c", uri, "https://as.example/other"),
    ] {
        assert!(store.get_consent(subject, client, uri, resource).await.unwrap().is_none());
    }
}

async fn sessions_are_removed<S: AuthorizationStore>(store: &S) {
    let session = BrowserSession { user: User::new("ada").with_name("Ada"), expires_at: now() + 600 };
    store.insert_session("session".into(), session.clone()).await.unwrap();
    assert_eq!(store.get_session("session").await.unwrap(), Some(session));
    store.remove_session("session").await.unwrap();
    store.remove_session("session").await.unwrap();
    assert!(store.get_session("session").await.unwrap().is_none());
}

async fn users_are_revoked<S: AuthorizationStore>(store: &S) {
    for (id, subject) in [("user-1", "mallory"), ("user-2", "bob")] {
        store.insert_grant(grant(id, "c", subject), None).await.unwrap();
        assert!(store.insert_tokens(tokens(id, &format!("{id}-a"), None)).await.unwrap());
        let session = BrowserSession { user: User::new(subject), expires_at: now() + 600 };
        store.insert_session(format!("{id}-s"), session).await.unwrap();
    }
    store.revoke_user("mallory").await.unwrap();
    assert!(store.get_access_token("user-1-a").await.unwrap().is_none());
    assert!(store.get_session("user-1-s").await.unwrap().is_none());
    assert!(store.get_access_token("user-2-a").await.unwrap().is_some());
    assert!(store.get_session("user-2-s").await.unwrap().is_some());
}

async fn concurrently<T: Send + 'static, F: Future<Output = T> + Send + 'static>(call: impl Fn() -> F) -> Vec<T> {
    let calls: Vec<_> = (0..TASKS).map(|_| tokio::spawn(call())).collect();
    let mut results = Vec::new();
    for call in calls {
        results.push(call.await.unwrap());
    }
    results
}
