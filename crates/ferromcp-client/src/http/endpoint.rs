//! An endpoint: one URL, the connections to it, and how a request gets there and back.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use http::{Method, StatusCode};
use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Body, Client, ClientBuilder, Proxy, Url};

use super::body;
use super::credentials::{Challenge, Request, ChallengeAction};
use super::failure::Failure;
use super::limits::HttpLimits;
use super::options::{HttpOptions, ProxyMode};

/// How long an idle connection is used again. Many servers close theirs after 5 s, and a request sent just then is lost
/// without anybody knowing whether it arrived.
const IDLE: Duration = Duration::from_secs(4);

/// How often the system asks whether the peer of a silent connection is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Where an MCP server is reached over HTTP. Cheap to clone; clones share their connections.
///
/// HTTP/1.1 only: a stream that is read slowly then holds up nothing but its own connection.
#[derive(Clone)]
pub struct Endpoint(Arc<Inner>);

struct Inner {
    url: Url,
    client: Client,
    options: HttpOptions,
}

impl Endpoint {
    /// The endpoint at `url`, which is used as it is: its path gets no slash and no suffix.
    ///
    /// Nothing is sent yet. Redirects are followed within the origin, and only where a POST stays one (307 and 308).
    ///
    /// # Errors
    /// When the URL, a header or the proxy cannot be used.
    pub fn new(url: impl AsRef<str>, options: HttpOptions) -> Result<Self, InvalidEndpoint> {
        if let [error, ..] = options.errors() {
            return Err(InvalidEndpoint::new(error));
        }
        let url = Url::parse(url.as_ref()).map_err(|error| InvalidEndpoint::new(format!("no URL: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(InvalidEndpoint::new(format!("`{}` is no scheme of HTTP; use http or https", url.scheme())));
        }
        let client = connections(&options)?;
        Ok(Self(Arc::new(Inner { url, client, options })))
    }

    /// Scheme, host and port: what a verdict on the server's era may be kept by.
    pub fn origin(&self) -> String {
        self.0.url.origin().ascii_serialization()
    }

    /// Tells apart as whom requests are sent: by the headers that all of them have, and by whose the credentials are.
    /// As secret as those.
    pub(super) fn authorization(&self) -> String {
        let mut all = String::new();
        for (name, value) in &self.0.options.headers {
            all.extend([name.as_str(), ":", &String::from_utf8_lossy(value.as_bytes()), "\n"]);
        }
        all.extend(self.0.options.credentials.as_ref().map(|credentials| credentials.cache_partition()));
        all
    }

    /// The URL without what may be secret in it.
    pub(super) fn redacted_url(&self) -> String {
        redacted(&self.0.url)
    }

    pub(super) fn url(&self) -> &Url {
        &self.0.url
    }

    pub(super) fn limits(&self) -> &HttpLimits {
        &self.0.options.limits
    }

    /// Sends a request until it is answered with anything but a challenge that the credentials can meet.
    pub(super) async fn ask(&self, ask: &HttpRequest) -> Result<Answer, Failure> {
        for attempt in 0.. {
            let answer = self.once(ask).await?;
            if !matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
                return answer.unless_redirected();
            }
            let Answer { status, headers, body, .. } = answer;
            let body = body::read_or_nothing(body, &headers, self.limits().body_bytes).await;
            let challenge = Challenge::new(status, headers, body, attempt);
            if !self.is_met(&challenge).await? {
                return Err(Failure::Unauthorized(Box::new(challenge)));
            }
        }
        Err(Failure::lost("a request was sent too often")) // after 2^32 attempts
    }

    async fn is_met(&self, challenge: &Challenge) -> Result<bool, Failure> {
        match &self.0.options.credentials {
            Some(credentials) if challenge.attempt() < self.limits().challenges => {
                let negotiated = credentials.challenged(challenge).await;
                Ok(negotiated.map_err(|source| Failure::Credentials { source })? == ChallengeAction::Retry)
            }
            _ => Ok(false),
        }
    }

    async fn once(&self, ask: &HttpRequest) -> Result<Answer, Failure> {
        let mut headers = self.0.options.headers.clone();
        headers.extend(ask.headers.clone());
        if let Some(credentials) = &self.0.options.credentials {
            let request = Request::new(&ask.method, ask.url.as_str());
            credentials.authorize(request, &mut headers).await.map_err(|source| Failure::Credentials { source })?;
        }
        let mut request = self.0.client.request(ask.method.clone(), ask.url.clone()).headers(headers);
        if let Some(body) = &ask.body {
            request = request.body(body.clone());
        }
        let response = request.send().await.map_err(|error| Failure::of(error, "the connection broke"))?;
        if let Some(credentials) = &self.0.options.credentials {
            credentials.answered(response.headers());
        }
        let url = response.url().clone();
        let (request_headers, body) = http::Response::<Body>::from(response).into_parts();
        Ok(Answer { status: request_headers.status, headers: request_headers.headers, body, url })
    }
}

impl fmt::Debug for Endpoint {
    /// Without user, password and query, which may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("url", &redacted(&self.0.url)).field("options", &self.0.options).finish()
    }
}

/// A request to be sent.
pub(super) struct HttpRequest {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Bytes>,
}

impl HttpRequest {
    /// A message, to wherever messages go.
    pub(super) fn post(url: Url, mut headers: HeaderMap, message: Bytes) -> Self {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        Self { method: Method::POST, url, headers, body: Some(message) }
    }

    /// A stream of events.
    pub(super) fn stream(url: Url, mut headers: HeaderMap) -> Self {
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        Self { method: Method::GET, url, headers, body: None }
    }

    /// The end of a session.
    pub(super) fn delete(url: Url, headers: HeaderMap) -> Self {
        Self { method: Method::DELETE, url, headers, body: None }
    }
}

/// The head of a response, and a body not read yet. Dropping it closes the connection, unless it is at its end.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    /// Where it came from, after redirects.
    pub(super) url: Url,
}

impl Answer {
    /// Whether the body is of this media type, parameters aside.
    pub(super) fn is(&self, media_type: &str) -> bool {
        body::media_type(&self.headers).eq_ignore_ascii_case(media_type)
    }

    /// The media type of the body, without parameters; empty if there is none.
    pub(super) fn media_type(&self) -> &str {
        body::media_type(&self.headers)
    }

    fn unless_redirected(self) -> Result<Self, Failure> {
        if !self.status.is_redirection() || self.status == StatusCode::NOT_MODIFIED {
            return Ok(self);
        }
        let to = self.headers.get(LOCATION).and_then(|to| to.to_str().ok()).and_then(|to| self.url.join(to).ok());
        Err(Failure::Redirected { to: to.as_ref().map(redacted).unwrap_or_default() })
    }
}

/// Why an endpoint cannot be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidEndpoint(String);

impl InvalidEndpoint {
    fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for InvalidEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the endpoint cannot be used: {}", self.0)
    }
}

impl Error for InvalidEndpoint {}

fn connections(options: &HttpOptions) -> Result<Client, InvalidEndpoint> {
    let limits = &options.limits;
    let mut builder = ClientBuilder::new()
        .user_agent(concat!("ferromcp/", env!("CARGO_PKG_VERSION")))
        .http1_only()
        .referer(false) // the URL may hold a secret
        .redirect(within_origin(limits.redirects))
        .connect_timeout(limits.connect_time)
        .pool_idle_timeout(IDLE)
        .tcp_keepalive(KEEP_ALIVE);
    builder = match &options.proxy {
        ProxyMode::Environment => builder,
        ProxyMode::None => builder.no_proxy(),
        ProxyMode::One(url) => {
            builder.proxy(Proxy::all(url.as_str()).map_err(|_| InvalidEndpoint::new("the proxy's URL is none"))?)
        }
    };
    builder.build().map_err(|error| InvalidEndpoint::new(error.without_url().to_string()))
}

/// Follows what neither leaves the origin nor changes the method; the rest is handed up as it came.
fn within_origin(most: usize) -> Policy {
    let decide = move |attempt: Attempt<'_>| -> Action {
        let keeps = matches!(attempt.status(), StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
        let same = attempt.previous().first().is_some_and(|first| first.origin() == attempt.url().origin());
        if keeps && same && attempt.previous().len() <= most { attempt.follow() } else { attempt.stop() }
    };
    Policy::custom(decide)
}

/// The URL without what may be secret in it.
fn redacted(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}
