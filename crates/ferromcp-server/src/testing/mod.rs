//! In-process tests of a server, run in every protocol era.
//!
//! A handler that sends requests to its client (elicitation, sampling, roots) runs once on handshake revisions. On
//! 2026-07-28 it is replayed from the start after each response. [`for_each_mode`] runs a test in both modes and fails
//! if an effect ran more often in a replay than in a live run: such an effect precedes a question and is not wrapped in
//! [`Ctx::once`](crate::Ctx::once).
//!
//! ```
//! use ferromcp_server::testing::{Effects, for_each_mode};
//! use ferromcp_server::{Ctx, Server, State, Tool, ToolError};
//!
//! async fn greet(State(effects): State<Effects>, ctx: Ctx) -> Result<String, ToolError> {
//!     ctx.once("count", || async { effects.record("a guest") }).await?;
//!     let name = ctx.elicit::<String>("What is your name?").await?;
//!     Ok(format!("Hello, {name}!"))
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let server = |effects: Effects| Server::new("demo", "1.0.0").with_tool(Tool::new("greet", greet)).state(effects);
//! for_each_mode(server, async |client| {
//!     client.accept("What is your name?", &[("value", "Ada")]);
//!     assert_eq!(client.text("greet", &()).await, "Hello, Ada!");
//! })
//! .await;
//! # });
//! ```

mod answers;
mod checked;
mod client;
mod client_mode;
mod effects;
mod listener;

pub use client::TestClient;
pub use client_mode::{ClientMode, all_capabilities};
pub use effects::Effects;

use std::future::Future;

use checked::Checked;
use ferromcp_core::model::ClientCapabilities;

use crate::server::Server;

/// Runs `body` in every [`ClientMode`].
///
/// Each run uses a new server from `make` and a client that declares [all capabilities](all_capabilities).
///
/// # Panics
/// Panics if `body` panics, or if a [recorded](Effects::record) effect ran more or less often than in live mode.
#[track_caller]
pub fn for_each_mode(make: impl Fn(Effects) -> Server, body: impl AsyncFn(TestClient)) -> impl Future<Output = ()> {
    for_each_mode_with(all_capabilities(), make, body)
}

/// Runs `body` in every [`ClientMode`] with a client that declares `capabilities`. See [`for_each_mode`].
///
/// # Panics
/// Panics in the same cases as [`for_each_mode`].
#[track_caller]
pub fn for_each_mode_with(
    capabilities: ClientCapabilities,
    make: impl Fn(Effects) -> Server,
    body: impl AsyncFn(TestClient),
) -> impl Future<Output = ()> {
    Checked::new(run_modes(capabilities, make, body))
}

async fn run_modes(
    capabilities: ClientCapabilities,
    make: impl Fn(Effects) -> Server,
    body: impl AsyncFn(TestClient),
) -> Result<(), String> {
    let mut live = None;
    for mode in ClientMode::ALL {
        let effects = Effects::new();
        let server = make(effects.clone());
        server.open().await.map_err(|error| error.to_string())?;
        body(TestClient::new(server.clone(), mode, capabilities.clone())).await;
        server.close().await;
        let happened = effects.all();
        match &live {
            None => live = Some(happened),
            Some(live) => effects::compare(live, &happened, mode)?,
        }
    }
    Ok(())
}
