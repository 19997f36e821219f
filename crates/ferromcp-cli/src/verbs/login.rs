//! `mcp login`: logs in to a server with OAuth.

use ferromcp_auth::client::{Grant, LoopbackPrompt, OAuth, PastePrompt};

use crate::cli::Login;
use crate::connect::until_interrupted;
use crate::credentials::oauth_options;
use crate::exit::Failure;
use crate::logs::start_logs;
use crate::target::url;
use crate::terminal::message;

/// Logs in, and stores the tokens for the other verbs.
pub(crate) async fn run(args: Login) -> Result<(), Failure> {
    start_logs(0);
    let url = url(&args.target)?;
    let grant = if args.device {
        Grant::device_code(|code| {
            let minutes = code.expires_in / 60;
            message(format_args!(
                "Open {} and enter the code {} (valid for {minutes} min)",
                code.verification_uri, code.user_code
            ));
        })
    } else if args.no_browser {
        Grant::authorization_code(PastePrompt::new())
    } else {
        Grant::authorization_code(LoopbackPrompt::new())
    };
    let mut options = oauth_options(&url)?.grant(grant);
    if let Some(timeout) = args.timeout {
        options = options.login_timeout(timeout);
    }
    for scope in &args.scopes {
        options = options.scope(scope);
    }
    let oauth = OAuth::new(options)?;
    // Boxed, because the future of a login is large.
    let is_required = until_interrupted(Box::pin(async { Ok(oauth.login().await?) })).await?;
    if is_required {
        message(format_args!("logged in to {url}"));
    } else {
        message(format_args!("{url} does not require a login"));
    }
    Ok(())
}
