//! The authenticated principal of a request.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization>.

use std::fmt;
use std::sync::Arc;

/// The authenticated principal of a request.
///
/// Authentication middleware inserts an `Identity` into the extensions of the HTTP request. A session is bound to the
/// principal that opened it. The `Debug` output does not contain the principal.
///
/// ```
/// use ferromcp_core::Identity;
/// let identity = Identity::new("user-17");
/// assert_eq!(identity.as_str(), "user-17");
/// assert_eq!(format!("{identity:?}"), "Identity(..)"); // never in logs
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Identity(Arc<str>);

impl Identity {
    /// Creates an identity from a principal name that is unique within the server, such as issuer and subject.
    pub fn new(principal: impl Into<Arc<str>>) -> Self {
        Self(principal.into())
    }

    /// Returns the principal name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Identity> for Arc<str> {
    fn from(identity: Identity) -> Self {
        identity.0
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(..)")
    }
}
