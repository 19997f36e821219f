//! `mcp logout`: removes the stored login of a server, and revokes its tokens.

use ferromcp_auth::client::OAuth;

use crate::cli::Logout;
use crate::credentials::{load_login, oauth_options};
use crate::exit::Failure;
use crate::target::url;
use crate::terminal::message;

/// Removes the stored tokens, and revokes them at the authorization server if it supports that.
///
/// # Errors
/// Fails if the URL is invalid or the store cannot be changed. A failed revocation is not an error.
pub(crate) async fn run(args: Logout) -> Result<(), Failure> {
    let url = url(&args.target)?;
    let was_stored = load_login(&url).await?.is_some();
    let oauth = OAuth::new(oauth_options(&url)?)?;
    // Boxed, because the future of a logout is large.
    let is_revoked = Box::pin(oauth.logout()).await?;
    match (was_stored, is_revoked) {
        (false, _) => message(format_args!("no login is stored for {url}")),
        (true, true) => message(format_args!("logged out of {url}")),
        (true, false) => {
            message(format_args!("logged out of {url}; the server accepts the tokens until they expire"));
        }
    }
    Ok(())
}
