//! Where credentials come in: a hook that dresses each request and is asked when a server refuses one.
//!
//! What they are (a fixed token, OAuth, a signature for each request) is not known here.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

/// A future of [`Credentials`].
pub type CredentialsFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, CredentialsError>> + Send + 'a>>;

/// Why credentials could not be had: whatever the implementation has to say. No secret belongs in its text.
pub type CredentialsError = Box<dyn Error + Send + Sync>;

/// Gives requests what a server wants to see, such as `Authorization`.
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
    /// Adds headers to a request that is about to be sent; asked anew each time it is sent.
    fn authorize<'a>(&'a self, request: Request<'a>, headers: &'a mut HeaderMap) -> CredentialsFuture<'a, ()>;

    /// A request was refused with 401 or 403: whether to send it again, freshly dressed. It never reached a handler.
    ///
    /// Asked at most [`challenges`](super::HttpLimits::challenges) times for one request. Unless written, the refusal
    /// stands.
    fn challenged<'a>(&'a self, challenge: &'a Challenge) -> CredentialsFuture<'a, ChallengeAction> {
        let _ = challenge;
        Box::pin(std::future::ready(Ok(ChallengeAction::GiveUp)))
    }

    /// A text that tells apart whose credentials these are, such as a subject or a digest of the token: what a server
    /// says is for one of them alone is not shown to another. Unless written, they are all one person's.
    fn cache_partition(&self) -> String {
        String::new()
    }

    /// The headers of any response, for schemes in which the server hands out something for the next request.
    fn answered(&self, headers: &HeaderMap) {
        let _ = headers;
    }
}

/// The request that is to be dressed.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    method: &'a Method,
    url: &'a str,
}

impl<'a> Request<'a> {
    pub(super) fn new(method: &'a Method, url: &'a str) -> Self {
        Self { method, url }
    }

    /// Its method.
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// Where it goes, in full: the query may be a secret.
    pub fn url(&self) -> &'a str {
        self.url
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("method", self.method).finish_non_exhaustive()
    }
}

/// What to do about a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChallengeAction {
    /// There are other credentials now: send the request again.
    Retry,
    /// There is nothing to be done.
    GiveUp,
}

/// A refusal for want of credentials.
pub struct Challenge {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    attempt: u32,
}

impl Challenge {
    pub(super) fn new(status: StatusCode, headers: HeaderMap, body: Bytes, attempt: u32) -> Self {
        Self { status, headers, body, attempt }
    }

    /// 401 or 403.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// The values of `WWW-Authenticate`, one a header line.
    pub fn www_authenticate(&self) -> impl Iterator<Item = &HeaderValue> {
        self.headers.get_all(WWW_AUTHENTICATE).iter()
    }

    /// All headers of the response.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body; a JSON-RPC error at times. Empty if it was longer than a body may be.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// How often this request has been sent again before: 0 for the first refusal.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }
}

impl fmt::Debug for Challenge {
    /// Without headers and body: a nonce or a cookie may be in them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenge")
            .field("status", &self.status)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}
