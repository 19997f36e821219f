//! [`AuthorizationStore`]: the database of the built-in provider.

use super::records::{
    BrowserSession, CodeRedemption, NewTokens, PendingAuthorization, RefreshRotation, StoredAccessToken, StoredCode,
    StoredConsent, StoredGrant, StoredRefreshToken,
};
use crate::authorization_server::client::RegisteredClient;
use crate::authorization_server::provider::ProviderFuture;

/// The database of a [`StoredProvider`](super::StoredProvider): clients, grants, codes, tokens, consents and sessions.
///
/// Implement it to keep tokens after a restart, or to share them between several processes. Codes, tokens, cookies and
/// the IDs of pending authorizations are never given to the store; their SHA-256 digests in base64url (43 characters)
/// are the keys. Client secrets are digests too. Claims of users are stored in plain text; encrypt them if others can read
/// the database.
///
/// Keys and the texts of consents are compared exactly, with upper and lower case. Times are in seconds, and fit into
/// signed 64-bit integers. In tests, call [`check_store`](super::testing::check_store). An example with SQLite is
/// [`authorization_store`](https://github.com/ferromcp/ferromcp/blob/main/examples/src/bin/authorization_store/store.rs).
///
/// A relational database needs one table for each record type. `grants(id)` is the parent of `codes(digest, grant_id)`,
/// `access_tokens(digest, grant_id)` and `refresh_tokens(digest, grant_id)`, each with `REFERENCES grants(id) ON DELETE
/// CASCADE`. The other fields fit into one column of JSON, because all records implement `Serialize` and `Deserialize`.
/// With this schema, [`revoke_grant`](Self::revoke_grant) deletes one row, and tokens of a grant that is revoked cannot
/// be inserted. Grants do not refer to the table of clients: clients with metadata documents, and those that the
/// operator has registered, are not in the store. The methods that read and write are transactions; one that the
/// database aborts because of a concurrent transaction must be retried.
///
/// Expiry: a store may return expired records, because the provider checks each one. It should delete them from time to
/// time: grants, access tokens, pending authorizations, consents and sessions whose `expires_at` has passed. A used
/// code is kept until its grant expires, and a rotated refresh token until its `expires_at`, so that a second use is
/// detected. Any program can add pending authorizations and, with dynamic registration, clients: a store should also
/// delete the oldest of those without a grant if there are too many.
///
/// An error should be [`OAuthError::server_error`](super::super::OAuthError::server_error), whose description is logged
/// and not sent. A future is dropped when the client disconnects; a transaction must then be rolled back or completed.
pub trait AuthorizationStore: Send + Sync + 'static {
    /// Returns a client that registered dynamically.
    fn get_client<'a>(&'a self, client_id: &'a str) -> ProviderFuture<'a, Option<RegisteredClient>>;

    /// Adds a client, or replaces the one with the same ID.
    fn insert_client(&self, client: RegisteredClient) -> ProviderFuture<'_, ()>;

    /// Adds a pending authorization.
    fn insert_pending(&self, digest: String, pending: PendingAuthorization) -> ProviderFuture<'_, ()>;

    /// Returns a pending authorization.
    fn get_pending<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, Option<PendingAuthorization>>;

    /// Removes and returns a pending authorization. Of concurrent calls, at most one receives it:
    /// `DELETE … RETURNING *`.
    fn take_pending<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, Option<PendingAuthorization>>;

    /// Adds a grant, and its code unless the client acts for itself.
    fn insert_grant(&self, grant: StoredGrant, code: Option<(String, StoredCode)>) -> ProviderFuture<'_, ()>;

    /// Returns a code, used or not, and its grant.
    fn get_code<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, Option<(StoredGrant, StoredCode)>>;

    /// Marks a code as used. Of concurrent calls, exactly one receives [`CodeRedemption::Consumed`]:
    /// `UPDATE codes SET is_used = TRUE WHERE digest = ? AND NOT is_used`.
    fn take_code<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, CodeRedemption>;

    /// Adds the tokens of a grant, and extends the expiry of the grant to theirs. Returns false, and adds nothing, if
    /// the grant does not exist because it was revoked in the meantime.
    fn insert_tokens(&self, tokens: NewTokens) -> ProviderFuture<'_, bool>;

    /// Returns an access token and its grant. Called for each request to the MCP server.
    fn get_access_token<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, Option<(StoredGrant, StoredAccessToken)>>;

    /// Returns a refresh token, rotated or not, and its grant.
    fn get_refresh_token<'a>(
        &'a self,
        digest: &'a str,
    ) -> ProviderFuture<'a, Option<(StoredGrant, StoredRefreshToken)>>;

    /// Exchanges a refresh token for new tokens, in one transaction:
    ///
    /// 1. If the token or its grant does not exist: [`RefreshRotation::Unknown`].
    /// 2. If [`is_exchangeable`](StoredRefreshToken::is_exchangeable) is false for `tokens.now` and `grace_seconds`, or
    ///    [`has_other_successor`](StoredRefreshToken::has_other_successor) of its parent is true for `digest`:
    ///    [`RefreshRotation::Reused`].
    /// 3. Otherwise calls [`mark_rotated`](StoredRefreshToken::mark_rotated) of the token, sets `successor` of its parent to
    ///    `digest`, adds the new tokens, and extends the expiry of the grant: [`RefreshRotation::Rotated`].
    fn rotate_refresh_token<'a>(
        &'a self,
        digest: &'a str,
        tokens: NewTokens,
        grace_seconds: u64,
    ) -> ProviderFuture<'a, RefreshRotation>;

    /// Deletes a grant with its code and tokens. An unknown grant is ignored.
    fn revoke_grant<'a>(&'a self, grant_id: &'a str) -> ProviderFuture<'a, ()>;

    /// Deletes all grants, consents and sessions of a user.
    fn revoke_user<'a>(&'a self, subject: &'a str) -> ProviderFuture<'a, ()>;

    /// Adds a consent, or replaces that of the same user, client, redirect URI and resource.
    fn insert_consent(&self, consent: StoredConsent) -> ProviderFuture<'_, ()>;

    /// Returns the consent of a user to a client with this redirect URI and resource. All four must be identical.
    fn get_consent<'a>(
        &'a self,
        subject: &'a str,
        client_id: &'a str,
        redirect_uri: &'a str,
        resource: &'a str,
    ) -> ProviderFuture<'a, Option<StoredConsent>>;

    /// Adds a session of a browser.
    fn insert_session(&self, digest: String, session: BrowserSession) -> ProviderFuture<'_, ()>;

    /// Returns a session of a browser.
    fn get_session<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, Option<BrowserSession>>;

    /// Deletes a session of a browser. An unknown session is ignored.
    fn remove_session<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, ()>;
}
