//! The revocation endpoint: RFC 7009.

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};

use super::error::OAuthError;
use super::form::Parameters;
use super::inner::Inner;
use super::{client_auth, response};

impl Inner {
    pub(super) async fn revoke(&self, request: &Request<Bytes>) -> Response<Bytes> {
        match self.try_revoke(request.headers(), request.body()).await {
            Ok(()) => response::empty(StatusCode::OK),
            Err(error) => client_auth::error_response(&error, request.headers()),
        }
    }

    /// Revokes a token. An unknown token and that of another client are ignored, so that the response does not disclose
    /// which tokens exist.
    async fn try_revoke(&self, headers: &HeaderMap, body: &Bytes) -> Result<(), OAuthError> {
        let parameters = Parameters::of_form(headers, body)?;
        parameters.check_repetition()?;
        let client = self.authenticate(headers, &parameters).await?;
        self.provider.revoke_token(&client, parameters.required("token")?).await
    }
}
