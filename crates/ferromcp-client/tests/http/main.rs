//! Tests of clients over HTTP, against a scripted server and against a real server.
//!
//! Tests list the ledger IDs that they cover; `cargo xtask ledger` reads them.

mod authorization;
mod channel;
mod cookies;
mod deviations;
mod early_responses;
mod end_to_end;
mod http_sse;
mod imperfect_results;
mod imperfect_servers;
mod negotiation;
#[path = "../it/recorder.rs"]
mod recorder;
mod refused_connections;
mod script;
mod warnings;
mod wire;
