//! Tests of clients over HTTP, against a scripted server and against a real server.
//!
//! Tests list the ledger IDs that they cover; `cargo xtask ledger` reads them.

mod authorization;
mod channel;
mod end_to_end;
mod negotiation;
mod script;
mod wire;
