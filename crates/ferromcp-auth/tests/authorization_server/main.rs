//! Tests of the endpoints of the authorization server, with a provider in memory that authorizes each request.

mod assertions;
mod authorize;
mod client_auth;
mod dpop;
#[cfg(feature = "client")]
mod end_to_end;
mod endpoints;
mod harness;
mod metadata_documents;
mod provider;
mod register;
mod signing;
mod token;
