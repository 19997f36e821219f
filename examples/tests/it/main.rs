//! Every example is started as its users start it: a server is spoken to over its pipes, or HTTP, in both eras, and a
//! client is typed to.

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
