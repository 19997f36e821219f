//! HTTP requests of the targets of servers, and what the responses of authorization servers must correspond to.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use url::{Url, form_urlencoded};

/// The parameters of requests whose values are secrets.
const SECRET_PARAMETERS: [&str; 9] = [
    "client_secret",
    "password",
    "code_verifier",
    "code",
    "refresh_token",
    "token",
    "client_assertion",
    "assertion",
    "csrf",
];

/// Parses the method, the path and the headers of a request: one line each, then a blank line. Also returns the body.
/// `value` converts the values of headers. Returns `None` if it is not a valid HTTP request.
pub fn parse_head(text: &[u8], value: impl Fn(&[u8]) -> Option<HeaderValue>) -> Option<(Request<()>, &[u8])> {
    let mut rest = text;
    let mut line = || {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let line = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        line
    };
    let first = line();
    let space = first.iter().position(|byte| *byte == b' ')?;
    let mut request = Request::builder().method(&first[..space]).uri(&first[space + 1..]).body(()).ok()?;
    loop {
        let line = line();
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        request.headers_mut().append(name, value(line[colon + 1..].trim_ascii())?);
    }
    Some((request, rest))
}

/// Parses a request to an authorization server. Returns `None` if it is not a valid HTTP request.
pub fn parse(text: &[u8]) -> Option<Request<Bytes>> {
    let (mut request, rest) = parse_head(text, |value| HeaderValue::from_bytes(value).ok())?;
    let default = if rest.starts_with(b"{") { "application/json" } else { "application/x-www-form-urlencoded" };
    request.headers_mut().entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(default));
    Some(request.map(|()| Bytes::copy_from_slice(rest)))
}

/// The parts of a request that checks need.
pub struct Sent {
    pub method: Method,
    pub path: String,
    /// The parameters of the query or the form.
    pub parameters: Vec<(String, String)>,
    /// The text of the request without secret parameters and credentials.
    pub public: String,
    pub has_cookie: bool,
    origin: Option<String>,
    site: Option<String>,
}

impl Sent {
    /// Reads a request.
    pub fn new(request: &Request<Bytes>) -> Self {
        let is_form = header_text(request.headers(), &CONTENT_TYPE).to_ascii_lowercase().contains("form");
        let query = request.uri().query().unwrap_or_default();
        let mut public = format!("{} ", request.uri());
        let mut parameters: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        parameters.iter().for_each(|(name, value)| public.extend([name, " ", value, " "]));
        if is_form {
            for (name, value) in form_urlencoded::parse(request.body()).into_owned() {
                let value_or_nothing = if SECRET_PARAMETERS.contains(&&*name) { "" } else { &value };
                public.extend([&name, " ", value_or_nothing, " "]);
                parameters.push((name, value));
            }
        } else {
            public.push_str(&String::from_utf8_lossy(request.body()));
        }
        for (name, value) in request.headers() {
            if name != AUTHORIZATION && name != COOKIE {
                public.push_str(&String::from_utf8_lossy(value.as_bytes()));
            }
        }
        let optional =
            |name: &str| request.headers().get(name).map(|it| String::from_utf8_lossy(it.as_bytes()).into_owned());
        Self {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            parameters,
            public,
            has_cookie: request.headers().contains_key(COOKIE),
            origin: optional("origin"),
            site: optional("sec-fetch-site"),
        }
    }

    /// Returns a parameter of the query or the form that is not empty.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(other, value)| other == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// Returns whether a page of the issuer could have sent the request.
    pub fn is_same_origin(&self, issuer: &str) -> bool {
        let origin = Url::parse(issuer).expect("a URL").origin().ascii_serialization();
        self.origin.as_ref().is_none_or(|it| *it == origin) && self.site.as_ref().is_none_or(|it| it == "same-origin")
    }
}

/// Returns the first value of a header, which may have any bytes; empty if it is missing.
pub fn header_text(headers: &HeaderMap, name: &HeaderName) -> String {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).unwrap_or_default()
}

/// Returns whether a URL consists of a redirect URI and parameters. The port of a loopback address may differ.
pub fn is_below(uri: &str, url: &str) -> bool {
    let without_port = |text: &str| {
        let mut url = Url::parse(text).expect("a URL");
        let is_http = url.scheme() == "http";
        // An error means that the URL has no host.
        let _ = if is_http { url.set_port(None) } else { Ok(()) };
        String::from(url)
    };
    let (uri, url) = (without_port(uri), without_port(url));
    let rest = url.strip_prefix(uri.trim_end_matches(['?', '&']));
    rest.is_some_and(|rest| rest.starts_with(['?', '&']))
}

/// Returns the value of a hidden field of a page.
pub fn hidden(html: &str, name: &str) -> Option<String> {
    let (_, rest) = html.split_once(&format!("name=\"{name}\" value=\""))?;
    rest.split_once('"').map(|(value, _)| value.to_owned())
}
