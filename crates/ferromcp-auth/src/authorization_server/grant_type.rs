//! The grants of the token endpoint.

pub(super) const AUTHORIZATION_CODE: &str = "authorization_code";
pub(super) const REFRESH_TOKEN: &str = "refresh_token";
pub(super) const CLIENT_CREDENTIALS: &str = "client_credentials";
pub(super) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Returns whether a client that registers itself may use a grant. Client credentials are not among them: any program
/// could then obtain a token without a user.
pub(super) fn is_open_grant(grant: &str) -> bool {
    matches!(grant, AUTHORIZATION_CODE | REFRESH_TOKEN | JWT_BEARER)
}
