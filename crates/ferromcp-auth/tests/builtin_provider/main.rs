//! Tests of the built-in providers: their pages in a simulated browser, and the login at an upstream server.

mod browser;
mod consent;
mod end_to_end;
mod identity_provider;
#[path = "../support/log.rs"]
mod log;
#[path = "../support/recorder.rs"]
mod recorder;
mod scopes;
mod secrets;
mod traps;
mod upstream;
mod upstream_traps;
