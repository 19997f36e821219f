//! The parameters of the requests for the pages.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, ORIGIN};
use http::{HeaderValue, Request, StatusCode};
use url::form_urlencoded;

use super::reply::{FOREIGN, Failure};
use super::site::Site;

/// Maximum size of a form, in bytes.
const MAX_FORM_BYTES: usize = 16 * 1024;
/// Maximum number of parameters of a form or query: more than the scopes of a request, each of which can be one.
const MAX_PARAMETERS: usize = 300;

/// Returns a parameter, or `None` if it is missing or repeated.
pub(super) fn find<'a>(parameters: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut values = parameters.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str());
    let first = values.next();
    first.filter(|_| values.next().is_none())
}

/// Returns the parameters of the query.
pub(super) fn query(request: &Request<Bytes>) -> Vec<(String, String)> {
    parse(request.uri().query().unwrap_or_default().as_bytes())
}

fn parse(encoded: &[u8]) -> Vec<(String, String)> {
    let pairs = form_urlencoded::parse(encoded).take(MAX_PARAMETERS);
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// Parses the form of a request that was sent by a page of the site.
pub(super) fn form(site: &Site, request: &Request<Bytes>) -> Result<Vec<(String, String)>, Failure> {
    let header = |name: &str| request.headers().get(name).map(HeaderValue::as_bytes);
    let is_same_origin = header(ORIGIN.as_str()).is_none_or(|origin| origin == site.origin.as_bytes());
    if !is_same_origin || header("sec-fetch-site").is_some_and(|from| from != b"same-origin") {
        tracing::warn!("form rejected: it was sent by another origin");
        return Err(Failure::Page(StatusCode::FORBIDDEN, FOREIGN));
    }
    let media_type = header(CONTENT_TYPE.as_str()).unwrap_or_default().split(|byte| *byte == b';').next();
    if !media_type.is_some_and(|it| it.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")) {
        return Err(Failure::Page(StatusCode::UNSUPPORTED_MEDIA_TYPE, FOREIGN));
    }
    if request.body().len() > MAX_FORM_BYTES {
        return Err(Failure::Page(StatusCode::PAYLOAD_TOO_LARGE, FOREIGN));
    }
    Ok(parse(request.body()))
}
