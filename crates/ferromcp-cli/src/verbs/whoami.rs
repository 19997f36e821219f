//! `mcp whoami`: shows the stored login of a server.

use std::time::{SystemTime, UNIX_EPOCH};

use ferromcp_core::text::excerpt;
use serde_json::json;

use crate::cli::Whoami;
use crate::credentials::load_login;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::target::url;

/// Prints the issuer, scopes and expiry of the stored token. Nothing is sent.
pub(crate) async fn run(args: Whoami) -> Result<(), Failure> {
    let url = url(&args.target)?;
    let Some(stored) = load_login(&url).await? else {
        let target = excerpt(&args.target);
        return Err(Failure::new(Exit::Login, format!("no login is stored for {url}; run `mcp login {target}`")));
    };
    let mut out = Output::stdout();
    if args.json {
        let scopes: Vec<&str> = stored.scope().split_whitespace().collect();
        let value = json!({
            "url": url, "issuer": stored.issuer(), "scopes": scopes, "expiresAt": stored.expires_at(),
        });
        out.json(&value)?;
        return out.flush();
    }
    out.line(&format!("server:  {url}"))?;
    out.line(&format!("issuer:  {}", excerpt(stored.issuer())))?;
    let scopes = if stored.scope().is_empty() { "none" } else { stored.scope() };
    out.line(&format!("scopes:  {}", excerpt(scopes)))?;
    out.line(&format!("token:   {}", expiry(stored.expires_at())))?;
    out.flush()
}

fn expiry(expires_at: Option<u64>) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    match expires_at {
        None => "valid until it is revoked".to_owned(),
        Some(at) if at <= now => "expired; it is refreshed when it is used".to_owned(),
        Some(at) => format!("expires in {} min", (at - now).div_ceil(60)),
    }
}
