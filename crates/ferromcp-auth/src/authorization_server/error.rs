//! Errors of the endpoints: RFC 6749, RFC 7591, RFC 8707, RFC 9449.

use std::fmt;

use http::StatusCode;

/// Maximum length of a description in a response, in characters.
const MAX_DESCRIPTION: usize = 300;

/// An error that is sent to a client: a code such as `invalid_grant`, and a description for its developer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthError {
    code: &'static str,
    description: String,
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        $(
            $(#[$doc])*
            pub fn $name(description: impl Into<String>) -> Self {
                Self { code: stringify!($name), description: description.into() }
            }
        )*
    };
}

impl OAuthError {
    constructors! {
        /// The request lacks a parameter, repeats one, or has an invalid one.
        invalid_request,
        /// The client is unknown, or its authentication failed.
        invalid_client,
        /// The code, refresh token or assertion is invalid, expired or revoked, or of another client.
        invalid_grant,
        /// The client may not use this grant.
        unauthorized_client,
        /// The server does not support this grant.
        unsupported_grant_type,
        /// The server does not support this response type.
        unsupported_response_type,
        /// A scope is unknown, or exceeds those of the client or of the refresh token.
        invalid_scope,
        /// The resource is not one of this server (RFC 8707).
        invalid_target,
        /// The user denied the authorization.
        access_denied,
        /// The server failed. The description is logged, and not sent.
        server_error,
        /// The server is overloaded or in maintenance.
        temporarily_unavailable,
        /// A redirect URI of a registration is not allowed (RFC 7591).
        invalid_redirect_uri,
        /// A field of a registration is invalid (RFC 7591).
        invalid_client_metadata,
        /// The DPoP proof is missing or invalid (RFC 9449).
        invalid_dpop_proof,
        /// The DPoP proof must contain the nonce of the response (RFC 9449).
        use_dpop_nonce,
    }

    /// Returns the code, such as `invalid_grant`.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// Returns the description.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Returns the description for a response: printable ASCII without quotes and backslashes (RFC 6749, section 5.2),
    /// of at most [`MAX_DESCRIPTION`] characters. That of `server_error` is not sent.
    pub(crate) fn public_description(&self) -> String {
        if self.code == "server_error" {
            return "the authorization server failed; try again later".to_owned();
        }
        let is_allowed = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
        self.description.chars().take(MAX_DESCRIPTION).map(|c| if is_allowed(c) { c } else { '\'' }).collect()
    }

    /// Returns the status of a response with this error.
    pub(crate) fn status(&self) -> StatusCode {
        match self.code {
            "invalid_client" => StatusCode::UNAUTHORIZED,
            "server_error" => StatusCode::INTERNAL_SERVER_ERROR,
            "temporarily_unavailable" => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.description)
    }
}

impl std::error::Error for OAuthError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_header_injection_through_error_description() {
        let error = OAuthError::invalid_request("bad `\"x\"`\r\nSet-Cookie: a=b\\ \u{e9}\u{202e}");
        assert_eq!(error.public_description(), "bad `'x'`''Set-Cookie: a=b' ''");
        let long = OAuthError::invalid_request("x".repeat(10_000)).public_description();
        assert_eq!(long.len(), MAX_DESCRIPTION);
    }

    #[test]
    fn description_of_server_errors_is_not_sent() {
        let error = OAuthError::server_error("postgres://user:s3cret@db");
        assert!(!error.public_description().contains("s3cret"));
        assert_eq!(error.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
