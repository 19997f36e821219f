//! A prompt that calls a function.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::{AuthorizationPrompt, PromptFuture, RedirectListener};
use crate::client::authorization::AuthorizationRequest;
use crate::error::AuthError;

type Handler =
    dyn Fn(AuthorizationRequest) -> Pin<Box<dyn Future<Output = Result<String, AuthError>> + Send>> + Send + Sync;

/// A prompt that calls an async function, for graphical applications, and for redirects that another part of the
/// application receives.
///
/// ```
/// use ferromcp_auth::client::{AuthError, AuthorizationRequest, RedirectHandler};
///
/// async fn show(request: AuthorizationRequest) -> Result<String, AuthError> {
///     // Show `request.url()` in a window; return the URL to which it is redirected.
///     Err(AuthError::prompt("the user closed the window"))
/// }
/// let prompt = RedirectHandler::new("com.example.app:/callback", show);
/// ```
#[derive(Clone)]
pub struct RedirectHandler {
    redirect_uri: String,
    handler: Arc<Handler>,
}

impl RedirectHandler {
    /// Creates a prompt with a redirect URI and a function. The function shows the page, and returns the URL to which
    /// the browser was redirected. Its future is dropped when the login is cancelled or times out.
    pub fn new<F, Fut>(redirect_uri: impl Into<String>, handler: F) -> Self
    where
        F: Fn(AuthorizationRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<String, AuthError>> + Send + 'static,
    {
        Self { redirect_uri: redirect_uri.into(), handler: Arc::new(move |request| Box::pin(handler(request))) }
    }
}

impl fmt::Debug for RedirectHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedirectHandler").field("redirect_uri", &self.redirect_uri).finish_non_exhaustive()
    }
}

impl AuthorizationPrompt for RedirectHandler {
    fn listen<'a>(&'a self, _: Option<&'a str>) -> PromptFuture<'a, Box<dyn RedirectListener>> {
        let listener: Box<dyn RedirectListener> = Box::new(self.clone());
        Box::pin(std::future::ready(Ok(listener)))
    }
}

impl RedirectListener for RedirectHandler {
    fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    fn authorize<'a>(&'a mut self, request: &'a AuthorizationRequest) -> PromptFuture<'a, String> {
        (self.handler)(request.clone())
    }
}
