//! [`ClientAuthentication`]: the methods of client authentication.

use serde::{Deserialize, Serialize};

/// How a client authenticates at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClientAuthentication {
    /// `none`: a public client.
    None,
    /// `client_secret_basic`: the secret in the `Authorization` header.
    ClientSecretBasic,
    /// `client_secret_post`: the secret in the form.
    ClientSecretPost,
    /// `private_key_jwt`: a signed assertion (RFC 7523).
    PrivateKeyJwt,
}

impl ClientAuthentication {
    /// Parses the name in metadata, such as `client_secret_basic`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "client_secret_basic" => Some(Self::ClientSecretBasic),
            "client_secret_post" => Some(Self::ClientSecretPost),
            "private_key_jwt" => Some(Self::PrivateKeyJwt),
            _ => None,
        }
    }

    /// Returns the name in metadata.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }
}
