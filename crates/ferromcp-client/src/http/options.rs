//! How a client reaches an endpoint: what it adds to requests, and how its connections come about.

use std::fmt;
use std::sync::Arc;

use ferromcp_core::header::field::lower;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    TRANSFER_ENCODING,
};

use super::credentials::Credentials;
use super::limits::HttpLimits;

/// How an endpoint is reached.
///
/// Certificates are checked against the system's roots; the environment variable `SSL_CERT_FILE` names others.
///
/// ```
/// use ferromcp_client::http::HttpOptions;
/// let options = HttpOptions::new().header("X-Api-Key", "KEY").no_proxy();
/// ```
#[derive(Clone, Default)]
#[must_use = "options do nothing until an endpoint is made with them"]
pub struct HttpOptions {
    pub(super) headers: HeaderMap,
    pub(super) credentials: Option<Arc<dyn Credentials>>,
    pub(super) proxy: ProxyMode,
    pub(super) limits: HttpLimits,
    errors: Vec<String>,
}

/// Which proxies are used.
#[derive(Clone, Default)]
pub(super) enum ProxyMode {
    /// Those of the environment.
    #[default]
    Environment,
    None,
    /// This one for everything.
    One(String),
}

impl HttpOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a header to every request. Its value is kept secret.
    ///
    /// Those that MCP itself sends cannot be given; [`Endpoint::new`](super::Endpoint::new) says so then.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        match read(name.as_ref(), value.as_ref()) {
            Ok((name, value)) => {
                self.headers.append(name, value);
            }
            Err(error) => self.errors.push(error),
        }
        self
    }

    /// Takes credentials from here; none unless given.
    pub fn credentials(mut self, credentials: impl Credentials) -> Self {
        self.credentials = Some(Arc::new(credentials));
        self
    }

    /// Uses this proxy for every request, in place of those that `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and
    /// `NO_PROXY` of the environment name.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = ProxyMode::One(url.into());
        self
    }

    /// Uses no proxy, whatever the environment says.
    pub fn no_proxy(mut self) -> Self {
        self.proxy = ProxyMode::None;
        self
    }

    /// Sets the bounds.
    pub fn limits(mut self, limits: HttpLimits) -> Self {
        self.limits = limits;
        self
    }

    /// What was given and cannot be.
    pub(super) fn errors(&self) -> &[String] {
        &self.errors
    }
}

impl fmt::Debug for HttpOptions {
    /// Without the values of headers and what a proxy's URL may hold.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpOptions")
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("credentials", &self.credentials.is_some())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// The header, or what is wrong with it. Its value is in no message.
fn read(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("{name:?} is no name of a header"))?;
    if is_ours(&header) {
        return Err(format!("the header `{name}` is set by the client itself; leave it out"));
    }
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| format!("the value of the header `{name}` has characters that no header can hold"))?;
    value.set_sensitive(true);
    Ok((header, value))
}

/// Whether the client sets this header: a second one would contradict it, or bytes could be read in two ways.
fn is_ours(name: &HeaderName) -> bool {
    const OURS: [HeaderName; 6] =
        [ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING];
    let words = [lower::SESSION_ID, lower::PROTOCOL_VERSION, lower::METHOD, lower::NAME, "last-event-id"];
    OURS.contains(name) || words.contains(&name.as_str()) || name.as_str().starts_with(lower::PARAM_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_client_sends_itself_cannot_be_given() {
        for name in ["Accept", "content-TYPE", "Mcp-Session-Id", "Mcp-Param-Region", "Last-Event-ID", "", "a b"] {
            assert_eq!(HttpOptions::new().header(name, "x").errors().len(), 1, "{name}");
        }
        assert!(HttpOptions::new().header("Authorization", "Bearer s3cret").errors().is_empty());
    }

    #[test]
    fn values_are_never_shown() {
        let options =
            HttpOptions::new().header("Authorization", "s3cret").header("X", "s3cret\n").proxy("http://s3cret");
        assert!(!format!("{options:?} {:?}", options.errors()).contains("s3cret"));
        assert!(!format!("{:?}", options.headers).contains("s3cret"));
    }
}
