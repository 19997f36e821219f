//! Any server of a fleet goes on with a call that another one has begun: they share the keys that seal its state.

use std::env;
use std::time::Duration;

use ferromcp::prelude::*;
use ferromcp::server::{Key, KeyRing, StateOptions};

/// Greet whoever is there
#[tool]
async fn greet(ctx: Ctx) -> Result<String, ToolError> {
    let name = ctx.elicit::<String>("What is your name?").await?;
    Ok(format!("Hello, {name}!"))
}

/// The keys of the fleet: the first seals, all of them open.
fn keys(secret: &str) -> anyhow::Result<KeyRing> {
    let mut keys = secret.split(',').map(Key::parse);
    let first = keys.next().unwrap_or_else(|| Key::parse(""))?;
    keys.try_fold(KeyRing::new(first), |ring, key| Ok(ring.and(key?)))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let states = StateOptions::new()
        .keys(keys(&env::var("STATE_KEYS")?)?) // as `openssl rand -hex 32` makes them, with commas between
        .ttl(Duration::from_secs(600)) // for the answers of each round
        .audience("greeters"); // the server's name unless set
    Server::new("Greeter", "1.0.0").tool::<greet>().request_states(states).serve(stdio()).await?;
    Ok(())
}
