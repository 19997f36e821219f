//! Tests of the client's authorization against a real MCP server behind a scripted authorization server.

mod cancellation;
mod grants;
mod imperfect;
#[path = "../support/log.rs"]
mod log;
mod login;
mod logout;
mod offline_access;
mod processes;
mod refresh;
mod secrets;
mod server;
mod traps;
