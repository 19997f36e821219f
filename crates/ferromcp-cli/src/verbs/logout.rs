//! `mcp logout`: removes the stored login of a server.

use ferromcp_auth::client::CredentialStore;
use url::Url;

use crate::cli::Logout;
use crate::credentials;
use crate::exit::Failure;
use crate::target;
use crate::terminal;

/// Removes the stored tokens. The authorization server is not notified.
pub(crate) async fn run(args: Logout) -> Result<(), Failure> {
    let url = target::url(&args.target)?;
    let was_stored = credentials::load(&url).await?.is_some();
    if let Ok(mut key) = Url::parse(&url) {
        key.set_fragment(None);
        credentials::store()?.remove(key.as_str()).await?;
    }
    if was_stored {
        terminal::message(format_args!("logged out of {url}"));
    } else {
        terminal::message(format_args!("no login is stored for {url}"));
    }
    Ok(())
}
