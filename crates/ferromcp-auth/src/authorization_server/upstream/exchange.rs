//! Requests to the upstream server: its metadata, its token endpoint, and the claims of the user.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ferromcp_core::text::excerpt;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::options::UpstreamOptions;
use crate::Secret;
use crate::authorization_server::OAuthError;
use crate::clock::now;
use crate::document::Document;
use crate::error::{AuthError, AuthErrorKind};
use crate::fetch::{Fetched, Fetcher, Network, is_outage};
use crate::jwt::{Expected, JwkSource, verify};
use crate::metadata::fetch_server_metadata;
use crate::token_verifier::VerifyError;

/// How long the metadata of the upstream server is used before it is fetched again, in seconds.
const METADATA_SECONDS: u64 = 3600;
/// How long the result of a failed discovery is used, in seconds.
const RETRY_SECONDS: u64 = 30;
/// How long a discovery can take.
const DISCOVERY_TIMEOUT: Duration = Duration::from_secs(10);
/// The lifetime of an access token whose response does not have one, in seconds.
const DEFAULT_LIFETIME_SECONDS: u64 = 3600;

/// Sends the requests.
pub(super) struct Exchange {
    pub(super) options: UpstreamOptions,
    fetcher: Fetcher,
    discovery: Mutex<Discovery>,
}

/// The result of the last discovery. It is used until a time, in seconds since the Unix epoch.
#[derive(Default)]
struct Discovery {
    until: u64,
    endpoints: Option<Arc<Endpoints>>,
    /// The error, if no earlier discovery succeeded.
    error: Option<OAuthError>,
}

/// The endpoints of the upstream server.
pub(super) struct Endpoints {
    pub(super) authorization: String,
    token: String,
    keys: Option<JwkSource>,
    pub(super) sends_issuer: bool,
}

/// The tokens of a response. It has no `Debug`.
pub(super) struct UpstreamTokens {
    pub(super) access: Secret,
    pub(super) refresh: Option<Secret>,
    pub(super) expires_at: u64,
    pub(super) id_token: Option<Secret>,
}

/// A failed token request.
pub(super) enum TokenFailure {
    /// The code or the refresh token is invalid or revoked.
    InvalidGrant,
    Other(OAuthError),
}

impl From<OAuthError> for TokenFailure {
    fn from(error: OAuthError) -> Self {
        Self::Other(error)
    }
}

impl Discovery {
    fn update(&mut self, fetched: Result<Endpoints, AuthError>) {
        let lifetime = if fetched.is_ok() { METADATA_SECONDS } else { RETRY_SECONDS };
        self.until = now().saturating_add(lifetime);
        self.error = None;
        match fetched {
            Ok(endpoints) => self.endpoints = Some(Arc::new(endpoints)),
            Err(error) => {
                let is_outage = matches!(error.kind(), AuthErrorKind::Unavailable | AuthErrorKind::Timeout);
                let error = upstream_error(&error);
                // During an outage, the old metadata stays in use.
                self.error = (!is_outage || self.endpoints.is_none()).then_some(error);
            }
        }
    }
}

impl Exchange {
    pub(super) fn new(options: UpstreamOptions) -> Result<Self, AuthError> {
        let issuer = Url::parse(&options.issuer).map_err(|error| {
            let issuer = excerpt(&options.issuer);
            AuthError::configuration(format!("cannot use the upstream issuer `{issuer}`: {error}; use an https URL"))
        })?;
        let network = if options.allows_private_networks { Network::Any } else { Network::of(&issuer) };
        network.check(&options.issuer)?;
        let configured = options.endpoints.iter().flat_map(|(authorization, token)| [authorization, token]);
        for url in configured.chain(&options.userinfo_url) {
            network.check(url)?;
        }
        if options.endpoints.is_some() && options.userinfo_url.is_none() {
            return Err(AuthError::configuration(
                "cannot identify users of an upstream server without metadata; set `UpstreamOptions::userinfo_url`",
            ));
        }
        Ok(Self { options, fetcher: Fetcher::new(network)?, discovery: Mutex::default() })
    }

    /// Returns the endpoints, from the options or the metadata.
    pub(super) async fn endpoints(&self) -> Result<Arc<Endpoints>, OAuthError> {
        if let Some((authorization, token)) = &self.options.endpoints {
            let (authorization, token) = (authorization.clone(), token.clone());
            return Ok(Arc::new(Endpoints { authorization, token, keys: None, sends_issuer: false }));
        }
        // Held during the discovery, so that concurrent requests wait for one. Its time is limited, and a failure is
        // remembered, so that they do not wait one after the other.
        let mut discovery = self.discovery.lock().await;
        if discovery.until <= now() {
            let fetched = tokio::time::timeout(DISCOVERY_TIMEOUT, self.discover()).await;
            discovery.update(fetched.unwrap_or_else(|_| {
                Err(AuthError::new(
                    AuthErrorKind::Timeout,
                    "the metadata of the upstream server was not received in time",
                ))
            }));
        }
        match (&discovery.error, &discovery.endpoints) {
            (None, Some(endpoints)) => Ok(Arc::clone(endpoints)),
            (error, _) => Err(error.clone().unwrap_or_else(unavailable)),
        }
    }

    async fn discover(&self) -> Result<Endpoints, AuthError> {
        let metadata = fetch_server_metadata(&self.fetcher, &self.options.issuer).await?;
        let missing =
            |field: &str| AuthError::discovery(format!("the metadata of the upstream server has no `{field}`"));
        let keys = metadata.jwks_uri.map(|url| JwkSource::url(self.fetcher.clone(), url));
        Ok(Endpoints {
            authorization: metadata.authorization_endpoint.ok_or_else(|| missing("authorization_endpoint"))?,
            token: metadata.token_endpoint.ok_or_else(|| missing("token_endpoint"))?,
            keys,
            sends_issuer: metadata.supports_iss_parameter,
        })
    }

    /// Returns the URL of an authorization request.
    pub(super) fn authorization_url(
        &self,
        endpoints: &Endpoints,
        parameters: &[(&str, &str)],
    ) -> Result<String, OAuthError> {
        let checked = self.fetcher.network().check(&endpoints.authorization);
        let mut url = checked.map_err(|error| upstream_error(&error))?;
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("response_type", "code").append_pair("client_id", &self.options.client_id);
            if !self.options.scopes.is_empty() {
                query.append_pair("scope", &self.options.scopes.join(" "));
            }
            query.extend_pairs(parameters).extend_pairs(&self.options.parameters);
        }
        Ok(url.into())
    }

    /// Requests tokens.
    pub(super) async fn tokens(&self, parameters: &[(&str, &str)]) -> Result<UpstreamTokens, TokenFailure> {
        let endpoints = self.endpoints().await?;
        let (headers, form) = self.authenticated(parameters)?;
        let fetched = self.fetcher.post_form(&endpoints.token, headers, form).await;
        read_tokens(&fetched.map_err(|error| upstream_error(&error))?)
    }

    /// Returns the headers and the form of a token request, with the credentials of the client.
    fn authenticated(&self, parameters: &[(&str, &str)]) -> Result<(HeaderMap, String), OAuthError> {
        let (id, secret) = (self.options.client_id.as_str(), self.options.client_secret.expose());
        let mut form = Serializer::new(String::new());
        form.extend_pairs(parameters);
        let mut headers = HeaderMap::new();
        if self.options.sends_secret_in_form {
            form.append_pair("client_id", id).append_pair("client_secret", secret);
        } else {
            let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
            let credentials = STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)));
            headers.insert(AUTHORIZATION, sensitive(&format!("Basic {credentials}"))?);
        }
        Ok((headers, form.finish()))
    }

    /// Returns the claims of the user, from the ID token and the userinfo endpoint.
    pub(super) async fn claims(
        &self,
        tokens: &UpstreamTokens,
        nonce: &Secret,
    ) -> Result<Map<String, Value>, OAuthError> {
        let endpoints = self.endpoints().await?;
        let mut claims = Map::new();
        let mut verified_subject = None;
        if let (Some(token), Some(keys)) = (&tokens.id_token, &endpoints.keys) {
            claims = self.verify_id_token(token, keys, nonce).await?;
            verified_subject = claims.get("sub").cloned();
        }
        if let Some(url) = &self.options.userinfo_url {
            let userinfo = self.userinfo(url, &tokens.access).await?;
            // OpenID Connect Core, section 5.3.2: the response could be of another user.
            if verified_subject.is_some() && userinfo.get("sub") != verified_subject.as_ref() {
                return Err(OAuthError::server_error("the userinfo of the upstream server is of another user"));
            }
            claims.extend(userinfo);
        }
        if claims.is_empty() {
            return Err(OAuthError::server_error(
                "cannot identify the user: the upstream server sent no ID token; request the scope `openid`, or set \
                 `UpstreamOptions::userinfo_url`",
            ));
        }
        Ok(claims)
    }

    async fn verify_id_token(
        &self,
        token: &Secret,
        keys: &JwkSource,
        nonce: &Secret,
    ) -> Result<Map<String, Value>, OAuthError> {
        let client_id = self.options.client_id.as_str();
        let expected = Expected { issuer: Some(&self.options.issuer), audiences: &[client_id], ..Expected::default() };
        let claims = verify(token.expose(), keys, &expected).await.map_err(|error| match error {
            VerifyError::Unavailable(_) => unavailable(),
            VerifyError::Invalid(text) => OAuthError::server_error(format!("cannot verify the ID token: {text}")),
        })?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if text("nonce") != Some(nonce.expose()) {
            return Err(OAuthError::server_error("the ID token is of another login: its `nonce` differs"));
        }
        if text("azp").is_some_and(|party| party != client_id) {
            return Err(OAuthError::server_error("the ID token is for another client (`azp`)"));
        }
        Ok(claims)
    }

    async fn userinfo(&self, url: &str, token: &Secret) -> Result<Map<String, Value>, OAuthError> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, sensitive(&format!("Bearer {}", token.expose()))?);
        let fetched = self.fetcher.get(url, headers).await.map_err(|error| upstream_error(&error))?;
        if is_outage(fetched.status) {
            return Err(unavailable());
        }
        let claims = if fetched.status.is_success() { serde_json::from_slice(&fetched.body).ok() } else { None };
        claims.ok_or_else(|| {
            let status = fetched.status.as_u16();
            OAuthError::server_error(format!("the userinfo of the upstream server is not JSON, or has status {status}"))
        })
    }
}

/// Reads a token response.
pub(super) fn read_tokens(fetched: &Fetched) -> Result<UpstreamTokens, TokenFailure> {
    let document = Document::parse(&fetched.body);
    let error = document.as_ref().and_then(|document| document.non_empty("error"));
    if is_outage(fetched.status) {
        return Err(unavailable().into());
    }
    // Some servers send errors with status 200.
    match (document.filter(|_| fetched.status.is_success()), error) {
        (Some(document), None) => parse_tokens(&document).map_err(Into::into),
        (_, Some(error)) if error == "invalid_grant" || error == "bad_refresh_token" => Err(TokenFailure::InvalidGrant),
        (_, error) => {
            let error = error.unwrap_or_else(|| fetched.status.to_string());
            let text = format!("the upstream server rejected the token request: {}", excerpt(&error));
            Err(OAuthError::server_error(text).into())
        }
    }
}

fn parse_tokens(document: &Document) -> Result<UpstreamTokens, OAuthError> {
    let access = document.non_empty("access_token");
    let access = access.ok_or_else(|| OAuthError::server_error("the upstream server sent no access token"))?;
    let lifetime = document.seconds("expires_in").unwrap_or(DEFAULT_LIFETIME_SECONDS);
    Ok(UpstreamTokens {
        access: access.into(),
        refresh: document.non_empty("refresh_token").map(Secret::new),
        expires_at: now().saturating_add(lifetime),
        id_token: document.non_empty("id_token").map(Secret::new),
    })
}

fn sensitive(text: &str) -> Result<HeaderValue, OAuthError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        OAuthError::server_error("the upstream credentials contain characters that a header cannot have")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

pub(super) fn unavailable() -> OAuthError {
    OAuthError::temporarily_unavailable("the login server is not available; try again later")
}

/// Returns the error for a failed request. Details are logged, and not sent to the client.
fn upstream_error(error: &AuthError) -> OAuthError {
    tracing::warn!(%error, "a request to the upstream server failed");
    match error.kind() {
        AuthErrorKind::Unavailable | AuthErrorKind::Timeout => unavailable(),
        _ => OAuthError::server_error(format!("the upstream server failed: {error}")),
    }
}
