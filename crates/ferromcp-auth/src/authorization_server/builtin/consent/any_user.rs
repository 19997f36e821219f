//! [`AnyUser`]: a login without authentication, for development.

use super::login::{LoginOutcome, LoginRequest, UserLogin};
use super::site::Site;
use crate::authorization_server::builtin::user::User;
use crate::authorization_server::provider::ProviderFuture;
use crate::error::AuthError;

/// A login that accepts everyone as the same user, for development. The issuer must be on the loopback interface.
#[derive(Debug, Clone)]
#[must_use = "a login does nothing until it is passed to a provider"]
pub struct AnyUser(User);

impl AnyUser {
    /// Creates a login with this user.
    pub fn new(user: impl Into<User>) -> Self {
        Self(user.into())
    }
}

impl Default for AnyUser {
    /// Creates a login with the user `developer`.
    fn default() -> Self {
        Self::new("developer")
    }
}

impl UserLogin for AnyUser {
    fn login<'a>(&'a self, _: LoginRequest<'a>) -> ProviderFuture<'a, LoginOutcome> {
        Box::pin(std::future::ready(Ok(LoginOutcome::Authenticated(self.0.clone()))))
    }

    fn check_issuer(&self, issuer: &str) -> Result<(), AuthError> {
        if Site::new(issuer, "/")?.is_loopback {
            return Ok(());
        }
        Err(AuthError::configuration(
            "cannot use `AnyUser` or `MemoryProvider`, which do not authenticate users: the issuer is not on the \
             loopback interface; use `StoredProvider` with `PasswordLogin` or `UpstreamLogin`",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_development_login_in_production() {
        let login = AnyUser::default();
        for issuer in ["http://localhost:3000", "http://127.0.0.1:1/as", "http://[::1]:1"] {
            assert!(login.check_issuer(issuer).is_ok(), "{issuer}");
        }
        for issuer in ["https://example.com", "https://localhost.example.com", "https://10.0.0.1", "http://0.0.0.0", ""]
        {
            assert!(login.check_issuer(issuer).is_err(), "{issuer}");
        }
    }
}
