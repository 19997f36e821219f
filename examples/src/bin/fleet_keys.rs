//! Several server processes share the keys that seal the request state, so each can continue a call of another one.

use std::env;
use std::time::Duration;

use ferromcp::prelude::*;
use ferromcp::server::{Key, KeyRing, StateOptions};

/// Greet the user
#[tool]
async fn greet(ctx: Ctx) -> Result<String, ToolError> {
    let name = ctx.elicit::<String>("What is your name?").await?;
    Ok(format!("Hello, {name}!"))
}

/// Parses the shared keys. The first one encrypts; all of them decrypt.
fn keys(secret: &str) -> anyhow::Result<KeyRing> {
    let mut keys = secret.split(',').map(Key::parse);
    let first = keys.next().unwrap_or_else(|| Key::parse(""))?;
    keys.try_fold(KeyRing::new(first), |ring, key| Ok(ring.with_decrypt_key(key?)))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let states = StateOptions::new()
        .keys(keys(&env::var("STATE_KEYS")?)?) // comma-separated output of `openssl rand -hex 32`
        .ttl(Duration::from_secs(600)) // maximum time between two rounds
        .audience("greeters"); // default: the server's name
    Server::new("Greeter", "1.0.0").tool::<greet>().request_state_options(states).serve(stdio()).await?;
    Ok(())
}
