//! The views of the pages: what they show.

use ferromcp_core::text::excerpt;
use http::StatusCode;
use url::Url;

use super::login::{Delegation, LoginForm};
use crate::authorization_server::builtin::records::PendingAuthorization;
use crate::authorization_server::builtin::user::User;
use crate::fetch::is_loopback_host;

/// The login page.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct LoginView<'a> {
    /// The form.
    pub form: &'a LoginForm,
    /// The name of the client, or its ID.
    pub client_name: &'a str,
    /// The attribute `action` of the form.
    pub action: &'a str,
    /// HTML of hidden fields, which the form must contain.
    pub hidden_fields: &'a str,
    /// The attribute `nonce` of `style` elements.
    pub style_nonce: &'a str,
}

/// The consent page. Control characters in texts of the client are escaped already.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools, reason = "independent properties that a page shows")]
pub struct ConsentView<'a> {
    /// The name of the client, which it has chosen itself, or its ID.
    pub client_name: &'a str,
    /// The ID of the client.
    pub client_id: &'a str,
    /// The host of a client ID that is the URL of a metadata document: the only verified part of the identity of a
    /// client.
    pub client_host: Option<&'a str>,
    /// The redirect URI.
    pub redirect_uri: &'a str,
    /// The host that receives the code, or the scheme of an application on this device.
    pub redirect_host: &'a str,
    /// Whether the redirect URI is on the device of the user, so that any program there can impersonate the client.
    pub has_local_redirect: bool,
    /// The requested scopes.
    pub scopes: &'a [ScopeView],
    /// Why the last form was not accepted.
    pub error: Option<&'a str>,
    /// The MCP server that the client will access.
    pub resource: &'a str,
    /// The user, if logged in already.
    pub user: Option<&'a User>,
    /// Whether the page offers to sign out.
    pub can_sign_out: bool,
    /// The server at which the user logs in after the consent.
    pub delegation: Option<&'a Delegation>,
    /// The attribute `action` of the form.
    pub action: &'a str,
    /// HTML of hidden fields, which the form must contain.
    pub hidden_fields: &'a str,
    /// The attribute `nonce` of `style` elements.
    pub style_nonce: &'a str,
}

/// A scope on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScopeView {
    /// The name.
    pub name: String,
    /// The description
    /// ([`StoredProvider::describe_scope`](crate::authorization_server::StoredProvider::describe_scope)).
    pub description: Option<String>,
    /// The checkbox of the scope on the consent page. `None` if the user cannot deselect the scope: the MCP server
    /// requires it, or it is the only one.
    pub choice: Option<ScopeChoice>,
}

/// The checkbox of a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScopeChoice {
    /// The attribute `value`. It is not the name of the scope.
    pub value: String,
    /// Whether the checkbox is checked.
    pub is_selected: bool,
}

/// The page for an error that cannot be sent to the client.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ErrorView<'a> {
    /// The status of the response.
    pub status: StatusCode,
    /// What the user can do.
    pub message: &'a str,
    /// The attribute `nonce` of `style` elements.
    pub style_nonce: &'a str,
}

/// The texts of a consent page.
pub(super) struct ConsentTexts {
    pub(super) client_name: String,
    pub(super) client_id: String,
    pub(super) client_host: Option<String>,
    pub(super) redirect_uri: String,
    pub(super) redirect_host: String,
    pub(super) has_local_redirect: bool,
    pub(super) resource: String,
}

impl ConsentTexts {
    pub(super) fn new(pending: &PendingAuthorization) -> Self {
        let request = &pending.request;
        Self {
            client_name: client_name(pending),
            client_id: excerpt(&request.client_id).to_string(),
            client_host: client_host(&request.client_id, pending.is_metadata_document),
            redirect_uri: excerpt(&request.redirect_uri).to_string(),
            redirect_host: redirect_host(&request.redirect_uri),
            has_local_redirect: is_local_redirect(&request.redirect_uri),
            resource: excerpt(&request.resource).to_string(),
        }
    }
}

pub(super) fn client_name(pending: &PendingAuthorization) -> String {
    excerpt(pending.client_name.as_deref().unwrap_or(&pending.request.client_id)).to_string()
}

/// Returns the host of the metadata document of a client, which is verified.
pub(super) fn client_host(client_id: &str, is_metadata_document: bool) -> Option<String> {
    if is_metadata_document { Url::parse(client_id).ok()?.host_str().map(str::to_owned) } else { None }
}

/// Returns whether a redirect URI is on the device of the user: a loopback address, or the scheme of an application.
pub(super) fn is_local_redirect(uri: &str) -> bool {
    Url::parse(uri).is_ok_and(|url| !matches!(url.scheme(), "http" | "https") || is_loopback_host(&url))
}

/// Returns the host of a redirect URI, with a port that is not the default one. Names are in their ASCII form, so that
/// letters of other scripts cannot imitate them.
pub(super) fn redirect_host(uri: &str) -> String {
    let Ok(url) = Url::parse(uri) else { return excerpt(uri).to_string() };
    let host = match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => String::new(),
    };
    let host = match url.scheme() {
        "http" | "https" => host,
        scheme if host.is_empty() => format!("{scheme}:"),
        scheme => format!("{scheme}://{host}"),
    };
    excerpt(&host).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirect_hosts_are_shown_plainly() {
        //
        for (uri, host) in [
            ("https://claude.ai/api/callback?x=1", "claude.ai"),
            ("http://127.0.0.1:3000/cb", "127.0.0.1:3000"),
            ("https://good.example@evil.example/", "evil.example"),
            ("cursor://anysphere.mcp/cb", "cursor://anysphere.mcp"),
            ("com.example.app:/cb", "com.example.app:"),
        ] {
            assert_eq!(redirect_host(uri), host);
        }
        assert!(redirect_host("https://\u{440}\u{430}ypal.example/").starts_with("xn--"));
    }

    #[test]
    fn local_redirects_are_detected() {
        //
        for uri in ["http://localhost:1/", "http://127.0.0.1/cb", "http://[::1]/", "com.example.app:/cb"] {
            assert!(is_local_redirect(uri), "{uri}");
        }
        for uri in ["https://example.com/", "https://localhost.example.com/", ""] {
            assert!(!is_local_redirect(uri), "{uri}");
        }
    }
}
