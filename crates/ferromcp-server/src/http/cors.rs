//! What browsers want to hear before a page of another origin may read an answer.
//!
//! Only pages that [`HttpOptions`](super::HttpOptions) allowed by name are told anything.
//!
//! Spec: <https://fetch.spec.whatwg.org/#http-cors-protocol>.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderName, HeaderValue, ORIGIN, VARY,
};
use http::{HeaderMap, Response, StatusCode};

use super::guard::Guard;

/// The headers that clients of any revision send.
const SENT: &str = "content-type, accept, authorization, last-event-id, mcp-session-id, mcp-protocol-version, \
                    mcp-method, mcp-name, traceparent, tracestate, baggage";

/// The headers of responses that a page may read.
const READ: HeaderValue =
    HeaderValue::from_static("Mcp-Session-Id, MCP-Protocol-Version, WWW-Authenticate, Retry-After");

/// The headers that repeat arguments begin so; what follows is for each tool to say.
const PARAMETER: &str = "mcp-param-";

/// The most headers for arguments that one preflight may ask for.
const MOST_PARAMETERS: usize = 64;

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, DELETE, OPTIONS");

/// Seconds that a browser may remember the answer: two hours, the most that any of them does.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

const YES: HeaderValue = HeaderValue::from_static("true");
const BY_ORIGIN: HeaderValue = HeaderValue::from_static("Origin");

const REQUEST_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOW_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// The answer to a browser that asks (by OPTIONS) whether a page may ask. `None` if it asks no such
/// thing, or its page was not allowed. [`decorate`] adds the origin, as to every other response.
pub(crate) fn preflight(guard: &Guard, headers: &HeaderMap) -> Option<Response<()>> {
    headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
    headers.get(ORIGIN).filter(|origin| guard.allows_origin(origin))?;
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let answer = response.headers_mut();
    answer.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, sendable(headers));
    answer.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    if headers.get(REQUEST_PRIVATE_NETWORK).is_some_and(|asked| asked == YES) {
        answer.insert(ALLOW_PRIVATE_NETWORK, YES);
    }
    Some(response)
}

/// Lets a page of an allowed origin read a response.
pub(crate) fn decorate(guard: &Guard, origin: &HeaderValue, headers: &mut HeaderMap) {
    if !guard.has_origins() {
        return;
    }
    // Whether it is allowed or not: what one page hears must not be kept for another.
    headers.append(VARY, BY_ORIGIN);
    if guard.allows_origin(origin) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, READ);
    }
}

/// The headers that may be sent, with those for arguments that were asked for.
fn sendable(headers: &HeaderMap) -> HeaderValue {
    let mut sendable = SENT.to_owned();
    let asked = headers.get_all(ACCESS_CONTROL_REQUEST_HEADERS);
    let asked = asked.iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let parameters = asked.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok());
    for name in parameters.filter(|name| name.as_str().starts_with(PARAMETER)).take(MOST_PARAMETERS) {
        sendable.push_str(", ");
        sendable.push_str(name.as_str());
    }
    HeaderValue::try_from(sendable).unwrap_or(const { HeaderValue::from_static(SENT) })
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, StatusCode};

    use super::{decorate, preflight};
    use crate::http::HttpOptions;
    use crate::http::guard::Guard;

    const PAGE: HeaderValue = HeaderValue::from_static("https://app.example.com");

    fn open() -> Guard {
        HttpOptions::new().allow_origin("https://app.example.com").guard
    }

    fn asked(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn an_allowed_page_hears_what_it_may_send() {
        let asked = asked(&[
            ("origin", "https://app.example.com"),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type,Mcp-Param-City, x-evil, mcp-param-\u{7f}, mcp-param-a.b"),
            ("access-control-request-private-network", "true"),
        ]);
        let mut response = preflight(&open(), &asked).unwrap();
        decorate(&open(), &PAGE, response.headers_mut());
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        let said = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let headers = said("access-control-allow-headers").unwrap();
        for name in
            ["content-type", "mcp-session-id", "mcp-protocol-version", "mcp-method", "mcp-name", "last-event-id"]
        {
            assert!(headers.split(", ").any(|allowed| allowed == name), "{name}: {headers}");
        }
        assert!(headers.ends_with(", mcp-param-city, mcp-param-a.b"), "{headers}");
        assert!(!headers.contains("evil"), "{headers}");
        assert_eq!(said("access-control-allow-methods").unwrap(), "GET, POST, DELETE, OPTIONS");
        assert_eq!(said("access-control-allow-origin").unwrap(), "https://app.example.com");
        assert_eq!(said("access-control-allow-private-network").unwrap(), "true");
        assert_eq!(said("vary").unwrap(), "Origin");
        assert!(said("access-control-max-age").is_some());
        assert_eq!(said("access-control-allow-credentials"), None);
    }

    #[test]
    fn other_pages_hear_nothing() {
        let ask = |origin| asked(&[("origin", origin), ("access-control-request-method", "POST")]);
        for origin in ["https://evil.example.com", "null", "http://localhost:3000"] {
            assert!(preflight(&open(), &ask(origin)).is_none(), "{origin}");
            let mut headers = HeaderMap::new();
            decorate(&open(), &HeaderValue::from_static(origin), &mut headers);
            assert!(headers.len() == 1 && headers.contains_key("vary"), "{headers:?}");
        }
        assert!(preflight(&Guard::default(), &ask("http://localhost")).is_none(), "off unless switched on");
        let mut headers = HeaderMap::new();
        decorate(&Guard::default(), &HeaderValue::from_static("http://localhost"), &mut headers);
        assert!(headers.is_empty());
        assert!(preflight(&open(), &asked(&[("origin", "https://app.example.com")])).is_none(), "no preflight");
        assert!(preflight(&open(), &asked(&[("access-control-request-method", "POST")])).is_none());
        let any = HttpOptions::new().any_origin().guard;
        assert!(preflight(&any, &ask("null")).is_some());
    }

    #[test]
    fn a_preflight_that_asks_for_very_much_gets_a_bounded_answer() {
        let many = (0..1000).map(|n| format!("mcp-param-{n}")).collect::<Vec<_>>().join(",");
        let mut asked = asked(&[("origin", "https://app.example.com"), ("access-control-request-method", "POST")]);
        asked.insert("access-control-request-headers", HeaderValue::from_str(&many).unwrap());
        let response = preflight(&open(), &asked).unwrap();
        let headers = response.headers()["access-control-allow-headers"].to_str().unwrap();
        assert_eq!(headers.matches("mcp-param-").count(), super::MOST_PARAMETERS);
    }
}
