//! The requests of browsers for the pages.
//!
//! 1. [`authorize`](crate::authorization_server::AuthorizationProvider::authorize) stores the request, and redirects
//!    the browser to the consent page with a random ID.
//! 2. The page shows the login form if the browser has no session, and then the consent form.
//! 3. The consent redirects the browser to the client with a code. With a delegated login, it first redirects to the
//!    other server, with a random `state` that is bound to the browser by a cookie; the callback then redirects to the
//!    client.
//!
//! Each step removes the stored request, so that it is completed once.

use bytes::Bytes;
use ferromcp_server::http::ClientAddr;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};

use super::cookie::{Cookie, is_same, login_state};
use super::form::{find, form, query};
use super::html::hidden;
use super::login::{LoginForm, LoginOutcome, UserLogin, misused};
use super::reply::{self, FOREIGN, Failure, Reply, redirect};
use super::selection;
use super::site::{Page, Site};
use super::views::{ConsentTexts, ConsentView, ErrorView, LoginView, client_name, is_local_redirect};
use super::visit::{Identity, Visit, log_failed_login};
use crate::authorization_server::builtin::provider::StoredProvider;
use crate::authorization_server::builtin::records::{PendingAuthorization, StoredConsent};
use crate::authorization_server::builtin::settings::PENDING_SECONDS;
use crate::authorization_server::builtin::token::{digest, random};
use crate::authorization_server::builtin::user::User;
use crate::authorization_server::error::OAuthError;

const EXPIRED: &str = "This page has expired or was already used. Return to the application and start again.";
const NOT_STARTED: &str =
    "This login was not started in this browser, or has expired. Return to the application and start again.";
const FAILED: &str = "The server failed. Try again later.";
const NOTHING_SELECTED: &str = "Nothing is selected. Select at least one entry, or deny the access.";

impl<L: UserLogin> StoredProvider<L> {
    /// Responds to a request for a page.
    pub(in crate::authorization_server::builtin) async fn respond_page(
        &self,
        request: Request<Bytes>,
    ) -> Response<Bytes> {
        let reply = match self.site.get().and_then(|site| Some((site, site.page(request.uri().path())?))) {
            Some((site, page)) => self.dispatch(site, page, &request).await,
            None => Err(Failure::Page(StatusCode::NOT_FOUND, "This page does not exist.")),
        };
        let (status, message) = match reply {
            Ok(response) => return response,
            Err(Failure::Page(status, message)) => (status, message),
            Err(Failure::Method(methods)) => {
                let text = "The method is not supported.";
                let page = self.error_page(StatusCode::METHOD_NOT_ALLOWED, text, Vec::new());
                return reply::with_allow(page, methods);
            }
            Err(Failure::Provider(error)) => {
                tracing::error!(%error, "a page of the authorization server failed");
                (StatusCode::INTERNAL_SERVER_ERROR, FAILED)
            }
        };
        self.error_page(status, message, Vec::new())
    }

    /// Grants an authorization without a page.
    pub(in crate::authorization_server::builtin) async fn approve_automatically(
        &self,
        site: &Site,
        pending: PendingAuthorization,
    ) -> Result<String, OAuthError> {
        let headers = HeaderMap::new();
        let visit = Visit::without_browser(site, &headers);
        match self.login.login(visit.login(None)).await? {
            LoginOutcome::Authenticated(user) => self.grant(pending, user).await,
            LoginOutcome::ShowForm(_) | LoginOutcome::Redirect(_) => {
                Err(misused("`auto_approve` requires a login without a form"))
            }
        }
    }

    async fn dispatch(&self, site: &Site, page: Page, request: &Request<Bytes>) -> Reply {
        let headers = request.headers();
        let address = request.extensions().get().map(|ClientAddr(address)| address.ip());
        let visit = Visit::new(site, headers, address)?;
        match (page, request.method()) {
            (Page::Consent, &Method::GET) => self.open(&visit, &query(request)).await,
            (Page::Consent, &Method::POST) => self.decide(&visit, &form(site, request)?).await,
            (Page::Login, &Method::POST) => self.log_in(&visit, &form(site, request)?).await,
            (Page::Callback, &Method::GET) => self.call_back(&visit, &query(request)).await,
            (Page::Consent, _) => Err(Failure::Method("GET, POST")),
            (Page::Login, _) => Err(Failure::Method("POST")),
            (Page::Callback, _) => Err(Failure::Method("GET")),
        }
    }

    /// Shows the login form or the consent form.
    async fn open(&self, visit: &Visit<'_>, query: &[(String, String)]) -> Reply {
        let id = find(query, "id").ok_or(Failure::Page(StatusCode::BAD_REQUEST, EXPIRED))?;
        let pending = self.pending(id).await?;
        let identity = match self.identify(visit).await {
            Ok(identity) => identity,
            // The login has failed: the client receives the error.
            Err(error) => {
                log_failed_login(&error);
                return redirect(&self.take(id).await?.request.error_url(&error), Vec::new());
            }
        };
        match &identity {
            Identity::Form(form) => Ok(self.login_page(visit, id, &pending, form)),
            Identity::User { user, .. } if self.is_remembered(&pending, user).await? => {
                let url = self.grant(self.take(id).await?, user.clone()).await?;
                redirect(&url, Vec::new())
            }
            Identity::User { .. } | Identity::Elsewhere(_) => {
                Ok(self.consent_page(visit, id, &pending, &identity, None))
            }
        }
    }

    /// Handles a button of the consent page.
    async fn decide(&self, visit: &Visit<'_>, form: &[(String, String)]) -> Reply {
        let id = find(form, "id").ok_or(Failure::Page(StatusCode::BAD_REQUEST, EXPIRED))?;
        let pending = self.pending(id).await?;
        let identity = self.identify(visit).await?;
        visit.check_token(id, identity.binding(), form)?;
        match (find(form, "action"), identity) {
            (Some("approve"), Identity::Form(form)) => Ok(self.login_page(visit, id, &pending, &form)),
            (Some("approve"), identity) => match selection::selected(&pending.request, form) {
                Some(scopes) => self.approve(visit, id, identity, scopes).await,
                None => Ok(self.consent_page(visit, id, &pending, &identity, Some(NOTHING_SELECTED))),
            },
            (Some("deny"), _) => {
                let pending = self.take(id).await?;
                let error = OAuthError::access_denied("the user denied the authorization");
                redirect(&pending.request.error_url(&error), Vec::new())
            }
            (Some("sign_out"), Identity::User { session, .. }) => {
                let cookies = self.end_session(visit, &session).await?;
                redirect(&visit.site.consent_url(id), cookies)
            }
            _ => Err(Failure::Page(StatusCode::BAD_REQUEST, FOREIGN)),
        }
    }

    /// Completes the authorization with these scopes, or starts the login at the other server.
    async fn approve(&self, visit: &Visit<'_>, id: &str, identity: Identity, scopes: Vec<String>) -> Reply {
        let pending = PendingAuthorization { selected_scopes: Some(scopes), ..self.take(id).await? };
        let Identity::User { user, .. } = identity else { return self.log_in_elsewhere(visit, pending).await };
        self.remember(&pending, &user).await?;
        redirect(&self.grant(pending, user).await?, Vec::new())
    }

    /// Handles the form of the login page.
    async fn log_in(&self, visit: &Visit<'_>, form: &[(String, String)]) -> Reply {
        let id = find(form, "id").ok_or(Failure::Page(StatusCode::BAD_REQUEST, EXPIRED))?;
        let pending = self.pending(id).await?;
        visit.check_token(id, None, form)?;
        match self.login.login(visit.login(Some(form))).await {
            Ok(LoginOutcome::Authenticated(user)) => {
                let cookies = self.new_session(visit, user).await?;
                redirect(&visit.site.consent_url(id), cookies)
            }
            Ok(LoginOutcome::ShowForm(form)) => Ok(self.login_page(visit, id, &pending, &form)),
            Ok(LoginOutcome::Redirect(_)) => Err(misused("only a login with a delegation can redirect").into()),
            Err(error) => {
                log_failed_login(&error);
                redirect(&self.take(id).await?.request.error_url(&error), Vec::new())
            }
        }
    }

    /// Redirects the browser to the other server, after the consent.
    async fn log_in_elsewhere(&self, visit: &Visit<'_>, mut pending: PendingAuthorization) -> Reply {
        let secret = random()?;
        let state = login_state(&secret);
        pending.is_approved = true;
        pending.expires_at = self.clock.now().saturating_add(PENDING_SECONDS);
        let request = pending.request.clone();
        self.store.insert_pending(digest(&state), pending).await?;
        let error = match self.start_login(visit, &secret, &state).await {
            Ok((url, cookies)) => return redirect(&url, cookies),
            Err(error) => error,
        };
        log_failed_login(&error);
        self.store.take_pending(&digest(&state)).await?;
        redirect(&request.error_url(&error), Vec::new())
    }

    /// Handles the redirect back from the other server.
    async fn call_back(&self, visit: &Visit<'_>, query: &[(String, String)]) -> Reply {
        let not_started = || Failure::Page(StatusCode::BAD_REQUEST, NOT_STARTED);
        let state = find(query, "state").ok_or_else(not_started)?;
        let secret = Cookie::Login.read(visit.site, visit.headers).ok_or_else(not_started)?;
        if !is_same(&login_state(&secret), state) {
            return Err(not_started());
        }
        let pending = self.take_approved(state).await?;
        let clear = Cookie::Login.clear(visit.site);
        match self.finish_login(visit, &secret, state, query).await {
            Ok((user, mut cookies)) => {
                cookies.extend(clear);
                self.remember(&pending, &user).await?;
                redirect(&self.grant(pending, user).await?, cookies)
            }
            Err(error) => {
                log_failed_login(&error);
                redirect(&pending.request.error_url(&error), clear.into_iter().collect())
            }
        }
    }

    /// Returns the authorization of a page. One that the user has consented to waits for the callback only: its ID is
    /// the `state`, which the other server knows.
    async fn pending(&self, id: &str) -> Result<PendingAuthorization, Failure> {
        self.check_pending(self.store.get_pending(&digest(id)).await?, false)
    }

    async fn take(&self, id: &str) -> Result<PendingAuthorization, Failure> {
        self.check_pending(self.store.take_pending(&digest(id)).await?, false)
    }

    async fn take_approved(&self, state: &str) -> Result<PendingAuthorization, Failure> {
        self.check_pending(self.store.take_pending(&digest(state)).await?, true)
    }

    fn check_pending(
        &self,
        pending: Option<PendingAuthorization>,
        is_approved: bool,
    ) -> Result<PendingAuthorization, Failure> {
        let pending = pending.filter(|it| it.is_approved == is_approved && it.expires_at > self.clock.now());
        pending.ok_or(Failure::Page(StatusCode::BAD_REQUEST, EXPIRED))
    }

    async fn is_remembered(&self, pending: &PendingAuthorization, user: &User) -> Result<bool, OAuthError> {
        let request = &pending.request;
        if self.settings.consent_seconds.is_none() || is_impersonable(pending) {
            return Ok(false);
        }
        let (subject, client_id) = (&user.subject, &request.client_id);
        let consent = self.store.get_consent(subject, client_id, &request.redirect_uri, &request.resource).await?;
        Ok(consent.is_some_and(|it| it.expires_at > self.clock.now() && it.includes(&request.scopes)))
    }

    async fn remember(&self, pending: &PendingAuthorization, user: &User) -> Result<(), OAuthError> {
        let Some(seconds) = self.settings.consent_seconds.filter(|_| !is_impersonable(pending)) else { return Ok(()) };
        let request = pending.request.clone();
        let consent = StoredConsent {
            subject: user.subject.clone(),
            client_id: request.client_id,
            redirect_uri: request.redirect_uri,
            resource: request.resource,
            scopes: pending.granted_scopes().to_vec(),
            expires_at: self.clock.now().saturating_add(seconds),
        };
        self.store.insert_consent(consent).await
    }

    fn login_page(
        &self,
        visit: &Visit<'_>,
        id: &str,
        pending: &PendingAuthorization,
        form: &LoginForm,
    ) -> Response<Bytes> {
        let nonce = random().unwrap_or_default();
        let view = LoginView {
            form,
            client_name: &client_name(pending),
            action: &visit.site.login_path(),
            hidden_fields: &hidden_fields(visit, id, None),
            style_nonce: &nonce,
        };
        reply::page(form.status, self.pages.login(&view), &nonce, visit.cookies())
    }

    fn consent_page(
        &self,
        visit: &Visit<'_>,
        id: &str,
        pending: &PendingAuthorization,
        identity: &Identity,
        error: Option<&str>,
    ) -> Response<Bytes> {
        let nonce = random().unwrap_or_default();
        // An error is about a selection of nothing, which the page shows again.
        let scopes = selection::views(&pending.request, &self.settings.scope_descriptions, error.is_none());
        let texts = ConsentTexts::new(pending);
        let (user, delegation, can_sign_out) = match identity {
            Identity::User { user, session } => (Some(user), None, !session.is_empty()),
            Identity::Elsewhere(delegation) => (None, Some(delegation), false),
            Identity::Form(_) => (None, None, false),
        };
        let view = ConsentView {
            client_name: &texts.client_name,
            client_id: &texts.client_id,
            client_host: texts.client_host.as_deref(),
            redirect_uri: &texts.redirect_uri,
            redirect_host: &texts.redirect_host,
            has_local_redirect: texts.has_local_redirect,
            scopes: &scopes,
            error,
            resource: &texts.resource,
            user,
            can_sign_out,
            delegation,
            action: &visit.site.consent_path(),
            hidden_fields: &hidden_fields(visit, id, identity.binding()),
            style_nonce: &nonce,
        };
        reply::page(StatusCode::OK, self.pages.consent(&view), &nonce, visit.cookies())
    }

    pub(super) fn error_page(&self, status: StatusCode, message: &str, cookies: Vec<HeaderValue>) -> Response<Bytes> {
        let nonce = random().unwrap_or_default();
        let html = self.pages.error(&ErrorView { status, message, style_nonce: &nonce });
        reply::page(status, html, &nonce, cookies)
    }
}

/// Returns whether any program on the device of the user can use the ID of this client.
fn is_impersonable(pending: &PendingAuthorization) -> bool {
    pending.is_public_client && is_local_redirect(&pending.request.redirect_uri)
}

fn hidden_fields(visit: &Visit<'_>, id: &str, user: Option<(&str, &str)>) -> String {
    hidden("id", id) + &visit.csrf_field(id, user)
}

#[cfg(test)]
mod tests;
