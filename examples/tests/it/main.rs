//! Runs every example as a process. Servers are tested over stdio or HTTP in both eras; clients receive typed input and
//! their output is checked.

#[cfg(feature = "access")]
mod access;
mod agent_loop;
mod answering;
mod ask_parameter;
mod asking;
mod asking_at_once;
mod asking_model;
#[cfg(feature = "oauth_store")]
mod authorization_store;
#[cfg(feature = "oauth")]
mod browser;
mod component;
mod counter;
#[cfg(feature = "dates_uuids_urls")]
mod dates_uuids_urls;
#[cfg(feature = "deployed")]
mod deployed;
mod docs;
mod dynamic;
mod fleet_keys;
mod guide;
mod header;
mod http;
#[cfg(feature = "http_mounted")]
mod http_mounted;
#[cfg(feature = "http_tls")]
mod http_tls;
#[cfg(feature = "lifespan")]
mod lifespan;
mod long_task;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "middleware")]
mod middleware;
mod mounted_server;
#[cfg(feature = "notes")]
mod notes;
#[cfg(feature = "oauth")]
mod oauth_client;
#[cfg(feature = "oauth")]
mod oauth_servers;
mod orders;
mod peer;
mod per_client_state;
mod prompts;
/// The protected server of the tests of `ferromcp-auth`.
#[cfg(feature = "oauth")]
#[allow(dead_code, reason = "those tests use more of it")]
#[path = "../../../crates/ferromcp-auth/tests/oauth/server.rs"]
mod protected;
mod quickstart;
mod recipes;
mod resources;
mod rounds;
#[cfg(feature = "telemetry")]
mod telemetry;
mod terminal;
#[cfg(feature = "notes")]
mod three_servers;
#[cfg(feature = "thumbnail")]
mod thumbnail;
mod tools;
mod watch;
#[cfg(feature = "weather")]
mod weather;
mod web;
