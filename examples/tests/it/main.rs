//! Every example is started as its users start it, and spoken to over its pipes in both eras.

mod component;
mod docs;
mod dynamic;
mod header;
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
#[cfg(feature = "thumbnail")]
mod thumbnail;
mod tools;
mod watch;
#[cfg(feature = "weather")]
mod weather;
