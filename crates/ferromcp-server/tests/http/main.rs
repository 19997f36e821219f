//! The HTTP endpoint as peers see it: bytes over sockets, on every revision.
//!
//! Tests name the ledger ids they prove; `cargo xtask ledger` reads them.

#![allow(clippy::needless_pass_by_value, reason = "JSON is written where it is handed over")]
#![allow(clippy::similar_names, reason = "a server is served")]

mod asking;
mod batches;
mod client;
mod cuts;
mod events;
mod faults;
mod fixture;
mod http2;
mod http_sse;
mod inside;
mod ladder;
mod listening;
mod message;
mod mounted;
mod names;
mod news;
mod parameters;
mod refusals;
mod resumption;
mod review;
mod sessions;
mod shutdown;
mod streams;
