//! Access by one bearer token, which the operator chooses.
//!
//! Spec: RFC 6750.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;

use bytes::Bytes;
use ferromcp_server::http::{AuthorizationFuture, HttpAuthorization};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};

/// Accepts requests with this token. `Debug` omits it.
pub(crate) struct BearerToken {
    token: String,
    hasher: RandomState,
}

impl BearerToken {
    /// Creates the authorization for a token, which must not be empty.
    pub(crate) fn new(token: String) -> Self {
        Self { token, hasher: RandomState::new() }
    }

    /// Returns whether the headers contain the token.
    ///
    /// Hashes with a random key are compared first, so that the time of a rejection discloses nothing about the token.
    fn accepts(&self, headers: &HeaderMap) -> bool {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return false };
        let Some((scheme, token)) = value.to_str().ok().and_then(|value| value.split_once(' ')) else { return false };
        let token = token.trim();
        scheme.eq_ignore_ascii_case("bearer")
            && self.hasher.hash_one(token) == self.hasher.hash_one(&*self.token)
            && token == self.token
    }
}

impl HttpAuthorization for BearerToken {
    fn authorize<'a>(&'a self, request: &'a mut Parts) -> AuthorizationFuture<'a, Result<(), Response<Bytes>>> {
        let accepted = self.accepts(&request.headers);
        Box::pin(async move {
            if accepted {
                return Ok(());
            }
            let mut response = Response::new(Bytes::from_static(
                b"Unauthorized: the token is missing or invalid; send `Authorization: Bearer TOKEN`",
            ));
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            Err(response)
        })
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_is_accepted_and_debug_omits_it() {
        let bearer = BearerToken::new("s3cret".to_owned());
        let accepts = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, value.parse().unwrap());
            }
            bearer.accepts(&headers)
        };
        assert!(accepts(&["Bearer s3cret"]) && accepts(&["bearer  s3cret"]));
        for values in [&[][..], &["s3cret"], &["Bearer s3cre"], &["Bearer s3cretx"], &["Basic s3cret"], &["Bearer "]] {
            assert!(!accepts(values), "{values:?}");
        }
        assert!(!accepts(&["Bearer s3cret", "Bearer s3cret"]), "two headers are ambiguous");
        assert!(!format!("{bearer:?}").contains("s3cret"));
    }
}
