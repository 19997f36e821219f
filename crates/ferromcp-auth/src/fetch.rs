//! Requests to authorization servers and for metadata. Their URLs come from other servers, so that they are restricted.
//!
//! HTTPS only, no redirects, no private addresses, bounded in time and size. A server on the loopback interface may use
//! plain HTTP and loopback addresses; [`Network::Any`] allows private addresses.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use ferromcp_core::text::excerpt;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use http::{Method, StatusCode};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response};
use url::{Host, Url};

use crate::address::{is_global, is_loopback};
use crate::error::AuthError;

/// Maximum size of a response, in bytes.
const RESPONSE_BYTES: usize = 256 * 1024;
/// Timeout of a request, including its response.
const TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// The networks of authorization servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    /// Global addresses, and HTTPS.
    Global,
    /// Also loopback addresses, with plain HTTP: the MCP server is on the loopback interface too.
    Loopback,
    /// All addresses, with HTTPS; plain HTTP for loopback addresses.
    Any,
}

/// Sends the requests.
#[derive(Debug, Clone)]
pub(crate) struct Fetcher {
    client: Client,
    network: Network,
}

/// A response. `Debug` omits the headers and the body, which may contain tokens.
pub(crate) struct Fetched {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Network {
    /// Returns the networks that may be used for an MCP server at this URL.
    pub(crate) fn of(server: &Url) -> Self {
        if is_loopback_host(server) { Self::Loopback } else { Self::Global }
    }

    fn allows(self, address: IpAddr) -> bool {
        match self {
            Self::Global => is_global(address),
            Self::Loopback => is_global(address) || is_loopback(address),
            Self::Any => true,
        }
    }

    /// Checks a URL before a request is sent or a browser opens it.
    ///
    /// # Errors
    /// Fails if the URL is invalid, does not use HTTPS, contains a user, or has an address that is not allowed.
    pub(crate) fn check(self, url: &str) -> Result<Url, AuthError> {
        let invalid = |problem: &str| AuthError::discovery(format!("unsafe URL `{}`: {problem}", excerpt(url)));
        let parsed = Url::parse(url).map_err(|error| invalid(&error.to_string()))?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(AuthError::discovery("unsafe URL: it contains a user or password"));
        }
        match parsed.scheme() {
            "https" => {}
            "http" if self != Self::Global && is_loopback_host(&parsed) => {}
            "http" => return Err(invalid("plain HTTP is allowed on the loopback interface only; use https")),
            _ => return Err(invalid("the scheme is not https")),
        }
        let literal = match parsed.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) => None,
            None => return Err(invalid("it has no host")),
        };
        if literal.is_some_and(|address| !self.allows(address)) {
            return Err(invalid("the address is not globally routable; see `allow_private_networks`"));
        }
        Ok(parsed)
    }
}

/// Returns whether the host is a loopback address or `localhost`.
pub(crate) fn is_loopback_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => is_loopback(IpAddr::V6(address)),
        None => false,
    }
}

impl Fetcher {
    /// Creates a fetcher. Proxies set in the environment are used; a proxy resolves names itself, so that addresses are
    /// not checked then.
    pub(crate) fn new(network: Network) -> Result<Self, AuthError> {
        Self::build(network, network != Network::Loopback)
    }

    /// Creates a fetcher for URLs of anonymous callers, which does not use proxies: a proxy could reach private addresses.
    pub(crate) fn direct(network: Network) -> Result<Self, AuthError> {
        Self::build(network, false)
    }

    fn build(network: Network, uses_proxy: bool) -> Result<Self, AuthError> {
        let mut builder = ClientBuilder::new()
            .user_agent(concat!("ferromcp/", env!("CARGO_PKG_VERSION")))
            .referer(false)
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .dns_resolver(std::sync::Arc::new(FilteredResolver(network)));
        if !uses_proxy {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| {
            AuthError::configuration("cannot create an HTTP client").with_source(error.without_url())
        })?;
        Ok(Self { client, network })
    }

    pub(crate) fn network(&self) -> Network {
        self.network
    }

    /// Requests a metadata document.
    pub(crate) async fn get(&self, url: &str, headers: HeaderMap) -> Result<Fetched, AuthError> {
        self.send(Method::GET, url, headers, None, RESPONSE_BYTES).await
    }

    /// Requests a document of at most `max_bytes`.
    pub(crate) async fn get_at_most(&self, url: &str, max_bytes: usize) -> Result<Fetched, AuthError> {
        self.send(Method::GET, url, HeaderMap::new(), None, max_bytes).await
    }

    /// Requests a URL, and ignores the body: it may be a stream without an end.
    pub(crate) async fn probe(&self, url: &str) -> Result<Fetched, AuthError> {
        let response = self.open(Method::GET, url, HeaderMap::new(), None).await?;
        Ok(Fetched { status: response.status(), headers: response.headers().clone(), body: Bytes::new() })
    }

    /// Sends a form.
    pub(crate) async fn post_form(&self, url: &str, headers: HeaderMap, form: String) -> Result<Fetched, AuthError> {
        self.send(Method::POST, url, headers, Some((FORM, form)), RESPONSE_BYTES).await
    }

    /// Sends a JSON document.
    pub(crate) async fn post_json(&self, url: &str, headers: HeaderMap, json: String) -> Result<Fetched, AuthError> {
        self.send(Method::POST, url, headers, Some((JSON, json)), RESPONSE_BYTES).await
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: Option<(&'static str, String)>,
        max_bytes: usize,
    ) -> Result<Fetched, AuthError> {
        let mut response = self.open(method, url, headers, body).await?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(url, error))? {
            if body.len() + chunk.len() > max_bytes {
                let url = excerpt(url.split('?').next().unwrap_or_default());
                return Err(AuthError::discovery(format!("the response of {url} exceeds {max_bytes} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Fetched { status: response.status(), headers: response.headers().clone(), body: body.into() })
    }

    /// Sends a request. Its timeout includes the body of the response.
    async fn open(
        &self,
        method: Method,
        url: &str,
        mut headers: HeaderMap,
        body: Option<(&'static str, String)>,
    ) -> Result<Response, AuthError> {
        let parsed = self.network.check(url)?;
        headers.insert(ACCEPT, HeaderValue::from_static(JSON));
        let mut builder = self.client.request(method, parsed);
        if let Some((content_type, body)) = body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
            builder = builder.body(body);
        }
        builder.headers(headers).send().await.map_err(|error| failed(url, error))
    }
}

/// Returns the error of a request. It omits the query of the URL, which may contain secrets.
fn failed(url: &str, error: reqwest::Error) -> AuthError {
    let url = excerpt(url.split(['?', '#']).next().unwrap_or_default());
    AuthError::unavailable(format!("cannot reach {url}")).with_source(innermost(&error.without_url()))
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetched").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Returns whether the server is overloaded or has failed, so that the status is not about the request.
pub(crate) fn is_outage(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
}

impl Fetched {
    /// Fails if the server is overloaded or has failed, so that the status is not about the resource.
    pub(crate) fn ensure_available(self, url: &str) -> Result<Self, AuthError> {
        if is_outage(self.status) {
            let text = format!("{} responded with status {}", excerpt(url), self.status.as_u16());
            return Err(AuthError::outage(text, self.retry_after()));
        }
        Ok(self)
    }

    /// Returns the time after which the server accepts requests, in seconds. Dates are ignored.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
    }
}

/// Returns the text of the innermost cause, which is the most specific one.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// Resolves names, and omits addresses that are not allowed. As the connection uses the addresses returned here, a second
/// lookup cannot return others (DNS rebinding).
struct FilteredResolver(Network);

impl Resolve for FilteredResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let network = self.0;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed: Vec<SocketAddr> =
                found.iter().copied().filter(|address| network.allows(address.ip())).collect();
            if allowed.is_empty() {
                let problem = if found.is_empty() { "no address" } else { "no globally routable address" };
                let text = format!("{problem} for {}; see `allow_private_networks`", excerpt(name.as_str()));
                return Err(text.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_unsafe_urls() {
        //
        for url in [
            "http://example.com/",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "data:text/html,x",
            "vbscript:x",
            "https://user@example.com/",
            "https://10.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://169.254.169.254/latest",
            "https://0x7f.1/",
            "https://2130706433/",
            "http://localhost/",
            "",
            "x",
        ] {
            assert!(Network::Global.check(url).is_err(), "{url}");
        }
        assert!(Network::Global.check("https://example.com/a?b=c").is_ok());
    }

    #[test]
    fn allows_plain_http_on_loopback_only() {
        for url in ["http://localhost:1/", "http://127.0.0.1/", "http://[::1]:2/x", "https://example.com/"] {
            assert!(Network::Loopback.check(url).is_ok(), "{url}");
        }
        for url in ["http://10.0.0.1/", "https://10.0.0.1/", "http://example.com/", "http://localhost.example.com/"] {
            assert!(Network::Loopback.check(url).is_err(), "{url}");
        }
        assert!(Network::Any.check("https://10.0.0.1/").is_ok());
        assert!(Network::Any.check("http://10.0.0.1/").is_err());
    }

    #[tokio::test]
    async fn trap_ssrf_by_metadata_urls() {
        // no request is sent, whichever URL a server names.
        let fetcher = Fetcher::new(Network::Global).unwrap();
        for host in [
            "127.0.0.1",
            "[::ffff:127.0.0.1]",
            "[::ffff:a9fe:a9fe]",
            "169.254.169.254",
            "localhost",
            "0",
            "017700000001",
        ] {
            let url = format!("https://{host}:1/x?s3cret");
            for error in [
                fetcher.get(&url, HeaderMap::new()).await.map(drop),
                fetcher.post_form(&url, HeaderMap::new(), String::new()).await.map(drop),
                fetcher.probe(&url).await.map(drop),
            ] {
                let error = error.unwrap_err().to_string();
                assert!(error.contains("globally routable"), "{error}");
            }
        }
    }

    #[test]
    fn debug_omits_the_response() {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("s3cret"))]);
        let fetched = Fetched { status: StatusCode::OK, headers, body: "s3cret".into() };
        assert_eq!(format!("{fetched:?}"), "Fetched { status: 200, .. }");
    }

    #[tokio::test]
    async fn names_of_private_addresses_are_not_resolved() {
        //
        let resolver = FilteredResolver(Network::Global);
        let result = resolver.resolve("localhost".parse().unwrap()).await;
        let error = result.err().expect("loopback addresses are refused").to_string();
        assert!(error.contains("no globally routable address for localhost"), "{error}");
        assert!(FilteredResolver(Network::Loopback).resolve("localhost".parse().unwrap()).await.is_ok());
    }
}
