//! CORS: preflight responses and response headers for allowed origins.
//!
//! Spec: <https://fetch.spec.whatwg.org/#http-cors-protocol>.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use super::guard::{Guard, Rejection};

/// Request headers that pages may send, in addition to the CORS-safelisted ones.
const ALLOWED_HEADERS: &str = "content-type, accept, authorization, last-event-id, mcp-session-id, mcp-protocol-version, \
                    mcp-method, mcp-name, traceparent, tracestate, baggage, dpop";
/// Response headers that pages may read, in addition to the CORS-safelisted ones.
const EXPOSED_HEADERS: HeaderValue =
    HeaderValue::from_static("Mcp-Session-Id, MCP-Protocol-Version, WWW-Authenticate, DPoP-Nonce, Retry-After");
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, DELETE, OPTIONS");
/// How long browsers may cache a preflight response, in seconds. Two hours is the most that browsers use.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");
/// The prefix of headers for annotated arguments, whose names depend on the tools.
const PARAM_PREFIX: &str = "mcp-param-";
/// The maximum number of bytes of `Access-Control-Request-Headers` that are parsed.
const MAX_REQUESTED: usize = 8 << 10;

const TRUE: HeaderValue = HeaderValue::from_static("true");
const REQUEST_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOW_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// Returns the response to a CORS preflight request, or `None` if it is not one.
///
/// # Errors
/// If the origin was not allowed explicitly. Pages of local origins may send simple requests to a local server, but they
/// may read responses only if the server allows it.
pub(crate) fn preflight(guard: &Guard, headers: &HeaderMap) -> Option<Result<Response<()>, Rejection>> {
    let origin = headers.get(ORIGIN)?;
    headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
    if !guard.allows_origin(origin) {
        return Some(Err(Rejection::origin(origin.as_bytes())));
    }
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let allowed = response.headers_mut();
    allowed.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    allowed.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed_headers(headers));
    allowed.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    if headers.get(REQUEST_PRIVATE_NETWORK).is_some_and(|value| value == TRUE) {
        allowed.insert(ALLOW_PRIVATE_NETWORK, TRUE);
    }
    add_headers(guard, origin, allowed);
    Some(Ok(response))
}

/// Returns the request headers that a page may send, including the requested ones for annotated arguments.
fn allowed_headers(headers: &HeaderMap) -> HeaderValue {
    let requested =
        headers.get(ACCESS_CONTROL_REQUEST_HEADERS).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let names = requested.get(..requested.len().min(MAX_REQUESTED)).unwrap_or_default().split(',').map(str::trim);
    let parameters = names.filter(|name| {
        name.get(..PARAM_PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PARAM_PREFIX))
            && HeaderName::from_bytes(name.as_bytes()).is_ok()
    });
    let all = parameters.fold(ALLOWED_HEADERS.to_owned(), |all, name| all + ", " + name);
    HeaderValue::from_str(&all).unwrap_or(HeaderValue::from_static(ALLOWED_HEADERS))
}

/// Adds the headers that let pages of an allowed origin read the response.
pub(crate) fn add_headers(guard: &Guard, origin: &HeaderValue, headers: &mut HeaderMap) {
    if !guard.has_origins() {
        return;
    }
    headers.append(VARY, HeaderValue::from_static("Origin")); // the response depends on the origin
    if guard.allows_origin(origin) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preflight_headers(origin: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, HeaderValue::from_static(origin));
        headers.insert(ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("POST"));
        let asked = "content-type, Mcp-Param-Region, x-other, mcp-param-b@d";
        headers.insert(ACCESS_CONTROL_REQUEST_HEADERS, HeaderValue::from_static(asked));
        headers
    }

    fn guard() -> Guard {
        let mut guard = Guard::default();
        guard.allow_origin("https://app.example.com");
        guard
    }

    #[test]
    fn preflight_lists_allowed_methods_and_headers_when_the_origin_is_allowed() {
        let response =
            preflight(&guard(), &preflight_headers("https://app.example.com")).expect("a preflight").unwrap();
        let headers = response.headers();
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "https://app.example.com");
        assert_eq!(headers[VARY], "Origin");
        let sendable = headers[ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap();
        assert!(sendable.contains("mcp-session-id") && sendable.contains("Mcp-Param-Region"), "{sendable}");
        assert!(!sendable.contains("x-other") && !sendable.contains('@'), "{sendable}");
        assert!(headers[ACCESS_CONTROL_EXPOSE_HEADERS].to_str().unwrap().contains("Mcp-Session-Id"));
    }

    #[test]
    fn no_cors_headers_when_the_origin_is_not_allowed() {
        assert!(preflight(&guard(), &preflight_headers("https://evil.example.com")).is_some_and(|it| it.is_err()));
        let rejected =
            preflight(&Guard::default(), &preflight_headers("https://app.example.com")).expect("a preflight");
        assert!(rejected.unwrap_err().to_string().contains(".allow_origin(\"https://app.example.com\")"));
        assert!(preflight(&guard(), &HeaderMap::new()).is_none(), "not a preflight");
        let mut headers = HeaderMap::new();
        add_headers(&Guard::default(), &HeaderValue::from_static("http://localhost"), &mut headers);
        assert!(headers.is_empty());
        add_headers(&guard(), &HeaderValue::from_static("https://evil.example.com"), &mut headers);
        assert!(headers.get(ACCESS_CONTROL_ALLOW_ORIGIN).is_none());
    }
}
