//! Prompts: they show the authorization page to the user and receive the response.

mod handler;
pub(super) mod loopback;
pub(super) mod paste;

pub use handler::RedirectHandler;
pub use loopback::LoopbackPrompt;
pub use paste::PastePrompt;

use std::future::Future;
use std::pin::Pin;

use super::authorization::AuthorizationRequest;
use crate::error::AuthError;

/// A boxed future returned by [`AuthorizationPrompt`] and [`RedirectListener`].
pub type PromptFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, AuthError>> + Send + 'a>>;

/// Shows the authorization page to the user.
///
/// [`LoopbackPrompt`] opens a browser, [`PastePrompt`] works without a local browser, and [`RedirectHandler`] calls a
/// function.
pub trait AuthorizationPrompt: Send + Sync + 'static {
    /// Prepares to receive a response. `previous` is the redirect URI of the current registration. Use it again if
    /// possible, because another one requires another registration.
    ///
    /// # Errors
    /// Fails if responses cannot be received.
    fn listen<'a>(&'a self, previous: Option<&'a str>) -> PromptFuture<'a, Box<dyn RedirectListener>>;
}

/// Receives one authorization response. Dropping it cancels the authorization.
pub trait RedirectListener: Send {
    /// Returns the redirect URI. It uses `https`, `http` on the loopback interface, or a private scheme.
    fn redirect_uri(&self) -> &str;

    /// Shows the page, waits for the response, and returns the URL to which the browser was redirected.
    ///
    /// Ignore responses for which [`AuthorizationRequest::matches`] returns `false`: the login fails if one is
    /// returned.
    ///
    /// # Errors
    /// Fails if the user cancels or the page cannot be shown.
    fn authorize<'a>(&'a mut self, request: &'a AuthorizationRequest) -> PromptFuture<'a, String>;
}
