//! HTTP client tests against a scripted server and against a real server.
//!
//! Tests list the ledger IDs that they cover; `cargo xtask ledger` reads them.

mod authorization;
mod channel;
mod end_to_end;
mod failures;
mod http_sse;
mod negotiation;
mod post;
mod real_server;
mod redaction;
mod request_headers;
mod resumption;
mod script;
mod sessions;
mod streams;
mod wire;
