//! [`Rejection`]: why a request is rejected, and the response: RFC 6750, section 3.1.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use serde_json::json;

use super::challenge::{challenge, description};
use super::credentials::Scheme;
use crate::dpop_headers::NONCE_HEADER;
use crate::jwt::ALGORITHM_NAMES;

/// When a client retries if a token cannot be verified now, in seconds.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// A rejected request.
#[derive(Debug)]
pub(super) struct Rejection {
    pub(super) kind: RejectionKind,
    /// The scheme of the request.
    pub(super) scheme: Scheme,
    pub(super) description: String,
    /// The scopes that the client needs, separated by spaces.
    pub(super) scopes: String,
    /// The nonce for the next proof.
    pub(super) nonce: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RejectionKind {
    /// The request has no credentials.
    NoCredentials,
    /// The credentials are malformed.
    InvalidRequest,
    InvalidToken,
    InsufficientScope,
    InvalidProof,
    UseNonce,
    /// The token cannot be verified now.
    Unavailable,
}

/// The parts of a challenge that are the same for all requests.
#[derive(Debug)]
pub(super) struct ChallengeContext {
    /// The URL of the metadata.
    pub(super) metadata_url: String,
    pub(super) accepts_bearer: bool,
    pub(super) accepts_dpop: bool,
}

impl RejectionKind {
    fn status(self) -> StatusCode {
        match self {
            Self::NoCredentials | Self::InvalidToken | Self::InvalidProof | Self::UseNonce => StatusCode::UNAUTHORIZED,
            Self::InvalidRequest => StatusCode::BAD_REQUEST,
            Self::InsufficientScope => StatusCode::FORBIDDEN,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Returns the code in the body. A challenge without credentials has no code.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::NoCredentials => "unauthorized",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::InvalidProof => "invalid_dpop_proof",
            Self::UseNonce => "use_dpop_nonce",
            Self::Unavailable => "temporarily_unavailable",
        }
    }
}

impl Rejection {
    /// Returns the response.
    pub(super) fn response(&self, context: &ChallengeContext) -> Response<Bytes> {
        let body = json!({ "error": self.kind.code(), "error_description": description(&self.description) });
        let mut response = Response::new(Bytes::from(body.to_string()));
        *response.status_mut() = self.kind.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.kind == RejectionKind::Unavailable {
            headers.insert(RETRY_AFTER, RETRY_SECONDS);
            return response;
        }
        for challenge in context.challenges(self) {
            headers.append(WWW_AUTHENTICATE, challenge);
        }
        if let Some(nonce) = self.nonce.as_deref().and_then(|nonce| HeaderValue::from_str(nonce).ok()) {
            headers.insert(NONCE_HEADER, nonce);
        }
        response
    }
}

impl ChallengeContext {
    /// Returns the challenge with the error for the scheme of the request, and offers DPoP where it is accepted.
    fn challenges(&self, rejection: &Rejection) -> Vec<HeaderValue> {
        let is_dpop = rejection.scheme == Scheme::Dpop;
        let error = Some((rejection.kind, rejection.description.as_str()));
        let error = error.filter(|_| rejection.kind != RejectionKind::NoCredentials);
        let mut challenges = Vec::new();
        if self.accepts_bearer && !is_dpop {
            challenges.push(self.challenge(Scheme::Bearer, error, &rejection.scopes));
        }
        if self.accepts_dpop {
            let error = error.filter(|_| is_dpop || !self.accepts_bearer);
            challenges.push(self.challenge(Scheme::Dpop, error, &rejection.scopes));
        }
        challenges
    }

    /// Returns the challenge of a scheme.
    pub(super) fn challenge(&self, scheme: Scheme, error: Option<(RejectionKind, &str)>, scopes: &str) -> HeaderValue {
        let (code, text) = error.map_or(("", String::new()), |(kind, text)| (kind.code(), description(text)));
        let algorithms = if scheme == Scheme::Dpop { ALGORITHM_NAMES.join(" ") } else { String::new() };
        challenge(
            scheme.as_str(),
            &[
                ("error", code),
                ("error_description", &text),
                ("algs", &algorithms),
                ("resource_metadata", &self.metadata_url),
                ("scope", scopes),
            ],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejection(kind: RejectionKind, scheme: Scheme) -> Rejection {
        Rejection { kind, scheme, description: "why".to_owned(), scopes: "a b".to_owned(), nonce: None }
    }

    fn challenges(context: &ChallengeContext, rejection: &Rejection) -> Vec<String> {
        let response = rejection.response(context);
        let headers = response.headers().get_all(WWW_AUTHENTICATE).iter();
        headers.map(|header| header.to_str().unwrap().to_owned()).collect()
    }

    fn context(accepts_bearer: bool, accepts_dpop: bool) -> ChallengeContext {
        ChallengeContext { metadata_url: "https://h/m".to_owned(), accepts_bearer, accepts_dpop }
    }

    #[test]
    fn challenges_name_metadata_scopes_and_error() {
        // A-013, A-137, A-139, A-147
        let context = context(true, false);
        let common = r#"resource_metadata="https://h/m", scope="a b""#;
        assert_eq!(
            challenges(&context, &rejection(RejectionKind::NoCredentials, Scheme::Bearer)),
            [format!("Bearer {common}")]
        );
        assert_eq!(
            challenges(&context, &rejection(RejectionKind::InsufficientScope, Scheme::Bearer)),
            [format!(r#"Bearer error="insufficient_scope", error_description="why", {common}"#)]
        );
    }

    #[test]
    fn dpop_is_offered_with_its_algorithms() {
        // A-260
        let both = challenges(&context(true, true), &rejection(RejectionKind::InvalidToken, Scheme::Bearer));
        assert!(both[0].starts_with(r#"Bearer error="invalid_token""#) && both[1].starts_with(r#"DPoP algs="ES256 "#));
        let proof = challenges(&context(true, true), &rejection(RejectionKind::InvalidProof, Scheme::Dpop));
        assert!(proof.len() == 1 && proof[0].starts_with(r#"DPoP error="invalid_dpop_proof""#), "{proof:?}");
        let only = challenges(&context(false, true), &rejection(RejectionKind::InvalidToken, Scheme::Bearer));
        assert!(only.len() == 1 && only[0].starts_with(r#"DPoP error="invalid_token""#), "{only:?}");
    }

    #[test]
    fn outages_have_no_challenge() {
        let response = rejection(RejectionKind::Unavailable, Scheme::Bearer).response(&context(true, true));
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().contains_key(RETRY_AFTER) && !response.headers().contains_key(WWW_AUTHENTICATE));
    }
}
