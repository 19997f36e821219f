//! Responses of the pages, and their security headers.

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, LOCATION, PRAGMA, REFERRER_POLICY,
    SET_COOKIE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderValue, Response, StatusCode};

use crate::authorization_server::error::OAuthError;

/// The text for a form that was not sent by a page of this site.
pub(super) const FOREIGN: &str = "The request was not sent by this page. Go back, reload the page, and try again.";

/// Isolates the page from windows that opened it.
const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// An error that is shown in the browser.
pub(super) enum Failure {
    Page(StatusCode, &'static str),
    Method(&'static str),
    Provider(OAuthError),
}

impl From<OAuthError> for Failure {
    fn from(error: OAuthError) -> Self {
        Self::Provider(error)
    }
}

pub(super) type Reply = Result<Response<Bytes>, Failure>;

/// Returns a page that is neither cached nor shown in frames, without scripts.
///
/// The policy has no `form-action`: browsers apply it to the redirect after the form too, which leads to the client.
/// The referrer policy is not `no-referrer`, with which browsers send `Origin: null` with the form.
pub(super) fn page(status: StatusCode, html: String, style_nonce: &str, cookies: Vec<HeaderValue>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(html));
    *response.status_mut() = status;
    let policy =
        format!("default-src 'none'; style-src 'nonce-{style_nonce}'; base-uri 'none'; frame-ancestors 'none'");
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    set(&mut response, CONTENT_TYPE, "text/html; charset=utf-8");
    set(&mut response, X_FRAME_OPTIONS, "DENY");
    set(&mut response, REFERRER_POLICY, "same-origin");
    common(response, cookies)
}

/// Redirects the browser. The method of the next request is GET.
///
/// # Errors
/// Fails if the URL is not a valid header value.
pub(super) fn redirect(url: &str, cookies: Vec<HeaderValue>) -> Reply {
    let location = HeaderValue::from_str(url)
        .map_err(|_| OAuthError::server_error("cannot redirect the browser: the URL is invalid"))?;
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(LOCATION, location);
    set(&mut response, REFERRER_POLICY, "no-referrer");
    Ok(common(response, cookies))
}

/// Adds the methods that a page supports.
pub(super) fn with_allow(mut response: Response<Bytes>, methods: &'static str) -> Response<Bytes> {
    set(&mut response, ALLOW, methods);
    response
}

fn common(mut response: Response<Bytes>, cookies: Vec<HeaderValue>) -> Response<Bytes> {
    set(&mut response, CACHE_CONTROL, "no-store");
    set(&mut response, PRAGMA, "no-cache");
    set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(&mut response, CROSS_ORIGIN_OPENER_POLICY, "same-origin-allow-popups");
    for cookie in cookies {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

fn set(response: &mut Response<Bytes>, name: HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}
