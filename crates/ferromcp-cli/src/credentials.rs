//! Stored logins, in the folder `credentials` of the configuration folder.

use ferromcp_auth::client::{
    AuthorizationPrompt, CredentialStore, FileStore, Grant, OAuth, OAuthOptions, PromptFuture, RedirectListener,
    StoredCredentials,
};
use ferromcp_auth::{AuthError, AuthErrorKind};
use url::Url;

use crate::config_folder::config_folder;
use crate::exit::{Exit, Failure};

/// Name of this client on authorization pages.
const CLIENT_NAME: &str = "mcp";

/// Returns the store of logins.
///
/// # Errors
/// Fails if the configuration folder cannot be determined.
pub(crate) fn credential_store() -> Result<FileStore, Failure> {
    Ok(FileStore::new(config_folder()?.join("credentials")))
}

/// Returns the options of the OAuth client for one server.
pub(crate) fn oauth_options(url: &str) -> Result<OAuthOptions, Failure> {
    Ok(OAuthOptions::new(url).client_name(CLIENT_NAME).store(credential_store()?))
}

/// Returns the stored login of a server. Nothing is sent.
///
/// # Errors
/// Fails if the store cannot be read.
pub(crate) async fn load_login(url: &str) -> Result<Option<StoredCredentials>, Failure> {
    // The key of the store is the URL as `OAuth` normalizes it.
    let Ok(mut key) = Url::parse(url) else { return Ok(None) };
    key.set_fragment(None);
    let Ok(store) = credential_store() else { return Ok(None) };
    Ok(store.load(key.as_str()).await?.filter(StoredCredentials::has_tokens))
}

/// Returns credentials that use and refresh the stored login of a server, but do not start another login.
///
/// # Errors
/// Fails if the store cannot be read.
pub(crate) async fn stored_credentials(url: &str) -> Result<Option<OAuth>, Failure> {
    if load_login(url).await?.is_none() {
        return Ok(None);
    }
    Ok(Some(OAuth::new(oauth_options(url)?.grant(Grant::authorization_code(NoPrompt)))?))
}

/// Rejects logins: only `mcp login` may open a page.
#[derive(Debug)]
struct NoPrompt;

impl AuthorizationPrompt for NoPrompt {
    fn listen<'a>(&'a self, _: Option<&'a str>) -> PromptFuture<'a, Box<dyn RedirectListener>> {
        Box::pin(std::future::ready(Err(AuthError::prompt("the stored login has expired or was revoked"))))
    }
}

impl From<AuthError> for Failure {
    fn from(error: AuthError) -> Self {
        let exit = match error.kind() {
            AuthErrorKind::Configuration | AuthErrorKind::Store => Exit::Usage,
            AuthErrorKind::Unavailable => Exit::Connect,
            AuthErrorKind::Timeout => Exit::Timeout,
            _ => Exit::Login,
        };
        Self::new(exit, error.to_string())
    }
}
