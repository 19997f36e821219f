//! OAuth logins, whose steps the page shows.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferromcp_auth::client::{Grant, LoginStep, LoopbackPrompt, OAuth};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::sessions::Sessions;
use crate::credentials::oauth_options;
use crate::record::hub::Hub;

/// Starts and cancels logins. Cloning is cheap.
#[derive(Clone)]
pub(super) struct Logins {
    hub: Arc<Hub>,
    sessions: Sessions,
    /// Requests a connection for hosts, which use the stored login too.
    restart: mpsc::Sender<()>,
    /// The login in progress.
    running: Arc<Mutex<Option<AbortHandle>>>,
}

/// Reports the steps of one login.
#[derive(Clone)]
struct Steps {
    hub: Arc<Hub>,
    connection: &'static str,
    /// The current step.
    current: Arc<Mutex<Step>>,
}

/// A step of a login, as the page shows it.
#[derive(Clone, Default, Serialize)]
struct Step {
    number: usize,
    title: &'static str,
    detail: Value,
    /// The page that the user has to open.
    url: Option<String>,
    error: Option<String>,
}

impl Steps {
    fn lock(&self) -> MutexGuard<'_, Step> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self, step: &Step, status: &str) {
        let mut json = json!(step);
        (json["status"], json["connection"]) = (status.into(), self.connection.into());
        self.hub.login_step(&json);
    }

    /// Starts a step.
    fn begin(&self, title: &'static str) {
        let mut step = self.lock();
        *step = Step { number: step.number + 1, title, ..Step::default() };
        self.report(&step, "running");
    }

    /// Ends the current step, with what it has found.
    fn end(&self, detail: Value) {
        let mut step = self.lock();
        step.detail = detail;
        self.report(&step, "done");
    }

    /// Shows a page that the user has to open.
    fn open(&self, url: &str) {
        let mut step = self.lock();
        step.url = Some(url.to_owned());
        self.report(&step, "running");
    }

    /// Ends the current step with an error.
    fn fail(&self, error: String) {
        let mut step = self.lock();
        step.error = Some(error);
        self.report(&step, "failed");
    }

    /// Ends the current step, and starts the next one.
    fn next(&self, step: &LoginStep) {
        match step {
            LoginStep::Challenged { resource_metadata, scope, .. } => {
                self.end(json!({ "resourceMetadata": resource_metadata, "scope": scope }));
                self.begin("Find the authorization server");
            }
            LoginStep::Discovered {
                resource,
                issuer,
                authorization_endpoint,
                token_endpoint,
                scopes_supported,
                ..
            } => {
                self.end(json!({
                    "resource": resource, "issuer": issuer, "authorizationEndpoint": authorization_endpoint,
                    "tokenEndpoint": token_endpoint, "scopesSupported": scopes_supported,
                }));
                self.begin("Identify the client");
            }
            LoginStep::Identified { client_id, source, .. } => {
                self.end(json!({ "clientId": client_id, "source": format!("{source:?}") }));
                self.begin("Log in at the authorization server");
            }
            LoginStep::CodeReceived => {
                self.end(Value::Null);
                self.begin("Exchange the code for tokens");
            }
            LoginStep::TokensReceived { scope, expires_at, has_refresh_token, is_dpop_bound, .. } => {
                self.end(json!({
                    "scope": scope, "expiresAt": expires_at, "hasRefreshToken": has_refresh_token,
                    "isDpopBound": is_dpop_bound,
                }));
                self.begin("Connect with the token");
            }
            _ => {}
        }
    }
}

impl Logins {
    /// Creates the logins of these connections.
    pub(super) fn new(hub: &Arc<Hub>, sessions: &Sessions, restart: &mpsc::Sender<()>) -> Self {
        Self { hub: Arc::clone(hub), sessions: sessions.clone(), restart: restart.clone(), running: Arc::default() }
    }

    /// Returns the URL of the server.
    fn url(&self) -> Result<String, String> {
        let build = self.sessions.build();
        let url = build.as_ref().and_then(|build| build.target.url());
        url.map(str::to_owned).ok_or_else(|| "the server has no URL, so it has no OAuth login".to_owned())
    }

    /// Starts a login, and cancels the one in progress. The connection is opened afterwards.
    ///
    /// # Errors
    /// Fails if the server is not reached by a URL, or the options are invalid.
    pub(super) fn start(&self, id: &'static str) -> Result<(), String> {
        let url = self.url()?;
        let steps = Steps { hub: Arc::clone(&self.hub), connection: id, current: Arc::default() };
        let (opened, reported) = (steps.clone(), steps.clone());
        let prompt = LoopbackPrompt::new().open_with(move |url| {
            opened.open(url);
            true
        });
        let options = oauth_options(&url).map_err(|failure| failure.to_string())?;
        let options = options.grant(Grant::authorization_code(prompt)).on_step(move |step| reported.next(step));
        let oauth = OAuth::new(options).map_err(|error| error.to_string())?;
        let (sessions, restart) = (self.sessions.clone(), self.restart.clone());
        steps.begin("Send a request without a token");
        let task = tokio::spawn(async move {
            // Boxed, because the future of a login is large.
            match Box::pin(oauth.login()).await {
                Ok(is_required) => {
                    sessions.open(id).await;
                    steps.end(json!({ "loginRequired": is_required }));
                    // A full queue contains a restart already.
                    let _ = restart.try_send(());
                }
                Err(error) => steps.fail(error.to_string()),
            }
        });
        let previous = self.running.lock().unwrap_or_else(PoisonError::into_inner).replace(task.abort_handle());
        if let Some(previous) = previous {
            previous.abort();
        }
        Ok(())
    }

    /// Cancels the login in progress.
    pub(super) fn cancel(&self) {
        if let Some(task) = self.running.lock().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
    }

    /// Removes the stored login, and opens the connection again.
    ///
    /// # Errors
    /// Fails if the server is not reached by a URL, or the login cannot be removed.
    pub(super) async fn log_out(&self, id: &'static str) -> Result<(), String> {
        let options = oauth_options(&self.url()?).map_err(|failure| failure.to_string())?;
        let oauth = OAuth::new(options).map_err(|error| error.to_string())?;
        oauth.logout().await.map_err(|error| error.to_string())?;
        let sessions = self.sessions.clone();
        tokio::spawn(async move { sessions.open(id).await });
        Ok(())
    }
}
