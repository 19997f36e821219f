//! The client's HTTP against a server scripted byte by byte, and against the real one.
//!
//! Tests name the ledger ids they prove; `cargo xtask ledger` reads them.

mod channels;
mod cuts;
mod failures;
mod heads;
mod http_sse;
mod negotiation;
mod posts;
mod private;
mod real;
mod script;
mod secrets;
mod sessions;
mod streams;
mod whole;
mod wire;
