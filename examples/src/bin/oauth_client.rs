//! A client of a protected server: `oauth_client URL FOLDER [--paste | --device | --logout]`. Lists the tools, or logs out.
//!
//! The credentials are stored in FOLDER, so that the next run needs no login.

#![allow(clippy::print_stdout, reason = "this program is a client; its stdout does not carry the protocol")]

use anyhow::{Context, Result};
use ferromcp::auth::client::{FileStore, Grant, LoopbackPrompt, OAuth, OAuthOptions, PastePrompt};
use ferromcp::prelude::*;

#[tokio::main]
async fn main() -> Result<()> {
    let usage = "usage: oauth_client URL FOLDER [--paste | --device | --logout]";
    let mut args = std::env::args().skip(1);
    let (url, folder, option) = (args.next().context(usage)?, args.next().context(usage)?, args.next());
    let options =
        OAuthOptions::new(&url).client_name("Example").store(FileStore::new(folder)).grant(grant(option.as_deref())?);
    let oauth = OAuth::new(options)?;
    if option.as_deref() == Some("--logout") {
        return log_out(&oauth).await;
    }
    oauth.login().await?; // returns at once if the stored token is valid or can be refreshed
    let client = Client::builder("oauth_client", "1.0.0").credentials(oauth).connect(&*url).await?;
    for tool in client.tools().await? {
        println!("{}", tool.name);
    }
    client.close().await;
    Ok(())
}

async fn log_out(oauth: &OAuth) -> Result<()> {
    if oauth.logout().await? {
        println!("Logged out.");
    } else {
        println!("Logged out on this machine. The server may accept the tokens until they expire.");
    }
    Ok(())
}

fn grant(option: Option<&str>) -> Result<Grant> {
    Ok(match option {
        // Opens the default browser. The server redirects it to this program.
        None | Some("--logout") => Grant::authorization_code(LoopbackPrompt::new()),
        // The browser runs on another machine; the user pastes the URL to which it was redirected.
        Some("--paste") => Grant::authorization_code(PastePrompt::new()),
        // The user enters a code on another device, if the authorization server supports it.
        Some("--device") => {
            Grant::device_code(|code| eprintln!("Open {} and enter {}", code.verification_uri, code.user_code))
        }
        Some(other) => anyhow::bail!("unknown option {other}"),
    })
}
