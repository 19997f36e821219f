//! [`StaticTokens`]: fixed access tokens, for development.

use std::collections::HashMap;
use std::fmt;

use crate::access_token::AccessToken;
use crate::digest_cache::{Digest, token_digest};
use crate::token_verifier::{TokenVerifier, VerifyError, VerifyFuture};
use crate::verified_token::VerifiedToken;

/// Accepts fixed access tokens, for development and tests. They do not expire.
///
/// Only digests of the tokens are stored.
///
/// ```
/// use ferromcp_auth::resource_server::{ResourceServer, StaticTokens};
///
/// # fn main() -> Result<(), ferromcp_auth::AuthError> {
/// let url = "http://localhost:3000/mcp";
/// let tokens = StaticTokens::new(url).token("s3cret", "ada", ["notes:read"]);
/// let resource_server = ResourceServer::builder(url, tokens).authorization_server("http://localhost:3001").build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "it does nothing until it is passed to a resource server"]
pub struct StaticTokens {
    resource: String,
    tokens: HashMap<Digest, VerifiedToken>,
}

impl StaticTokens {
    /// Creates a verifier without tokens. `resource` is the audience of the tokens: the URL of the resource server.
    pub fn new(resource: impl Into<String>) -> Self {
        Self { resource: resource.into(), tokens: HashMap::new() }
    }

    /// Adds a token of a user with these scopes.
    pub fn token(
        self,
        token: &str,
        subject: impl Into<String>,
        scopes: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let mut access_token = AccessToken::new();
        access_token.subject = Some(subject.into());
        access_token.scopes = scopes.into_iter().map(Into::into).collect();
        access_token.audiences = vec![self.resource.clone()];
        self.access_token(token, access_token)
    }

    /// Adds a token with these properties.
    pub fn access_token(mut self, token: &str, access_token: AccessToken) -> Self {
        self.tokens.insert(token_digest(token), access_token.into());
        self
    }
}

impl TokenVerifier for StaticTokens {
    fn verify<'a>(&'a self, token: &'a str) -> VerifyFuture<'a> {
        // The lookup is by digest, so that its time discloses nothing about the tokens.
        let found = self.tokens.get(&token_digest(token)).cloned();
        Box::pin(async { found.ok_or_else(|| VerifyError::Invalid("the token is unknown".to_owned())) })
    }
}

impl fmt::Debug for StaticTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticTokens").field("tokens", &self.tokens.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_known_tokens_are_accepted_and_debug_hides_them() {
        // A-119, A-120
        let tokens = StaticTokens::new("https://h").token("s3cret", "ada", ["a"]);
        let token = tokens.verify("s3cret").await.unwrap();
        assert_eq!(
            (token.subject.as_deref(), token.audiences.as_slice()),
            (Some("ada"), &["https://h".to_owned()][..])
        );
        assert!(tokens.verify("s3cre").await.is_err() && tokens.verify("").await.is_err());
        assert!(!format!("{tokens:?}").contains("s3cret"));
    }
}
