//! [`HttpAuthorization`]: checks the credentials of requests, and serves the routes of an authorization server.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization>.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Request, Response};

use crate::peer::Caller;

/// The future of a method of [`HttpAuthorization`].
pub type AuthorizationFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Authorizes the requests for an HTTP endpoint.
///
/// Implemented by the resource server and the authorization server of `ferromcp-auth`. A custom implementation inserts a
/// [`Principal`](crate::Principal) into the extensions of each request that it accepts. Streams of the principal end at its
/// [expiry](crate::Principal::with_expiry), and when its [validity check](crate::Principal::with_validity_check) fails.
pub trait HttpAuthorization: Send + Sync + 'static {
    /// Checks the credentials of a request for the endpoint, before its body is read. Called for all methods except
    /// `OPTIONS`, after `Host` and `Origin` are validated. The future is dropped if the client disconnects.
    ///
    /// # Errors
    /// The response, such as 401 with a challenge. CORS headers are added to it.
    fn authorize<'a>(&'a self, request: &'a mut Parts) -> AuthorizationFuture<'a, Result<(), Response<Bytes>>>;

    /// Returns whether a path outside of the endpoint belongs to the authorization, such as that of a metadata document.
    /// Default: false.
    fn is_route(&self, path: &str) -> bool {
        let _ = path;
        false
    }

    /// Responds to a request for such a path, of any method and any origin. Its body is complete, with at most 64 KiB. Its
    /// extensions contain the [`ClientAddr`](super::ClientAddr) of the client, if known.
    fn respond(&self, request: Request<Bytes>) -> AuthorizationFuture<'_, Response<Bytes>> {
        drop(request);
        Box::pin(async {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = http::StatusCode::NOT_FOUND;
            response
        })
    }
}

/// Returns the sender of a request.
pub(crate) fn caller(request: &Parts) -> Caller {
    Caller::remote(request.extensions.get().cloned(), request.extensions.get().cloned())
}

/// An authorization that is shared by the clones of the options.
#[derive(Clone)]
pub(crate) struct SharedAuthorization(pub(crate) Arc<dyn HttpAuthorization>);

impl fmt::Debug for SharedAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedAuthorization(..)")
    }
}

/// Creates the challenge of a response with status 403, which names the scopes that a request requires.
///
/// [`HttpAuthorization::authorize`] or a layer inserts a [`ScopeChallenge`] into the extensions of a request. Without it, the
/// challenge is `Bearer error="insufficient_scope", scope="…"`.
#[derive(Clone)]
pub struct ScopeChallenge(Arc<ChallengeFunction>);

type ChallengeFunction = dyn Fn(&[&str]) -> HeaderValue + Send + Sync;

impl ScopeChallenge {
    /// Creates a challenge from a function of the required scopes.
    pub fn new(challenge: impl Fn(&[&str]) -> HeaderValue + Send + Sync + 'static) -> Self {
        Self(Arc::new(challenge))
    }

    /// Returns the value of `WWW-Authenticate`.
    pub(crate) fn header(&self, scopes: &[&str]) -> HeaderValue {
        (self.0)(scopes)
    }
}

impl fmt::Debug for ScopeChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScopeChallenge(..)")
    }
}
