//! A browser for the login and consent pages of an authorization server.

use std::collections::BTreeMap;

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;

/// A browser that shows pages of one site.
pub(crate) struct Browser {
    http: reqwest::Client,
    origin: String,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    pub(crate) fn new(origin: String) -> Self {
        let http = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        Self { http, origin, cookies: BTreeMap::new() }
    }

    /// Opens a URL of the site, follows redirects, and returns the page.
    pub(crate) async fn open(&mut self, url: &str) -> String {
        let request = self.http.get(url);
        self.send(request).await.unwrap_err()
    }

    /// Submits a form of a page. Returns the redirect to another site, or else the next page as an error.
    pub(crate) async fn submit(&mut self, page: &str, path: &str, fields: &[(&str, &str)]) -> Result<String, String> {
        let hidden = ["id", "csrf"].map(|name| (name, hidden(page, name)));
        let fields: BTreeMap<&str, &str> =
            hidden.iter().map(|(name, value)| (*name, value.as_str())).chain(fields.iter().copied()).collect();
        let body = fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
        let request = self.http.post(format!("{}{path}", self.origin)).header("origin", &self.origin);
        self.send(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
    }

    async fn send(&mut self, mut request: reqwest::RequestBuilder) -> Result<String, String> {
        loop {
            let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let response = request.header(COOKIE, cookies.join("; ")).send().await.unwrap();
            for cookie in response.headers().get_all(SET_COOKIE) {
                let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            let Some(location) = response.headers().get(LOCATION) else { return Err(response.text().await.unwrap()) };
            let location = location.to_str().unwrap().to_owned();
            if !location.starts_with('/') && !location.starts_with(&self.origin) {
                return Ok(location);
            }
            let url = if location.starts_with('/') { format!("{}{location}", self.origin) } else { location };
            request = self.http.get(url);
        }
    }
}

/// Returns the value of a hidden field.
fn hidden(page: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let value = page.split_once(&start).and_then(|(_, rest)| rest.split_once('"'));
    value.unwrap_or_else(|| panic!("no field {name}: {page}")).0.to_owned()
}
