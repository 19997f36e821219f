//! Runs every example as a process. Servers are tested over stdio or HTTP in both eras; clients receive typed input and
//! their output is checked.

mod agent_loop;
mod answering;
mod ask_parameter;
mod asking;
mod asking_at_once;
mod asking_model;
mod component;
mod docs;
mod dynamic;
mod fleet_keys;
mod header;
mod http;
#[cfg(feature = "http_mounted")]
mod http_mounted;
#[cfg(feature = "http_tls")]
mod http_tls;
#[cfg(feature = "lifespan")]
mod lifespan;
mod long_task;
#[cfg(feature = "middleware")]
mod middleware;
mod orders;
mod peer;
mod prompts;
mod quickstart;
mod resources;
mod rounds;
mod terminal;
#[cfg(feature = "thumbnail")]
mod thumbnail;
mod tools;
mod watch;
#[cfg(feature = "weather")]
mod weather;
mod web;
