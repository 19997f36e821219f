//! The client against scripted, real and misbehaving servers.

mod cache_store;
mod caching;
mod child_processes;
mod config;
mod faults;
mod groups;
mod hostile_servers;
mod http_engine;
mod in_process;
mod lists;
mod mrtr;
mod negotiation;
mod output_validation;
mod real_servers;
mod reconnects;
mod script;
mod server_requests;
mod subscriptions;
mod temp_folder;
mod timeouts;
mod url_elicitation;
