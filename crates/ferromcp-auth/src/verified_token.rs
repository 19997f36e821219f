//! [`VerifiedToken`]: a verified access token that requests share.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use ferromcp_server::Principal;

use crate::access_token::AccessToken;

/// A verified access token. Cloning is cheap, so that a verifier with a cache copies no claims; it is created from an
/// [`AccessToken`], to which it dereferences. `Debug` shows only the client and the scopes.
///
/// ```
/// use ferromcp_auth::resource_server::{AccessToken, VerifiedToken};
///
/// let mut token = AccessToken::new();
/// token.subject = Some("ada".to_owned());
/// let verified = VerifiedToken::from(token);
/// assert_eq!(verified.subject.as_deref(), Some("ada"));
/// ```
#[derive(Clone)]
pub struct VerifiedToken(Arc<Shared>);

struct Shared {
    token: AccessToken,
    /// The principal, and the resource server that created it.
    principal: OnceLock<(u64, Principal)>,
}

impl VerifiedToken {
    /// Returns the principal of the token, which is created by the first request. `server` distinguishes resource servers
    /// with the same verifier, whose principals may have different scopes.
    pub(crate) fn principal(&self, server: u64, create: impl Fn() -> Principal) -> Principal {
        let (creator, principal) = self.0.principal.get_or_init(|| (server, create()));
        if *creator == server { principal.clone() } else { create() }
    }
}

impl From<AccessToken> for VerifiedToken {
    fn from(token: AccessToken) -> Self {
        Self(Arc::new(Shared { token, principal: OnceLock::new() }))
    }
}

impl Deref for VerifiedToken {
    type Target = AccessToken;

    fn deref(&self) -> &AccessToken {
        &self.0.token
    }
}

impl PartialEq for VerifiedToken {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl fmt::Debug for VerifiedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
