//! What browsers want to hear before a page of another origin may read an answer.

use http::{HeaderMap, HeaderValue, Response};

use super::guard::Guard;

pub(crate) fn preflight(_: &Guard, _: &HeaderMap) -> Option<Response<()>> {
    None
}

pub(crate) fn decorate(_: &Guard, _: &HeaderValue, _: &mut HeaderMap) {}
