//! The record of a store.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Secret;
use crate::client::consent::Consent;
use crate::client::registration::{ClientIdentity, IdentityOrigin};
use crate::client::token::Tokens;
use crate::client_authentication::ClientAuthentication;
use crate::scopes::Scopes;

/// The credentials for one MCP server: the registration of the client and its tokens. `Debug` omits secrets.
///
/// Serialization contains the secrets, for stores that encrypt or protect it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredCredentials {
    /// The issuer to which everything in the record belongs.
    pub(crate) issuer: String,
    /// The resource of the tokens.
    pub(crate) resource: String,
    /// The URL of the resource metadata that the MCP server named, if it is not at a well-known location.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) metadata_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client: Option<StoredClient>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tokens: Option<StoredTokens>,
    /// The requested scopes, separated by spaces, of which the granted ones may differ.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) requested: String,
    #[serde(default, skip_serializing_if = "Consent::is_unknown")]
    pub(crate) consent: Consent,
    /// The DPoP key to which the tokens are bound, in PKCS #8.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_secret")]
    pub(crate) dpop_key: Option<Secret>,
}

/// A registration.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredClient {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_secret")]
    secret: Option<Secret>,
    authentication: ClientAuthentication,
    origin: IdentityOrigin,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    redirect_uri: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<u64>,
}

/// Tokens.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredTokens {
    #[serde(with = "secret")]
    access: Secret,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_secret")]
    refresh: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<u64>,
    /// The granted scopes, separated by spaces.
    #[serde(default)]
    scope: String,
    #[serde(default)]
    dpop: bool,
}

impl StoredCredentials {
    /// Returns the issuer that issued the credentials.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns whether there is an access token, which may have expired.
    pub fn has_tokens(&self) -> bool {
        self.tokens.is_some()
    }

    /// Returns the granted scopes, separated by spaces.
    pub fn scope(&self) -> &str {
        self.tokens.as_ref().map_or("", |tokens| &tokens.scope)
    }

    /// Returns when the access token expires, in seconds since the Unix epoch; `None` if it is unknown.
    pub fn expires_at(&self) -> Option<u64> {
        self.tokens.as_ref().and_then(|tokens| tokens.expires_at)
    }
}

impl fmt::Debug for StoredCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredCredentials")
            .field("issuer", &self.issuer)
            .field("resource", &self.resource)
            .field("has_tokens", &self.has_tokens())
            .finish_non_exhaustive()
    }
}

impl From<&ClientIdentity> for StoredClient {
    fn from(client: &ClientIdentity) -> Self {
        let ClientIdentity { id, secret, authentication, origin, redirect_uri, expires_at } = client.clone();
        // A configured secret is not copied.
        let secret = secret.filter(|_| origin == IdentityOrigin::Registered);
        Self { id, secret, authentication, origin, redirect_uri, expires_at }
    }
}

impl From<StoredClient> for ClientIdentity {
    fn from(client: StoredClient) -> Self {
        let StoredClient { id, secret, authentication, origin, redirect_uri, expires_at } = client;
        Self { id, secret, authentication, origin, redirect_uri, expires_at }
    }
}

impl From<&Tokens> for StoredTokens {
    fn from(tokens: &Tokens) -> Self {
        Self {
            access: tokens.access.clone(),
            refresh: tokens.refresh.clone(),
            expires_at: tokens.expires_at,
            scope: tokens.scopes.as_ref().map(Scopes::to_string).unwrap_or_default(),
            dpop: tokens.is_dpop,
        }
    }
}

impl From<StoredTokens> for Tokens {
    fn from(tokens: StoredTokens) -> Self {
        let StoredTokens { access, refresh, expires_at, scope, dpop } = tokens;
        Self { access, refresh, expires_at, scopes: Some(Scopes::parse(&scope)), is_dpop: dpop }
    }
}

/// Serialization of secrets.
mod secret {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::Secret;

    pub(super) fn serialize<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.expose())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}

/// Serialization of optional secrets.
mod optional_secret {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::Secret;

    #[allow(clippy::ref_option, reason = "serde passes a reference to the field")]
    pub(super) fn serialize<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
        match secret {
            Some(secret) => serializer.serialize_str(secret.expose()),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map(Secret::new))
    }
}
