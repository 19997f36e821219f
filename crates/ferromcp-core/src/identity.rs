//! Who asks, as far as it was proven.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization>.

use std::fmt;
use std::sync::Arc;

/// The authenticated principal behind a request. Whoever checks credentials puts one into the extensions of the HTTP
/// request; a session belongs to the principal that opened it.
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
    /// The principal of this name, which is unique among those of its server: issuer and subject, for example.
    pub fn new(principal: impl Into<Arc<str>>) -> Self {
        Self(principal.into())
    }

    /// Its name.
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
