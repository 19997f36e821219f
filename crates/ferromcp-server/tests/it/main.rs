//! The server's behaviour on the wire, over every revision and several transports.
//!
//! Tests name the ledger ids they prove; `cargo xtask ledger` reads them.

#![allow(clippy::needless_pass_by_value, reason = "JSON is written where it is handed over")]
#![allow(clippy::similar_names, reason = "a server is served")]

mod arguments;
mod batching;
mod caching;
mod cancellation;
mod chaos;
mod client;
mod client_requests;
mod completion;
mod concurrency;
mod elicitation;
mod lifecycle;
mod logging;
mod messages;
mod middleware;
mod mistakes;
mod mounts;
mod official;
mod output;
mod pagination;
mod pressure;
mod programs;
mod progress;
mod prompts;
mod resources;
mod server_requests;
mod shutdown;
mod subscriptions;
mod tools;
mod traces;
