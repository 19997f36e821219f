//! [`Site`]: the URLs and cookies of the pages of an issuer.

use url::Url;

use crate::error::AuthError;
use crate::fetch::is_loopback_host;

/// The issuer to which the pages belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::authorization_server::builtin) struct Site {
    pub(in crate::authorization_server::builtin) issuer: String,
    /// The value of the header `Origin` of its pages.
    pub(super) origin: String,
    /// The path of the issuer, without a slash at the end.
    base_path: String,
    callback_path: String,
    /// Whether the pages use HTTPS, so that cookies can be restricted to it.
    pub(super) is_secure: bool,
    pub(in crate::authorization_server::builtin) is_loopback: bool,
}

/// A page of the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::authorization_server::builtin) enum Page {
    Consent,
    Login,
    Callback,
}

const CONSENT: &str = "/consent";
const LOGIN: &str = "/consent/login";

impl Site {
    /// Creates a site.
    ///
    /// # Errors
    /// Fails if the issuer is not a URL with HTTPS, or HTTP on the loopback interface.
    pub(in crate::authorization_server::builtin) fn new(issuer: &str, callback_path: &str) -> Result<Self, AuthError> {
        let invalid = |problem: &str| {
            AuthError::configuration(format!(
                "cannot use the issuer `{issuer}` for a login page: {problem}; use an https URL"
            ))
        };
        let url = Url::parse(issuer).map_err(|error| invalid(&error.to_string()))?;
        let is_secure = url.scheme() == "https";
        let is_loopback = is_loopback_host(&url);
        if !(is_secure || (is_loopback && url.scheme() == "http")) {
            return Err(invalid("it does not use HTTPS"));
        }
        Ok(Self {
            issuer: issuer.to_owned(),
            origin: url.origin().ascii_serialization(),
            base_path: url.path().trim_end_matches('/').to_owned(),
            callback_path: callback_path.to_owned(),
            is_secure,
            is_loopback,
        })
    }

    pub(in crate::authorization_server::builtin) fn page(&self, path: &str) -> Option<Page> {
        match path.strip_prefix(self.base_path.as_str())? {
            CONSENT => Some(Page::Consent),
            LOGIN => Some(Page::Login),
            path if path == self.callback_path => Some(Page::Callback),
            _ => None,
        }
    }

    /// Returns the URL of the consent page for an authorization.
    pub(in crate::authorization_server::builtin) fn consent_url(&self, id: &str) -> String {
        format!("{}{}{CONSENT}?id={id}", self.origin, self.base_path)
    }

    /// Returns the path to which the consent page sends its form.
    pub(super) fn consent_path(&self) -> String {
        format!("{}{CONSENT}", self.base_path)
    }

    /// Returns the path to which the login page sends its form.
    pub(super) fn login_path(&self) -> String {
        format!("{}{LOGIN}", self.base_path)
    }

    /// Returns the URL to which another server redirects the browser.
    pub(super) fn callback_url(&self) -> String {
        format!("{}{}{}", self.origin, self.base_path, self.callback_path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_below_the_path_of_the_issuer() {
        let site = Site::new("https://h:8443/tenant/", "/cb").unwrap();
        assert_eq!(site.consent_url("x"), "https://h:8443/tenant/consent?id=x");
        assert_eq!(site.callback_url(), "https://h:8443/tenant/cb");
        assert_eq!(site.page("/tenant/consent/login"), Some(Page::Login));
        assert_eq!(site.page("/tenant/cb"), Some(Page::Callback));
        for path in ["/consent", "/tenant/consent/", "/tenant/consent/x", "/tenant", ""] {
            assert_eq!(site.page(path), None, "{path}");
        }
        assert_eq!(Site::new("https://h", "/cb").unwrap().page("/consent"), Some(Page::Consent));
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        assert!(!Site::new("http://127.0.0.1:1", "/cb").unwrap().is_secure);
        assert!(Site::new("https://127.0.0.1:1", "/cb").unwrap().is_secure);
        for issuer in ["http://example.com", "ftp://localhost", "example.com", ""] {
            assert!(Site::new(issuer, "/cb").is_err(), "{issuer}");
        }
    }
}
