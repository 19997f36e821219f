//! What browsers want to hear before a page of another origin may ask and read: for origins that were allowed.
//!
//! Spec: <https://fetch.spec.whatwg.org/#http-cors-protocol>.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use super::guard::Guard;

/// What pages may send beside what browsers always let them.
const SENT: &str = "content-type, accept, authorization, last-event-id, mcp-session-id, mcp-protocol-version, \
                    mcp-method, mcp-name, traceparent, tracestate, baggage";
/// What pages may read beside what browsers always let them.
const READ: HeaderValue =
    HeaderValue::from_static("Mcp-Session-Id, MCP-Protocol-Version, WWW-Authenticate, Retry-After");
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, DELETE, OPTIONS");
/// How long a browser may remember, in seconds: two hours, beyond which none goes.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");
/// The headers of annotated parameters, which only the tools know.
const PARAMETER: &str = "mcp-param-";
/// The most bytes of asked-for headers that are looked at.
const MOST_ASKED: usize = 8 << 10;

const YES: HeaderValue = HeaderValue::from_static("true");
const ASKS_PRIVATE: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOWS_PRIVATE: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// The answer to a browser that asks before it sends; `None` if none asks, or for a page that was not let in.
pub(crate) fn preflight(guard: &Guard, headers: &HeaderMap) -> Option<Response<()>> {
    let origin = headers.get(ORIGIN).filter(|origin| guard.allows_origin(origin))?;
    headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let said = response.headers_mut();
    said.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    said.insert(ACCESS_CONTROL_ALLOW_HEADERS, sendable(headers));
    said.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    if headers.get(ASKS_PRIVATE).is_some_and(|asks| asks == YES) {
        said.insert(ALLOWS_PRIVATE, YES);
    }
    decorate(guard, origin, said);
    Some(response)
}

/// The headers a page may send, with those it asked for that repeat parameters.
fn sendable(headers: &HeaderMap) -> HeaderValue {
    let asked = headers.get(ACCESS_CONTROL_REQUEST_HEADERS).and_then(|asked| asked.to_str().ok()).unwrap_or_default();
    let names = asked.get(..asked.len().min(MOST_ASKED)).unwrap_or_default().split(',').map(str::trim);
    let parameters = names.filter(|name| {
        name.get(..PARAMETER.len()).is_some_and(|start| start.eq_ignore_ascii_case(PARAMETER))
            && HeaderName::from_bytes(name.as_bytes()).is_ok()
    });
    let all = parameters.fold(SENT.to_owned(), |all, name| all + ", " + name);
    HeaderValue::from_str(&all).unwrap_or(HeaderValue::from_static(SENT))
}

/// Lets a page of an origin that was let in read the response.
pub(crate) fn decorate(guard: &Guard, origin: &HeaderValue, headers: &mut HeaderMap) {
    if !guard.has_origins() {
        return;
    }
    headers.append(VARY, HeaderValue::from_static("Origin")); // another origin gets another answer
    if guard.allows_origin(origin) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, READ);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(origin: &'static str) -> HeaderMap {
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
    fn an_allowed_origin_hears_what_it_may_do() {
        let response = preflight(&guard(), &asking("https://app.example.com")).expect("a preflight");
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
    fn others_hear_nothing() {
        assert!(preflight(&guard(), &asking("https://evil.example.com")).is_none());
        assert!(preflight(&Guard::default(), &asking("https://app.example.com")).is_none());
        let mut headers = HeaderMap::new();
        decorate(&Guard::default(), &HeaderValue::from_static("http://localhost"), &mut headers);
        assert!(headers.is_empty());
        decorate(&guard(), &HeaderValue::from_static("https://evil.example.com"), &mut headers);
        assert!(headers.get(ACCESS_CONTROL_ALLOW_ORIGIN).is_none());
    }
}
