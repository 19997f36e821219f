//! Tests of the HTTP endpoint over sockets, on every revision.
//!
//! Comments list the ledger ids that a test covers; `cargo xtask ledger` reads them.

#![allow(clippy::needless_pass_by_value, reason = "JSON literals are passed by value")]
#![allow(clippy::similar_names, reason = "server and served")]

mod authorization;
mod batches;
mod bounds;
mod client;
mod client_requests;
mod disconnects;
mod drop_panics;
mod early_responses;
mod errors;
mod events;
mod fixture;
mod get_streams;
mod header_validation;
mod http2;
mod http_errors;
mod http_sse;
mod in_process;
#[cfg(target_os = "linux")]
mod load;
#[path = "../it/log_recorder.rs"]
mod log_recorder;
mod message;
mod mounted;
mod name_headers;
#[path = "../it/panic_on_drop.rs"]
mod panic_on_drop;
mod parameter_headers;
mod races;
mod resumption;
mod sessions;
mod shutdown;
mod streams;
mod subscriptions;
mod untrusted_logs;
