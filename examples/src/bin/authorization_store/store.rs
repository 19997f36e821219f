//! [`SqliteStore`]: the clients, grants and tokens of an authorization server in a SQLite database.

use std::sync::Arc;

use ferromcp::auth::authorization_server::{
    AuthorizationStore, BrowserSession, CodeRedemption, NewTokens, OAuthError, PendingAuthorization, ProviderFuture,
    RefreshRotation, RegisteredClient, StoredAccessToken, StoredCode, StoredConsent, StoredGrant, StoredRefreshToken,
};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Error, OptionalExtension, Result, ToSql, TransactionBehavior};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

/// Maximum number of pending authorizations, and of clients without a grant: any program can add them. The newest are
/// kept.
const MAX_UNAUTHORIZED: u32 = 10_000;

/// The records are JSON, from which the other columns are computed.
const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA foreign_keys = ON;
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS clients (
        id TEXT PRIMARY KEY, record TEXT NOT NULL,
        issued_at INTEGER NOT NULL AS (record ->> 'issued_at'));
    CREATE TABLE IF NOT EXISTS pending (
        id TEXT PRIMARY KEY, record TEXT NOT NULL,
        expires_at INTEGER NOT NULL AS (record ->> 'expires_at'));
    CREATE TABLE IF NOT EXISTS grants (
        id TEXT PRIMARY KEY, record TEXT NOT NULL,
        client_id TEXT NOT NULL AS (record ->> 'client_id'),
        subject TEXT NOT NULL AS (record ->> '$.user.subject'),
        expires_at INTEGER NOT NULL AS (record ->> 'expires_at'));
    CREATE TABLE IF NOT EXISTS codes (
        id TEXT PRIMARY KEY, record TEXT NOT NULL,
        grant_id TEXT NOT NULL AS (record ->> 'grant_id') REFERENCES grants (id) ON DELETE CASCADE);
    CREATE TABLE IF NOT EXISTS access_tokens (
        id TEXT PRIMARY KEY, record TEXT NOT NULL,
        grant_id TEXT NOT NULL AS (record ->> 'grant_id') REFERENCES grants (id) ON DELETE CASCADE,
        expires_at INTEGER NOT NULL AS (record ->> 'expires_at'));
    CREATE TABLE IF NOT EXISTS refresh_tokens (
        id TEXT PRIMARY KEY, record TEXT NOT NULL,
        grant_id TEXT NOT NULL AS (record ->> 'grant_id') REFERENCES grants (id) ON DELETE CASCADE,
        expires_at INTEGER NOT NULL AS (record ->> 'expires_at'));
    CREATE TABLE IF NOT EXISTS consents (
        id TEXT PRIMARY KEY, record TEXT NOT NULL,
        subject TEXT NOT NULL AS (record ->> 'subject'),
        expires_at INTEGER NOT NULL AS (record ->> 'expires_at'));
    CREATE TABLE IF NOT EXISTS sessions (
        id TEXT PRIMARY KEY, record TEXT NOT NULL,
        subject TEXT NOT NULL AS (record ->> '$.user.subject'),
        expires_at INTEGER NOT NULL AS (record ->> 'expires_at'));
    CREATE INDEX IF NOT EXISTS grant_client ON grants (client_id);
    CREATE INDEX IF NOT EXISTS grant_subject ON grants (subject);
    CREATE INDEX IF NOT EXISTS grant_expiry ON grants (expires_at);
    CREATE INDEX IF NOT EXISTS code_grant ON codes (grant_id);
    CREATE INDEX IF NOT EXISTS access_token_grant ON access_tokens (grant_id);
    CREATE INDEX IF NOT EXISTS access_token_expiry ON access_tokens (expires_at);
    CREATE INDEX IF NOT EXISTS refresh_token_grant ON refresh_tokens (grant_id);
    CREATE INDEX IF NOT EXISTS refresh_token_expiry ON refresh_tokens (expires_at);
    COMMIT;
";

/// A store in a SQLite database. Clones share the connection.
#[derive(Clone)]
pub(crate) struct SqliteStore(Arc<Mutex<Connection>>);

impl SqliteStore {
    /// Opens or creates a database. It contains claims of users in plain text: restrict access to its folder.
    pub(crate) fn open(path: &str) -> Result<Self> {
        let db = Connection::open(path)?;
        db.execute_batch(SCHEMA)?;
        Ok(Self(Arc::new(Mutex::new(db))))
    }

    /// Deletes expired records. Call it every minute. Codes are deleted with their grants, so that a second use of a code
    /// is detected until then.
    pub(crate) async fn delete_expired(&self) -> Result<(), OAuthError> {
        self.write(|db| {
            for table in ["grants", "access_tokens", "refresh_tokens", "pending", "consents", "sessions"] {
                db.execute(&format!("DELETE FROM {table} WHERE expires_at <= unixepoch()"), [])?;
            }
            db.execute_batch(&format!(
                "DELETE FROM pending
                    WHERE id NOT IN (SELECT id FROM pending ORDER BY expires_at DESC LIMIT {MAX_UNAUTHORIZED});
                DELETE FROM clients
                    WHERE id NOT IN (SELECT id FROM clients ORDER BY issued_at DESC LIMIT {MAX_UNAUTHORIZED})
                    AND id NOT IN (SELECT client_id FROM grants);"
            ))
        })
        .await
    }

    /// Runs `work` on the blocking thread pool. If the future is dropped, `work` completes or does not start.
    fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    ) -> ProviderFuture<'static, T> {
        let db = Arc::clone(&self.0);
        Box::pin(async move {
            let mut db = db.lock_owned().await;
            match spawn_blocking(move || work(&mut db)).await {
                Ok(Ok(value)) => Ok(value),
                Ok(Err(error)) => Err(OAuthError::server_error(format!("cannot access the database: {error}"))),
                Err(error) => Err(OAuthError::server_error(format!("cannot complete a query: {error}"))),
            }
        })
    }

    /// Runs `work` in a transaction that excludes other writers from its beginning. An error or a panic rolls it back.
    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> ProviderFuture<'static, T> {
        self.run(move |db| {
            let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })
    }

    fn put<T: Serialize + Send + 'static>(
        &self,
        table: &'static str,
        id: String,
        record: T,
    ) -> ProviderFuture<'static, ()> {
        self.write(move |db| put(db, table, &id, &record))
    }

    fn get<T: DeserializeOwned + Send + 'static>(
        &self,
        table: &'static str,
        id: impl Into<String>,
    ) -> ProviderFuture<'static, Option<T>> {
        let id = id.into();
        self.run(move |db| get(db, table, &id))
    }

    fn delete(&self, table: &'static str, id: &str) -> ProviderFuture<'static, ()> {
        let id = id.to_owned();
        self.write(move |db| db.execute(&format!("DELETE FROM {table} WHERE id = ?1"), [id]).map(drop))
    }

    /// Returns a code or token with its grant.
    fn get_with_grant<T: DeserializeOwned + Send + 'static>(
        &self,
        table: &'static str,
        id: &str,
    ) -> ProviderFuture<'static, Option<(StoredGrant, T)>> {
        let id = id.to_owned();
        self.run(move |db| get_with_grant(db, table, &id))
    }
}

/// A record in a column, as JSON.
struct Json<T>(T);

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        let json = serde_json::to_string(&self.0).map_err(|error| Error::ToSqlConversionFailure(error.into()))?;
        Ok(json.into())
    }
}

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(|error| FromSqlError::Other(error.into()))
    }
}

/// Adds a record, or replaces the one with the same ID. (`INSERT OR REPLACE` would delete the tokens of a grant.)
fn put(db: &Connection, table: &str, id: &str, record: &impl Serialize) -> Result<()> {
    let sql = format!("INSERT INTO {table} VALUES (?1, ?2) ON CONFLICT DO UPDATE SET record = excluded.record");
    db.prepare_cached(&sql)?.execute((id, Json(record)))?;
    Ok(())
}

fn get<T: DeserializeOwned>(db: &Connection, table: &str, id: &str) -> Result<Option<T>> {
    let sql = format!("SELECT record FROM {table} WHERE id = ?1");
    db.prepare_cached(&sql)?.query_row([id], |row| row.get(0)).map(|Json(record)| record).optional()
}

fn get_with_grant<T: DeserializeOwned>(db: &Connection, table: &str, id: &str) -> Result<Option<(StoredGrant, T)>> {
    let sql = format!(
        "SELECT grants.record, {table}.record FROM {table} JOIN grants ON grants.id = grant_id WHERE {table}.id = ?1"
    );
    let records = db.prepare_cached(&sql)?.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(records.map(|(Json(grant), Json(record))| (grant, record)))
}

fn take_code(db: &Connection, id: &str) -> Result<CodeRedemption> {
    let Some((grant, mut code)) = get_with_grant::<StoredCode>(db, "codes", id)? else {
        return Ok(CodeRedemption::Unknown);
    };
    if code.is_used {
        return Ok(CodeRedemption::AlreadyUsed { grant_id: grant.id });
    }
    code.is_used = true;
    put(db, "codes", id, &code)?;
    Ok(CodeRedemption::Consumed(Box::new((grant, code))))
}

fn insert_tokens(db: &Connection, tokens: &NewTokens) -> Result<bool> {
    let Some(mut grant) = get::<StoredGrant>(db, "grants", &tokens.grant_id)? else { return Ok(false) };
    let (digest, access) = &tokens.access;
    put(db, "access_tokens", digest, access)?;
    grant.expires_at = grant.expires_at.max(access.expires_at);
    if let Some((digest, refresh)) = &tokens.refresh {
        put(db, "refresh_tokens", digest, refresh)?;
        grant.expires_at = grant.expires_at.max(refresh.expires_at);
    }
    put(db, "grants", &grant.id, &grant)?;
    Ok(true)
}

fn rotate(db: &Connection, id: &str, tokens: &NewTokens, grace_seconds: u64) -> Result<RefreshRotation> {
    let Some(mut token) = get::<StoredRefreshToken>(db, "refresh_tokens", id)? else {
        return Ok(RefreshRotation::Unknown);
    };
    let parent = token.parent.clone().unwrap_or_default();
    let mut parent_token = get::<StoredRefreshToken>(db, "refresh_tokens", &parent)?;
    let is_reused = parent_token.as_ref().is_some_and(|parent| parent.has_other_successor(id));
    if is_reused || !token.is_exchangeable(tokens.now, grace_seconds) {
        return Ok(RefreshRotation::Reused { grant_id: token.grant_id });
    }
    token.mark_rotated(tokens);
    put(db, "refresh_tokens", id, &token)?;
    if let Some(token) = &mut parent_token {
        token.successor = Some(id.to_owned());
        put(db, "refresh_tokens", &parent, token)?;
    }
    Ok(if insert_tokens(db, tokens)? { RefreshRotation::Rotated } else { RefreshRotation::Unknown })
}

fn consent_id(subject: &str, client_id: &str, redirect_uri: &str, resource: &str) -> String {
    serde_json::json!([subject, client_id, redirect_uri, resource]).to_string()
}

impl AuthorizationStore for SqliteStore {
    fn get_client<'a>(&'a self, client_id: &'a str) -> ProviderFuture<'a, Option<RegisteredClient>> {
        self.get("clients", client_id)
    }

    fn insert_client(&self, client: RegisteredClient) -> ProviderFuture<'_, ()> {
        self.put("clients", client.client_id.clone(), client)
    }

    fn insert_pending(&self, digest: String, pending: PendingAuthorization) -> ProviderFuture<'_, ()> {
        self.put("pending", digest, pending)
    }

    fn get_pending<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, Option<PendingAuthorization>> {
        self.get("pending", digest)
    }

    fn take_pending<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, Option<PendingAuthorization>> {
        let digest = digest.to_owned();
        self.write(move |db| {
            let pending = get(db, "pending", &digest)?;
            db.execute("DELETE FROM pending WHERE id = ?1", [digest])?;
            Ok(pending)
        })
    }

    fn insert_grant(&self, grant: StoredGrant, code: Option<(String, StoredCode)>) -> ProviderFuture<'_, ()> {
        self.write(move |db| {
            put(db, "grants", &grant.id, &grant)?;
            code.map_or(Ok(()), |(digest, code)| put(db, "codes", &digest, &code))
        })
    }

    fn get_code<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, Option<(StoredGrant, StoredCode)>> {
        self.get_with_grant("codes", digest)
    }

    fn take_code<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, CodeRedemption> {
        let digest = digest.to_owned();
        self.write(move |db| take_code(db, &digest))
    }

    fn insert_tokens(&self, tokens: NewTokens) -> ProviderFuture<'_, bool> {
        self.write(move |db| insert_tokens(db, &tokens))
    }

    fn get_access_token<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, Option<(StoredGrant, StoredAccessToken)>> {
        self.get_with_grant("access_tokens", digest)
    }

    fn get_refresh_token<'a>(
        &'a self,
        digest: &'a str,
    ) -> ProviderFuture<'a, Option<(StoredGrant, StoredRefreshToken)>> {
        self.get_with_grant("refresh_tokens", digest)
    }

    fn rotate_refresh_token<'a>(
        &'a self,
        digest: &'a str,
        tokens: NewTokens,
        grace_seconds: u64,
    ) -> ProviderFuture<'a, RefreshRotation> {
        let digest = digest.to_owned();
        self.write(move |db| rotate(db, &digest, &tokens, grace_seconds))
    }

    fn revoke_grant<'a>(&'a self, grant_id: &'a str) -> ProviderFuture<'a, ()> {
        self.delete("grants", grant_id)
    }

    fn revoke_user<'a>(&'a self, subject: &'a str) -> ProviderFuture<'a, ()> {
        let subject = subject.to_owned();
        self.write(move |db| {
            for table in ["grants", "consents", "sessions"] {
                db.execute(&format!("DELETE FROM {table} WHERE subject = ?1"), [&subject])?;
            }
            Ok(())
        })
    }

    fn insert_consent(&self, consent: StoredConsent) -> ProviderFuture<'_, ()> {
        let id = consent_id(&consent.subject, &consent.client_id, &consent.redirect_uri, &consent.resource);
        self.put("consents", id, consent)
    }

    fn get_consent<'a>(
        &'a self,
        subject: &'a str,
        client_id: &'a str,
        redirect_uri: &'a str,
        resource: &'a str,
    ) -> ProviderFuture<'a, Option<StoredConsent>> {
        self.get("consents", consent_id(subject, client_id, redirect_uri, resource))
    }

    fn insert_session(&self, digest: String, session: BrowserSession) -> ProviderFuture<'_, ()> {
        self.put("sessions", digest, session)
    }

    fn get_session<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, Option<BrowserSession>> {
        self.get("sessions", digest)
    }

    fn remove_session<'a>(&'a self, digest: &'a str) -> ProviderFuture<'a, ()> {
        self.delete("sessions", digest)
    }
}
