//! [`MemoryAuthorizationStore`]: a store that is lost when the process exits.

use std::fmt;
use std::future::ready;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::expiring_map::ExpiringMap;
use super::records::{
    BrowserSession, CodeRedemption, NewTokens, PendingAuthorization, RefreshRotation, StoredAccessToken, StoredCode,
    StoredConsent, StoredGrant, StoredRefreshToken,
};
use super::store::AuthorizationStore;
use crate::authorization_server::client::RegisteredClient;
use crate::authorization_server::provider::ProviderFuture;
use crate::clock::now;

/// Maximum number of clients. Of those that no user has authorized yet, the one that registered first is removed;
/// otherwise the client whose last authorization or refresh is oldest.
const MAX_CLIENTS: usize = 10_000;
/// The first rank of clients that a user has authorized: above all others, so that registrations do not evict them.
const AUTHORIZED_RANK: u64 = 1 << 63;
/// Maximum number of pending authorizations.
const MAX_PENDING: usize = 10_000;
/// Maximum number of grants. The grant that expires first is removed, with its tokens.
const MAX_GRANTS: usize = 100_000;
/// Maximum number of codes, used or not.
const MAX_CODES: usize = 100_000;
/// Maximum number of access tokens, and of refresh tokens.
const MAX_TOKENS: usize = 200_000;
/// Maximum number of access tokens, and of refresh tokens, of one grant. The oldest is removed.
const MAX_TOKENS_PER_GRANT: usize = 1_000;
/// Maximum number of remembered consents.
const MAX_CONSENTS: usize = 100_000;
/// Maximum number of sessions of browsers.
const MAX_SESSIONS: usize = 20_000;

/// A store in memory: the default. All records are lost when the process exits, so that clients must register and users
/// must authorize them again. It is bounded: expired records are removed, and then the oldest.
pub struct MemoryAuthorizationStore(RwLock<Tables>);

struct Tables {
    clients: ExpiringMap<RegisteredClient>,
    /// Orders the clients by their last use.
    uses: u64,
    pending: ExpiringMap<PendingAuthorization>,
    grants: ExpiringMap<GrantEntry>,
    codes: ExpiringMap<StoredCode>,
    access_tokens: ExpiringMap<StoredAccessToken>,
    refresh_tokens: ExpiringMap<StoredRefreshToken>,
    consents: ExpiringMap<StoredConsent>,
    sessions: ExpiringMap<BrowserSession>,
}

/// A grant, and the digests of its code and tokens.
struct GrantEntry {
    grant: StoredGrant,
    code: Option<String>,
    access_tokens: Vec<String>,
    refresh_tokens: Vec<String>,
}

impl MemoryAuthorizationStore {
    /// Creates an empty store.
    pub fn new() -> Self {
        Self(RwLock::new(Tables {
            clients: ExpiringMap::new(MAX_CLIENTS),
            uses: 0,
            pending: ExpiringMap::new(MAX_PENDING),
            grants: ExpiringMap::new(MAX_GRANTS),
            codes: ExpiringMap::new(MAX_CODES),
            access_tokens: ExpiringMap::new(MAX_TOKENS),
            refresh_tokens: ExpiringMap::new(MAX_TOKENS),
            consents: ExpiringMap::new(MAX_CONSENTS),
            sessions: ExpiringMap::new(MAX_SESSIONS),
        }))
    }

    fn read(&self) -> RwLockReadGuard<'_, Tables> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Tables> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn insert_client(&mut self, client: RegisteredClient) {
        let id = client.client_id.clone();
        if let Some(known) = self.clients.get_mut(&id) {
            *known = client;
            return;
        }
        self.uses += 1;
        let rank = self.uses;
        self.clients.insert(&id, client, rank, 0);
    }

    /// Keeps a client longer than those that were not authorized, or were used before.
    fn mark_used(&mut self, client_id: &str) {
        self.uses += 1;
        self.clients.set_expiry(client_id, AUTHORIZED_RANK.saturating_add(self.uses));
    }

    fn insert_grant(&mut self, grant: StoredGrant, code: Option<(String, StoredCode)>) {
        let now = now();
        self.mark_used(&grant.client_id);
        let (id, expires_at) = (grant.id.clone(), grant.expires_at);
        let (digest, code) = code.unzip();
        let entry = GrantEntry { grant, code: digest.clone(), access_tokens: Vec::new(), refresh_tokens: Vec::new() };
        for removed in self.grants.insert(&id, entry, expires_at, now) {
            self.remove_children(&removed);
        }
        if let Some((digest, code)) = digest.zip(code) {
            let expires_at = code.expires_at;
            self.codes.insert(&digest, code, expires_at, now);
        }
    }

    fn take_code(&mut self, digest: &str) -> CodeRedemption {
        let Some(code) = self.codes.get_mut(digest) else { return CodeRedemption::Unknown };
        if code.is_used {
            return CodeRedemption::AlreadyUsed { grant_id: code.grant_id.clone() };
        }
        let Some(entry) = self.grants.get(&code.grant_id) else { return CodeRedemption::Unknown };
        let unused = code.clone();
        code.is_used = true;
        CodeRedemption::Consumed(Box::new((entry.grant.clone(), unused)))
    }

    fn insert_tokens(&mut self, tokens: NewTokens) -> bool {
        let NewTokens { grant_id, access: (access_digest, access), refresh, now } = tokens;
        let Some(entry) = self.grants.get_mut(&grant_id) else { return false };
        let mut expires_at = entry.grant.expires_at.max(access.expires_at);
        entry.access_tokens.retain(|digest| self.access_tokens.contains(digest));
        if entry.access_tokens.len() >= MAX_TOKENS_PER_GRANT {
            self.access_tokens.remove(&entry.access_tokens.remove(0));
        }
        entry.access_tokens.push(access_digest.clone());
        let access_expires_at = access.expires_at;
        self.access_tokens.insert(&access_digest, access, access_expires_at, now);
        if let Some((digest, refresh)) = refresh {
            expires_at = expires_at.max(refresh.expires_at);
            entry.refresh_tokens.retain(|digest| self.refresh_tokens.contains(digest));
            if entry.refresh_tokens.len() >= MAX_TOKENS_PER_GRANT {
                self.refresh_tokens.remove(&entry.refresh_tokens.remove(0));
            }
            entry.refresh_tokens.push(digest.clone());
            let refresh_expires_at = refresh.expires_at;
            self.refresh_tokens.insert(&digest, refresh, refresh_expires_at, now);
        }
        entry.grant.expires_at = expires_at;
        // A used code is kept as long as the grant, so that a replay is detected.
        if let Some(code) = entry.code.clone() {
            self.codes.set_expiry(&code, expires_at);
        }
        self.grants.set_expiry(&grant_id, expires_at);
        true
    }

    fn rotate(&mut self, digest: &str, tokens: NewTokens, grace_seconds: u64) -> RefreshRotation {
        let now = tokens.now;
        let Some(token) = self.refresh_tokens.get_mut(digest) else { return RefreshRotation::Unknown };
        if !token.is_exchangeable(now, grace_seconds) {
            return RefreshRotation::Reused { grant_id: token.grant_id.clone() };
        }
        if token.grant_id != tokens.grant_id || !self.grants.contains(&token.grant_id) {
            return RefreshRotation::Unknown;
        }
        let (grant_id, parent) = (token.grant_id.clone(), token.parent.clone());
        if let Some(parent) = parent.and_then(|parent| self.refresh_tokens.get_mut(&parent)) {
            if parent.has_other_successor(digest) {
                return RefreshRotation::Reused { grant_id };
            }
            parent.successor.get_or_insert_with(|| digest.to_owned());
        }
        let expires_at = self.refresh_tokens.get_mut(digest).map(|token| {
            token.mark_rotated(&tokens);
            token.expires_at
        });
        if let Some(expires_at) = expires_at {
            self.refresh_tokens.set_expiry(digest, expires_at);
        }
        if let Some(client_id) = self.grants.get(&grant_id).map(|entry| entry.grant.client_id.clone()) {
            self.mark_used(&client_id);
        }
        if self.insert_tokens(tokens) { RefreshRotation::Rotated } else { RefreshRotation::Unknown }
    }

    fn revoke_grant(&mut self, grant_id: &str) {
        if let Some(entry) = self.grants.remove(grant_id) {
            self.remove_children(&entry);
        }
    }

    fn remove_children(&mut self, entry: &GrantEntry) {
        if let Some(code) = &entry.code {
            self.codes.remove(code);
        }
        for digest in &entry.access_tokens {
            self.access_tokens.remove(digest);
        }
        for digest in &entry.refresh_tokens {
            self.refresh_tokens.remove(digest);
        }
    }

    fn with_grant<T: Clone>(&self, record: Option<&T>, grant_id: impl Fn(&T) -> &str) -> Option<(StoredGrant, T)> {
        let record = record?;
        let entry = self.grants.get(grant_id(record))?;
        Some((entry.grant.clone(), record.clone()))
    }
}

fn consent_key(subject: &str, client_id: &str, redirect_uri: &str, resource: &str) -> String {
    serde_json::json!([subject, client_id, redirect_uri, resource]).to_string()
}

fn done<'a, T: Send + 'a>(value: T) -> ProviderFuture<'a, T> {
    Box::pin(ready(Ok(value)))
}

impl AuthorizationStore for MemoryAuthorizationStore {
    fn get_client<'a>(&'a self, client_id: &'a str) -> ProviderFuture<'a, Option<RegisteredClient>> {
        done(self.read().clients.get(client_id).cloned())
    }

    fn insert_client(&self, client: RegisteredClient) -> ProviderFuture<'_, ()> {
        self.write().insert_client(client);
        done(())
    }

    fn insert_pending(&self, digest: String, pending: PendingAuthorization) -> ProviderFuture<'_, ()> {
        let expires_at = pending.expires_at;
        self.write().pending.insert(&digest, pending, expires_at, now());
        done(())
    }

    fn get_pending<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, Option<PendingAuthorization>> {
        done(self.read().pending.get(digest).cloned())
    }

    fn take_pending<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, Option<PendingAuthorization>> {
        done(self.write().pending.remove(digest))
    }

    fn insert_grant(&self, grant: StoredGrant, code: Option<(String, StoredCode)>) -> ProviderFuture<'_, ()> {
        self.write().insert_grant(grant, code);
        done(())
    }

    fn get_code<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, Option<(StoredGrant, StoredCode)>> {
        let tables = self.read();
        done(tables.with_grant(tables.codes.get(digest), |code| &code.grant_id))
    }

    fn take_code<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, CodeRedemption> {
        done(self.write().take_code(digest))
    }

    fn insert_tokens(&self, tokens: NewTokens) -> ProviderFuture<'_, bool> {
        done(self.write().insert_tokens(tokens))
    }

    fn get_access_token<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, Option<(StoredGrant, StoredAccessToken)>> {
        let tables = self.read();
        done(tables.with_grant(tables.access_tokens.get(digest), |token| &token.grant_id))
    }

    fn get_refresh_token<'a>(
        &'a self,
        digest: &'a str,
    ) -> ProviderFuture<'a, Option<(StoredGrant, StoredRefreshToken)>> {
        let tables = self.read();
        done(tables.with_grant(tables.refresh_tokens.get(digest), |token| &token.grant_id))
    }

    fn rotate_refresh_token<'a>(
        &'a self,
        digest: &'a str,
        tokens: NewTokens,
        grace_seconds: u64,
    ) -> ProviderFuture<'a, RefreshRotation> {
        done(self.write().rotate(digest, tokens, grace_seconds))
    }

    fn revoke_grant<'a>(&'a self, grant_id: &'a str) -> ProviderFuture<'a, ()> {
        self.write().revoke_grant(grant_id);
        done(())
    }

    fn revoke_user<'a>(&'a self, subject: &'a str) -> ProviderFuture<'a, ()> {
        let mut tables = self.write();
        tables.consents.remove_matching(|consent| consent.subject == subject);
        tables.sessions.remove_matching(|session| session.user.subject == subject);
        for entry in tables.grants.remove_matching(|entry| entry.grant.user.subject == subject) {
            tables.remove_children(&entry);
        }
        done(())
    }

    fn insert_consent(&self, consent: StoredConsent) -> ProviderFuture<'_, ()> {
        let key = consent_key(&consent.subject, &consent.client_id, &consent.redirect_uri, &consent.resource);
        let expires_at = consent.expires_at;
        self.write().consents.insert(&key, consent, expires_at, now());
        done(())
    }

    fn get_consent<'a>(
        &'a self,
        subject: &'a str,
        client_id: &'a str,
        redirect_uri: &'a str,
        resource: &'a str,
    ) -> ProviderFuture<'a, Option<StoredConsent>> {
        done(self.read().consents.get(&consent_key(subject, client_id, redirect_uri, resource)).cloned())
    }

    fn insert_session(&self, digest: String, session: BrowserSession) -> ProviderFuture<'_, ()> {
        let expires_at = session.expires_at;
        self.write().sessions.insert(&digest, session, expires_at, now());
        done(())
    }

    fn get_session<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, Option<BrowserSession>> {
        done(self.read().sessions.get(digest).cloned())
    }

    fn remove_session<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, ()> {
        self.write().sessions.remove(digest);
        done(())
    }
}

impl Default for MemoryAuthorizationStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryAuthorizationStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryAuthorizationStore").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorization_server::builtin::testing;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn memory_store_fulfills_the_contract() {
        testing::check_store(MemoryAuthorizationStore::new()).await;
    }

    fn client(id: impl Into<String>) -> RegisteredClient {
        RegisteredClient::new(id, ["https://a.example/"])
    }

    #[tokio::test]
    async fn trap_flood_of_registrations_evicts_authorized_clients() {
        let store = MemoryAuthorizationStore::new();
        for id in ["used", "unused"] {
            store.insert_client(client(id)).await.unwrap();
        }
        store.insert_grant(testing::grant("g", "used", "ada"), None).await.unwrap();
        // Each registration is newer than the authorization.
        for n in 0..2 * MAX_CLIENTS {
            store.insert_client(client(format!("{n}"))).await.unwrap();
        }
        assert!(store.get_client("used").await.unwrap().is_some());
        assert!(store.get_client("unused").await.unwrap().is_none());
        // A changed registration stays authorized.
        store.insert_client(client("used")).await.unwrap();
        for n in 0..MAX_CLIENTS {
            store.insert_client(client(format!("again{n}"))).await.unwrap();
        }
        assert!(store.get_client("used").await.unwrap().is_some());
        assert_eq!(store.read().clients.len(), MAX_CLIENTS);
    }

    #[tokio::test]
    async fn refresh_counts_as_use_of_a_client() {
        let store = MemoryAuthorizationStore::new();
        store.write().clients = ExpiringMap::new(2);
        for id in ["a", "b"] {
            store.insert_client(client(id)).await.unwrap();
            store.insert_grant(testing::grant(id, id, "ada"), None).await.unwrap();
        }
        assert!(store.insert_tokens(testing::tokens("a", "a1", Some("r1"))).await.unwrap());
        let rotation = store.rotate_refresh_token("r1", testing::tokens("a", "a2", Some("r2")), 0).await.unwrap();
        assert_eq!(rotation, RefreshRotation::Rotated);
        store.insert_client(client("c")).await.unwrap();
        assert!(store.get_client("a").await.unwrap().is_some() && store.get_client("b").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn number_of_tokens_of_a_grant_is_bounded() {
        let store = MemoryAuthorizationStore::new();
        store.insert_grant(testing::grant("g", "c", "ada"), None).await.unwrap();
        for n in 0..MAX_TOKENS_PER_GRANT + 10 {
            let tokens = testing::tokens("g", &format!("a{n}"), Some(&format!("r{n}")));
            assert!(store.insert_tokens(tokens).await.unwrap());
        }
        assert_eq!(store.read().access_tokens.len(), MAX_TOKENS_PER_GRANT);
        assert_eq!(store.read().refresh_tokens.len(), MAX_TOKENS_PER_GRANT);
        assert!(store.get_access_token("a0").await.unwrap().is_none());
        store.revoke_grant("g").await.unwrap();
        assert_eq!((store.read().access_tokens.len(), store.read().refresh_tokens.len()), (0, 0));
    }

    #[tokio::test]
    async fn used_code_is_kept_as_long_as_its_grant() {
        // a replay is detected after the code has expired.
        let store = MemoryAuthorizationStore::new();
        let mut expired = testing::code("g1");
        expired.expires_at = now();
        store.insert_grant(testing::grant("g1", "c", "ada"), Some(("c1".into(), expired))).await.unwrap();
        assert!(matches!(store.take_code("c1").await.unwrap(), CodeRedemption::Consumed(_)));
        assert!(store.insert_tokens(testing::tokens("g1", "a1", None)).await.unwrap());
        let second = Some(("c2".into(), testing::code("g2")));
        store.insert_grant(testing::grant("g2", "c", "ada"), second).await.unwrap();
        let used = CodeRedemption::AlreadyUsed { grant_id: "g1".into() };
        assert_eq!(store.take_code("c1").await.unwrap(), used);
    }

    #[tokio::test]
    async fn eviction_of_a_grant_removes_its_tokens() {
        let store = MemoryAuthorizationStore::new();
        store.write().grants = ExpiringMap::new(1);
        store.insert_grant(testing::grant("g1", "c", "ada"), None).await.unwrap();
        assert!(store.insert_tokens(testing::tokens("g1", "a1", None)).await.unwrap());
        store.insert_grant(testing::grant("g2", "c", "ada"), None).await.unwrap();
        assert!(store.get_access_token("a1").await.unwrap().is_none());
        assert_eq!(store.read().access_tokens.len(), 0);
    }
}
