//! The requests of browsers, and the users of browsers: sessions, logins, and forms that are bound to them.

use std::net::IpAddr;

use http::{HeaderMap, HeaderValue, StatusCode};

use super::cookie::{Cookie, csrf_token, is_same};
use super::form::find;
use super::html::hidden;
use super::login::{Delegation, LoginForm, LoginOutcome, LoginRequest, UserLogin, misused};
use super::reply::{FOREIGN, Failure};
use super::site::Site;
use crate::authorization_server::builtin::provider::StoredProvider;
use crate::authorization_server::builtin::records::BrowserSession;
use crate::authorization_server::builtin::settings::PENDING_SECONDS;
use crate::authorization_server::builtin::token::{digest, random};
use crate::authorization_server::builtin::user::User;
use crate::authorization_server::error::OAuthError;

/// How long the session of a browser lasts, in seconds.
pub(super) const SESSION_SECONDS: u64 = 3600;

/// A request of a browser.
pub(super) struct Visit<'a> {
    pub(super) site: &'a Site,
    pub(super) headers: &'a HeaderMap,
    address: Option<IpAddr>,
    /// The value of the cookie that identifies the browser.
    browser: String,
    /// The header that sets this cookie, if the request did not contain it.
    new_browser: Option<HeaderValue>,
}

/// The user of a browser.
pub(super) enum Identity {
    /// Logged in. The session is empty if the login authenticates each request.
    User { user: User, session: String },
    /// The browser shows a form.
    Form(LoginForm),
    /// The user logs in at another server.
    Elsewhere(Delegation),
}

impl Identity {
    /// Returns the subject and the session, to which the forms of the page are bound.
    pub(super) fn binding(&self) -> Option<(&str, &str)> {
        match self {
            Self::User { user, session } => Some((&user.subject, session)),
            Self::Form(_) | Self::Elsewhere(_) => None,
        }
    }
}

impl<'a> Visit<'a> {
    /// Creates the visit of a request. A browser without a cookie gets one.
    pub(super) fn new(site: &'a Site, headers: &'a HeaderMap, address: Option<IpAddr>) -> Result<Self, OAuthError> {
        let (browser, new_browser) = if let Some(browser) = Cookie::Browser.read(site, headers) {
            (browser, None)
        } else {
            let browser = random()?;
            let cookie = Cookie::Browser.set(site, &browser, None);
            (browser, cookie)
        };
        Ok(Self { site, headers, address, browser, new_browser })
    }

    /// Creates a visit without a browser.
    pub(super) fn without_browser(site: &'a Site, headers: &'a HeaderMap) -> Self {
        Self { site, headers, address: None, browser: String::new(), new_browser: None }
    }

    pub(super) fn login<'b>(&'b self, form: Option<&'b [(String, String)]>) -> LoginRequest<'b> {
        LoginRequest {
            headers: self.headers,
            address: self.address,
            form,
            callback: None,
            state: "",
            browser_secret: "",
            callback_url: "",
        }
    }

    pub(super) fn cookies(&self) -> Vec<HeaderValue> {
        self.new_browser.iter().cloned().collect()
    }

    /// Returns the field with the token of the forms of a page, which has an ID.
    pub(super) fn csrf_field(&self, id: &str, user: Option<(&str, &str)>) -> String {
        hidden("csrf", &csrf_token(&self.browser, id, user))
    }

    /// Checks that a form was sent by the page with this ID, in this browser, for this user.
    pub(super) fn check_token(
        &self,
        id: &str,
        user: Option<(&str, &str)>,
        form: &[(String, String)],
    ) -> Result<(), Failure> {
        let sent = find(form, "csrf").unwrap_or_default();
        // A browser without the cookie got a new one, with which no token agrees.
        if is_same(sent, &csrf_token(&self.browser, id, user)) {
            return Ok(());
        }
        tracing::warn!("form rejected: its CSRF token is missing or of another browser, page, user or session");
        Err(Failure::Page(StatusCode::FORBIDDEN, FOREIGN))
    }
}

impl<L: UserLogin> StoredProvider<L> {
    /// Returns the session of a browser: the value of its cookie, and the user. The session of a user who may not use
    /// the service any more is removed.
    pub(in crate::authorization_server::builtin) async fn active_session(
        &self,
        site: &Site,
        headers: &HeaderMap,
    ) -> Result<Option<(String, User)>, OAuthError> {
        let Some(cookie) = Cookie::Session.read(site, headers) else { return Ok(None) };
        let key = digest(&cookie);
        let session = self.store.get_session(&key).await?;
        let Some(session) = session.filter(|session| session.expires_at > self.clock.now()) else { return Ok(None) };
        if self.login.is_active(&session.user).await? {
            return Ok(Some((cookie, session.user)));
        }
        self.store.remove_session(&key).await?;
        Ok(None)
    }

    pub(super) async fn identify(&self, visit: &Visit<'_>) -> Result<Identity, OAuthError> {
        if let Some((session, user)) = self.active_session(visit.site, visit.headers).await? {
            return Ok(Identity::User { user, session });
        }
        if let Some(delegation) = self.login.delegation() {
            return Ok(Identity::Elsewhere(delegation));
        }
        match self.login.login(visit.login(None)).await? {
            LoginOutcome::Authenticated(user) => Ok(Identity::User { user, session: String::new() }),
            LoginOutcome::ShowForm(form) => Ok(Identity::Form(form)),
            LoginOutcome::Redirect(_) => Err(misused("only a login with a delegation can redirect")),
        }
    }

    /// Starts a session, and ends that of the request: a session that existed before the login may be known to others.
    pub(super) async fn new_session(&self, visit: &Visit<'_>, user: User) -> Result<Vec<HeaderValue>, OAuthError> {
        if let Some(old) = Cookie::Session.read(visit.site, visit.headers) {
            self.store.remove_session(&digest(&old)).await?;
        }
        let cookie = random()?;
        let expires_at = self.clock.now().saturating_add(SESSION_SECONDS);
        self.store.insert_session(digest(&cookie), BrowserSession { user, expires_at }).await?;
        Ok(Cookie::Session.set(visit.site, &cookie, Some(SESSION_SECONDS)).into_iter().collect())
    }

    /// Ends a session. Returns the cookies of the response.
    pub(super) async fn end_session(&self, visit: &Visit<'_>, session: &str) -> Result<Vec<HeaderValue>, OAuthError> {
        self.store.remove_session(&digest(session)).await?;
        Ok(Cookie::Session.clear(visit.site).into_iter().collect())
    }

    /// Starts the login at the other server, with a random secret and a state that is derived from it. Returns the URL to
    /// which the browser is redirected, and its cookies.
    pub(super) async fn start_login(
        &self,
        visit: &Visit<'_>,
        secret: &str,
        state: &str,
    ) -> Result<(String, Vec<HeaderValue>), OAuthError> {
        let callback_url = visit.site.callback_url();
        let start = LoginRequest { state, browser_secret: secret, callback_url: &callback_url, ..visit.login(None) };
        let LoginOutcome::Redirect(url) = self.login.login(start).await? else {
            return Err(misused("a login with a delegation must redirect"));
        };
        // Set only after the user has submitted a form: it lets the callback complete the login.
        let cookies = Cookie::Login.set(visit.site, secret, Some(PENDING_SECONDS)).into_iter().collect();
        Ok((url, cookies))
    }

    /// Completes the login at the other server, and starts a session. Returns the user and the cookies of the session.
    pub(super) async fn finish_login(
        &self,
        visit: &Visit<'_>,
        secret: &str,
        state: &str,
        query: &[(String, String)],
    ) -> Result<(User, Vec<HeaderValue>), OAuthError> {
        let callback_url = visit.site.callback_url();
        let callback = LoginRequest {
            callback: Some(query),
            state,
            browser_secret: secret,
            callback_url: &callback_url,
            ..visit.login(None)
        };
        match self.login.login(callback).await? {
            LoginOutcome::Authenticated(user) => {
                let cookies = self.new_session(visit, user.clone()).await?;
                Ok((user, cookies))
            }
            LoginOutcome::ShowForm(_) | LoginOutcome::Redirect(_) => {
                Err(misused("the callback must authenticate the user"))
            }
        }
    }
}

pub(super) fn log_failed_login(error: &OAuthError) {
    tracing::warn!(%error, "the login failed");
}
