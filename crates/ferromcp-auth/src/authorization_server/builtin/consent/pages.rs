//! [`ConsentPages`]: the HTML of the pages.

use super::html::StandardPages;
use super::views::{ConsentView, ErrorView, LoginView};

/// Renders the pages of the authorization server.
///
/// Each method returns a complete HTML document. Everything in a view comes from the client or the user and must be
/// escaped with [`escape_html`](crate::authorization_server::escape_html), except `hidden_fields`,
/// [`LoginForm::fields_html`](super::LoginForm::fields_html) and [`ConsentView::scopes_html`]. The content security
/// policy allows only styles, in `style` elements with the attribute `nonce="{style_nonce}"`; scripts, images and frames
/// are blocked. The forms must use the method `post`.
pub trait ConsentPages: Send + Sync + 'static {
    /// Renders the login page. Its form contains the fields of the login, `hidden_fields` and a button.
    fn login(&self, view: &LoginView<'_>) -> String;

    /// Renders the consent page. Its form contains `hidden_fields` and buttons with the name `action` and the values
    /// `approve` and `deny`, and `sign_out` if `can_sign_out` is true. It must show the client, the redirect host, the
    /// scopes, the error if any, and a warning if `has_local_redirect` is true. `deny` should be the first button: it is
    /// the one that the enter key in a checkbox presses.
    ///
    /// The form should contain [`ConsentView::scopes_html`], with which the user selects scopes; or checkboxes with the
    /// name `scope` and the value [`ScopeChoice::value`](super::ScopeChoice::value), and a hidden field `select_scopes`
    /// with any value. Without this field, all scopes are granted.
    fn consent(&self, view: &ConsentView<'_>) -> String;

    /// Renders an error.
    fn error(&self, view: &ErrorView<'_>) -> String;
}

impl ConsentPages for StandardPages {
    fn login(&self, view: &LoginView<'_>) -> String {
        self.login_html(view)
    }

    fn consent(&self, view: &ConsentView<'_>) -> String {
        self.consent_html(view)
    }

    fn error(&self, view: &ErrorView<'_>) -> String {
        self.error_html(view)
    }
}
