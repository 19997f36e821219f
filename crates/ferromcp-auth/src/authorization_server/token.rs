//! The token endpoint.
//!
//! Spec: OAuth 2.1, section 3.2; RFC 8707; RFC 9449, section 5. Grants with assertions are in
//! [`assertion`](super::assertion).

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::client::RegisteredClient;
use super::error::OAuthError;
use super::form::Parameters;
use super::grant_type::{AUTHORIZATION_CODE, JWT_BEARER, REFRESH_TOKEN};
use super::inner::{Inner, is_same_resource};
use super::provider::{AuthorizationCode, IssuedTokens, TokenContext};
use super::{client_auth, response, scope};
use crate::client_authentication::ClientAuthentication;
use crate::clock::now;
use crate::dpop_headers::{NONCE_HEADER, PROOF_HEADER};
use crate::dpop_proof::{DpopError, Proof};
use crate::random::sha256_base64;

/// Lengths of a PKCE verifier: RFC 7636, section 4.1.
const VERIFIER_LENGTHS: std::ops::RangeInclusive<usize> = 43..=128;

impl Inner {
    pub(super) async fn token(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let headers = request.headers();
        let mut response = match self.try_token(headers, request.body()).await {
            Ok(document) => response::json(StatusCode::OK, &document),
            Err(error) => client_auth::error_response(&error, headers),
        };
        if headers.contains_key(PROOF_HEADER) {
            let nonce = self.dpop.nonce().and_then(|nonce| HeaderValue::from_str(&nonce).ok());
            response.headers_mut().extend(nonce.map(|nonce| (NONCE_HEADER, nonce)));
        }
        response
    }

    async fn try_token(&self, headers: &HeaderMap, body: &Bytes) -> Result<Value, OAuthError> {
        let parameters = Parameters::of_form(headers, body)?;
        parameters.check_repetition()?;
        let grant = parameters.required("grant_type")?;
        if !self.options.grant_types().contains(&grant) {
            return Err(OAuthError::unsupported_grant_type("the grant type is not supported"));
        }
        if grant == JWT_BEARER {
            return self.exchange_assertion(headers, &parameters).await;
        }
        // Before the client authenticates: a request without nonce is repeated, and an assertion can be used once only.
        let proof = self.check_proof(headers)?;
        let client = self.authenticate(headers, &parameters).await?;
        check_grant(&client, grant)?;
        check_has_proof(&client, proof.as_ref())?;
        match grant {
            AUTHORIZATION_CODE => self.exchange_code(&client, &parameters, proof).await,
            REFRESH_TOKEN => self.refresh(&client, &parameters, proof).await,
            _ => self.client_credentials(&client, &parameters, proof).await,
        }
    }

    /// Checks the proof of a request, and returns it; `None` without a proof. It is not used up, so that requests
    /// without a valid grant do not fill the memory; see [`use_proof`](Self::use_proof).
    ///
    /// # Errors
    /// Fails if the proof is invalid, or if it is missing although the server requires it.
    pub(super) fn check_proof(&self, headers: &HeaderMap) -> Result<Option<Proof>, OAuthError> {
        match self.dpop.check(headers, "POST", &self.token_endpoint, None) {
            Ok(proof) => Ok(Some(proof)),
            Err(DpopError::Missing) if !self.options.requires_dpop() => Ok(None),
            Err(error) => Err(proof_error(error)),
        }
    }

    /// Uses up the proof of a request whose grant is valid, and returns the thumbprint of its key.
    ///
    /// # Errors
    /// Fails if the proof was used before.
    pub(super) fn use_proof(&self, proof: Option<Proof>) -> Result<Option<String>, OAuthError> {
        let Some(proof) = proof else { return Ok(None) };
        self.dpop.consume(&proof).map_err(proof_error)?;
        Ok(Some(proof.thumbprint))
    }

    async fn exchange_code(
        &self,
        client: &RegisteredClient,
        parameters: &Parameters,
        proof: Option<Proof>,
    ) -> Result<Value, OAuthError> {
        let value = parameters.required("code")?;
        let code = self.provider.load_authorization_code(client, value).await?;
        let invalid = || OAuthError::invalid_grant("the authorization code is invalid, expired or already used");
        let code = code.filter(|code| code.request.client_id == client.client_id && code.expires_at > now());
        let code = code.ok_or_else(invalid)?;
        check_code(&code, parameters)?;
        if !is_key_of(code.request.key_thumbprint.as_deref(), proof.as_ref()) {
            return Err(OAuthError::invalid_grant("the code is bound to another DPoP key"));
        }
        let key = self.use_proof(proof)?;
        let context = self.context(code.request.resource.clone(), key);
        let tokens = self.provider.exchange_authorization_code(client, code, context.clone()).await?;
        Ok(success(&tokens, &context, client.allows_grant(REFRESH_TOKEN)))
    }

    async fn refresh(
        &self,
        client: &RegisteredClient,
        parameters: &Parameters,
        proof: Option<Proof>,
    ) -> Result<Value, OAuthError> {
        let value = parameters.required("refresh_token")?;
        let token = self.provider.load_refresh_token(client, value).await?;
        let token = token.filter(|token| {
            token.client_id == client.client_id && token.expires_at.is_none_or(|expires_at| expires_at > now())
        });
        let token =
            token.ok_or_else(|| OAuthError::invalid_grant("the refresh token is invalid, expired or revoked"))?;
        if !is_key_of(token.key_thumbprint.as_deref(), proof.as_ref()) {
            return Err(OAuthError::invalid_grant("the refresh token is bound to another DPoP key"));
        }
        check_resource(&token.resource, parameters)?;
        let scopes = scope::subset(&token.scopes, parameters.get("scope")?)?;
        let scopes = self.scopes.still_valid(client, scopes);
        let key = self.use_proof(proof)?;
        let context = self.context(token.resource.clone(), key);
        let tokens = self.provider.exchange_refresh_token(client, token, scopes, context.clone()).await?;
        Ok(success(&tokens, &context, true))
    }

    async fn client_credentials(
        &self,
        client: &RegisteredClient,
        parameters: &Parameters,
        proof: Option<Proof>,
    ) -> Result<Value, OAuthError> {
        if client.auth_method == ClientAuthentication::None {
            return Err(OAuthError::unauthorized_client("a public client may not use client credentials"));
        }
        let resource = self.resource(parameters.get("resource")?)?;
        let scopes = self.scopes.requested(client, parameters.get("scope")?)?;
        let key = self.use_proof(proof)?;
        let context = self.context(resource, key);
        let id = &client.client_id;
        let tokens = self.provider.issue_without_user(id, id.clone(), scopes, context.clone()).await?;
        Ok(success(&tokens, &context, false))
    }

    pub(super) fn context(&self, resource: String, key_thumbprint: Option<String>) -> TokenContext {
        TokenContext { issuer: self.options.issuer.clone(), resource, key_thumbprint }
    }
}

/// Fails if a client that requires DPoP sends no proof.
pub(super) fn check_has_proof(client: &RegisteredClient, proof: Option<&Proof>) -> Result<(), OAuthError> {
    if client.requires_dpop && proof.is_none() {
        return Err(proof_error(DpopError::Missing));
    }
    Ok(())
}

/// Returns whether a grant is bound to no key, or to that of the proof.
fn is_key_of(bound: Option<&str>, proof: Option<&Proof>) -> bool {
    bound.is_none_or(|bound| proof.is_some_and(|proof| proof.thumbprint == bound))
}

fn proof_error(error: DpopError) -> OAuthError {
    match error {
        DpopError::Missing => OAuthError::invalid_dpop_proof("a DPoP proof is required"),
        DpopError::Invalid(problem) => OAuthError::invalid_dpop_proof(problem),
        DpopError::UseNonce => OAuthError::use_dpop_nonce("the DPoP proof must contain the nonce"),
    }
}

/// Fails if the client may not use a grant.
pub(super) fn check_grant(client: &RegisteredClient, grant: &str) -> Result<(), OAuthError> {
    if client.allows_grant(grant) {
        return Ok(());
    }
    Err(OAuthError::unauthorized_client("the client is not registered for this grant type"))
}

/// Checks a token request against the authorization request of its code.
fn check_code(code: &AuthorizationCode, parameters: &Parameters) -> Result<(), OAuthError> {
    let redirect_uri = parameters.get("redirect_uri")?;
    let is_same = match redirect_uri {
        Some(redirect_uri) => redirect_uri == code.request.redirect_uri,
        None => !code.request.is_redirect_uri_explicit,
    };
    if !is_same {
        return Err(OAuthError::invalid_grant("the `redirect_uri` is not that of the authorization request"));
    }
    let verifier = parameters.get("code_verifier")?;
    if !verifier.is_some_and(|verifier| is_verifier_of(verifier, &code.request.code_challenge)) {
        return Err(OAuthError::invalid_grant("the `code_verifier` is missing or wrong"));
    }
    check_resource(&code.request.resource, parameters)
}

/// Returns whether a PKCE verifier has this challenge. No verifier fits a code without a challenge.
fn is_verifier_of(verifier: &str, challenge: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    VERIFIER_LENGTHS.contains(&verifier.len())
        && verifier.bytes().all(is_allowed)
        && sha256_base64(verifier.as_bytes()) == challenge
}

/// Fails if the request names another resource than the one that was authorized.
fn check_resource(authorized: &str, parameters: &Parameters) -> Result<(), OAuthError> {
    if parameters.get("resource")?.is_some_and(|resource| !is_same_resource(authorized, resource)) {
        return Err(OAuthError::invalid_target("the resource is not the one that was authorized"));
    }
    Ok(())
}

/// Returns the token response.
pub(super) fn success(tokens: &IssuedTokens, context: &TokenContext, with_refresh_token: bool) -> Value {
    let token_type = if context.key_thumbprint.is_some() { "DPoP" } else { "Bearer" };
    let mut document = json!({ "access_token": tokens.access_token.expose(), "token_type": token_type });
    if let Some(seconds) = tokens.expires_in {
        document["expires_in"] = json!(seconds);
    }
    if let Some(token) = tokens.refresh_token.as_ref().filter(|_| with_refresh_token) {
        document["refresh_token"] = json!(token.expose());
    }
    if !tokens.scopes.is_empty() {
        document["scope"] = json!(tokens.scopes.join(" "));
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;
    use crate::authorization_server::AuthorizationRequest;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn check(code_challenge: &str, is_redirect_uri_explicit: bool, form: &str) -> Result<(), &'static str> {
        let request = AuthorizationRequest {
            client_id: "c".to_owned(),
            state: None,
            scopes: Vec::new(),
            required_scopes: Vec::new(),
            code_challenge: code_challenge.to_owned(),
            redirect_uri: "https://example.com/cb".to_owned(),
            is_redirect_uri_explicit,
            resource: "https://example.com/mcp".to_owned(),
            issuer: "https://example.com".to_owned(),
            key_thumbprint: None,
        };
        let code = AuthorizationCode::new(Secret::new("x"), request, "ada", u64::MAX);
        check_code(&code, &Parameters::parse(form.as_bytes()).ok().unwrap()).map_err(|error| error.code())
    }

    #[test]
    fn trap_pkce_downgrade_at_the_token_endpoint() {
        // A-099
        let uri = "redirect_uri=https://example.com/cb";
        assert_eq!(check(CHALLENGE, true, &format!("{uri}&code_verifier={VERIFIER}")), Ok(()));
        for (challenge, verifier) in [
            (CHALLENGE, ""),
            (CHALLENGE, CHALLENGE),
            (CHALLENGE, "short"),
            ("", VERIFIER),
            ("", ""),
            // A plain challenge.
            (VERIFIER, VERIFIER),
        ] {
            let form = format!("{uri}&code_verifier={verifier}");
            assert_eq!(check(challenge, true, &form), Err("invalid_grant"), "{challenge} {verifier}");
        }
        let long = "x".repeat(129);
        assert!(!is_verifier_of(&long, &sha256_base64(long.as_bytes())));
    }

    #[test]
    fn codes_are_bound_to_redirect_uri_and_resource() {
        // A-107, A-125
        let verifier = format!("code_verifier={VERIFIER}");
        for (is_explicit, form, expected) in [
            (false, "", Ok(())),
            (false, "redirect_uri=https://example.com/cb", Ok(())),
            (false, "redirect_uri=https://example.com/cb/", Err("invalid_grant")),
            (true, "", Err("invalid_grant")),
            (true, "redirect_uri=https://evil.com/cb", Err("invalid_grant")),
            (true, "redirect_uri=https://example.com/cb&resource=https://example.com/mcp", Ok(())),
            (true, "redirect_uri=https://example.com/cb&resource=https://other.com/mcp", Err("invalid_target")),
        ] {
            assert_eq!(check(CHALLENGE, is_explicit, &format!("{verifier}&{form}")), expected, "{form}");
        }
    }

    #[test]
    fn responses_name_type_and_scopes() {
        // A-123, A-264
        let mut tokens = IssuedTokens::new(Secret::new("a"), vec!["x".to_owned(), "y".to_owned()]);
        tokens.refresh_token = Some(Secret::new("r"));
        tokens.expires_in = Some(60);
        let mut context = TokenContext { issuer: String::new(), resource: String::new(), key_thumbprint: None };
        let document = success(&tokens, &context, true);
        let expected = json!({
            "access_token": "a", "token_type": "Bearer", "expires_in": 60, "refresh_token": "r", "scope": "x y",
        });
        assert_eq!(document, expected);
        context.key_thumbprint = Some("k".to_owned());
        let document = success(&tokens, &context, false);
        assert_eq!(document["token_type"], "DPoP");
        assert_eq!(document.get("refresh_token"), None);
    }
}
