//! Tests of the resource server, with real keys and an identity provider on the loopback interface.

mod dpop;
mod idp;
mod keys;
mod layer;
mod requests;
mod streams;
mod verifiers;
