//! A server with its own authorization server, whose clients, grants and tokens are in a SQLite database:
//! `authorization_store [ADDRESS [DATABASE]]`.
//!
//! Users stay logged in and clients keep their tokens when the server restarts. Try it with
//! `oauth_client http://127.0.0.1:8000/mcp credentials`.

mod store;

use std::time::Duration;

use anyhow::Result;
use ferromcp::auth::Secret;
use ferromcp::auth::authorization_server::{
    AuthorizationServer, AuthorizationServerOptions, ClientRegistrationOptions, PasswordLogin, StoredProvider, User,
};
use ferromcp::prelude::*;
use ferromcp::server::Principal;

use self::store::SqliteStore;

/// Return the name of the caller
#[tool]
fn whoami(caller: Principal) -> String {
    caller.subject().unwrap_or("unknown").to_owned()
}

/// Checks a password. A real application looks up a hash of it in its database.
async fn check_password(name: String, password: Secret) -> Option<User> {
    (name == "ada" && password == Secret::new("lovelace")).then(|| User::new("ada").with_name("Ada Lovelace"))
}

/// Deletes expired records until the process exits.
async fn clean_up(store: SqliteStore) {
    let mut interval = tokio::time::interval(Duration::from_secs(60));
    loop {
        interval.tick().await;
        if let Err(error) = store.delete_expired().await {
            eprintln!("{error}");
        }
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let address = args.next().unwrap_or_else(|| "127.0.0.1:8000".to_owned());
    let database = args.next().unwrap_or_else(|| "authorization.db".to_owned());
    let issuer = format!("http://{address}");
    let store = SqliteStore::open(&database)?;
    tokio::spawn(clean_up(store.clone()));
    let provider = StoredProvider::new(PasswordLogin::new(check_password)).title("My App").store(store);
    let options = AuthorizationServerOptions::new(&issuer)
        .resource(format!("{issuer}/mcp"))
        .required_scopes(["myscope"])
        .client_registration(ClientRegistrationOptions::new())
        .revocation(true);
    let authorization_server = AuthorizationServer::new(options, provider)?;
    let server = Server::new("My App", "1.0.0").tool::<whoami>();
    server.serve(http(address).authorization(authorization_server)).await?;
    Ok(())
}
