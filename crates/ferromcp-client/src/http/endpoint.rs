//! An [`Endpoint`]: one URL, its connection pool, and sending requests with credentials and redirects.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use http::{Method, StatusCode};
use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Body, Client, ClientBuilder, Proxy, Url};
use tokio::time::Instant;

use super::body;
use super::credential_wait::CredentialWaits;
use super::credentials::{Challenge, ChallengeAction, Request};
use super::failure::Failure;
use super::limits::{HttpLimits, MAX_CHALLENGES, MAX_REDIRECTS};
use super::options::{HttpOptions, ProxyMode};

/// Timeout of idle pooled connections. Many servers close idle connections after 5 s, and it would be unknown whether a
/// request sent at that moment was executed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// Interval of TCP keep-alive probes.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// HTTP endpoint of an MCP server. Cheap to clone; clones share a connection pool.
///
/// Uses HTTP/1.1 only, so that a stream that is read slowly does not block other requests.
#[derive(Clone)]
pub(super) struct Endpoint(Arc<Inner>);

struct Inner {
    url: Url,
    client: Client,
    options: HttpOptions,
    credential_waits: CredentialWaits,
}

impl Endpoint {
    /// Creates an endpoint for `url`, which is used unchanged.
    ///
    /// Does not connect yet. Redirects are followed within the origin, and only if they preserve POST (307 and 308).
    ///
    /// # Errors
    /// Fails if the URL, a header or the proxy is invalid. The text includes no secrets.
    pub(super) fn new(url: &str, options: HttpOptions) -> Result<Self, String> {
        if let [error, ..] = options.errors() {
            return Err(error.clone());
        }
        let url = Url::parse(url).map_err(|error| {
            format!("invalid URL: {error}; pass a URL of http or https, or a program as a `Command`")
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("unsupported URL scheme `{}`; use http or https", url.scheme()));
        }
        let client = http_client(&options)?;
        Ok(Self(Arc::new(Inner { url, client, options, credential_waits: CredentialWaits::default() })))
    }

    /// Returns a key that identifies the authorization of requests: configured headers and the cache partition of the
    /// credentials. It contains secrets.
    pub(super) fn authorization(&self) -> String {
        let mut all = String::new();
        for (name, value) in &self.0.options.headers {
            all.extend([name.as_str(), ":", &String::from_utf8_lossy(value.as_bytes()), "\n"]);
        }
        all.extend(self.0.options.credentials.as_ref().map(|credentials| credentials.cache_partition()));
        all
    }

    /// Returns when a request last waited for credentials; now if one is waiting.
    pub(super) fn waited_for_credentials(&self) -> Option<Instant> {
        self.0.credential_waits.last()
    }

    /// Returns the URL without user, password and query, which may be secret.
    pub(super) fn redacted_url(&self) -> String {
        self.0.options.shown_url.clone().unwrap_or_else(|| redacted(&self.0.url))
    }

    /// Omits the path of the target of a redirect if the path of the URL may be secret: it is often the same.
    fn redact_redirect(&self, mut failure: Failure) -> Failure {
        if let (Some(_), Failure::Redirected { to } | Failure::RedirectLoop { to }) =
            (&self.0.options.shown_url, &mut failure)
        {
            *to = Url::parse(to).map(|to| to.origin().ascii_serialization()).unwrap_or_default();
        }
        failure
    }

    pub(super) fn url(&self) -> &Url {
        &self.0.url
    }

    pub(super) fn limits(&self) -> &HttpLimits {
        &self.0.options.limits
    }

    /// Sends a request. Retries it after challenges as long as the credentials ask for it.
    pub(super) async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, Failure> {
        for attempt in 0.. {
            let (response, sent_authorization) = self.send_once(request).await?;
            if !matches!(response.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
                return response.unless_redirected(&request.url).map_err(|failure| self.redact_redirect(failure));
            }
            let HttpResponse { status, headers, body, .. } = response;
            let body = body::read_or_nothing(body, &headers, self.limits().body_bytes).await;
            let challenge = Challenge::new(status, headers, body, attempt, sent_authorization);
            if !self.should_retry(&challenge).await? {
                return Err(Failure::Unauthorized(Box::new(challenge)));
            }
        }
        Err(Failure::lost("too many retries")) // after 2^32 attempts
    }

    async fn should_retry(&self, challenge: &Challenge) -> Result<bool, Failure> {
        match &self.0.options.credentials {
            Some(credentials) if challenge.attempt() < MAX_CHALLENGES => {
                let action = self.0.credential_waits.run(credentials.challenged(challenge)).await;
                Ok(action.map_err(|source| Failure::Credentials { source })? == ChallengeAction::Retry)
            }
            _ => Ok(false),
        }
    }

    /// Sends a request once. Returns its `Authorization` header too.
    async fn send_once(&self, request: &HttpRequest) -> Result<(HttpResponse, Option<HeaderValue>), Failure> {
        let mut headers = self.0.options.headers.clone();
        headers.extend(request.headers.clone());
        // Without the header, a server may choose any coding.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(credentials) = &self.0.options.credentials {
            let authorized = Request::new(&request.method, request.url.as_str());
            let authorizing = self.0.credential_waits.run(credentials.authorize(authorized, &mut headers));
            authorizing.await.map_err(|source| Failure::Credentials { source })?;
        }
        let sent_authorization = headers.get(AUTHORIZATION).cloned();
        let mut builder = self.0.client.request(request.method.clone(), request.url.clone()).headers(headers);
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        let response = builder.send().await.map_err(|error| Failure::of(error, "no response"))?;
        if let Some(credentials) = &self.0.options.credentials {
            credentials.response_received(response.headers());
        }
        let url = response.url().clone();
        let (parts, body) = http::Response::<Body>::from(response).into_parts();
        Ok((HttpResponse { status: parts.status, headers: parts.headers, body, url }, sent_authorization))
    }
}

impl fmt::Debug for Endpoint {
    /// Omits user, password and query, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("url", &self.redacted_url()).field("options", &self.0.options).finish()
    }
}

/// An outgoing HTTP request.
pub(super) struct HttpRequest {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Bytes>,
}

impl HttpRequest {
    /// Creates a POST of a message.
    pub(super) fn post(url: Url, mut headers: HeaderMap, message: Bytes) -> Self {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        Self { method: Method::POST, url, headers, body: Some(message) }
    }

    /// Creates a GET of an event stream.
    pub(super) fn stream(url: Url, mut headers: HeaderMap) -> Self {
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        Self { method: Method::GET, url, headers, body: None }
    }

    /// Creates a DELETE of a session.
    pub(super) fn delete(url: Url, headers: HeaderMap) -> Self {
        Self { method: Method::DELETE, url, headers, body: None }
    }
}

/// A response whose body is not read yet. Dropping it closes the connection, unless the body is at its end.
pub(super) struct HttpResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    /// The final URL, after redirects.
    pub(super) url: Url,
}

impl HttpResponse {
    /// Returns whether the body has this media type, ignoring parameters.
    pub(super) fn is(&self, media_type: &str) -> bool {
        body::media_type(&self.headers).eq_ignore_ascii_case(media_type)
    }

    /// Returns the media type of the body without parameters, or an empty text.
    pub(super) fn media_type(&self) -> &str {
        body::media_type(&self.headers)
    }

    fn unless_redirected(self, from: &Url) -> Result<Self, Failure> {
        if !self.status.is_redirection() || self.status == StatusCode::NOT_MODIFIED {
            return Ok(self);
        }
        let to = self.headers.get(LOCATION).and_then(|to| to.to_str().ok()).and_then(|to| self.url.join(to).ok());
        let Some(to) = to else { return Err(Failure::Redirected { to: String::new() }) };
        // A redirect that the policy would follow was not followed, so there were too many.
        let is_loop = to == self.url || (keeps_method(self.status) && to.origin() == from.origin());
        let to = redacted(&to);
        Err(if is_loop { Failure::RedirectLoop { to } } else { Failure::Redirected { to } })
    }
}

fn http_client(options: &HttpOptions) -> Result<Client, String> {
    let mut builder = ClientBuilder::new()
        .user_agent(concat!("ferromcp/", env!("CARGO_PKG_VERSION")))
        .http1_only()
        .referer(false) // the URL may contain a secret
        .redirect(redirect_policy())
        .connect_timeout(options.limits.connect_timeout)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .tcp_keepalive(KEEP_ALIVE);
    builder = match &options.proxy {
        ProxyMode::Environment => builder,
        ProxyMode::None => builder.no_proxy(),
        ProxyMode::One(url) => builder
            .proxy(Proxy::all(url.as_str()).map_err(|_| "invalid proxy URL; set another with `HttpOptions::proxy`")?),
    };
    builder.build().map_err(|error| error.without_url().to_string())
}

/// Follows redirects that keep the origin and the method. Other redirect responses are returned unchanged.
fn redirect_policy() -> Policy {
    let decide = |attempt: Attempt<'_>| -> Action {
        let same = attempt.previous().first().is_some_and(|first| first.origin() == attempt.url().origin());
        if keeps_method(attempt.status()) && same && attempt.previous().len() <= MAX_REDIRECTS {
            attempt.follow()
        } else {
            attempt.stop()
        }
    };
    Policy::custom(decide)
}

/// Returns whether a redirect preserves the method, so that a POST remains a POST.
fn keeps_method(status: StatusCode) -> bool {
    matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT)
}

/// Returns the URL without user, password and query, which may be secret.
fn redacted(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}
