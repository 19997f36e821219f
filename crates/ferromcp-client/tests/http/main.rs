//! Tests of clients over HTTP, against a scripted server and against a real server.
//!
//! Tests list the ledger IDs that they cover; `cargo xtask ledger` reads them.

mod authorization;
mod channel;
mod early_responses;
mod end_to_end;
mod imperfect_results;
mod imperfect_servers;
mod negotiation;
mod script;
mod wire;
