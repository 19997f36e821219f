//! [`ResourceServer`]: authorizes the requests for an MCP server.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use ferromcp_core::RawJson;
use ferromcp_core::text::excerpt;
use ferromcp_server::Principal;
use ferromcp_server::http::{AuthorizationFuture, HttpAuthorization, ScopeChallenge};
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response};

use super::audience::Audiences;
use super::credentials::{Credentials, Scheme};
use super::metadata::Metadata;
use super::rejection::{ChallengeContext, Rejection, RejectionKind};
use super::scope_rules::ScopeRules;
use crate::access_token::AccessToken;
use crate::clock::now;
use crate::dpop_proof::{DpopError, DpopVerifier};
use crate::random::sha256_base64;
use crate::token_verifier::{TokenVerifier, VerifyError};
use crate::verified_token::VerifiedToken;

/// The clock difference that is tolerated when the expiry of a token is checked, in seconds.
const CLOCK_SKEW_SECONDS: u64 = 60;

/// Verifies the access token of each request, and serves the metadata of the protected resource (RFC 9728).
///
/// A token must have been issued for this server: its audience must be the URL of the server, or one that is
/// [configured](super::ResourceServerBuilder::audience). The [`Principal`] does not disclose the token, and handlers cannot
/// read its header. Behind the layer, the `Authorization` header stays in the request: a service must not send it to other
/// services.
///
/// While a stream of an MCP endpoint is open, its token is verified again every minute, without the proof. The stream ends
/// when the token expires, is revoked or loses a scope, but not if it cannot be verified at that time.
///
/// It is the authorization of an HTTP endpoint ([`HttpAuthorization`]), or a [`tower_layer::Layer`] for other
/// frameworks. Cloning is cheap.
#[derive(Clone)]
pub struct ResourceServer(Arc<Inner>);

pub(super) struct Inner {
    /// Distinguishes resource servers with the same verifier.
    pub(super) id: u64,
    pub(super) resource: String,
    pub(super) verifier: Arc<dyn TokenVerifier>,
    pub(super) audiences: Audiences,
    pub(super) scopes: ScopeRules,
    pub(super) metadata: Metadata,
    pub(super) challenge: ChallengeContext,
    pub(super) dpop: Option<DpopVerifier>,
}

impl ResourceServer {
    pub(super) fn from_inner(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// Returns the identifier of the resource, in canonical form.
    pub fn resource(&self) -> &str {
        &self.0.resource
    }

    /// Returns the URL of the metadata.
    pub fn metadata_url(&self) -> &str {
        &self.0.challenge.metadata_url
    }

    pub(super) fn metadata_response(&self, method: &Method) -> Response<Bytes> {
        self.0.metadata.respond(method)
    }

    /// Creates the challenges for operations that require further scopes than those of the token.
    fn scope_challenge(&self, scheme: Scheme, token: VerifiedToken) -> ScopeChallenge {
        let inner = Arc::clone(&self.0);
        ScopeChallenge::new(move |required| inner.operation_challenge(scheme, &token.scopes, required))
    }
}

impl Inner {
    /// Checks the credentials of a request. Returns how the token was presented, its text, and what it grants.
    async fn verify<'a>(&self, parts: &'a Parts) -> Result<(Scheme, &'a str, VerifiedToken), Rejection> {
        let (scheme, text) = match Credentials::parse(&parts.headers) {
            Credentials::Token(Scheme::Dpop, _) if self.dpop.is_none() => return Err(self.no_credentials()),
            Credentials::Token(scheme, text) => (scheme, text),
            Credentials::Absent => return Err(self.no_credentials()),
            Credentials::Malformed(problem) => {
                return Err(self.rejection(RejectionKind::InvalidRequest, Scheme::Bearer, problem));
            }
        };
        let invalid = |text: &str| self.rejection(RejectionKind::InvalidToken, scheme, text);
        let token = self.verifier.verify(text).await.map_err(|error| match error {
            VerifyError::Invalid(text) => invalid(&text),
            VerifyError::Unavailable(text) => self.rejection(RejectionKind::Unavailable, scheme, &text),
        })?;
        self.check_token(&token).map_err(invalid)?;
        match (scheme, &token.key_thumbprint) {
            (Scheme::Bearer, Some(_)) => return Err(invalid("the token is bound to a key; send it with DPoP")),
            (Scheme::Bearer, None) if !self.challenge.accepts_bearer => {
                return Err(invalid("the token must be bound to a key (DPoP)"));
            }
            (Scheme::Bearer, None) => {}
            (Scheme::Dpop, None) => return Err(invalid("the token is not bound to a key")),
            (Scheme::Dpop, Some(thumbprint)) => self.check_proof(parts, text, thumbprint)?,
        }
        Ok((scheme, text, token))
    }

    /// Checks the expiry and the audience of a verified token.
    fn check_token(&self, token: &AccessToken) -> Result<(), &'static str> {
        if token.expires_at.is_some_and(|expires_at| now() >= expires_at.saturating_add(CLOCK_SKEW_SECONDS)) {
            return Err("the token has expired");
        }
        if !self.audiences.accept(&token.audiences) {
            tracing::debug!(
                expected = %self.resource,
                found = %excerpt(&token.audiences.join(" ")),
                "the token was issued for another audience"
            );
            return Err("the token was not issued for this server (`aud`)");
        }
        Ok(())
    }

    /// Returns whether a token of an accepted request is still valid and still grants these scopes. Also true if it cannot be
    /// verified now. A proof is not checked: it was used with the request.
    async fn is_still_valid(&self, token: &str, granted: &[String]) -> bool {
        let checked = match self.verifier.verify(token).await {
            Ok(token) if !granted.iter().all(|scope| token.scopes.contains(scope)) => {
                Err("the token no longer grants a scope")
            }
            Ok(token) => self.check_token(&token),
            Err(VerifyError::Invalid(_)) => Err("the token has expired or was revoked"),
            Err(VerifyError::Unavailable(_)) => Ok(()),
        };
        checked.inspect_err(|reason| tracing::debug!(reason, "ending a stream whose token was checked again")).is_ok()
    }

    /// Checks the proof of a request. Its URL is the configured one: that of the request is not known for certain.
    fn check_proof(&self, parts: &Parts, token: &str, thumbprint: &str) -> Result<(), Rejection> {
        let Some(verifier) = &self.dpop else { return Err(self.no_credentials()) };
        let checked = verifier.check(&parts.headers, parts.method.as_str(), &self.resource, Some(token));
        let checked = checked.and_then(|proof| {
            if proof.thumbprint != thumbprint {
                return Err(DpopError::Invalid("the proof is of another key than that of the token".to_owned()));
            }
            verifier.consume(&proof)
        });
        checked.map_err(|error| {
            let (kind, text) = match &error {
                DpopError::Missing => (RejectionKind::InvalidProof, "the request has no proof (DPoP header)"),
                DpopError::Invalid(text) => (RejectionKind::InvalidProof, text.as_str()),
                DpopError::UseNonce => (RejectionKind::UseNonce, "the proof must contain the nonce of this response"),
            };
            Rejection { nonce: verifier.nonce(), ..self.rejection(kind, Scheme::Dpop, text) }
        })
    }

    /// Returns the challenge of an operation that requires further scopes.
    fn operation_challenge(&self, scheme: Scheme, granted: &[String], required: &[&str]) -> HeaderValue {
        tracing::debug!(?required, ?granted, "an operation requires further scopes");
        let scopes = self.scopes.challenge(required, granted).join(" ");
        let text = "the operation requires further scopes";
        self.challenge.challenge(scheme, Some((RejectionKind::InsufficientScope, text)), &scopes)
    }

    /// Returns the principal of a token.
    fn principal(&self, token: &VerifiedToken, text: &str) -> Principal {
        let create = |digest| principal(token, self.scopes.expand(&token.scopes), digest);
        if token.subject.is_none() && token.client_id.is_none() {
            // The digest distinguishes tokens that name neither a user nor a client.
            return create(Some(&sha256_base64(text.as_bytes())));
        }
        token.principal(self.id, || create(None))
    }

    fn no_credentials(&self) -> Rejection {
        let text = "send an access token in the Authorization header";
        self.rejection(RejectionKind::NoCredentials, Scheme::Bearer, text)
    }

    fn rejection(&self, kind: RejectionKind, scheme: Scheme, description: &str) -> Rejection {
        let scopes = self.scopes.challenge(&[], &[]).join(" ");
        Rejection { kind, scheme, description: description.to_owned(), scopes, nonce: None }
    }
}

impl HttpAuthorization for ResourceServer {
    fn authorize<'a>(&'a self, request: &'a mut Parts) -> AuthorizationFuture<'a, Result<(), Response<Bytes>>> {
        Box::pin(async move {
            let inner = &*self.0;
            let (scheme, text, token) = inner.verify(request).await.map_err(|rejection| {
                let (error, reason) = (rejection.kind.code(), excerpt(&rejection.description));
                tracing::debug!(error, %reason, "rejected a request");
                rejection.response(&inner.challenge)
            })?;
            let principal = inner.principal(&token, text);
            if !inner.scopes.is_sufficient(principal.scopes()) {
                let (required, granted) = (&inner.scopes.required, &token.scopes);
                tracing::debug!(?required, ?granted, "rejected a request: insufficient scope");
                let text = "each request requires further scopes";
                let rejection = inner.rejection(RejectionKind::InsufficientScope, scheme, text);
                let scopes = inner.scopes.challenge(&[], granted).join(" ");
                return Err(Rejection { scopes, ..rejection }.response(&inner.challenge));
            }
            // The header shares the memory of the request, so that the token is not copied.
            let (this, verified, header) = (self.clone(), token.clone(), request.headers.get(AUTHORIZATION).cloned());
            let principal = principal.with_validity_check(move || {
                let (this, verified, header) = (this.clone(), verified.clone(), header.clone());
                async move {
                    match header.as_ref().map(Credentials::parse_value) {
                        Some(Credentials::Token(_, text)) => this.0.is_still_valid(text, &verified.scopes).await,
                        _ => false,
                    }
                }
            });
            request.extensions.insert(principal);
            request.extensions.insert(self.scope_challenge(scheme, token));
            Ok(())
        })
    }

    fn is_route(&self, path: &str) -> bool {
        self.0.metadata.is_at(path)
    }

    fn respond(&self, request: Request<Bytes>) -> AuthorizationFuture<'_, Response<Bytes>> {
        Box::pin(async move { self.metadata_response(request.method()) })
    }
}

/// Creates the principal of a verified token.
fn principal(token: &AccessToken, scopes: Vec<String>, digest: Option<&str>) -> Principal {
    // A JSON array, so that different parts cannot result in the same text.
    let identity = match digest {
        None => serde_json::json!([token.issuer, token.subject, token.client_id]),
        Some(digest) => serde_json::json!([token.issuer, null, null, digest]),
    };
    let mut principal = Principal::new(identity.to_string()).with_scopes(scopes);
    if let Some(issuer) = &token.issuer {
        principal = principal.with_issuer(issuer);
    }
    if let Some(subject) = &token.subject {
        principal = principal.with_subject(subject);
    }
    if let Some(client_id) = &token.client_id {
        principal = principal.with_client_id(client_id);
    }
    let expiry = token
        .expires_at
        .and_then(|at| UNIX_EPOCH.checked_add(Duration::from_secs(at.saturating_add(CLOCK_SKEW_SECONDS))));
    if let Some(expiry) = expiry {
        principal = principal.with_expiry(expiry);
    }
    match RawJson::new(&token.claims) {
        Ok(claims) => principal.with_claims(claims),
        Err(_) => principal,
    }
}

impl fmt::Debug for ResourceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceServer").field("resource", &self.0.resource).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(issuer: Option<&str>, subject: Option<&str>, client_id: Option<&str>) -> String {
        let token = AccessToken {
            issuer: issuer.map(str::to_owned),
            subject: subject.map(str::to_owned),
            client_id: client_id.map(str::to_owned),
            ..AccessToken::default()
        };
        principal(&token, Vec::new(), None).identity().as_str().to_owned()
    }

    #[test]
    fn identities_are_unambiguous() {
        //
        let all = [
            identity(Some("i"), Some("s"), Some("c")),
            identity(Some("i"), Some("s\",\"c"), None),
            identity(Some("i"), Some("s"), None),
            identity(Some("i"), None, Some("s")),
            identity(Some("i"), Some("null"), None),
            identity(None, Some("i"), Some("s")),
        ];
        for (i, identity) in all.iter().enumerate() {
            assert!(!all[i + 1..].contains(identity), "{identity}");
        }
    }
    #[test]
    fn challenges_of_operations_keep_granted_scopes() {
        //
        let tokens = crate::resource_server::StaticTokens::new("https://h/mcp");
        let builder = ResourceServer::builder("https://h/mcp", tokens).authorization_server("https://as");
        let server = builder.required_scopes(["base"]).build().unwrap();
        let granted = ["base".to_owned(), "read".to_owned(), "offline_access".to_owned()];
        for _ in 0..2 {
            let header = server.0.operation_challenge(Scheme::Bearer, &granted, &["write", "delete"]);
            let expected = "Bearer error=\"insufficient_scope\", \
                            error_description=\"the operation requires further scopes\", \
                            resource_metadata=\"https://h/.well-known/oauth-protected-resource/mcp\", \
                            scope=\"base write delete read\"";
            assert_eq!(header, expected);
        }
    }
}
