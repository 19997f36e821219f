//! A POST whose body was received.

use std::sync::Arc;

use http::request::Parts;

use super::body_budget::BodyLease;
use super::connection::Client;
use super::endpoint::Endpoint;

/// A POST whose body was received.
pub(crate) struct Received<'r> {
    pub(crate) endpoint: &'r Arc<Endpoint>,
    pub(crate) parts: &'r Parts,
    pub(crate) client: &'r Client<'r>,
    /// The permits of its body.
    pub(crate) lease: BodyLease,
}
