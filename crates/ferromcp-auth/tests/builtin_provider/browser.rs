//! A browser that requests the pages of a provider.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use ferromcp_auth::authorization_server::{
    AuthorizationProvider, AuthorizationRequest, IssuedTokens, OAuthError, PasswordLogin, RegisteredClient,
    StoredProvider, TokenContext, User,
};
use ferromcp_server::http::{AuthorizationFuture, ClientAddr, HttpAuthorization};
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode};
use url::Url;
use url::form_urlencoded::Serializer;

pub(crate) const ISSUER: &str = "https://as.example";
pub(crate) const RESOURCE: &str = "https://as.example/mcp";
pub(crate) const REDIRECT_URI: &str = "https://client.example/callback";

/// Returns a provider with the users ada and bob, whose password is `right`.
pub(crate) fn password_provider() -> StoredProvider<PasswordLogin> {
    StoredProvider::new(PasswordLogin::new(|name, password| async move {
        let known = ["ada", "bob"].contains(&name.as_str()) && password.expose() == "right";
        known.then(|| User::new(name))
    }))
}

pub(crate) fn client(id: &str) -> RegisteredClient {
    let mut client = RegisteredClient::new(id, [REDIRECT_URI]);
    client.client_name = Some(format!("Client {id}"));
    client
}

pub(crate) fn request(client: &RegisteredClient, scopes: &str) -> AuthorizationRequest {
    let redirect_uri = client.redirect_uris.first().unwrap();
    let mut request = AuthorizationRequest::new(ISSUER, &client.client_id, redirect_uri, "challenge", RESOURCE);
    request.scopes = scopes.split(' ').map(str::to_owned).collect();
    request.state = Some("client-state".to_owned());
    request
}

/// Starts an authorization, and returns the URL of the page.
pub(crate) async fn authorize(provider: &dyn AuthorizationProvider, client: &RegisteredClient, scopes: &str) -> String {
    provider.authorize(client, request(client, scopes)).await.unwrap()
}

/// Exchanges the code in the redirect to the client.
pub(crate) async fn redeem(
    provider: &dyn AuthorizationProvider,
    client: &RegisteredClient,
    location: &str,
) -> Result<IssuedTokens, OAuthError> {
    let code = parameters(location).remove("code").unwrap();
    let code = provider.load_authorization_code(client, &code).await?;
    let code = code.ok_or_else(|| OAuthError::invalid_grant("unknown"))?;
    provider.exchange_authorization_code(client, code, TokenContext::new(ISSUER, RESOURCE)).await
}

pub(crate) fn parameters(url: &str) -> HashMap<String, String> {
    Url::parse(url).unwrap().query_pairs().into_owned().collect()
}

/// The pages of a provider.
struct Pages<P>(P);

impl<P: AuthorizationProvider> HttpAuthorization for Pages<P> {
    fn authorize<'a>(&'a self, _: &'a mut Parts) -> AuthorizationFuture<'a, Result<(), Response<Bytes>>> {
        Box::pin(async { Ok(()) })
    }

    fn is_route(&self, path: &str) -> bool {
        self.0.is_route(path)
    }

    fn respond(&self, request: Request<Bytes>) -> AuthorizationFuture<'_, Response<Bytes>> {
        self.0.respond(request)
    }
}

/// A browser with its cookies.
#[derive(Clone)]
pub(crate) struct Browser {
    site: Arc<dyn HttpAuthorization>,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) address: [u8; 4],
}

/// A response.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) html: String,
}

impl Browser {
    pub(crate) fn new(provider: impl AuthorizationProvider) -> Self {
        Self::at(Pages(provider))
    }

    /// Creates a browser that sends requests to this server.
    pub(crate) fn at(site: impl HttpAuthorization) -> Self {
        Self { site: Arc::new(site), cookies: BTreeMap::new(), address: [192, 0, 2, 1] }
    }

    /// Returns another browser without cookies.
    pub(crate) fn other(&self) -> Self {
        Self { cookies: BTreeMap::new(), address: [192, 0, 2, 2], ..self.clone() }
    }

    pub(crate) async fn get(&mut self, url: &str) -> Page {
        self.send(Request::get(url).body(Bytes::new()).unwrap()).await
    }

    /// Submits a form as the pages of the site do.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.post_from(path, fields, &[("origin", ISSUER), ("sec-fetch-site", "same-origin")]).await
    }

    pub(crate) async fn post_from(&mut self, path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Page {
        let form = Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request = Request::post(format!("{ISSUER}{path}"));
        if !headers.iter().any(|(name, _)| *name == CONTENT_TYPE) {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(form.into()).unwrap()).await
    }

    pub(crate) async fn send(&mut self, mut request: Request<Bytes>) -> Page {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request.headers_mut().insert(COOKIE, cookies.join("; ").parse().unwrap());
        }
        request.extensions_mut().insert(ClientAddr(SocketAddr::from((self.address, 1234))));
        assert!(self.site.is_route(request.uri().path()), "{}", request.uri());
        let page = Page::new(self.site.respond(request).await);
        for cookie in page.set_cookies() {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        page
    }

    /// Submits the login form of a page.
    pub(crate) async fn log_in(&mut self, page: &Page, name: &str, password: &str) -> Page {
        let (id, csrf) = (page.hidden("id"), page.hidden("csrf"));
        let fields = [("id", &*id), ("csrf", &*csrf), ("username", name), ("password", password)];
        self.post("/consent/login", &fields).await
    }

    /// Presses a button of a consent page.
    pub(crate) async fn press(&mut self, page: &Page, action: &str) -> Page {
        self.press_without(page, &[], action).await
    }

    /// Deselects scopes of a consent page, and presses a button.
    pub(crate) async fn press_without(&mut self, page: &Page, deselected: &[&str], action: &str) -> Page {
        let fields = page.fields(deselected);
        let mut fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        fields.push(("action", action));
        self.post("/consent", &fields).await
    }

    /// Opens the page of an authorization, logs in, and returns the consent page.
    pub(crate) async fn open_as(&mut self, url: &str, name: &str) -> Page {
        let page = self.get(url).await;
        let page = self.log_in(&page, name, "right").await;
        assert_eq!(page.status, StatusCode::SEE_OTHER);
        self.get(&page.location()).await
    }
}

impl Page {
    fn new(response: Response<Bytes>) -> Self {
        let (parts, body) = response.into_parts();
        Self { status: parts.status, headers: parts.headers, html: String::from_utf8(body.to_vec()).unwrap() }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn location(&self) -> String {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.html);
        self.headers[LOCATION].to_str().unwrap().to_owned()
    }

    pub(crate) fn set_cookies(&self) -> Vec<String> {
        self.headers.get_all(SET_COOKIE).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    }

    /// Returns the value of a hidden field; empty if the field is missing.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let value = self.html.split_once(&start).and_then(|(_, rest)| rest.split_once('"'));
        value.map_or_else(String::new, |(value, _)| value.to_owned())
    }

    /// Returns the fields of the form of a consent page, without the checkboxes of some scopes.
    pub(crate) fn fields(&self, deselected: &[&str]) -> Vec<(String, String)> {
        let form = self.html.split_once("<form").map_or(self.html.as_str(), |(_, form)| form);
        let attribute = |tag: &str, name: &str| {
            let (_, value) = tag.split_once(&format!(" {name}=\""))?;
            Some(value.split_once('"')?.0.to_owned())
        };
        let inputs = form.split("<input").skip(1).filter_map(|rest| rest.split_once('>'));
        let sent = inputs.filter(|(tag, label)| {
            let label = label.split_once("</label>").map_or("", |(label, _)| label);
            let is_deselected = deselected.iter().any(|scope| label.contains(&format!("<code>{scope}<")));
            !tag.contains(" disabled") && (!tag.contains("\"checkbox\"") || tag.contains(" checked") && !is_deselected)
        });
        sent.filter_map(|(tag, _)| Some((attribute(tag, "name")?, attribute(tag, "value")?))).collect()
    }

    pub(crate) fn has_button(&self, action: &str) -> bool {
        self.html.contains(&format!("name=\"action\" value=\"{action}\""))
    }
}
