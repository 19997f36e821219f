//! Tests of the endpoints of the authorization server, with a provider in memory that authorizes each request.

mod assertions;
mod authorize;
mod client_auth;
mod dpop;
#[cfg(feature = "client")]
mod end_to_end;
mod endpoints;
mod harness;
#[path = "../support/log.rs"]
mod log;
mod metadata_documents;
mod provider;
#[path = "../support/recorder.rs"]
mod recorder;
mod register;
mod secrets;
mod signing;
mod token;
