//! The client against scripted servers, real ones, and bad ones.

mod caching;
mod children;
mod floods;
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
