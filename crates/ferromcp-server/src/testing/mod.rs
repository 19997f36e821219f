//! Tests of a server, in this process: one body, run on every era and with every question replayed.
//!
//! A handler that asks its client runs straight through on handshake revisions, and again from its top after each answer
//! on 2026-07-28. [`everywhere`] runs a test both ways, and fails if something was done twice by the second that the
//! first did once: an effect that stands before a question, and not in [`Ctx::once`](crate::Ctx::once).
//!
//! ```
//! use ferromcp_server::testing::{Effects, everywhere};
//! use ferromcp_server::{Ctx, Server, State, Tool, ToolError};
//!
//! async fn greet(State(effects): State<Effects>, ctx: Ctx) -> Result<String, ToolError> {
//!     ctx.once("count", || async { effects.note("a guest") }).await?;
//!     let name = ctx.elicit::<String>("What is your name?").await?;
//!     Ok(format!("Hello, {name}!"))
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let server = |effects: Effects| Server::new("demo", "1.0.0").with_tool(Tool::new("greet", greet)).state(effects);
//! everywhere(server, async |client| {
//!     client.accept("What is your name?", &[("value", "Ada")]);
//!     assert_eq!(client.text("greet", &()).await, "Hello, Ada!");
//! })
//! .await;
//! # });
//! ```

mod answers;
mod client;
mod effects;
mod everything;
mod listener;
mod way;

pub use client::Client;
pub use effects::Effects;
pub use everything::everything;
pub use way::Way;

use ferromcp_core::model::ClientCapabilities;

use crate::server::Server;

/// Runs `body` in every [`Way`], each time with a server that `make` makes, and a client that can be asked everything.
///
/// # Panics
/// When an effect that was [noted](Effects::note) happened more often, or less, in one way than live; and whenever
/// `body` does.
pub async fn everywhere(make: impl Fn(Effects) -> Server, body: impl AsyncFn(Client)) {
    everywhere_as(everything(), make, body).await;
}

/// The same, with a client of these capabilities.
///
/// # Panics
/// As [`everywhere`].
pub async fn everywhere_as(
    capabilities: ClientCapabilities,
    make: impl Fn(Effects) -> Server,
    body: impl AsyncFn(Client),
) {
    let mut live = None;
    for way in Way::ALL {
        let effects = Effects::new();
        let server = make(effects.clone());
        if let Err(error) = server.open().await {
            panic!("{error}");
        }
        body(Client::new(server.clone(), way, capabilities.clone())).await;
        server.close().await;
        let happened = effects.all();
        match &live {
            None => live = Some(happened),
            Some(live) => effects::compare(live, &happened, way),
        }
    }
}
