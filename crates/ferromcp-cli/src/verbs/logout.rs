//! `mcp logout`: removes the stored login of a server.

use ferromcp_auth::client::CredentialStore;
use url::Url;

use crate::cli::Logout;
use crate::credentials::{credential_store, load_login};
use crate::exit::Failure;
use crate::target::url;
use crate::terminal::message;

/// Removes the stored tokens. The authorization server is not notified.
pub(crate) async fn run(args: Logout) -> Result<(), Failure> {
    let url = url(&args.target)?;
    let was_stored = load_login(&url).await?.is_some();
    if let Ok(mut key) = Url::parse(&url) {
        key.set_fragment(None);
        credential_store()?.remove(key.as_str()).await?;
    }
    if was_stored {
        message(format_args!("logged out of {url}"));
    } else {
        message(format_args!("no login is stored for {url}"));
    }
    Ok(())
}
