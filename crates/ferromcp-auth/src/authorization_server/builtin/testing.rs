//! A check for implementations of [`AuthorizationStore`] in other crates.

mod fixtures;

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use self::fixtures::{TEXT, consent, session};
pub(in crate::authorization_server) use self::fixtures::{code, grant, pending, tokens};
use super::records::{
    CodeRedemption, NewTokens, RefreshRotation, StoredAccessToken, StoredCode, StoredConsent, StoredGrant,
};
use super::store::AuthorizationStore;
use super::token::digest;
use crate::authorization_server::client::RegisteredClient;
use crate::authorization_server::client_secret::ClientSecretDigest;
use crate::authorization_server::error::OAuthError;
use crate::client_authentication::ClientAuthentication;

/// Number of concurrent calls.
const TASKS: usize = 16;
/// Maximum number of reads after a dropped future, until the store has completed its transaction.
const MAX_READS: usize = 500;
/// Time between these reads.
const READ_INTERVAL: Duration = Duration::from_millis(10);

type Store = Arc<dyn AuthorizationStore>;
type Checked = Result<(), OAuthError>;

/// Checks that an [`AuthorizationStore`] behaves as documented; for tests of custom stores.
///
/// The store must be empty. Use a runtime with timers and several threads, because concurrent calls are checked too.
///
/// ```
/// use ferromcp_auth::authorization_server::{MemoryAuthorizationStore, testing::check_store};
///
/// # #[tokio::main]
/// # async fn main() {
/// check_store(MemoryAuthorizationStore::new()).await;
/// # }
/// ```
///
/// # Panics
/// Panics if the store does not behave as documented, or returns an error. The message contains the violated rule.
pub async fn check_store(store: impl AuthorizationStore) {
    let store: Store = Arc::new(store);
    let check = |subject: &str, result: Checked| {
        if let Err(error) = result {
            panic!("a method of the store failed in the check of {subject}: {error}");
        }
    };
    check("clients", clients_are_replaced(&store).await);
    check("pending authorizations", pending_authorizations_are_taken_once(&store).await);
    check("codes", codes_are_taken_once(&store).await);
    check("the expiry of grants", grants_expire_with_their_last_token(&store).await);
    check("rotations", refresh_tokens_are_rotated_once(&store).await);
    check("the grace time", repeats_within_the_grace_time_are_accepted(&store).await);
    check("concurrent successors", one_of_several_successors_is_exchanged(&store).await);
    check("revocations", revocation_deletes_codes_and_tokens(&store).await);
    check("concurrent revocations", revocation_wins_over_concurrent_calls(&store).await);
    check("consents", consents_are_found_by_all_keys(&store).await);
    check("sessions", sessions_are_removed(&store).await);
    check("users", users_are_revoked(&store).await);
    check("dropped futures", dropped_rotations_are_completed_or_rolled_back(&store).await);
    check("expiry", rotated_tokens_expire_with_their_successor(&store).await);
}

/// Calls the store in several tasks, and returns the results.
async fn concurrently<T, F>(store: &Store, call: impl Fn(Store, usize) -> F) -> Result<Vec<T>, OAuthError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, OAuthError>> + Send + 'static,
{
    let calls: Vec<_> = (0..TASKS).map(|n| tokio::spawn(call(Arc::clone(store), n))).collect();
    let mut results = Vec::new();
    for call in calls {
        results.push(call.await.unwrap_or_else(|error| panic!("a method of the store panicked: {error}"))?);
    }
    Ok(results)
}

/// Returns a key as the provider uses it: 43 characters of base64url.
fn key(name: &str) -> String {
    digest(name)
}

/// Polls a future at most so many times, and drops it.
async fn poll_times<F: Future>(mut polls: usize, future: F) {
    let mut future = pin!(future);
    poll_fn(|context| {
        polls -= 1;
        let poll = future.as_mut().poll(context).map(drop);
        if polls == 0 { Poll::Ready(()) } else { poll }
    })
    .await;
}

fn count<T>(items: &[T], is_counted: impl Fn(&T) -> bool) -> usize {
    items.iter().filter(|item| is_counted(item)).count()
}

/// Returns the tokens `<id>-a<name>` and `<id>-r<name>` of a grant.
fn named_tokens(id: &str, name: usize) -> NewTokens {
    tokens(&key(id), &key(&format!("{id}-a{name}")), Some(&key(&format!("{id}-r{name}"))))
}

/// Adds a grant with the tokens `<id>-a0` and `<id>-r0`.
async fn insert_with_tokens(store: &Store, id: &str, subject: &str) -> Checked {
    store.insert_grant(grant(&key(id), "c", subject), None).await?;
    let is_stored = store.insert_tokens(named_tokens(id, 0)).await?;
    assert!(is_stored, "insert_tokens returns true if the grant exists");
    Ok(())
}

/// Exchanges the refresh token `<id>-r<parent>` for the tokens `<id>-a<name>` and `<id>-r<name>`, some seconds from now.
async fn rotate(
    store: &Store,
    id: &str,
    (parent, name): (usize, usize),
    later: u64,
    grace_seconds: u64,
) -> Result<RefreshRotation, OAuthError> {
    let parent = key(&format!("{id}-r{parent}"));
    let mut tokens = named_tokens(id, name);
    tokens.now += later;
    if let Some((_, record)) = &mut tokens.refresh {
        record.parent = Some(parent.clone());
    }
    store.rotate_refresh_token(&parent, tokens, grace_seconds).await
}

/// Returns whether the tokens `<id>-a<name>` and `<id>-r<name>` exist.
async fn are_stored(store: &Store, id: &str, name: usize) -> Result<[bool; 2], OAuthError> {
    let access = store.get_access_token(&key(&format!("{id}-a{name}"))).await?;
    Ok([access.is_some(), store.get_refresh_token(&key(&format!("{id}-r{name}"))).await?.is_some()])
}

async fn clients_are_replaced(store: &Store) -> Checked {
    let unknown = store.get_client("client").await?;
    assert!(unknown.is_none(), "get_client returns None for an unknown ID; check an empty store");
    let mut client = RegisteredClient::new("client", ["https://c.example/cb"]);
    store.insert_client(client.clone()).await?;
    client.client_name = Some(TEXT.into());
    client.client_secret = Some(ClientSecretDigest::of("s3cret"));
    client.auth_method = ClientAuthentication::ClientSecretBasic;
    client.is_dynamically_registered = true;
    store.insert_client(client.clone()).await?;
    let found = store.get_client("client").await?;
    assert!(found == Some(client), "insert_client replaces the client with the same ID, and keeps all fields");
    assert!(store.get_client("CLIENT").await?.is_none(), "get_client distinguishes upper and lower case");
    Ok(())
}

async fn pending_authorizations_are_taken_once(store: &Store) -> Checked {
    let (digest, record) = (key("pending"), pending());
    store.insert_pending(digest.clone(), record.clone()).await?;
    assert_eq!(store.get_pending(&digest).await?, Some(record.clone()), "get_pending returns the inserted record");
    let other = store.take_pending(&digest.to_ascii_uppercase()).await?;
    assert_eq!(other, None, "take_pending distinguishes upper and lower case");
    let taken = concurrently(store, |store, _| async move { store.take_pending(&key("pending")).await }).await?;
    let taken: Vec<_> = taken.into_iter().flatten().collect();
    assert_eq!(taken, [record], "one of several concurrent calls of take_pending receives the record");
    assert_eq!(store.get_pending(&digest).await?, None, "take_pending removes the record");
    Ok(())
}

async fn codes_are_taken_once(store: &Store) -> Checked {
    let (id, digest) = (key("code-grant"), key("code"));
    assert_eq!(store.get_code(&digest).await?, None, "get_code returns None for an unknown code");
    let redemption = store.take_code(&digest).await?;
    assert_eq!(redemption, CodeRedemption::Unknown, "take_code returns Unknown for an unknown code");
    let records = (grant(&id, "c", "ada"), code(&id));
    store.insert_grant(records.0.clone(), Some((digest.clone(), records.1.clone()))).await?;
    assert_eq!(store.get_code(&digest).await?, Some(records.clone()), "get_code returns the inserted records");
    let redemptions = concurrently(store, |store, _| async move { store.take_code(&key("code")).await }).await?;
    let is_inserted = |(found, taken): &(StoredGrant, StoredCode)| {
        (found, taken) == (&records.0, &StoredCode { is_used: taken.is_used, ..records.1.clone() })
    };
    let consumed = count(&redemptions, |it| matches!(it, CodeRedemption::Consumed(found) if is_inserted(found)));
    assert_eq!(consumed, 1, "one of several concurrent calls of take_code receives Consumed with the records");
    let used = count(&redemptions, |it| *it == CodeRedemption::AlreadyUsed { grant_id: id.clone() });
    assert_eq!(used, TASKS - 1, "further calls of take_code receive AlreadyUsed with the grant");
    assert!(store.insert_tokens(named_tokens("code-grant", 0)).await?, "the grant of a used code exists");
    let is_used = store.get_code(&digest).await?.map(|(_, code)| code.is_used);
    assert_eq!(is_used, Some(true), "a used code is marked, and kept with its grant");
    Ok(())
}

async fn grants_expire_with_their_last_token(store: &Store) -> Checked {
    let inserted = grant(&key("expiry"), "c", "ada");
    let (first, last) = (inserted.expires_at - 1, inserted.expires_at + 1000);
    store.insert_grant(inserted.clone(), None).await?;
    // One task extends the expiry, and the others must not shorten it.
    concurrently(store, move |store, n| async move {
        let mut tokens = NewTokens { refresh: None, ..named_tokens("expiry", n) };
        tokens.access.1.expires_at = if n == TASKS / 2 { last } else { first };
        store.insert_tokens(tokens).await
    })
    .await?;
    let expected = named_tokens("expiry", 0).access;
    let Some((found, token)) = store.get_access_token(&expected.0).await? else {
        panic!("get_access_token returns an inserted token");
    };
    assert_eq!(
        found,
        StoredGrant { expires_at: last, ..inserted },
        "insert_tokens only extends the expiry of the grant"
    );
    assert_eq!(token, StoredAccessToken { expires_at: first, ..expected.1 }, "get_access_token returns all fields");
    Ok(())
}

async fn refresh_tokens_are_rotated_once(store: &Store) -> Checked {
    insert_with_tokens(store, "rotate", "ada").await?;
    let rotations =
        concurrently(store, |store, n| async move { rotate(&store, "rotate", (0, n + 1), 0, 0).await }).await?;
    let rotated = count(&rotations, |it| *it == RefreshRotation::Rotated);
    assert_eq!(rotated, 1, "without a grace time, one of several concurrent rotations of a token receives Rotated");
    let reused = count(&rotations, |it| *it == RefreshRotation::Reused { grant_id: key("rotate") });
    assert_eq!(reused, TASKS - 1, "further rotations receive Reused with the grant");
    for (n, rotation) in rotations.iter().enumerate() {
        let is_rotated = *rotation == RefreshRotation::Rotated;
        let stored = are_stored(store, "rotate", n + 1).await?;
        assert_eq!(stored, [is_rotated; 2], "rotate_refresh_token stores both tokens if it returns Rotated, else none");
    }
    let parent = store.get_refresh_token(&key("rotate-r0")).await?;
    let is_rotated = parent.is_some_and(|(_, token)| token.rotated_at.is_some() && token.successor.is_none());
    assert!(is_rotated, "a rotated token is kept with rotated_at, and without a successor until that one is rotated");
    let unknown = store.rotate_refresh_token(&key("missing"), named_tokens("rotate", TASKS + 1), 10).await?;
    assert_eq!(unknown, RefreshRotation::Unknown, "rotate_refresh_token returns Unknown for an unknown token");
    Ok(())
}

async fn repeats_within_the_grace_time_are_accepted(store: &Store) -> Checked {
    let reused = RefreshRotation::Reused { grant_id: key("grace") };
    insert_with_tokens(store, "grace", "ada").await?;
    let first = rotate(store, "grace", (0, 1), 0, 10).await?;
    let repeated = rotate(store, "grace", (0, 2), 5, 10).await?;
    assert_eq!(
        [first, repeated],
        [RefreshRotation::Rotated, RefreshRotation::Rotated],
        "a repeat within the grace time succeeds"
    );
    let late = rotate(store, "grace", (0, 3), 10, 10).await?;
    assert_eq!(late, reused, "the grace time starts with the first rotation, and a later repeat is a reuse");
    assert_eq!(rotate(store, "grace", (2, 4), 0, 10).await?, RefreshRotation::Rotated, "a successor is rotated");
    let parent = store.get_refresh_token(&key("grace-r0")).await?.map(|(_, token)| token.successor);
    assert_eq!(parent, Some(Some(key("grace-r2"))), "the rotation of a token sets the successor of its parent");
    assert_eq!(
        rotate(store, "grace", (0, 5), 0, 10).await?,
        reused,
        "the grace time ends with the rotation of a successor"
    );
    let other = rotate(store, "grace", (1, 6), 0, 10).await?;
    assert_eq!(other, reused, "a token is not rotated if its parent has another successor");
    assert_eq!(are_stored(store, "grace", 6).await?, [false; 2], "the tokens of a rejected rotation are not stored");
    let repeated = rotate(store, "grace", (2, 7), 0, 10).await?;
    assert_eq!(repeated, RefreshRotation::Rotated, "the successor itself can be repeated within the grace time");
    Ok(())
}

async fn one_of_several_successors_is_exchanged(store: &Store) -> Checked {
    insert_with_tokens(store, "race", "ada").await?;
    let rotations =
        concurrently(store, |store, n| async move { rotate(&store, "race", (0, n + 1), 0, 10).await }).await?;
    let rotated = count(&rotations, |it| *it == RefreshRotation::Rotated);
    assert_eq!(rotated, TASKS, "concurrent rotations of a token within the grace time succeed");
    let rotations =
        concurrently(store, |store, n| async move { rotate(&store, "race", (n + 1, n + 100), 0, 10).await }).await?;
    let rotated = count(&rotations, |it| *it == RefreshRotation::Rotated);
    assert_eq!(rotated, 1, "one of several concurrent rotations of tokens with the same parent receives Rotated");
    Ok(())
}

async fn revocation_deletes_codes_and_tokens(store: &Store) -> Checked {
    insert_with_tokens(store, "kept", "ada").await?;
    let (id, digest) = (key("revoke"), key("revoke-code"));
    store.insert_grant(grant(&id, "c", "ada"), Some((digest.clone(), code(&id)))).await?;
    assert!(store.insert_tokens(named_tokens("revoke", 0)).await?, "insert_tokens returns true if the grant exists");
    store.revoke_grant(&id).await?;
    store.revoke_grant(&id).await?;
    assert_eq!(are_stored(store, "revoke", 0).await?, [false; 2], "revoke_grant deletes the tokens of the grant");
    assert_eq!(store.get_code(&digest).await?, None, "revoke_grant deletes the code of the grant");
    let is_stored = store.insert_tokens(named_tokens("revoke", 1)).await?;
    assert!(!is_stored, "insert_tokens returns false after the revocation of the grant");
    assert_eq!(are_stored(store, "revoke", 1).await?, [false; 2], "tokens of a revoked grant are not stored");
    let rotation = rotate(store, "revoke", (0, 2), 0, 10).await?;
    assert_eq!(rotation, RefreshRotation::Unknown, "rotate_refresh_token returns Unknown after a revocation");
    assert_eq!(are_stored(store, "kept", 0).await?, [true; 2], "revoke_grant keeps other grants");
    Ok(())
}

async fn revocation_wins_over_concurrent_calls(store: &Store) -> Checked {
    insert_with_tokens(store, "revoke-race", "ada").await?;
    concurrently(store, |store, n| async move {
        if n == TASKS / 2 {
            store.revoke_grant(&key("revoke-race")).await
        } else if n % 2 == 0 {
            store.insert_tokens(named_tokens("revoke-race", n)).await.map(drop)
        } else {
            rotate(&store, "revoke-race", (0, n), 0, 10).await.map(drop)
        }
    })
    .await?;
    for n in 0..TASKS {
        let stored = are_stored(store, "revoke-race", n).await?;
        assert_eq!(stored, [false; 2], "no token exists after a revocation that is concurrent with insertions");
    }
    Ok(())
}

async fn consents_are_found_by_all_keys(store: &Store) -> Checked {
    let [uri, resource] = ["https://c.example/cb", "https://as.example/mcp"];
    store.insert_consent(consent("ada")).await?;
    let replaced = StoredConsent { scopes: vec!["read".into(), "write".into()], ..consent("ada") };
    store.insert_consent(replaced.clone()).await?;
    let found = store.get_consent("ada", "c", uri, resource).await?;
    assert_eq!(found, Some(replaced), "insert_consent replaces the consent with the same keys");
    for (subject, client, uri, resource) in [
        ("eve", "c", uri, resource),
        ("ADA", "c", uri, resource),
        ("ada ", "c", uri, resource),
        ("ada", "d", uri, resource),
        ("ada", "c", "https://c.example/cb2", resource),
        ("ada", "c", uri, "https://as.example/other"),
    ] {
        let found = store.get_consent(subject, client, uri, resource).await?;
        assert_eq!(found, None, "get_consent compares the subject, client, redirect URI and resource exactly");
    }
    Ok(())
}

async fn sessions_are_removed(store: &Store) -> Checked {
    let (digest, record) = (key("session"), session(TEXT));
    store.insert_session(digest.clone(), record.clone()).await?;
    assert_eq!(store.get_session(&digest).await?, Some(record), "get_session returns the inserted record");
    store.remove_session(&key("another session")).await?;
    assert!(store.get_session(&digest).await?.is_some(), "remove_session keeps other sessions");
    store.remove_session(&digest).await?;
    store.remove_session(&digest).await?;
    assert_eq!(store.get_session(&digest).await?, None, "remove_session deletes the session");
    Ok(())
}

async fn users_are_revoked(store: &Store) -> Checked {
    let users = ["mallory", "Mallory", TEXT];
    for subject in users {
        insert_with_tokens(store, subject, subject).await?;
        store.insert_consent(consent(subject)).await?;
        store.insert_session(key(subject), session(subject)).await?;
    }
    let mut revoked = Vec::new();
    for subject in ["mallory", TEXT] {
        store.revoke_user(subject).await?;
        revoked.push(subject);
        for subject in users {
            let is_kept = !revoked.contains(&subject);
            assert_eq!(
                are_stored(store, subject, 0).await?,
                [is_kept; 2],
                "revoke_user deletes the grants of the user only"
            );
            let session = store.get_session(&key(subject)).await?;
            assert_eq!(session.is_some(), is_kept, "revoke_user deletes the sessions of the user only");
            let record = consent(subject);
            let found = store.get_consent(subject, "c", &record.redirect_uri, &record.resource).await?;
            assert_eq!(found.is_some(), is_kept, "revoke_user deletes the consents of the user only");
        }
    }
    Ok(())
}

async fn rotated_tokens_expire_with_their_successor(store: &Store) -> Checked {
    insert_with_tokens(store, "expiry", "ada").await?;
    let mut later = named_tokens("expiry", 1);
    let new_expiry = later.refresh.as_mut().map(|(_, token)| {
        token.expires_at += 1000;
        token.expires_at
    });
    store.rotate_refresh_token(&key("expiry-r0"), later, 10).await?;
    let expiry = store.get_refresh_token(&key("expiry-r0")).await?.map(|(_, token)| token.expires_at);
    assert_eq!(expiry, new_expiry, "a rotated token expires with the token that was issued for it");
    Ok(())
}

async fn dropped_rotations_are_completed_or_rolled_back(store: &Store) -> Checked {
    for n in 0..TASKS {
        let id = format!("drop{n}");
        insert_with_tokens(store, &id, "ada").await?;
        poll_times(n + 1, rotate(store, &id, (0, 1), 0, 0)).await;
        let mut reads = 0;
        loop {
            let parent = store.get_refresh_token(&key(&format!("{id}-r0"))).await?;
            let is_rotated = parent.is_some_and(|(_, token)| token.rotated_at.is_some());
            if are_stored(store, &id, 1).await? == [is_rotated; 2] {
                break;
            }
            reads += 1;
            assert!(reads < MAX_READS, "a rotation whose future is dropped is completed or rolled back");
            tokio::time::sleep(READ_INTERVAL).await;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
