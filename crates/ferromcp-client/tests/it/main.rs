//! The client against scripted servers, real ones, and bad ones.

mod beside;
mod caching;
mod children;
mod faults;
mod floods;
mod folder;
mod groups;
mod lists;
mod negotiation;
mod outputs;
mod peers;
mod posts;
mod questions;
mod restarts;
mod rounds;
mod script;
mod subscriptions;
mod times;
mod urls;
