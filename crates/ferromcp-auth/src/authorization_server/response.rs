//! Responses of the endpoints: JSON, redirects, errors, and their cache and CORS headers.

use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    LOCATION, PRAGMA, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use serde_json::{Value, json};

use super::error::OAuthError;
use super::html_text::escape_html;

/// The request headers that a web page may send.
const CORS_REQUEST_HEADERS: &str = "authorization, content-type, dpop, mcp-protocol-version";
/// The response headers that a web page may read.
const CORS_RESPONSE_HEADERS: &str = "dpop-nonce, retry-after, www-authenticate";

/// Returns a JSON document that must not be cached.
pub(super) fn json(status: StatusCode, document: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(document.to_string()));
    *response.status_mut() = status;
    set(&mut response, CONTENT_TYPE, "application/json");
    set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    no_store(response)
}

/// Returns an empty response that must not be cached.
pub(super) fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    no_store(response)
}

/// Returns an error as JSON. An error of the server is logged.
pub(super) fn error(error: &OAuthError) -> Response<Bytes> {
    log(error);
    json(error.status(), &json!({ "error": error.code(), "error_description": error.public_description() }))
}

/// Logs an error of the server.
pub(super) fn log(error: &OAuthError) {
    if error.code() == "server_error" {
        tracing::error!(error = %error.description(), "the authorization server failed");
    } else {
        tracing::debug!(code = error.code(), description = %error.public_description(), "rejecting an OAuth request");
    }
}

/// Returns a redirect of the browser. A URL that is not a valid header value is an error of the provider.
pub(super) fn redirect(url: &str) -> Response<Bytes> {
    let Ok(location) = HeaderValue::from_str(url) else {
        return error(&OAuthError::server_error("cannot redirect: the URL contains control characters"));
    };
    let mut response = empty(StatusCode::FOUND);
    response.headers_mut().insert(LOCATION, location);
    set(&mut response, REFERRER_POLICY, "no-referrer");
    response
}

/// Returns an error of the authorization endpoint without a redirect: a page for a browser, or JSON with the state.
pub(super) fn page(cause: &OAuthError, state: Option<&str>, headers: &HeaderMap) -> Response<Bytes> {
    log(cause);
    let status = match cause.status() {
        StatusCode::UNAUTHORIZED => StatusCode::BAD_REQUEST,
        status => status,
    };
    let accept = headers.get(http::header::ACCEPT).and_then(|accept| accept.to_str().ok());
    if !accept.is_some_and(|accept| accept.contains("text/html")) {
        let mut document = json!({ "error": cause.code(), "error_description": cause.public_description() });
        if let Some(state) = state {
            document["state"] = json!(state);
        }
        return json(status, &document);
    }
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Authorization failed</title></head>\
         <body><h1>Authorization failed</h1><p>{}</p><p><code>{}</code></p></body></html>",
        escape_html(&cause.public_description()),
        escape_html(cause.code())
    );
    let mut response = Response::new(Bytes::from(html));
    *response.status_mut() = status;
    set(&mut response, CONTENT_TYPE, "text/html; charset=utf-8");
    set(&mut response, CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'");
    set(&mut response, X_FRAME_OPTIONS, "DENY");
    set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(&mut response, REFERRER_POLICY, "no-referrer");
    no_store(response)
}

/// Returns the response for a client that sends too many requests.
pub(super) fn too_many_requests(retry_after: Duration) -> Response<Bytes> {
    // Rounded up, so that the client does not retry too early.
    let seconds = retry_after.as_secs().saturating_add(u64::from(retry_after.subsec_nanos() > 0));
    let text = format!("too many requests; retry after {seconds} seconds");
    let document = json!({ "error": "too_many_requests", "error_description": text });
    let mut response = json(StatusCode::TOO_MANY_REQUESTS, &document);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// Returns the response for a method that an endpoint does not support.
pub(super) fn method_not_allowed(allowed: &'static str) -> Response<Bytes> {
    let text = format!("the method is not supported; use {allowed}");
    let document = json!({ "error": "invalid_request", "error_description": text });
    let mut response = json(StatusCode::METHOD_NOT_ALLOWED, &document);
    set(&mut response, ALLOW, allowed);
    response
}

/// Returns the response for a body that exceeds its limit.
pub(super) fn too_large(max_bytes: usize) -> Response<Bytes> {
    let text = format!("the body exceeds {max_bytes} bytes");
    json(StatusCode::PAYLOAD_TOO_LARGE, &json!({ "error": "invalid_request", "error_description": text }))
}

/// Returns the response to a CORS preflight.
pub(super) fn preflight(methods: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    set(&mut response, ACCESS_CONTROL_ALLOW_METHODS, methods);
    set(&mut response, ACCESS_CONTROL_ALLOW_HEADERS, CORS_REQUEST_HEADERS);
    set(&mut response, ACCESS_CONTROL_MAX_AGE, "7200");
    with_cors(response)
}

/// Allows web pages of any origin to read a response. Cookies are not used, so that they are not allowed.
pub(super) fn with_cors(mut response: Response<Bytes>) -> Response<Bytes> {
    set(&mut response, ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    set(&mut response, ACCESS_CONTROL_EXPOSE_HEADERS, CORS_RESPONSE_HEADERS);
    response
}

/// Returns a public document that is cached for an hour; without its body for `HEAD`.
pub(super) fn document(document: &Bytes, method: &Method) -> Response<Bytes> {
    let body = if *method == Method::HEAD { Bytes::new() } else { document.clone() };
    let mut response = Response::new(body);
    set(&mut response, CONTENT_TYPE, "application/json");
    set(&mut response, CACHE_CONTROL, "public, max-age=3600");
    with_cors(response)
}

fn no_store(mut response: Response<Bytes>) -> Response<Bytes> {
    set(&mut response, CACHE_CONTROL, "no-store");
    set(&mut response, PRAGMA, "no-cache");
    response
}

fn set(response: &mut Response<Bytes>, name: http::HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests {
    use http::header::ACCEPT;

    use super::*;

    #[test]
    fn errors_are_json_that_is_not_cached() {
        // A-124
        let response = error(&OAuthError::invalid_client("x"));
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(response.body().as_ref(), br#"{"error":"invalid_client","error_description":"x"}"#);
    }

    #[test]
    fn trap_header_injection_by_a_redirect() {
        let response = redirect("https://example.com/\r\nSet-Cookie: a=b");
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!response.headers().contains_key(LOCATION));
    }

    #[test]
    fn pages_are_escaped_and_cannot_be_framed() {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("text/html,*/*"))]);
        let response = page(&OAuthError::invalid_request("<script>"), Some("s"), &headers);
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        assert!(std::str::from_utf8(response.body()).unwrap().contains("&lt;script&gt;"));
        assert_eq!(response.headers()[X_FRAME_OPTIONS], "DENY");
        let json = page(&OAuthError::invalid_client("x"), Some("s"), &HeaderMap::new());
        assert_eq!(json.status(), StatusCode::BAD_REQUEST);
        assert!(std::str::from_utf8(json.body()).unwrap().contains(r#""state":"s""#));
    }

    #[test]
    fn retry_after_is_rounded_up() {
        assert_eq!(too_many_requests(Duration::from_millis(1500)).headers()[RETRY_AFTER], "2");
        assert_eq!(too_many_requests(Duration::from_secs(3)).headers()[RETRY_AFTER], "3");
        assert_eq!(too_many_requests(Duration::MAX).headers()[RETRY_AFTER], u64::MAX.to_string());
    }
}
