//! Client ID metadata documents: the ID of a client is the URL of its metadata.
//!
//! Spec: draft-ietf-oauth-client-id-metadata-document;
//! <https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization/client-registration>.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use http::HeaderMap;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde_json::Value;
use url::Url;

use super::client::RegisteredClient;
use super::client_metadata;
use super::error::OAuthError;
use super::fetch_slots::FetchSlots;
use super::form::has_media_type;
use super::grant_type::{AUTHORIZATION_CODE, is_open_grant};
use crate::client_authentication::ClientAuthentication;
use crate::clock::now;
use crate::digest_cache::{Digest, DigestCache, token_digest};
use crate::document::Document;
use crate::error::AuthErrorKind;
use crate::fetch::{Fetched, Fetcher, Network, is_loopback_host};

/// Maximum size of a document, in bytes. The draft recommends 5 KB; documents with keys are larger.
const MAX_DOCUMENT_BYTES: usize = 8 * 1024;
/// Maximum length of a URL, in bytes.
const MAX_URL_BYTES: usize = 2048;
/// Maximum number of cached documents. The oldest is then removed.
const MAX_DOCUMENTS: usize = 1000;
/// How long a document is cached at most, in seconds.
const MAX_AGE: u64 = 60 * 60;
/// How long a document without `Cache-Control` is cached, in seconds.
const DEFAULT_AGE: u64 = 5 * 60;
/// Maximum number of documents that are fetched at the same time. Further ones are refused.
const MAX_FETCHES: usize = 32;
/// Maximum number of documents of a host that are fetched at the same time.
const MAX_FETCHES_PER_HOST: usize = 2;
/// Timeout of a request for a document.
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a URL is not requested again after it could not be reached, in seconds.
const RETRY_SECONDS: u64 = 60;
/// Maximum number of URLs that could not be reached. The oldest is then removed.
const MAX_UNREACHABLE: usize = 10_000;

/// Fetches and caches documents.
pub(super) struct MetadataDocuments {
    fetcher: Fetcher,
    redirect_schemes: Vec<String>,
    cache: Mutex<DigestCache<RegisteredClient>>,
    /// The URLs that could not be reached.
    unreachable: Mutex<DigestCache<()>>,
    /// The documents that are being fetched. A flight without a request is removed.
    flights: Mutex<HashMap<Digest, Weak<Flight>>>,
    slots: FetchSlots,
}

/// The outcome for all requests that need the same document. The request that holds the lock fetches it.
type Flight = tokio::sync::Mutex<Option<Result<RegisteredClient, OAuthError>>>;

impl MetadataDocuments {
    pub(super) fn new(fetcher: Fetcher, redirect_schemes: &[String]) -> Self {
        Self {
            fetcher,
            redirect_schemes: redirect_schemes.to_vec(),
            cache: Mutex::new(DigestCache::new(MAX_DOCUMENTS)),
            unreachable: Mutex::new(DigestCache::new(MAX_UNREACHABLE)),
            flights: Mutex::default(),
            slots: FetchSlots::new(MAX_FETCHES, MAX_FETCHES_PER_HOST),
        }
    }

    /// Returns whether a client ID has the form of a URL. Plain HTTP is for tests on the loopback interface.
    pub(super) fn is_document_url(&self, client_id: &str) -> bool {
        client_id.starts_with("https://")
            || (self.fetcher.network() == Network::Any && client_id.starts_with("http://"))
    }

    /// Returns the client of a document, which is fetched unless it is cached.
    ///
    /// # Errors
    /// `invalid_client` if the URL or the document is invalid, or it cannot be fetched; `temporarily_unavailable` if too
    /// many documents are being fetched. Error responses and invalid documents are not cached; a URL that could not be
    /// reached is not requested again for a minute.
    pub(super) async fn client(&self, url: &str) -> Result<RegisteredClient, OAuthError> {
        check_url(url)?;
        let key = token_digest(url);
        if let Some(outcome) = self.known(&key) {
            return outcome;
        }
        let flight = self.flight(key);
        let mut outcome = flight.lock().await;
        if let Some(outcome) = &*outcome {
            return outcome.clone(); // another request has fetched the document
        }
        // The flight may be newer than the lookup.
        let fetched = match self.known(&key) {
            Some(known) => known,
            None => self.fetch(url, key).await,
        };
        *outcome = Some(fetched.clone());
        // Later requests must not join a finished flight.
        self.flights.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        fetched
    }

    /// Returns the cached result of a document.
    fn known(&self, key: &Digest) -> Option<Result<RegisteredClient, OAuthError>> {
        if let Some(client) = self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(key, now()) {
            return Some(Ok(client.clone()));
        }
        let unreachable = self.unreachable.lock().unwrap_or_else(PoisonError::into_inner);
        unreachable.get(key, now()).map(|()| Err(unreachable_error()))
    }

    fn flight(&self, key: Digest) -> Arc<Flight> {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(&key).and_then(Weak::upgrade) {
            return flight;
        }
        // Those of canceled requests.
        flights.retain(|_, flight| flight.strong_count() > 0);
        let flight = Arc::new(Flight::default());
        flights.insert(key, Arc::downgrade(&flight));
        flight
    }

    async fn fetch(&self, url: &str, key: Digest) -> Result<RegisteredClient, OAuthError> {
        let Some(_slot) = self.slots.enter(url) else {
            return Err(OAuthError::temporarily_unavailable("too many clients are being loaded; try again later"));
        };
        let request = self.fetcher.get_at_most(url, MAX_DOCUMENT_BYTES);
        let is_unreachable = match tokio::time::timeout(FETCH_TIMEOUT, request).await {
            Ok(Ok(fetched)) => return self.read(url, key, &fetched),
            Ok(Err(error)) => {
                tracing::debug!(%error, "cannot fetch a client ID metadata document");
                error.kind() == AuthErrorKind::Unavailable
            }
            Err(_) => true,
        };
        if is_unreachable {
            let mut unreachable = self.unreachable.lock().unwrap_or_else(PoisonError::into_inner);
            unreachable.insert(key, (), now().saturating_add(RETRY_SECONDS), now());
        }
        Err(unreachable_error())
    }

    /// Reads a response, and caches its document as its headers allow.
    fn read(&self, url: &str, key: Digest, fetched: &Fetched) -> Result<RegisteredClient, OAuthError> {
        let client = parse(url, fetched, &self.redirect_schemes)?;
        let lifetime = lifetime(&fetched.headers);
        if lifetime > 0 {
            let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
            cache.insert(key, client.clone(), now().saturating_add(lifetime), now());
        }
        Ok(client)
    }
}

fn unreachable_error() -> OAuthError {
    OAuthError::invalid_client("the client ID metadata document cannot be fetched; try again in a minute")
}

/// Checks the form of a client ID: draft, section 3.
pub(super) fn check_url(url: &str) -> Result<(), OAuthError> {
    let invalid =
        |problem: &str| Err(OAuthError::invalid_client(format!("the client ID is not a valid URL: {problem}")));
    if url.len() > MAX_URL_BYTES {
        return invalid("it is too long");
    }
    if url.bytes().any(|byte| !byte.is_ascii_graphic() || byte == b'\\') || url.contains('#') {
        return invalid("it contains a fragment, or characters that must be percent-encoded");
    }
    let Ok(parsed) = Url::parse(url) else { return invalid("it cannot be parsed") };
    if parsed.scheme() != "https" && !is_loopback_host(&parsed) {
        return invalid("the scheme is not https");
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return invalid("it contains a user or password");
    }
    let (_, rest) = url.split_once("://").unwrap_or_default();
    let path = rest.split('?').next().and_then(|rest| rest.split_once('/'));
    let Some(path) = path.map(|(_, path)| path).filter(|path| !path.is_empty()) else {
        return invalid("it has no path");
    };
    let is_dots = |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    if path.split('/').any(is_dots) {
        return invalid("its path contains dot segments");
    }
    Ok(())
}

/// Reads a document.
pub(super) fn parse(url: &str, fetched: &Fetched, redirect_schemes: &[String]) -> Result<RegisteredClient, OAuthError> {
    let invalid = |problem: &str| OAuthError::invalid_client(format!("invalid client ID metadata document: {problem}"));
    if fetched.status != http::StatusCode::OK {
        return Err(invalid(&format!("it has status {}", fetched.status.as_u16())));
    }
    if !is_json(&fetched.headers) {
        return Err(invalid("its content type is not JSON"));
    }
    let document: Value = serde_json::from_slice(&fetched.body).map_err(|_| invalid("it is not JSON"))?;
    let fields = document.as_object().ok_or_else(|| invalid("it is not an object"))?;
    if fields.get("client_id").and_then(Value::as_str) != Some(url) {
        return Err(invalid("its `client_id` is not its URL"));
    }
    if fields.contains_key("client_secret") || fields.contains_key("client_secret_expires_at") {
        return Err(invalid("it contains a client secret"));
    }
    let document = Document::parse(&fetched.body).ok_or_else(|| invalid("it is not an object"))?;
    let name = document.non_empty("client_name").ok_or_else(|| invalid("`client_name` is missing"))?;
    let application_type = document.text("application_type");
    let redirect_uris = client_metadata::redirect_uris(fields, application_type.as_deref(), redirect_schemes)
        .map_err(|error| invalid(error.description()))?;
    if redirect_uris.is_empty() {
        return Err(invalid("`redirect_uris` is missing or empty"));
    }
    let mut client = RegisteredClient::new(url, redirect_uris);
    client.client_name = Some(client_metadata::checked_name(name).map_err(|error| invalid(error.description()))?);
    client.auth_method = match document.text("token_endpoint_auth_method").as_deref() {
        None | Some("none") => ClientAuthentication::None,
        Some("private_key_jwt") => ClientAuthentication::PrivateKeyJwt,
        Some(_) => return Err(invalid("the authentication method is not `none` or `private_key_jwt`")),
    };
    if client.auth_method == ClientAuthentication::PrivateKeyJwt {
        client_metadata::set_keys(&mut client, fields).map_err(|error| invalid(error.description()))?;
    }
    if let Some(grants) = document.list("grant_types") {
        client.grant_types = grants.into_iter().filter(|grant| is_open_grant(grant)).collect();
    }
    if document.list("response_types").is_some_and(|types| types.iter().all(|kind| kind != "code")) {
        client.grant_types.retain(|grant| grant != AUTHORIZATION_CODE);
    }
    client.client_uri = document.text("client_uri").filter(|uri| uri.starts_with("https://"));
    client.application_type = application_type;
    client.requires_dpop = document.flag("dpop_bound_access_tokens");
    client.is_metadata_document = true;
    Ok(client)
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    has_media_type(headers, "application/json")
        || (media_type.starts_with("application/") && media_type.ends_with("+json"))
}

/// Returns how long a response may be cached, in seconds. `0`: not at all.
pub(super) fn lifetime(headers: &HeaderMap) -> u64 {
    let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let mut lifetime = DEFAULT_AGE;
    for directive in values.flat_map(|value| value.split(',')) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => return 0,
            "max-age" => lifetime = value.trim().trim_matches('"').parse().unwrap_or(0),
            _ => {}
        }
    }
    lifetime.min(MAX_AGE)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderValue, StatusCode};
    use serde_json::json;

    use super::*;

    const URL: &str = "https://app.example.com/client.json";

    fn fetched(document: &Value) -> Fetched {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        Fetched { status: StatusCode::OK, headers, body: Bytes::from(document.to_string()) }
    }

    fn document() -> Value {
        json!({ "client_id": URL, "client_name": "App", "redirect_uris": ["https://app.example.com/cb"] })
    }

    fn changed(name: &str, value: Value) -> Result<RegisteredClient, OAuthError> {
        let mut document = document();
        document[name] = value;
        parse(URL, &fetched(&document), &[])
    }

    #[test]
    fn client_ids_are_https_urls_with_a_path() {
        //
        for url in [
            "https://example.com",
            "https://example.com/",
            "https://example.com/?x=1",
            "https://user@example.com/c",
            "https://example.com/c#x",
            "https://example.com/a/../c",
            "https://example.com/./c",
            "https://example.com/a/%2e%2E/c",
            "https://example.com\\c",
            "https://example.com/a b",
            "http://example.com/c",
            "https://",
        ] {
            assert_eq!(check_url(url).unwrap_err().code(), "invalid_client", "{url}");
        }
        assert!(check_url(&format!("https://example.com/{}", "x".repeat(MAX_URL_BYTES))).is_err());
        for url in ["https://example.com/c", "https://example.com:8443/a/b.json?x=1", "https://example.com/..."] {
            check_url(url).unwrap();
        }
    }

    #[test]
    fn documents_are_read() {
        //
        let client = parse(URL, &fetched(&document()), &[]).unwrap();
        assert!(client.is_metadata_document && client.auth_method == ClientAuthentication::None);
        assert_eq!(client.client_name.as_deref(), Some("App"));
        assert!(client.allows_grant("authorization_code") && client.allows_grant("refresh_token"));
        let keys = json!({ "keys": [] });
        let mut signed = document();
        signed["token_endpoint_auth_method"] = json!("private_key_jwt");
        assert!(parse(URL, &fetched(&signed), &[]).is_err(), "without keys");
        signed["jwks"] = keys.clone();
        assert_eq!(parse(URL, &fetched(&signed), &[]).unwrap().jwks, Some(keys));
    }

    #[test]
    fn invalid_documents_are_refused() {
        //
        for (name, value) in [
            ("client_id", json!("https://app.example.com/client.json/")),
            ("client_id", json!("https://evil.example.com/client.json")),
            ("client_id", json!(1)),
            ("client_name", json!(null)),
            ("client_name", json!("")),
            ("client_name", json!("a\u{202e}b\n")),
            ("redirect_uris", json!([])),
            ("redirect_uris", json!(null)),
            ("redirect_uris", json!("https://app.example.com/cb")),
            ("redirect_uris", json!(["https://app.example.com/cb", 1])),
            ("redirect_uris", json!(["javascript:alert(1)"])),
            ("redirect_uris", json!(["http://app.example.com/cb"])),
            ("client_secret", json!("s3cret")),
            ("client_secret_expires_at", json!(0)),
            ("token_endpoint_auth_method", json!("client_secret_basic")),
            ("token_endpoint_auth_method", json!("private_key_jwt")),
        ] {
            let error = changed(name, value.clone()).unwrap_err();
            assert_eq!(error.code(), "invalid_client", "{name} {value}");
            assert!(!error.description().contains("s3cret"));
        }
        let html = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("text/html"))]);
        for response in [
            Fetched { status: StatusCode::NOT_FOUND, ..fetched(&document()) },
            Fetched { status: StatusCode::FOUND, ..fetched(&document()) },
            Fetched { headers: html, ..fetched(&document()) },
            Fetched { body: Bytes::from_static(b"<html>"), ..fetched(&document()) },
            Fetched { body: Bytes::from_static(b"[]"), ..fetched(&document()) },
        ] {
            assert_eq!(parse(URL, &response, &[]).unwrap_err().code(), "invalid_client");
        }
    }

    #[test]
    fn grants_without_a_user_are_not_available_to_documents() {
        let client = changed("grant_types", json!(["authorization_code", "client_credentials"])).unwrap();
        assert!(client.allows_grant("authorization_code") && !client.allows_grant("client_credentials"));
        assert!(!changed("response_types", json!(["token"])).unwrap().allows_grant("authorization_code"));
    }

    #[test]
    fn lifetime_is_that_of_the_headers_with_a_ceiling() {
        //
        for (value, expected) in [
            ("max-age=60", 60),
            ("public, max-age=86400", MAX_AGE),
            ("max-age=60, no-store", 0),
            ("no-cache", 0),
            ("max-age=0", 0),
            ("max-age=-1", 0),
            ("max-age=x", 0),
            ("Max-Age = \"30\"", 30),
            ("private", DEFAULT_AGE),
        ] {
            let headers = HeaderMap::from_iter([(CACHE_CONTROL, HeaderValue::from_static(value))]);
            assert_eq!(lifetime(&headers), expected, "{value}");
        }
        assert_eq!(lifetime(&HeaderMap::new()), DEFAULT_AGE);
    }

    #[tokio::test(start_paused = true)]
    async fn trap_slow_document_holds_a_slot() {
        // Connections are accepted, but no response is sent. Time passes while the requests wait.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/client.json", listener.local_addr().unwrap());
        let documents = MetadataDocuments::new(Fetcher::new(Network::Any).unwrap(), &[]);
        let start = tokio::time::Instant::now();
        assert_eq!(documents.client(&url).await.unwrap_err().code(), "invalid_client");
        assert!(start.elapsed() < FETCH_TIMEOUT * 2, "{:?}", start.elapsed());
        let start = tokio::time::Instant::now();
        assert_eq!(documents.client(&url).await.unwrap_err().code(), "invalid_client");
        assert_eq!(start.elapsed(), Duration::ZERO, "it is not requested again");
        assert!(documents.slots.enter(&url).is_some() && documents.flights.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn trap_ssrf_of_client_metadata() {
        // No request is sent; the listener accepts no connection.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let documents = MetadataDocuments::new(Fetcher::new(Network::Global).unwrap(), &[]);
        for host in [
            "127.0.0.1",
            "localhost",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:a00:1]",
            "10.0.0.1",
            "192.168.0.1",
            "169.254.169.254",
            "2130706433",
            "0x7f.1",
        ] {
            let url = format!("https://{host}:{port}/client.json");
            assert!(documents.is_document_url(&url));
            assert_eq!(documents.client(&url).await.unwrap_err().code(), "invalid_client", "{url}");
        }
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err());
    }
}
