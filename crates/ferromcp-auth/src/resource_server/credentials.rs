//! Reads the access token of a request: RFC 6750, section 2.1, and RFC 9449, section 7.1.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

use crate::jwt::MAX_TOKEN_BYTES;

/// How an access token is presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Bearer,
    Dpop,
}

impl Scheme {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }
}

/// The credentials of a request. A token in the query of the URL or in a form is never read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Credentials<'a> {
    /// None, or those of another scheme.
    Absent,
    Token(Scheme, &'a str),
    /// The problem.
    Malformed(&'static str),
}

impl<'a> Credentials<'a> {
    /// Parses the header `Authorization`.
    pub(super) fn parse(headers: &'a HeaderMap) -> Self {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let Some(value) = values.next() else { return Self::Absent };
        if values.next().is_some() {
            return Self::Malformed("the request has several Authorization headers");
        }
        Self::parse_value(value)
    }

    /// Parses the value of the header `Authorization`.
    pub(super) fn parse_value(value: &'a HeaderValue) -> Self {
        let Ok(value) = value.to_str() else {
            return Self::Malformed("the Authorization header contains invalid characters");
        };
        let value = value.trim_matches(' ');
        let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
        let scheme = match scheme {
            _ if scheme.eq_ignore_ascii_case("Bearer") => Scheme::Bearer,
            _ if scheme.eq_ignore_ascii_case("DPoP") => Scheme::Dpop,
            _ => return Self::Absent,
        };
        let token = token.trim_start_matches(' ');
        if token.len() > MAX_TOKEN_BYTES {
            return Self::Malformed("the access token is too long");
        }
        if !is_token68(token) {
            return Self::Malformed("the Authorization header contains no valid access token");
        }
        Self::Token(scheme, token)
    }
}

/// Returns whether a text has the form of a token: RFC 9110, section 11.2.
fn is_token68(text: &str) -> bool {
    let unpadded = text.trim_end_matches('=');
    !unpadded.is_empty()
        && unpadded
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&[u8]]) -> HeaderMap {
        values.iter().map(|value| (AUTHORIZATION, HeaderValue::from_bytes(value).unwrap())).collect()
    }

    #[test]
    fn tokens_are_read_with_any_case_of_the_scheme() {
        for (value, scheme) in [
            ("Bearer abc", Scheme::Bearer),
            ("bearer abc", Scheme::Bearer),
            ("BEARER   abc ", Scheme::Bearer),
            ("dpop abc", Scheme::Dpop),
        ] {
            assert_eq!(Credentials::parse(&headers(&[value.as_bytes()])), Credentials::Token(scheme, "abc"), "{value}");
        }
        let token = "a-._~+/Z9==";
        let values = headers(&[format!("Bearer {token}").as_bytes()]);
        assert_eq!(Credentials::parse(&values), Credentials::Token(Scheme::Bearer, token));
    }

    #[test]
    fn malformed_and_repeated_credentials_are_rejected() {
        //
        let long = [b"Bearer ".as_slice(), &vec![b'a'; MAX_TOKEN_BYTES + 1]].concat();
        for values in [
            vec![b"Bearer a".as_slice(), b"Bearer a"],
            vec![b"Bearer a", b"Basic b"],
            vec![b"Bearer"],
            vec![b"Bearer "],
            vec![b"Bearer a b"],
            vec![b"Bearer a, Bearer b"],
            vec![b"Bearer a,b"],
            vec![b"Bearer \"a\""],
            vec![b"Bearer ="],
            vec![b"Bearer \xff"],
            vec![&long],
        ] {
            assert!(matches!(Credentials::parse(&headers(&values)), Credentials::Malformed(_)), "{values:?}");
        }
    }

    #[test]
    fn other_schemes_are_ignored() {
        for value in ["", "Basic YTpi", "Bearerabc", "Negotiate x y"] {
            assert_eq!(Credentials::parse(&headers(&[value.as_bytes()])), Credentials::Absent, "{value}");
        }
        assert_eq!(Credentials::parse(&HeaderMap::new()), Credentials::Absent);
    }
}
