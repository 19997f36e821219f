//! `mcp login`: logs in to a server with OAuth.

use ferromcp_auth::client::{Grant, LoopbackPrompt, OAuth, PastePrompt};

use crate::cli::Login;
use crate::connect;
use crate::credentials;
use crate::exit::Failure;
use crate::logs;
use crate::target;
use crate::terminal;

/// Logs in, and stores the tokens for the other verbs.
pub(crate) async fn run(args: Login) -> Result<(), Failure> {
    logs::start(0);
    let url = target::url(&args.target)?;
    let grant = if args.device {
        Grant::device_code(|code| {
            let minutes = code.expires_in / 60;
            terminal::message(format_args!(
                "Open {} and enter the code {} (valid for {minutes} min)",
                code.verification_uri, code.user_code
            ));
        })
    } else if args.no_browser {
        Grant::authorization_code(PastePrompt::new())
    } else {
        Grant::authorization_code(LoopbackPrompt::new())
    };
    let mut options = credentials::options(&url)?.grant(grant);
    if let Some(timeout) = args.timeout {
        options = options.login_timeout(timeout);
    }
    for scope in &args.scopes {
        options = options.scope(scope);
    }
    let oauth = OAuth::new(options)?;
    let is_required = connect::until_interrupted(async { Ok(oauth.login().await?) }).await?;
    if is_required {
        terminal::message(format_args!("logged in to {url}"));
    } else {
        terminal::message(format_args!("{url} does not require a login"));
    }
    Ok(())
}
