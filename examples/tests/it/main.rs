//! Every example is started as its users start it, and spoken to over its pipes in both eras.

mod component;
mod docs;
mod dynamic;
mod lifespan;
mod long_task;
mod middleware;
mod orders;
mod peer;
mod prompts;
mod quickstart;
mod resources;
mod thumbnail;
mod tools;
mod weather;
