//! [`AccessToken`]: what an access token grants.

use std::fmt;

use serde_json::{Map, Value};

/// An access token. `Debug` shows only the client and the scopes.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct AccessToken {
    /// The issuer (`iss`), if known.
    pub issuer: Option<String>,
    /// The user, or the client if it acts for itself (`sub`).
    pub subject: Option<String>,
    /// The client (`client_id`).
    pub client_id: Option<String>,
    /// The granted scopes.
    pub scopes: Vec<String>,
    /// The resources for which the token was issued (`aud`).
    pub audiences: Vec<String>,
    /// When the token expires, in seconds since the Unix epoch. `None`: never.
    pub expires_at: Option<u64>,
    /// The thumbprint of the key to which the token is bound (`cnf.jkt`, RFC 9449), for requests with DPoP proofs.
    pub key_thumbprint: Option<String>,
    /// All claims of the token.
    pub claims: Map<String, Value>,
}

impl AccessToken {
    /// Creates a token without scopes, audience and expiry.
    pub fn new() -> Self {
        Self::default()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("client_id", &self.client_id)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}
