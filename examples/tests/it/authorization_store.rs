//! The SQLite store of an authorization server: its behavior, its cleanup, and restarts of the server.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use ferromcp::auth::authorization_server::testing::check_store;
use ferromcp::auth::authorization_server::{AuthorizationStore, CodeRedemption, RegisteredClient};
use ferromcp::prelude::*;
use ferromcp_examples::text;
use serde_json::{Value, json};
use tokio::process::Child;
use url::Url;

use self::store::SqliteStore;
use crate::browser::Browser;
use crate::oauth_servers::{free_address, start};

#[path = "../../src/bin/authorization_store/store.rs"]
mod store;

#[tokio::test(flavor = "multi_thread")]
async fn store_behaves_as_documented() {
    check_store(SqliteStore::open(":memory:").unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn store_behaves_as_documented_when_another_process_writes_to_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authorization.db");
    let open = || SqliteStore::open(path.to_str().unwrap()).unwrap();
    let (checked, other) = (open(), open());
    let cleanup = tokio::spawn(async move {
        loop {
            other.delete_expired().await.unwrap();
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    check_store(checked).await;
    assert!(!cleanup.is_finished(), "the cleanup failed");
    cleanup.abort();
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// Returns a record. Records without public constructors are deserialized.
fn record<T: serde::de::DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).unwrap()
}

fn request() -> Value {
    json!({
        "client_id": "c", "state": null, "scopes": [], "code_challenge": "x", "redirect_uri": "https://c.example/cb",
        "is_redirect_uri_explicit": true, "resource": "https://as.example/mcp", "issuer": "https://as.example",
        "key_thumbprint": null,
    })
}

fn grant(id: &str, expires_at: u64) -> Value {
    let user = json!({ "subject": "ada", "name": null, "claims": {}, "reference": null });
    json!({
        "id": id, "issuer": "https://as.example", "client_id": "c", "user": user, "scopes": [],
        "resource": "https://as.example/mcp", "created_at": 1, "expires_at": expires_at,
    })
}

fn code(grant_id: &str) -> Value {
    json!({ "grant_id": grant_id, "request": request(), "expires_at": 1, "is_used": false })
}

fn pending(expires_at: u64) -> Value {
    json!({
        "request": request(), "client_name": null, "is_metadata_document": false, "is_public_client": true,
        "is_approved": false, "expires_at": expires_at,
    })
}

/// Returns tokens `a-<name>` and `r-<name>` with these expiry times.
fn tokens(grant_id: &str, name: &str, access_expires_at: u64, refresh_expires_at: u64) -> Value {
    let access = json!({ "grant_id": grant_id, "scopes": [], "key_thumbprint": null, "expires_at": access_expires_at });
    let refresh = json!({
        "grant_id": grant_id, "key_thumbprint": null, "expires_at": refresh_expires_at, "parent": null,
        "rotated_at": null, "successor": null,
    });
    json!({
        "grant_id": grant_id, "access": [format!("a-{name}"), access], "refresh": [format!("r-{name}"), refresh],
        "now": 1,
    })
}

#[tokio::test]
async fn cleanup_deletes_expired_records_only() -> Result<()> {
    let store = SqliteStore::open(":memory:")?;
    let later = now() + 1000;
    store.insert_pending("new".into(), record(pending(later))).await?;
    store.insert_pending("old".into(), record(pending(1))).await?;
    store.insert_grant(record(grant("old", 1)), Some(("old".into(), record(code("old"))))).await?;
    store.insert_grant(record(grant("new", 1)), Some(("new".into(), record(code("new"))))).await?;
    store.take_code("new").await?;
    assert!(store.insert_tokens(record(tokens("new", "1", 1, later))).await?);
    assert!(store.insert_tokens(record(tokens("new", "2", later, 1))).await?);
    store.rotate_refresh_token("r-1", record(tokens("new", "3", later, later)), 0).await?;
    store.delete_expired().await?;
    assert!(store.get_pending("new").await?.is_some() && store.get_pending("old").await?.is_none());
    assert!(store.get_code("old").await?.is_none());
    assert!(store.get_access_token("a-1").await?.is_none() && store.get_access_token("a-2").await?.is_some());
    assert!(store.get_refresh_token("r-2").await?.is_none());
    // second uses are detected until the grant and the token have expired.
    assert_eq!(store.take_code("new").await?, CodeRedemption::AlreadyUsed { grant_id: "new".into() });
    assert!(store.get_refresh_token("r-1").await?.is_some_and(|(_, token)| token.rotated_at.is_some()));
    Ok(())
}

#[tokio::test]
async fn cleanup_deletes_the_oldest_when_programs_register_too_many_clients() -> Result<()> {
    let store = SqliteStore::open(":memory:")?;
    let client = |id: String, issued_at| {
        let mut client = RegisteredClient::new(id, ["https://c.example/cb"]);
        client.issued_at = issued_at;
        client
    };
    store.insert_client(client("c".into(), 0)).await?;
    store.insert_grant(record(grant("g", now() + 1000)), None).await?;
    for n in 0..10_001 {
        store.insert_client(client(format!("{n}"), n)).await?;
        store.insert_pending(format!("{n}"), record(pending(now() + 1000 + n))).await?;
    }
    store.delete_expired().await?;
    assert!(store.get_client("c").await?.is_some(), "a client with a grant is kept");
    assert!(store.get_client("0").await?.is_none() && store.get_client("1").await?.is_some());
    assert!(store.get_pending("0").await?.is_none() && store.get_pending("1").await?.is_some());
    Ok(())
}

/// The PKCE example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const REDIRECT_URI: &str = "http://127.0.0.1:1/callback";

/// A server with a database, its client, and the browser of its user.
struct Site {
    address: SocketAddr,
    database: String,
    server: Child,
    browser: Browser,
    client_id: String,
}

impl Site {
    async fn start(database: String) -> Result<Self> {
        let address = free_address();
        let server = start(env!("CARGO_BIN_EXE_authorization_store"), address, &[&database]).await;
        let browser = Browser::new(format!("http://{address}"));
        let mut site = Self { address, database, server, browser, client_id: String::new() };
        let body = json!({ "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none" }).to_string();
        let request = reqwest::Client::new().post(site.url("/register")).header("content-type", "application/json");
        let client: Value = serde_json::from_str(&request.body(body).send().await?.text().await?)?;
        client["client_id"].as_str().context("an ID")?.clone_into(&mut site.client_id);
        Ok(site)
    }

    /// Kills the server, and starts it again with the same database.
    async fn restart(&mut self) -> Result<()> {
        self.server.kill().await?;
        self.server = start(env!("CARGO_BIN_EXE_authorization_store"), self.address, &[&self.database]).await;
        Ok(())
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Obtains tokens for the user, who logs in unless the browser has a session.
    async fn authorize(&mut self, logs_in: bool) -> Result<Value> {
        let resource = self.url("/mcp");
        let mut url = Url::parse(&self.url("/authorize"))?;
        url.query_pairs_mut()
            .extend_pairs([("response_type", "code"), ("client_id", &self.client_id), ("redirect_uri", REDIRECT_URI)])
            .extend_pairs([("code_challenge", CHALLENGE), ("code_challenge_method", "S256"), ("resource", &resource)]);
        let mut page = self.browser.open(url.as_str()).await;
        assert_eq!(page.contains("name=\"password\""), logs_in, "{page}");
        if logs_in {
            let fields = [("username", "ada"), ("password", "lovelace")];
            page = self.browser.submit(&page, "/consent/login", &fields).await.unwrap_err();
        }
        let redirect = self.browser.submit(&page, "/consent", &[("action", "approve")]).await.unwrap();
        let redirect = Url::parse(&redirect)?;
        let (_, code) = redirect.query_pairs().find(|(name, _)| name == "code").context("a code")?;
        let fields = [("code", &*code), ("code_verifier", VERIFIER), ("redirect_uri", REDIRECT_URI)];
        self.post("/token", &[&[("grant_type", "authorization_code")], &fields[..]].concat()).await
    }

    async fn refresh(&self, tokens: &Value) -> Result<Value> {
        let token = tokens["refresh_token"].as_str().context("a refresh token")?;
        self.post("/token", &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// Sends a form, and returns the response or null.
    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Result<Value> {
        let mut form = Url::parse(&self.url(path))?;
        form.query_pairs_mut().append_pair("client_id", &self.client_id).extend_pairs(fields);
        let request = reqwest::Client::new().post(self.url(path));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let body = form.query().unwrap_or_default().to_owned();
        Ok(serde_json::from_str(&request.body(body).send().await?.text().await?).unwrap_or_default())
    }

    /// Calls the tool with an access token.
    async fn call(&self, tokens: &Value) -> Result<String> {
        let token = tokens["access_token"].as_str().context("an access token")?;
        let client = Client::builder("tests", "1.0.0").header("Authorization", format!("Bearer {token}"));
        let client = client.connect(&*self.url("/mcp")).await?;
        let result = client.call("whoami", json!({})).await?;
        client.close().await;
        Ok(text(&result))
    }
}

fn database(folder: &tempfile::TempDir) -> String {
    folder.path().join("authorization.db").to_string_lossy().into_owned()
}

#[tokio::test]
async fn clients_refresh_tokens_and_users_stay_logged_in_after_a_restart() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut site = Site::start(database(&folder)).await?;
    let first = site.authorize(true).await?;
    assert_eq!(site.call(&first).await?, "ada");
    site.restart().await?;
    assert_eq!(site.call(&first).await?, "ada");
    let second = site.refresh(&first).await?;
    assert_eq!(site.call(&second).await?, "ada");
    let third = site.refresh(&second).await?;
    assert_eq!(site.call(&third).await?, "ada");
    site.authorize(false).await?;
    // after a restart, the server detects that a rotated token is used again.
    site.restart().await?;
    assert_eq!(site.refresh(&first).await?["error"], "invalid_grant");
    assert!(site.call(&third).await.is_err());
    assert_eq!(site.refresh(&third).await?["error"], "invalid_grant");
    Ok(())
}

#[tokio::test]
async fn revoked_tokens_stay_revoked_after_a_restart() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut site = Site::start(database(&folder)).await?;
    let revoked = site.authorize(true).await?;
    let kept = site.authorize(false).await?;
    site.post("/revoke", &[("token", revoked["refresh_token"].as_str().context("a token")?)]).await?;
    site.restart().await?;
    assert!(site.call(&revoked).await.is_err());
    assert_eq!(site.refresh(&revoked).await?["error"], "invalid_grant");
    assert_eq!(site.call(&kept).await?, "ada");
    Ok(())
}
