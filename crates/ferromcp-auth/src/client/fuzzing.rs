//! Entry points for fuzzing of what a client receives through a network, from a user or from a file. Not part of the
//! public API.

use std::path::Path;
use std::sync::{LazyLock, Mutex};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use url::Url;

use super::authorization::PendingAuthorization;
use super::discovery::{Discovered, Discovery};
use super::dpop::DpopKey;
use super::grant::DeviceCode;
use super::registration::{identity, rejected};
use super::store::{FileStore, StoreKey, StoredCredentials};
use super::token::TokenEndpoint;
use super::tolerance::Tolerances;
use super::ui::{loopback, paste};
use super::{challenge, device};
use crate::Secret;
use crate::client_authentication::ClientAuthentication;
use crate::document::Document;
use crate::error::AuthError;
use crate::fetch::{Fetched, Fetcher, Network};
use crate::metadata::{ResourceMetadata, ServerMetadata, server_metadata_urls};
use crate::scopes::Scopes;

/// The URL of the MCP server.
pub const SERVER: &str = "https://mcp.example.com/tenant/mcp";
/// The issuer of the authorization server of logins.
pub const ISSUER: &str = "https://as.example.com";
/// The redirect URI of logins.
pub const REDIRECT_URI: &str = "http://127.0.0.1:8765/callback";
/// The refresh token that the client sends.
pub const SECRET: &str = "refresh-s3cret";

const ENDPOINT: &str = "https://as.example.com/token";

/// The maximum size of the page of a callback, in bytes.
const MAX_PAGE: usize = 16 * 1024;

static FETCHER: LazyLock<Fetcher> = LazyLock::new(|| Fetcher::new(Network::Global).expect("an HTTP client"));
static DPOP_KEY: LazyLock<DpopKey> = LazyLock::new(|| DpopKey::generate().expect("random numbers"));

/// A challenge: its scheme, and the names and values of its parameters.
pub type ParsedChallenge = (String, Vec<(String, String)>);

/// Parses the challenges of `WWW-Authenticate` headers.
pub fn challenges(headers: &[HeaderValue]) -> Vec<ParsedChallenge> {
    challenge::parse(headers.iter()).into_iter().map(|it| (it.scheme, it.parameters)).collect()
}

/// The result of a discovery.
#[derive(Debug)]
pub struct DiscoveredServer {
    /// The URL of the authorization page.
    pub authorization_url: String,
    /// The URLs at which the metadata of the issuer is searched.
    pub metadata_urls: Vec<String>,
    /// The name of the method by which a client with a secret authenticates.
    pub authentication: &'static str,
    /// Whether the server supports PKCE.
    pub supports_pkce: bool,
}

/// Discovers an authorization server by the metadata of the resource and of the server.
///
/// # Errors
/// Fails if a document is invalid or untrusted.
pub fn discover(resource: &[u8], server: &[u8]) -> Result<DiscoveredServer, AuthError> {
    // Both are parsed in each case.
    let (resource, server) = (ResourceMetadata::parse(resource), ServerMetadata::parse(server));
    let missing = || AuthError::discovery("no metadata");
    let (resource, server) = (resource.ok_or_else(missing)?, server.ok_or_else(missing)?);
    let server_url = Url::parse(SERVER).map_err(|error| AuthError::discovery(error.to_string()))?;
    let tolerances = Tolerances::default();
    let discovery = Discovery { fetcher: &FETCHER, server_url: &server_url, revision: None, tolerances: &tolerances };
    discovery.check_resource(&resource.resource)?;
    let issuer = resource.authorization_servers.first().ok_or_else(missing)?;
    let metadata_urls = server_metadata_urls(&Network::Global.check(issuer)?);
    discovery.check_issuer(issuer, &server.issuer)?;
    let (authentication, supports_pkce) = (ClientAuthentication::choose(&server, true), server.supports_pkce());
    let scopes = resource.scopes_supported.iter().chain(&server.scopes_supported).collect();
    let discovered = Discovered { resource: resource.resource, scopes_supported: Vec::new(), server };
    let pending = PendingAuthorization::new(&discovered, Network::Global, "client", REDIRECT_URI, &scopes, &[])?;
    let authorization_url = pending.request.url().to_owned();
    Ok(DiscoveredServer { authorization_url, metadata_urls, authentication: authentication.as_str(), supports_pkce })
}

/// What a client makes of an authorization response.
#[derive(Debug)]
pub struct ReceivedResponse {
    /// The parameter `state` of the request.
    pub state: String,
    /// Whether the response belongs to the request.
    pub matches: bool,
    /// The URL, if the text was pasted by a user.
    pub pasted: Option<String>,
    /// The URL, if the text was the request of a browser.
    pub called_back: Option<String>,
    /// The HTTP response to the browser.
    pub page: Vec<u8>,
    /// The code, or the error without one.
    pub code: Result<Secret, AuthError>,
}

/// Receives a text as an authorization response: as a URL, as pasted lines, and as an HTTP request. In the text, `$state`
/// is replaced by the state of the request.
///
/// # Errors
/// Fails if no login can be started.
pub async fn receive(text: &str, requires_iss: bool) -> Result<ReceivedResponse, AuthError> {
    let server = ServerMetadata {
        authorization_endpoint: Some(format!("{ISSUER}/authorize")),
        issuer: ISSUER.to_owned(),
        supports_iss_parameter: requires_iss,
        ..ServerMetadata::default()
    };
    let discovered = Discovered { resource: SERVER.to_owned(), scopes_supported: Vec::new(), server };
    let pending =
        PendingAuthorization::new(&discovered, Network::Global, "client", REDIRECT_URI, &Scopes::default(), &[])?;
    let request = pending.request.clone();
    let state = Url::parse(request.url())
        .ok()
        .and_then(|url| url.query_pairs().find(|(name, _)| name == "state").map(|(_, value)| value.into_owned()));
    let state = state.ok_or_else(|| AuthError::authorization("no state"))?;
    let text = text.replace("$state", &state);
    let unused = Mutex::default();
    let pasted = paste::read(&request, &mut text.as_bytes(), &mut Vec::new(), &unused, &|| false).ok();
    let (mut browser, stream) = tokio::io::duplex(text.len().max(MAX_PAGE));
    let sent = browser.write_all(text.as_bytes()).await.is_ok() && browser.shutdown().await.is_ok();
    let called_back = if sent { loopback::respond(stream, &request).await } else { None };
    let mut page = Vec::new();
    // An error of the stream leaves the page empty.
    let _ = browser.read_to_end(&mut page).await;
    let matches = request.matches(&text);
    let code = pending.code(&text, &Tolerances::default());
    Ok(ReceivedResponse { state, matches, pasted, called_back, page, code })
}

/// The tokens of a response.
#[derive(Debug)]
pub struct ReceivedTokens {
    /// The access token.
    pub access: Secret,
    /// The refresh token.
    pub refresh: Option<Secret>,
    /// The granted scopes.
    pub scopes: Option<String>,
}

/// Reads a token response, to a request with the refresh token [`SECRET`].
///
/// # Errors
/// Fails if the response is an error or invalid.
pub fn token_response(status: StatusCode, body: &Bytes, has_dpop: bool) -> Result<ReceivedTokens, AuthError> {
    let dpop = has_dpop.then(|| &*DPOP_KEY);
    let endpoint = TokenEndpoint { fetcher: &FETCHER, url: ENDPOINT, issuer: ISSUER, client: None, key: None, dpop };
    let fetched = Fetched { status, headers: HeaderMap::new(), body: body.clone() };
    let tokens = endpoint.parse(&endpoint.accepted(&fetched, &[("refresh_token", SECRET)])?)?;
    let scopes = tokens.scopes.map(|scopes| scopes.to_string());
    Ok(ReceivedTokens { access: tokens.access, refresh: tokens.refresh, scopes })
}

/// Reads a registration response. Returns the ID of the client and its secret.
///
/// # Errors
/// Fails if the response is an error or invalid.
pub fn registration_response(status: StatusCode, body: &[u8]) -> Result<(String, Option<Secret>), AuthError> {
    if !status.is_success() {
        return Err(rejected(ENDPOINT, status.as_u16(), body));
    }
    let client = identity(ENDPOINT, &ServerMetadata::default(), REDIRECT_URI, body)?;
    Ok((client.id, client.secret))
}

/// Reads a device authorization response.
///
/// # Errors
/// Fails if the response is not a JSON object, lacks a field, or contains an unsafe URL.
pub fn device_response(body: &[u8]) -> Result<DeviceCode, AuthError> {
    let document = Document::parse(body).ok_or_else(|| AuthError::discovery("not a JSON object"))?;
    device::parse(&document, Network::Global).map(|(shown, _)| shown)
}

/// Reads a nonce of a server, and returns a DPoP proof with it.
///
/// # Errors
/// Fails if the proof cannot be created.
pub fn proof_with_nonce(nonce: HeaderValue, token: &str) -> Result<HeaderValue, AuthError> {
    let key = DpopKey::generate()?;
    key.record_nonce(ENDPOINT, &HeaderMap::from_iter([(http::HeaderName::from_static("dpop-nonce"), nonce)]));
    key.proof("POST", ENDPOINT, Some(&Secret::new(token)))
}

/// Parses a credential file for [`SERVER`], with or without a key.
///
/// # Errors
/// Fails if the content is encrypted and no key is used.
pub fn credential_file(text: &[u8], has_key: bool) -> Result<Option<StoredCredentials>, AuthError> {
    let store = FileStore::new("");
    let store = if has_key { store.encrypt(StoreKey::from_bytes(&[7; 32])?) } else { store };
    store.parse(SERVER, Path::new("file"), text.to_vec().into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn entry_points_accept_arbitrary_input(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            text in "\\PC{0,60}",
            status in 200_u16..600,
        ) {
            let status = StatusCode::from_u16(status).unwrap();
            let headers: Vec<_> = HeaderValue::from_bytes(&bytes).into_iter().chain(HeaderValue::from_str(&text)).collect();
            challenges(&headers);
            for header in headers {
                prop_assert!(proof_with_nonce(header, &text).is_ok());
            }
            prop_assert!(discover(&bytes, text.as_bytes()).is_err());
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let received = runtime.block_on(receive(&text, status.is_success())).unwrap();
            prop_assert!(!received.matches && received.code.is_err() && received.called_back.is_none());
            for body in [&bytes, text.as_bytes()] {
                prop_assert!(token_response(status, &Bytes::copy_from_slice(body), true).is_err());
                prop_assert!(registration_response(status, body).is_err() && device_response(body).is_err());
                prop_assert_eq!(credential_file(body, false).unwrap_or_default(), None);
            }
        }
    }
}
