//! Cookies of the pages: an identifier of the browser, the session of the user, and the state of a login elsewhere.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use super::site::Site;
use crate::random::sha256_base64;

/// Length of the value of a cookie: 256 bits in base64url.
const VALUE_CHARS: usize = 43;

/// A cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cookie {
    /// Identifies the browser, so that its forms cannot be sent by other sites. Ends with the browser.
    Browser,
    /// The session of the user.
    Session,
    /// Binds the login at another server to the browser.
    Login,
}

impl Cookie {
    /// Returns the name. The prefix makes browsers refuse the cookie from other hosts and over plain HTTP.
    fn name(self, site: &Site) -> String {
        let name = match self {
            Self::Browser => "mcp-browser",
            Self::Session => "mcp-session",
            Self::Login => "mcp-login",
        };
        if site.is_secure { format!("__Host-{name}") } else { name.to_owned() }
    }

    /// Returns the value in a request. A value that was not created here is ignored.
    pub(super) fn read(self, site: &Site, headers: &HeaderMap) -> Option<String> {
        let name = self.name(site);
        let cookies = headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
        let mut values = cookies
            .flat_map(|header| header.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .filter(|(other, value)| *other == name && is_valid(value))
            .map(|(_, value)| value.to_owned());
        let first = values.next();
        // With two values, one could be set by another site of the domain.
        first.filter(|_| values.next().is_none())
    }

    /// Returns a header that sets the cookie for a time, or until the browser ends.
    pub(super) fn set(self, site: &Site, value: &str, max_age_seconds: Option<u64>) -> Option<HeaderValue> {
        let secure = if site.is_secure { "; Secure" } else { "" };
        let max_age = max_age_seconds.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
        let name = self.name(site);
        HeaderValue::from_str(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{max_age}")).ok()
    }

    /// Returns a header that removes the cookie.
    pub(super) fn clear(self, site: &Site) -> Option<HeaderValue> {
        self.set(site, "", Some(0))
    }
}

/// Returns the token of the forms of a page. Only a page that this browser has received contains it: it depends on the
/// cookie of the browser, the authorization or other ID of the page, and the subject and session of the user for whom
/// the page was shown.
pub(super) fn csrf_token(browser: &str, id: &str, user: Option<(&str, &str)>) -> String {
    sha256_base64(serde_json::json!(["csrf", browser, id, user]).to_string().as_bytes())
}

/// Returns the parameter `state` of a login for an authorization, whose cookie has this value.
pub(super) fn login_state(cookie: &str) -> String {
    sha256_base64(format!("state\n{cookie}").as_bytes())
}

/// Compares two texts in a time that depends on their digests only.
pub(super) fn is_same(a: &str, b: &str) -> bool {
    sha256_base64(a.as_bytes()) == sha256_base64(b.as_bytes())
}

fn is_valid(value: &str) -> bool {
    value.len() == VALUE_CHARS && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(issuer: &str) -> Site {
        Site::new(issuer, "/cb").unwrap()
    }

    #[test]
    fn cookies_are_restricted_to_the_host_and_https() {
        //
        let header = Cookie::Session.set(&site("https://as.example"), "v", Some(60)).unwrap();
        assert_eq!(header, "__Host-mcp-session=v; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=60");
        let header = Cookie::Browser.set(&site("http://localhost:1"), "v", None).unwrap();
        assert_eq!(header, "mcp-browser=v; Path=/; HttpOnly; SameSite=Lax");
        assert!(Cookie::Login.clear(&site("https://a")).unwrap().to_str().unwrap().ends_with("Max-Age=0"));
    }

    #[test]
    fn only_one_valid_cookie_is_read() {
        let site = site("https://as.example");
        let (a, b) = ("a".repeat(43), "b".repeat(43));
        let read = |cookies: &str| {
            let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(cookies).unwrap())]);
            Cookie::Session.read(&site, &headers)
        };
        assert_eq!(read(&format!("x=1; __Host-mcp-session={a}; y=2")), Some(a.clone()));
        assert_eq!(read(&format!("__Host-mcp-session={a}; __Host-mcp-session={b}")), None);
        assert_eq!(read(&format!("mcp-session={a}")), None);
        assert_eq!(read("__Host-mcp-session=short"), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn tokens_depend_on_each_part() {
        let token = csrf_token("b", "i", Some(("u", "s")));
        for other in [
            csrf_token("x", "i", Some(("u", "s"))),
            csrf_token("b", "x", Some(("u", "s"))),
            csrf_token("b", "i", Some(("x", "s"))),
            csrf_token("b", "i", Some(("u", "x"))),
            csrf_token("b", "i", Some(("us", ""))),
            csrf_token("b", "i", None),
        ] {
            assert!(!is_same(&token, &other));
        }
        assert!(is_same(&token, &csrf_token("b", "i", Some(("u", "s")))));
    }
}
