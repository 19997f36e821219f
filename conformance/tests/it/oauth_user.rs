//! A user with a browser without scripts: it keeps cookies, follows redirects, and grants access on consent pages.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ferromcp::auth::client::{AuthError, AuthorizationRequest, RedirectHandler};
use reqwest::header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::redirect::Policy;
use url::Url;

/// Maximum number of pages of one authorization.
const MAX_PAGES: usize = 20;

/// Nothing listens here; the user returns the URL to the client.
pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1:1/callback";

/// The user. Clones share the browser.
#[derive(Clone)]
pub(crate) struct User {
    browser: reqwest::Client,
    cookies: Arc<Mutex<BTreeMap<String, String>>>,
}

/// A request of the browser.
struct Visit {
    url: Url,
    /// The fields of a form that the user submits.
    form: Option<Vec<(String, String)>>,
}

impl User {
    pub(crate) fn new() -> Self {
        let browser = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        Self { browser, cookies: Arc::default() }
    }

    /// Returns the prompt of a client whose redirects this user returns to it.
    pub(crate) fn prompt(&self) -> RedirectHandler {
        let user = self.clone();
        RedirectHandler::new(REDIRECT_URI, move |request: AuthorizationRequest| {
            let user = user.clone();
            async move { user.browse(request.url(), REDIRECT_URI).await.map_err(AuthError::prompt) }
        })
    }

    /// Opens an authorization page of a client that listens for the redirect itself.
    pub(crate) async fn open(&self, url: &str) {
        let end = self.browse(url, "(none)").await.unwrap();
        assert!(end.contains("/callback?"), "the authorization ends at {end}");
    }

    /// Opens a page and grants access; returns the URL of the first page that begins with `stop` or has no form.
    async fn browse(&self, url: &str, stop: &str) -> Result<String, String> {
        let mut visit = Visit { url: Url::parse(url).map_err(|error| error.to_string())?, form: None };
        for _ in 0..MAX_PAGES {
            if visit.url.as_str().starts_with(stop) {
                return Ok(visit.url.into());
            }
            visit = match self.visit(visit).await? {
                Ok(next) => next,
                Err(end) => return Ok(end.into()),
            };
        }
        Err(format!("more than {MAX_PAGES} pages: {}", visit.url))
    }

    /// Returns the next visit, or the URL of a page without a form.
    async fn visit(&self, visit: Visit) -> Result<Result<Visit, Url>, String> {
        let cookies: Vec<_> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = match &visit.form {
            Some(form) => {
                let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
                let request = self.browser.post(visit.url.clone()).body(body);
                let request = request.header(ORIGIN, visit.url.origin().ascii_serialization());
                request.header(reqwest::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            }
            None => self.browser.get(visit.url.clone()),
        };
        let response = request.header(COOKIE, cookies.join("; ")).send().await.map_err(|error| error.to_string())?;
        for cookie in response.headers().get_all(SET_COOKIE) {
            self.store(cookie.to_str().map_err(|error| error.to_string())?);
        }
        let (status, location) = (response.status(), response.headers().get(LOCATION).cloned());
        if let Some(location) = location.filter(|_| status.is_redirection()) {
            let location = location.to_str().map_err(|error| error.to_string())?;
            let url = visit.url.join(location).map_err(|error| error.to_string())?;
            return Ok(Ok(Visit { url, form: None }));
        }
        let page = response.text().await.map_err(|error| error.to_string())?;
        if !status.is_success() {
            return Err(format!("{} responds with {status}: {page}", visit.url));
        }
        let Some((action, form)) = consent_form(&page) else { return Ok(Err(visit.url)) };
        let url = visit.url.join(&action).map_err(|error| error.to_string())?;
        Ok(Ok(Visit { url, form: Some(form) }))
    }

    /// Stores or removes a cookie.
    fn store(&self, cookie: &str) {
        let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
        let Some((name, value)) = pair.split_once('=') else { return };
        let mut cookies = self.cookies.lock().unwrap();
        if value.is_empty() || attributes.to_ascii_lowercase().contains("max-age=0") {
            cookies.remove(name);
        } else {
            cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

/// Returns the action and the fields of the form of a page, with the button that grants access.
fn consent_form(page: &str) -> Option<(String, Vec<(String, String)>)> {
    let (_, form) = page.split_once("<form")?;
    let (form, _) = form.split_once("</form>")?;
    let action = attribute(form.split_once('>')?.0, "action").unwrap_or_default();
    let field = |tag: &str| Some((attribute(tag, "name")?, attribute(tag, "value")?));
    let tags = |element: &'static str| {
        form.split(element).skip(1).filter_map(|rest| Some(rest.split_once('>')?.0)).filter_map(field)
    };
    let grants = tags("<button").find(|(_, value)| value == "approve")?;
    Some((action, tags("<input").chain([grants]).collect()))
}

/// Returns the value of an attribute of a tag.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, value) = tag.split_once(&format!(" {name}=\""))?;
    let value = value.split_once('"')?.0;
    let entities = [("&quot;", "\""), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    Some(entities.iter().fold(value.to_owned(), |text, (entity, char)| text.replace(entity, char)))
}

#[test]
fn consent_form_contains_hidden_fields_and_the_granting_button() {
    let page = r#"<p>x</p><form method="post" action="/consent?a=1&amp;b=2"><input type="hidden" name="csrf" value="&quot;">
        <button name="action" value="deny">No</button><button name="action" value="approve">Yes</button></form>"#;
    let fields = [("csrf", "\""), ("action", "approve")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(consent_form(page), Some(("/consent?a=1&b=2".to_owned(), fields.to_vec())));
    assert_eq!(consent_form("<p>Logged in.</p>"), None);
}
