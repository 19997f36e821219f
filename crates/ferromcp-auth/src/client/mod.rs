//! Authorization of an MCP client.
//!
//! [`OAuth`] implements [`Credentials`](ferromcp_client::http::Credentials). It authorizes the client when the server
//! responds with status 401, and refreshes tokens before they expire.
//!
//! ```no_run
//! use ferromcp_auth::client::{OAuth, OAuthOptions};
//! use ferromcp_client::Client;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let url = "https://example.com/mcp";
//! let oauth = OAuth::new(OAuthOptions::new(url).client_name("Notes"))?;
//! oauth.login().await?; // without it, the first request waits for the login
//! let client = Client::builder("notes", "1.0.0").credentials(oauth).connect(url).await?;
//! # Ok(())
//! # }
//! ```

mod assertion;
mod authorization;
mod challenge;
mod code_grant;
mod consent;
mod device;
mod discovery;
mod dpop;
mod flow;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod grant;
mod identity;
mod inner;
mod login_step;
mod logout;
mod oauth;
mod options;
mod pending_logouts;
mod pkce;
mod refresh;
mod registration;
mod respond;
mod session;
mod store;
mod task;
mod token;
mod tolerance;
mod ui;

pub use crate::client_authentication::ClientAuthentication;
pub use crate::error::{AuthError, AuthErrorKind};
pub use assertion::{SigningAlgorithm, SigningKey};
pub use authorization::AuthorizationRequest;
pub use grant::{AssertionRequest, DeviceCode, EnterpriseIdentityProvider, Grant};
pub use login_step::{ClientIdSource, LoginStep};
pub use oauth::OAuth;
pub use options::OAuthOptions;
pub use registration::ClientRegistration;
#[allow(unused_imports, reason = "used by the feature `keychain`")]
pub(crate) use store::random_key;
pub use store::{CredentialStore, FileStore, MemoryStore, StoreFuture, StoreKey, StoreLock, StoredCredentials};
pub use tolerance::Tolerance;
pub use ui::{AuthorizationPrompt, LoopbackPrompt, PastePrompt, PromptFuture, RedirectHandler, RedirectListener};
