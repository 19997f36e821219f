//! The authorization endpoint.
//!
//! An error is sent to the redirect URI only after the client and the redirect URI were validated; before, it is a
//! page. For a client that described itself, it remains a page unless the redirect URI is on the device of the user.
//!
//! Spec: OAuth 2.1, section 4.1; RFC 8707; RFC 9207; RFC 9700, section 4.11.2.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};

use super::client::RegisteredClient;
use super::error::OAuthError;
use super::form::Parameters;
use super::grant_type::AUTHORIZATION_CODE;
use super::inner::Inner;
use super::provider::AuthorizationRequest;
use super::{redirect_uri, response};

/// The length of a SHA-256 digest in base64, for URLs: of a challenge and of a key thumbprint.
const DIGEST_LENGTH: usize = 43;

impl Inner {
    pub(super) async fn authorize(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let parameters = match *request.method() {
            Method::POST => Parameters::of_form(request.headers(), request.body()),
            _ => Parameters::parse(request.uri().query().unwrap_or_default().as_bytes()),
        };
        let parameters = match parameters {
            Ok(parameters) => parameters,
            Err(error) => return response::page(&error, None, request.headers()),
        };
        let state = parameters.get("state").ok().flatten();
        let (client, redirect_uri) = match self.redirect_target(&parameters).await {
            Ok(target) => target,
            Err(error) => return response::page(&error, state, request.headers()),
        };
        let (redirect_uri, is_redirect_uri_explicit) = redirect_uri;
        let mut authorization = AuthorizationRequest {
            client_id: client.client_id.clone(),
            state: state.map(str::to_owned),
            scopes: Vec::new(),
            required_scopes: Vec::new(),
            code_challenge: String::new(),
            redirect_uri,
            is_redirect_uri_explicit,
            resource: String::new(),
            issuer: self.options.issuer.clone(),
            key_thumbprint: None,
        };
        if let Err(error) = self.complete(&mut authorization, &client, &parameters) {
            return failure(&error, &client, &authorization, request.headers());
        }
        match self.provider.authorize(&client, authorization.clone()).await {
            Ok(url) => response::redirect(&url),
            Err(error) => failure(&error, &client, &authorization, request.headers()),
        }
    }

    /// Returns the client, and the redirect URI with whether it is in the request.
    ///
    /// # Errors
    /// The error must not be sent to the redirect URI of the request, which is not that of the client.
    async fn redirect_target(&self, parameters: &Parameters) -> Result<(RegisteredClient, (String, bool)), OAuthError> {
        let client_id = parameters.required("client_id")?;
        let client =
            self.client(client_id).await?.ok_or_else(|| OAuthError::invalid_client("the client is unknown"))?;
        let redirect_uri = redirect_uri::choose(&client.redirect_uris, parameters.get("redirect_uri")?)?;
        Ok((client, redirect_uri))
    }

    /// Validates the parameters other than the client and the redirect URI.
    fn complete(
        &self,
        request: &mut AuthorizationRequest,
        client: &RegisteredClient,
        parameters: &Parameters,
    ) -> Result<(), OAuthError> {
        parameters.check_repetition()?;
        if let Err(error) = parameters.check_lengths() {
            request.state = None;
            return Err(error);
        }
        match parameters.required("response_type")? {
            "code" => {}
            _ => return Err(OAuthError::unsupported_response_type("the response type is not supported; use `code`")),
        }
        if parameters.get("response_mode")?.is_some_and(|mode| mode != "query") {
            return Err(OAuthError::invalid_request("the response mode is not supported; use `query`"));
        }
        if parameters.get("request")?.is_some() || parameters.get("request_uri")?.is_some() {
            return Err(OAuthError::invalid_request("request objects are not supported"));
        }
        if !client.allows_grant(AUTHORIZATION_CODE) {
            return Err(OAuthError::unauthorized_client("the client may not use the authorization code grant"));
        }
        challenge(parameters)?.clone_into(&mut request.code_challenge);
        request.resource = self.resource(parameters.get("resource")?)?;
        request.scopes = self.scopes.requested(client, parameters.get("scope")?)?;
        request.required_scopes = self.scopes.required_of(&request.scopes);
        if let Some(thumbprint) = parameters.get("dpop_jkt")? {
            if !is_digest(thumbprint) {
                return Err(OAuthError::invalid_request("the parameter `dpop_jkt` is not a SHA-256 thumbprint"));
            }
            request.key_thumbprint = Some(thumbprint.to_owned());
        }
        Ok(())
    }
}

/// Returns an error of a request whose client and redirect URI are valid: a redirect, or a page.
fn failure(
    error: &OAuthError,
    client: &RegisteredClient,
    authorization: &AuthorizationRequest,
    headers: &HeaderMap,
) -> Response<Bytes> {
    if client.has_trusted_redirect(&authorization.redirect_uri) {
        response::log(error);
        return response::redirect(&authorization.error_url(error));
    }
    response::page(error, authorization.state.as_deref(), headers)
}

/// Returns the PKCE challenge. Without a method, it would be a plain one (RFC 7636, section 4.3), which is not
/// supported.
fn challenge(parameters: &Parameters) -> Result<&str, OAuthError> {
    let challenge = parameters
        .get("code_challenge")?
        .ok_or_else(|| OAuthError::invalid_request("PKCE is required: the parameter `code_challenge` is missing"))?;
    if parameters.get("code_challenge_method")? != Some("S256") {
        return Err(OAuthError::invalid_request("the parameter `code_challenge_method` must be `S256`"));
    }
    if !is_digest(challenge) {
        return Err(OAuthError::invalid_request("the parameter `code_challenge` is not a SHA-256 digest in base64url"));
    }
    Ok(challenge)
}

fn is_digest(text: &str) -> bool {
    text.len() == DIGEST_LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_pkce_downgrade_at_the_authorization_endpoint() {
        let digest = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let parse = |query: String| Parameters::parse(query.as_bytes()).ok().unwrap();
        assert_eq!(challenge(&parse(format!("code_challenge={digest}&code_challenge_method=S256"))).unwrap(), digest);
        for query in [
            String::new(),
            "code_challenge_method=S256".to_owned(),
            format!("code_challenge={digest}"),
            format!("code_challenge={digest}&code_challenge_method=plain"),
            format!("code_challenge={digest}&code_challenge_method=s256"),
            format!("code_challenge={digest}=&code_challenge_method=S256"),
            "code_challenge=short&code_challenge_method=S256".to_owned(),
            format!("code_challenge={digest}&code_challenge={digest}&code_challenge_method=S256"),
        ] {
            assert_eq!(challenge(&parse(query.clone())).unwrap_err().code(), "invalid_request", "{query}");
        }
    }
}
