//! HTTP options of a client: headers, credentials, proxy and limits.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ferromcp_core::RawMap;
use ferromcp_core::header::field::lower;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    TRANSFER_ENCODING,
};

use super::credentials::Credentials;
use super::limits::HttpLimits;

/// HTTP options of a client: headers, credentials, proxy and limits. Set with
/// [`ClientBuilder::http`](crate::ClientBuilder::http).
///
/// Certificates are verified against the system roots. The environment variable `SSL_CERT_FILE` sets others.
///
/// Responses must not be compressed: the client sends `Accept-Encoding: identity`.
///
/// Cookies are neither stored nor sent. If a server or a load balancer requires one, set it as the header `Cookie`.
///
/// Whole responses have no timeout, because a stream may last for days. Set a timeout for the call instead.
///
/// # Fixed limits
///
/// | limit of | value | if exceeded |
/// |---|---|---|
/// | response headers | 100 fields, about 400 KiB | the call fails |
/// | a session ID or event ID | 8 KiB | the handshake fails; an event ID is not sent on resumption |
/// | HTTP+SSE: time until the `endpoint` event | 30 s | connecting fails |
/// | HTTP+SSE: concurrent POSTs | 16 | further requests wait |
/// | attempts to resume a stream without new events | 5, with up to 30 s between them | the call fails |
/// | retries of one request after [`Credentials::challenged`] | 3 | the call fails |
/// | redirects of one request, within the same origin | 5 | the call fails |
///
/// ```
/// use ferromcp_client::http::HttpOptions;
/// let options = HttpOptions::new().header("X-Api-Key", "KEY").no_proxy();
/// ```
#[derive(Clone, Default)]
#[must_use = "options do nothing until they are set on a client builder"]
pub struct HttpOptions {
    pub(super) headers: HeaderMap,
    pub(super) credentials: Option<Arc<dyn Credentials>>,
    pub(super) proxy: ProxyMode,
    pub(super) limits: HttpLimits,
    /// The URL in logs and errors, if variables in the URL may contain secrets.
    pub(super) shown_url: Option<String>,
    errors: Vec<String>,
}

/// Proxy configuration.
#[derive(Clone, Default)]
pub(super) enum ProxyMode {
    /// The proxies set in the environment.
    #[default]
    Environment,
    None,
    /// This proxy for every request.
    One(String),
}

impl HttpOptions {
    /// Creates the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a header to every request. Its value is treated as a secret.
    ///
    /// [`connect`](crate::ClientBuilder::connect) fails if the header is invalid or is one that the client sets itself.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        match read(name.as_ref(), value.as_ref()) {
            Ok((name, value)) => {
                self.headers.append(name, value);
            }
            Err(error) => self.errors.push(error),
        }
        self
    }

    /// Sets the provider of credentials. By default, requests have no credentials.
    pub fn credentials(mut self, credentials: impl Credentials) -> Self {
        self.credentials = Some(Arc::new(credentials));
        self
    }

    /// Uses this proxy for every request, and ignores the environment variables `HTTP_PROXY`, `HTTPS_PROXY`,
    /// `ALL_PROXY` and `NO_PROXY`.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = ProxyMode::One(url.into());
        self
    }

    /// Disables proxies, including those set in the environment.
    pub fn no_proxy(mut self) -> Self {
        self.proxy = ProxyMode::None;
        self
    }

    /// Sets the maximum size of a response body that is not a stream, in bytes. Default: 16 MiB. A call with a larger
    /// response fails with [`ErrorKind::Limit`](crate::ErrorKind::Limit).
    pub fn body_bytes(mut self, bytes: usize) -> Self {
        self.limits.body_bytes = bytes;
        self
    }

    /// Sets the maximum size of one event of a stream, in bytes. Default: 16 MiB. A call with a larger response fails
    /// with [`ErrorKind::Limit`](crate::ErrorKind::Limit).
    pub fn event_bytes(mut self, bytes: usize) -> Self {
        self.limits.event_bytes = bytes;
        self
    }

    /// Sets the timeout of opening a TCP connection, including TLS. Default: 30 s. The request fails without being
    /// sent.
    ///
    /// [`ClientLimits::connect_timeout`](crate::ClientLimits::connect_timeout) limits connecting to an MCP server as a
    /// whole.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.limits.connect_timeout = timeout;
        self
    }

    /// Sets the URL in logs and errors, for a URL with secrets in its path.
    pub(crate) fn shown_as(mut self, url: String) -> Self {
        self.shown_url = Some(url);
        self
    }

    /// Returns the extensions that the credentials use.
    pub(crate) fn extensions(&self) -> RawMap {
        self.credentials.as_ref().map(|credentials| credentials.extensions()).unwrap_or_default()
    }

    /// Returns the errors of invalid options.
    pub(super) fn errors(&self) -> &[String] {
        &self.errors
    }
}

impl fmt::Debug for HttpOptions {
    /// Omits header values and the proxy URL, which may contain secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpOptions")
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("credentials", &self.credentials.is_some())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Parses a header.
///
/// # Errors
/// Fails if the header is invalid or reserved. The text does not include the value.
fn read(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("invalid header name {name:?}"))?;
    if is_reserved(&header) {
        return Err(format!("the header `{name}` is set by the client; remove it"));
    }
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| format!("the value of the header `{name}` contains invalid characters"))?;
    value.set_sensitive(true);
    Ok((header, value))
}

/// Returns whether the client sets this header. A duplicate could conflict or make the message ambiguous.
fn is_reserved(name: &HeaderName) -> bool {
    const RESERVED: [HeaderName; 6] =
        [ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING];
    let mcp_headers = [lower::SESSION_ID, lower::PROTOCOL_VERSION, lower::METHOD, lower::NAME, "last-event-id"];
    RESERVED.contains(name) || mcp_headers.contains(&name.as_str()) || name.as_str().starts_with(lower::PARAM_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_is_rejected_when_reserved() {
        for name in ["Accept", "content-TYPE", "Mcp-Session-Id", "Mcp-Param-Region", "Last-Event-ID", "", "a b"] {
            assert_eq!(HttpOptions::new().header(name, "x").errors().len(), 1, "{name}");
        }
        assert!(HttpOptions::new().header("Authorization", "Bearer s3cret").errors().is_empty());
    }

    #[test]
    fn debug_omits_values_of_headers() {
        let options =
            HttpOptions::new().header("Authorization", "s3cret").header("X", "s3cret\n").proxy("http://s3cret");
        assert!(!format!("{options:?} {:?}", options.errors()).contains("s3cret"));
        assert!(!format!("{:?}", options.headers).contains("s3cret"));
    }
}
