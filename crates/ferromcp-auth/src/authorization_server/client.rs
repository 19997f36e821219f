//! Clients that are known to the authorization server.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::client_secret::ClientSecretDigest;
use super::redirect_uri::is_local;
use crate::client_authentication::ClientAuthentication;

/// A client: registered by the operator, dynamically (RFC 7591), or described by a client ID metadata document.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RegisteredClient {
    /// The ID.
    pub client_id: String,
    /// The digest of the secret of a confidential client.
    #[serde(default)]
    pub client_secret: Option<ClientSecretDigest>,
    /// When the ID was issued, in seconds since the Unix epoch.
    pub issued_at: u64,
    /// When the secret expires, in seconds since the Unix epoch. `None`: never.
    pub secret_expires_at: Option<u64>,
    /// The redirect URIs. Only the port of a loopback address may differ.
    pub redirect_uris: Vec<String>,
    /// The name that the consent page shows.
    pub client_name: Option<String>,
    /// The home page.
    pub client_uri: Option<String>,
    /// The scopes that the client may request. `None`: all valid scopes of the server.
    pub scopes: Option<Vec<String>>,
    /// The grants that the client may use, such as `authorization_code`.
    pub grant_types: Vec<String>,
    /// How the client authenticates.
    pub auth_method: ClientAuthentication,
    /// `native` or `web`, if the client declares it.
    pub application_type: Option<String>,
    /// The public keys of a client with `private_key_jwt`: a JSON Web Key Set.
    pub jwks: Option<Value>,
    /// The URL of the public keys of a client with `private_key_jwt`.
    pub jwks_uri: Option<String>,
    /// Whether the client accepts only tokens that are bound to a key (RFC 9449).
    pub requires_dpop: bool,
    /// Whether the ID is the URL of a client ID metadata document.
    pub is_metadata_document: bool,
    /// Whether the client was registered dynamically (RFC 7591), and not by the operator. Stores must keep it: such
    /// clients have lower limits.
    #[serde(default)]
    pub is_dynamically_registered: bool,
}

impl RegisteredClient {
    /// Creates a public client with the authorization code grant and refresh tokens.
    pub fn new(client_id: impl Into<String>, redirect_uris: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            client_id: client_id.into(),
            client_secret: None,
            issued_at: 0,
            secret_expires_at: None,
            redirect_uris: redirect_uris.into_iter().map(Into::into).collect(),
            client_name: None,
            client_uri: None,
            scopes: None,
            grant_types: vec!["authorization_code".to_owned(), "refresh_token".to_owned()],
            auth_method: ClientAuthentication::None,
            application_type: None,
            jwks: None,
            jwks_uri: None,
            requires_dpop: false,
            is_metadata_document: false,
            is_dynamically_registered: false,
        }
    }

    /// Returns whether the client described itself, so that its name, redirect URIs and keys are those of an unknown
    /// party.
    pub(super) fn is_self_described(&self) -> bool {
        self.is_metadata_document || self.is_dynamically_registered
    }

    /// Returns whether a response may be sent to a redirect URI of the client before the user acts. A link to this server
    /// would otherwise lead to any site that describes itself as a client (RFC 9700, section 4.11.2).
    pub(super) fn has_trusted_redirect(&self, redirect_uri: &str) -> bool {
        !self.is_self_described() || is_local(redirect_uri)
    }

    /// Returns whether the client may use a grant.
    pub fn allows_grant(&self, grant_type: &str) -> bool {
        self.grant_types.iter().any(|allowed| allowed == grant_type)
    }
}

impl fmt::Debug for RegisteredClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisteredClient")
            .field("client_id", &self.client_id)
            .field("client_name", &self.client_name)
            .field("redirect_uris", &self.redirect_uris)
            .field("auth_method", &self.auth_method)
            .finish_non_exhaustive()
    }
}
