//! A server with its own authorization server: `authorization_server [ADDRESS [ISSUER]]`.
//!
//! Users log in and consent in the browser. Try it with `oauth_client http://127.0.0.1:8000/mcp credentials`.

use anyhow::Result;
use ferromcp::auth::Secret;
use ferromcp::auth::authorization_server::{
    AuthorizationServer, AuthorizationServerOptions, ClientRegistrationOptions, PasswordLogin, StoredProvider, User,
};
use ferromcp::prelude::*;
use ferromcp::server::Principal;

/// Return the name of the caller
#[tool]
fn whoami(caller: Principal) -> String {
    caller.subject().unwrap_or("unknown").to_owned()
}

/// Checks a password. A real application looks up a hash of it in its database.
async fn check_password(name: String, password: Secret) -> Option<User> {
    (name == "ada" && password == Secret::new("lovelace")).then(|| User::new("ada").with_name("Ada Lovelace"))
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let address = args.next().unwrap_or_else(|| "127.0.0.1:8000".to_owned());
    let issuer = args.next().unwrap_or_else(|| format!("http://{address}"));
    let provider = StoredProvider::new(PasswordLogin::new(check_password))
        .title("My App")
        .describe_scope("myscope", "Read your profile")
        .describe_scope("myotherscope", "Change your profile");
    let options = AuthorizationServerOptions::new(&issuer)
        .resource(format!("{issuer}/mcp"))
        .required_scopes(["myscope"])
        .valid_scopes(["myscope", "myotherscope"])
        .default_scopes(["myscope"])
        .client_registration(ClientRegistrationOptions::new())
        .revocation(true);
    let authorization_server = AuthorizationServer::new(options, provider)?;
    let server = Server::new("My App", "1.0.0").tool::<whoami>();
    server.serve(http(address).authorization(authorization_server)).await?;
    Ok(())
}
