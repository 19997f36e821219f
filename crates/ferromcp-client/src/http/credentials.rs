//! Credentials for HTTP requests: a hook that authorizes each request and handles 401 and 403 responses.
//!
//! Implementations may use a fixed token, OAuth, or a signature for each request.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use ferromcp_core::RawMap;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

/// A boxed future returned by [`Credentials`].
pub type CredentialsFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, CredentialsError>> + Send + 'a>>;

/// Error of a [`Credentials`] implementation. Its text must not contain secrets.
pub type CredentialsError = Box<dyn Error + Send + Sync>;

/// Provider of credentials, which adds headers such as `Authorization` to requests.
///
/// ```
/// use ferromcp_client::http::{Credentials, CredentialsFuture, HttpOptions, Request};
/// use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
///
/// struct Token(HeaderValue);
///
/// impl Credentials for Token {
///     fn authorize<'a>(&'a self, _: Request<'a>, headers: &'a mut HeaderMap) -> CredentialsFuture<'a, ()> {
///         headers.insert(AUTHORIZATION, self.0.clone());
///         Box::pin(std::future::ready(Ok(())))
///     }
/// }
///
/// let options = HttpOptions::new().credentials(Token(HeaderValue::from_static("Bearer TOKEN")));
/// ```
pub trait Credentials: Send + Sync + 'static {
    /// Adds headers to an outgoing request. Called each time a request is sent, including retries.
    ///
    /// # Errors
    /// Fails if no credentials are available. The request is not sent then.
    fn authorize<'a>(&'a self, request: Request<'a>, headers: &'a mut HeaderMap) -> CredentialsFuture<'a, ()>;

    /// Handles a 401 or 403 response, and returns whether to retry the request. A retry is authorized again. The request
    /// was not executed.
    ///
    /// Called at most 3 times for one request. The default gives up.
    fn challenged<'a>(&'a self, challenge: &'a Challenge) -> CredentialsFuture<'a, ChallengeAction> {
        let _ = challenge;
        Box::pin(std::future::ready(Ok(ChallengeAction::GiveUp)))
    }

    /// Returns a key that identifies the principal, such as a subject or a digest of the token. Private results are cached
    /// separately for each key. The default uses one partition for all requests.
    fn cache_partition(&self) -> String {
        String::new()
    }

    /// Returns the authorization extensions that the credentials use: their ids and settings. The client declares them in
    /// its capabilities. Default: none.
    fn extensions(&self) -> RawMap {
        RawMap::new()
    }

    /// Called with the headers of each response, for schemes in which the server issues values for the next request.
    fn response_received(&self, headers: &HeaderMap) {
        let _ = headers;
    }
}

/// The request to authorize.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    method: &'a Method,
    url: &'a str,
}

impl<'a> Request<'a> {
    pub(super) fn new(method: &'a Method, url: &'a str) -> Self {
        Self { method, url }
    }

    /// Returns the HTTP method.
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// Returns the full URL. Its query may be secret.
    pub fn url(&self) -> &'a str {
        self.url
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("method", self.method).finish_non_exhaustive()
    }
}

/// Response to a [`Challenge`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChallengeAction {
    /// Retry the request with new credentials.
    Retry,
    /// Fail the request.
    GiveUp,
}

/// A 401 or 403 response.
pub struct Challenge {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    attempt: u32,
    sent_authorization: Option<HeaderValue>,
}

impl Challenge {
    pub(super) fn new(
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
        attempt: u32,
        sent_authorization: Option<HeaderValue>,
    ) -> Self {
        Self { status, headers, body, attempt, sent_authorization }
    }

    /// Returns the status, 401 or 403.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Returns the values of `WWW-Authenticate`, one for each header line.
    pub fn www_authenticate(&self) -> impl Iterator<Item = &HeaderValue> {
        self.headers.get_all(WWW_AUTHENTICATE).iter()
    }

    /// Returns all headers of the response.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the body, which may be a JSON-RPC error. Empty if it exceeds the limit.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Returns the `Authorization` header of the request that was challenged. If it differs from the current credentials,
    /// another request has renewed them.
    pub fn sent_authorization(&self) -> Option<&HeaderValue> {
        self.sent_authorization.as_ref()
    }

    /// Returns the number of retries so far: 0 for the first challenge.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }
}

impl fmt::Debug for Challenge {
    /// Omits headers and body, which may contain a token, a nonce or a cookie.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenge")
            .field("status", &self.status)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}
