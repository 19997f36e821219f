//! A server whose callers log in at an identity provider: `protected_server ADDRESS URL ISSUER`.
//!
//! URL is the public URL of the endpoint, which is also the audience of access tokens. ISSUER is the identifier of the
//! identity provider.

use anyhow::{Context, Result};
use ferromcp::auth::resource_server::{JwtVerifier, ResourceServer};
use ferromcp::prelude::*;
use ferromcp::server::Principal;

/// Return the name of the caller
#[tool]
fn whoami(caller: Principal) -> String {
    let email: Option<String> = caller.claim("email");
    email.or(caller.subject().map(str::to_owned)).unwrap_or_else(|| "unknown".to_owned())
}

/// Delete all notes
#[tool(annotations(destructive), scopes = ["notes:write"])]
fn delete_notes() -> &'static str {
    "deleted"
}

#[tokio::main]
async fn main() -> Result<()> {
    let usage = "usage: protected_server ADDRESS URL ISSUER";
    let mut args = std::env::args().skip(1);
    let (address, url, issuer) =
        (args.next().context(usage)?, args.next().context(usage)?, args.next().context(usage)?);
    let resource_server = ResourceServer::builder(url, JwtVerifier::new(issuer))
        .required_scopes(["notes:read"])
        .scope_implies("notes:write", ["notes:read"])
        .build()?;
    let server = Server::new("Notes", "1.0.0").tool::<whoami>().tool::<delete_notes>();
    server.serve(http(address).authorization(resource_server)).await?;
    Ok(())
}
