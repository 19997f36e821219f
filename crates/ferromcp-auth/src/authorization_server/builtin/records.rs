//! The records of an [`AuthorizationStore`](super::AuthorizationStore). They contain no codes and tokens in plain text.
//!
//! A store can keep them as JSON, next to the columns by which it selects.

use serde::{Deserialize, Serialize};

use super::user::User;
use crate::authorization_server::client::RegisteredClient;
use crate::authorization_server::provider::AuthorizationRequest;
use crate::client_authentication::ClientAuthentication;

/// Maximum length of the name of a client in a pending authorization, in characters.
const MAX_NAME_CHARS: usize = 200;

/// An authorization request that waits for the login and the consent of the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PendingAuthorization {
    /// The validated request.
    pub request: AuthorizationRequest,
    /// The name of the client at the time of the request. Clients with metadata documents are not in the store
    /// otherwise.
    pub client_name: Option<String>,
    /// Whether the ID of the client is the URL of a client ID metadata document.
    pub is_metadata_document: bool,
    /// Whether the client does not authenticate.
    pub is_public_client: bool,
    /// Whether the user has consented, and logs in at another server now.
    pub is_approved: bool,
    /// The scopes that the user has selected. `None`: all requested scopes.
    pub selected_scopes: Option<Vec<String>>,
    /// When the request expires, in seconds since the Unix epoch.
    pub expires_at: u64,
}

/// What a user has granted to a client: the parent of its code and of all tokens that result from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredGrant {
    /// The random ID.
    pub id: String,
    /// The issuer of the tokens.
    pub issuer: String,
    /// The ID of the client.
    pub client_id: String,
    /// The user, or the client if it acts for itself.
    pub user: User,
    /// The granted scopes.
    pub scopes: Vec<String>,
    /// The resource (RFC 8707): the audience of the tokens.
    pub resource: String,
    /// When the grant was created, in seconds since the Unix epoch.
    pub created_at: u64,
    /// When its last code or token expires, in seconds since the Unix epoch.
    pub expires_at: u64,
}

/// An authorization code. Its key in the store is the SHA-256 digest of the code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredCode {
    /// The grant.
    pub grant_id: String,
    /// The request, with the redirect URI and the PKCE challenge to which the code is bound.
    pub request: AuthorizationRequest,
    /// When the code expires, in seconds since the Unix epoch.
    pub expires_at: u64,
    /// Whether the code was exchanged.
    pub is_used: bool,
}

/// An access token. Its key in the store is the SHA-256 digest of the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredAccessToken {
    /// The grant.
    pub grant_id: String,
    /// The scopes: those of the grant, or fewer.
    pub scopes: Vec<String>,
    /// The thumbprint of the key to which the token is bound (RFC 9449).
    pub key_thumbprint: Option<String>,
    /// When the token expires, in seconds since the Unix epoch.
    pub expires_at: u64,
}

/// A refresh token. Its key in the store is the SHA-256 digest of the token. It has the scopes of the grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredRefreshToken {
    /// The grant.
    pub grant_id: String,
    /// The thumbprint of the key to which the token is bound (RFC 9449).
    pub key_thumbprint: Option<String>,
    /// When the token expires, in seconds since the Unix epoch.
    pub expires_at: u64,
    /// The digest of the token that was exchanged for this one.
    pub parent: Option<String>,
    /// When the token was exchanged for another, in seconds since the Unix epoch.
    pub rotated_at: Option<u64>,
    /// The digest of the token that was issued in exchange for this one and was exchanged itself, so that the client
    /// has received it. The exchange of another token that was issued for this one is then a reuse.
    pub successor: Option<String>,
}

/// The tokens of one response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NewTokens {
    /// The grant to which both tokens belong.
    pub grant_id: String,
    /// The SHA-256 digest of the access token, and its record.
    pub access: (String, StoredAccessToken),
    /// The SHA-256 digest of the refresh token, and its record.
    pub refresh: Option<(String, StoredRefreshToken)>,
    /// The current time, in seconds since the Unix epoch.
    pub now: u64,
}

/// The consent of a user to a client, which is remembered for later authorizations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredConsent {
    /// The subject of the user.
    pub subject: String,
    /// The ID of the client.
    pub client_id: String,
    /// The redirect URI.
    pub redirect_uri: String,
    /// The resource (RFC 8707).
    pub resource: String,
    /// The scopes.
    pub scopes: Vec<String>,
    /// When the consent expires, in seconds since the Unix epoch.
    pub expires_at: u64,
}

/// A session of a browser. Its key in the store is the SHA-256 digest of the cookie.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BrowserSession {
    /// The user who has logged in.
    pub user: User,
    /// When the session expires, in seconds since the Unix epoch.
    pub expires_at: u64,
}

/// The result of [`AuthorizationStore::take_code`](super::AuthorizationStore::take_code).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum CodeRedemption {
    /// The code was not used before. It is marked as used now.
    Consumed(Box<(StoredGrant, StoredCode)>),
    /// The code was used before.
    AlreadyUsed {
        /// The grant, which must be revoked.
        grant_id: String,
    },
    /// The code does not exist.
    Unknown,
}

/// The result of [`AuthorizationStore::rotate_refresh_token`](super::AuthorizationStore::rotate_refresh_token).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshRotation {
    /// The new tokens are stored.
    Rotated,
    /// The token was exchanged before, and the grace time has ended. The new tokens are not stored.
    Reused {
        /// The grant, which must be revoked.
        grant_id: String,
    },
    /// The token or its grant does not exist. The new tokens are not stored.
    Unknown,
}

impl PendingAuthorization {
    /// Creates the record of a request. A long name of the client is cut.
    pub(super) fn new(request: AuthorizationRequest, client: &RegisteredClient, expires_at: u64) -> Self {
        let name = client.client_name.as_deref().map(str::trim).filter(|name| !name.is_empty());
        Self {
            request,
            client_name: name.map(|name| name.chars().take(MAX_NAME_CHARS).collect()),
            is_metadata_document: client.is_metadata_document,
            is_public_client: client.auth_method == ClientAuthentication::None,
            is_approved: false,
            selected_scopes: None,
            expires_at,
        }
    }

    /// Returns the scopes that are granted if the user consents.
    pub fn granted_scopes(&self) -> &[String] {
        self.selected_scopes.as_deref().unwrap_or(&self.request.scopes)
    }
}

impl StoredConsent {
    /// Returns whether the consent includes these scopes.
    pub fn includes(&self, scopes: &[String]) -> bool {
        scopes.iter().all(|scope| self.scopes.contains(scope))
    }
}

impl StoredRefreshToken {
    /// Returns whether the token may be exchanged at this time: it was not exchanged before, or its exchange was so
    /// recent that the client may have lost the response.
    pub fn is_exchangeable(&self, now: u64, grace_seconds: u64) -> bool {
        match self.rotated_at {
            None => true,
            Some(rotated_at) => self.successor.is_none() && now < rotated_at.saturating_add(grace_seconds),
        }
    }

    /// Records that the token is exchanged for new tokens. It then expires with the new refresh token, so that the exchange
    /// of another token that was issued for it is detected until that token expires too.
    pub fn mark_rotated(&mut self, tokens: &NewTokens) {
        self.rotated_at.get_or_insert(tokens.now);
        if let Some((_, refresh)) = &tokens.refresh {
            self.expires_at = self.expires_at.max(refresh.expires_at);
        }
    }

    /// Returns whether a token other than the one with this digest, which were both issued in exchange for this one,
    /// was exchanged before: two parties have received a response.
    pub fn has_other_successor(&self, digest: &str) -> bool {
        self.successor.as_deref().is_some_and(|successor| successor != digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorization_server::builtin::testing;
    use crate::authorization_server::client_secret::ClientSecretDigest;

    #[test]
    fn records_survive_serialization() {
        let mut client = RegisteredClient::new("c", ["https://c.example/cb"]);
        client.client_secret = Some(ClientSecretDigest::of("s3cret"));
        client.auth_method = ClientAuthentication::PrivateKeyJwt;
        client.jwks = Some(serde_json::json!({ "keys": [] }));
        let json = serde_json::to_string(&client).unwrap();
        assert!(!json.contains("s3cret") && json.contains("private_key_jwt"), "{json}");
        assert!(serde_json::from_str::<RegisteredClient>(&json).unwrap() == client);

        let grant = testing::grant("g", "c", "ada");
        assert_eq!(serde_json::from_str::<StoredGrant>(&serde_json::to_string(&grant).unwrap()).unwrap(), grant);
        let pending = PendingAuthorization { is_approved: true, ..testing::pending() };
        let json = serde_json::to_string(&pending).unwrap();
        assert_eq!(serde_json::from_str::<PendingAuthorization>(&json).unwrap(), pending);
    }

    #[test]
    fn records_of_earlier_versions_are_readable() {
        // The formats of 0.1. Stores contain them: a field that is added later needs a default.
        fn read<T: serde::de::DeserializeOwned>(json: &str) -> T {
            serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))
        }
        let request = r#"{"client_id":"c","state":null,"scopes":["read"],"code_challenge":"x","redirect_uri":"https://c.example/cb","is_redirect_uri_explicit":true,"resource":"https://as.example/mcp","issuer":"https://as.example","key_thumbprint":null}"#;
        let user = r#"{"subject":"ada","name":null,"claims":{"email":"ada@example.com"},"reference":null}"#;
        read::<RegisteredClient>(
            r#"{"client_id":"c","client_secret":null,"issued_at":1,"secret_expires_at":null,"redirect_uris":["https://c.example/cb"],"client_name":null,"client_uri":null,"scopes":null,"grant_types":["authorization_code"],"auth_method":"none","application_type":null,"jwks":null,"jwks_uri":null,"requires_dpop":false,"is_metadata_document":false,"is_dynamically_registered":true}"#,
        );
        read::<PendingAuthorization>(&format!(
            r#"{{"request":{request},"client_name":null,"is_metadata_document":false,"is_public_client":true,"is_approved":false,"expires_at":1}}"#
        ));
        read::<StoredGrant>(&format!(
            r#"{{"id":"g","issuer":"https://as.example","client_id":"c","user":{user},"scopes":["read"],"resource":"https://as.example/mcp","created_at":1,"expires_at":1}}"#
        ));
        read::<StoredCode>(&format!(r#"{{"grant_id":"g","request":{request},"expires_at":1,"is_used":false}}"#));
        read::<StoredAccessToken>(r#"{"grant_id":"g","scopes":["read"],"key_thumbprint":null,"expires_at":1}"#);
        read::<StoredRefreshToken>(
            r#"{"grant_id":"g","key_thumbprint":null,"expires_at":1,"parent":null,"rotated_at":null,"successor":null}"#,
        );
        read::<StoredConsent>(
            r#"{"subject":"ada","client_id":"c","redirect_uri":"https://c.example/cb","resource":"https://as.example/mcp","scopes":["read"],"expires_at":1}"#,
        );
        read::<BrowserSession>(&format!(r#"{{"user":{user},"expires_at":1}}"#));
    }

    #[test]
    fn grace_time_ends_when_the_successor_is_used() {
        let (_, mut token) = testing::tokens("g", "a", Some("r")).refresh.unwrap();
        assert!(token.is_exchangeable(u64::MAX, 0));
        token.rotated_at = Some(100);
        for (now, grace, expected) in [(100, 0, false), (100, 10, true), (109, 10, true), (110, 10, false)] {
            assert_eq!(token.is_exchangeable(now, grace), expected, "{now} {grace}");
        }
        token.successor = Some("next".to_owned());
        assert!(!token.is_exchangeable(100, 10));
        assert!(token.has_other_successor("sibling") && !token.has_other_successor("next"));
    }
}
