//! [`StandardPages`]: accessible pages without scripts.

use std::fmt::Write as _;

use super::selection::{SCOPE_FIELD, SELECTION_FIELD};
use super::views::{ConsentView, ErrorView, LoginView, ScopeView};
use crate::authorization_server::html_text::escape_html;

/// The default pages: plain, accessible HTML that follows the color scheme of the browser.
#[derive(Debug, Clone)]
#[must_use = "pages do nothing until they are passed to a provider"]
pub struct StandardPages {
    title: String,
}

const STYLE: &str = "
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 30rem; margin: 3rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; }
p, dd { overflow-wrap: anywhere; }
dt { font-weight: 600; margin-top: .75rem; }
dd { margin: 0; }
ul { padding-left: 1.25rem; }
label { display: block; margin-top: .75rem; }
input { font: inherit; width: 100%; box-sizing: border-box; padding: .5rem; }
fieldset { border: 1px solid #8888; border-radius: .4rem; margin: 1rem 0; padding: .25rem 1rem .75rem; }
legend { padding: 0 .4rem; }
.scope { display: flex; gap: .6rem; align-items: baseline; margin-top: .5rem; }
.scope input { width: auto; flex: none; }
.scope span { overflow-wrap: anywhere; min-width: 0; }
button { font: inherit; padding: .5rem 1.25rem; margin: 1.25rem .5rem 0 0; cursor: pointer; }
button { border: 1px solid #888; border-radius: .3rem; }
button.primary { background: #1a56db; border-color: #1a56db; color: #fff; }
.warning, .error { border-left: .3rem solid #c60; padding: .25rem .75rem; margin: 1rem 0; }
.error { border-color: #c00; }
";

impl StandardPages {
    /// Creates pages with the title `Authorization`.
    pub fn new() -> Self {
        Self { title: "Authorization".to_owned() }
    }

    /// Sets the name of the service.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    pub(super) fn login_html(&self, view: &LoginView<'_>) -> String {
        let mut body = format!("<p>Log in to continue to <strong>{}</strong>.</p>\n", escape_html(view.client_name));
        if let Some(error) = &view.form.error {
            let _ = writeln!(body, "<p class=\"error\" role=\"alert\">{}</p>", escape_html(error));
        }
        let _ = write!(
            body,
            "<form method=\"post\" action=\"{}\">\n{}{}\n<button type=\"submit\">Log in</button>\n</form>\n",
            escape_html(view.action),
            view.hidden_fields,
            view.form.fields_html
        );
        self.document("Log in", view.style_nonce, &body)
    }

    pub(super) fn consent_html(&self, view: &ConsentView<'_>) -> String {
        let mut body = String::new();
        let name = escape_html(view.client_name);
        let _ = writeln!(body, "<p><strong>{name}</strong> requests access to your account.</p>\n<dl>");
        if let Some(host) = view.client_host {
            row(&mut body, "Published by", host);
        } else {
            row(&mut body, "Client ID", view.client_id);
        }
        row(&mut body, "You will be redirected to", view.redirect_host);
        row(&mut body, "Redirect URI", view.redirect_uri);
        row(&mut body, "Access to", view.resource);
        if let Some(user) = view.user {
            row(&mut body, "Logged in as", user.display_name());
        }
        body.push_str("</dl>\n");
        if view.client_host.is_none() {
            body.push_str("<p class=\"warning\">The name of this application is not verified.</p>\n");
        }
        if view.has_local_redirect {
            body.push_str(
                "<p class=\"warning\" role=\"note\">This application runs on your device. Another program on your \
                 device can use its name. Continue only if you started this login yourself.</p>\n",
            );
        }
        if let Some(delegation) = view.delegation {
            let name = escape_html(&delegation.name);
            let _ = writeln!(body, "<p>You log in with <strong>{name}</strong> next.");
            if !delegation.scopes.is_empty() {
                let _ = writeln!(body, "Requested there: {}.", escape_html(&delegation.scopes.join(", ")));
            }
            body.push_str("</p>\n");
        }
        // The enter key in a checkbox presses the first button.
        let _ = write!(
            body,
            "<form method=\"post\" action=\"{}\">\n{}{}\
             <button name=\"action\" value=\"deny\">Deny</button>\n\
             <button name=\"action\" value=\"approve\" class=\"primary\">Allow</button>\n",
            escape_html(view.action),
            view.hidden_fields,
            view.scopes_html()
        );
        if view.can_sign_out {
            body.push_str("<button name=\"action\" value=\"sign_out\">Use another account</button>\n");
        }
        body.push_str("</form>\n");
        self.document("Allow access?", view.style_nonce, &body)
    }

    pub(super) fn error_html(&self, view: &ErrorView<'_>) -> String {
        let body = format!("<p class=\"error\" role=\"alert\">{}</p>\n", escape_html(view.message));
        self.document("An error occurred", view.style_nonce, &body)
    }
    fn document(&self, heading: &str, nonce: &str, body: &str) -> String {
        let (title, heading, nonce) = (escape_html(&self.title), escape_html(heading), escape_html(nonce));
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{heading} – {title}</title>\n<style nonce=\"{nonce}\">{STYLE}</style>\n</head>\n<body>\n<main>\n\
             <p>{title}</p>\n<h1>{heading}</h1>\n{body}</main>\n</body>\n</html>\n"
        )
    }
}

impl Default for StandardPages {
    fn default() -> Self {
        Self::new()
    }
}

impl ConsentView<'_> {
    /// Returns the HTML of the scopes, for the form: a checkbox for each that the user can deselect, and the error. It
    /// is escaped. Empty without scopes.
    pub fn scopes_html(&self) -> String {
        let mut html = String::new();
        if let Some(error) = self.error {
            let _ = writeln!(html, "<p class=\"error\" role=\"alert\">{}</p>", escape_html(error));
        }
        if self.scopes.is_empty() {
            return html;
        }
        if self.scopes.iter().all(|scope| scope.choice.is_none()) {
            html.push_str("<p>It will be able to:</p>\n");
            scope_list(&mut html, self.scopes);
            return html;
        }
        html.push_str("<fieldset>\n<legend>It will be able to:</legend>\n");
        html.push_str(&hidden(SELECTION_FIELD, "true"));
        for scope in self.scopes {
            let text = scope_text(scope);
            let _ = match &scope.choice {
                Some(choice) => writeln!(
                    html,
                    "<label class=\"scope\"><input type=\"checkbox\" name=\"{SCOPE_FIELD}\" value=\"{}\"{}> \
                     <span>{text}</span></label>",
                    escape_html(&choice.value),
                    if choice.is_selected { " checked" } else { "" }
                ),
                None => writeln!(
                    html,
                    "<label class=\"scope\"><input type=\"checkbox\" checked disabled> \
                     <span>{text} – required</span></label>"
                ),
            };
        }
        html.push_str("</fieldset>\n");
        html
    }
}

fn scope_list(html: &mut String, scopes: &[ScopeView]) {
    html.push_str("<ul>\n");
    for scope in scopes {
        let _ = writeln!(html, "<li>{}</li>", scope_text(scope));
    }
    html.push_str("</ul>\n");
}

fn scope_text(scope: &ScopeView) -> String {
    let name = escape_html(&scope.name);
    match &scope.description {
        Some(description) => format!("{} <small>({name})</small>", escape_html(description)),
        None => format!("<code>{name}</code>"),
    }
}

fn row(body: &mut String, name: &str, value: &str) {
    let _ = writeln!(body, "<dt>{name}</dt><dd>{}</dd>", escape_html(value));
}

/// Returns the HTML of a hidden field.
pub(super) fn hidden(name: &str, value: &str) -> String {
    format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">\n", escape_html(name), escape_html(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_escaped() {
        assert_eq!(
            hidden("a", "\"><script>"),
            "<input type=\"hidden\" name=\"a\" value=\"&quot;&gt;&lt;script&gt;\">\n"
        );
    }
}
