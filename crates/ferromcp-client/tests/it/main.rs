//! The client against scripted, real and misbehaving servers.

mod cache_store;
mod caching;
mod child_processes;
mod config;
mod deadlines;
mod faults;
mod groups;
mod hostile_servers;
mod http_engine;
mod imperfect_results;
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
mod untrusted_text;
mod url_elicitation;
