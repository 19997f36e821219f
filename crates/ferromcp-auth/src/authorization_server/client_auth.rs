//! Authentication of clients at the token and the revocation endpoint.
//!
//! Spec: OAuth 2.1, section 2.4; RFC 7523, section 3 (`private_key_jwt`).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::{Map, Value};

use super::client::RegisteredClient;
use super::error::OAuthError;
use super::form::Parameters;
use super::inner::Inner;
use super::response;
use crate::Secret;
use crate::client_authentication::ClientAuthentication;
use crate::clock::now;
use crate::jwt::{CompactToken, Expected, JwkSource, numeric_date, verify};
use crate::token_verifier::VerifyError;

/// The value of `client_assertion_type`.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Maximum lifetime of an assertion, in seconds, so that its use is not recorded for longer.
pub(super) const MAX_ASSERTION_SECONDS: u64 = 60 * 60;
/// Maximum lifetime of an assertion of a client that described itself, in seconds: each caller can create such clients, and
/// each use takes memory.
const MAX_SELF_DESCRIBED_SECONDS: u64 = 5 * 60;
/// The scheme and the realm of the challenge.
const CHALLENGE: &str = "Basic realm=\"token endpoint\", charset=\"UTF-8\"";

/// The credentials of a request.
enum Credentials<'a> {
    /// The ID only.
    None(&'a str),
    Basic {
        id: String,
        secret: Secret,
    },
    Post {
        id: &'a str,
        secret: &'a str,
    },
    Assertion {
        id: String,
        assertion: &'a str,
    },
}

impl Credentials<'_> {
    fn id(&self) -> &str {
        match self {
            Self::None(id) | Self::Post { id, .. } => id,
            Self::Basic { id, .. } | Self::Assertion { id, .. } => id,
        }
    }

    fn method(&self) -> ClientAuthentication {
        match self {
            Self::None(_) => ClientAuthentication::None,
            Self::Basic { .. } => ClientAuthentication::ClientSecretBasic,
            Self::Post { .. } => ClientAuthentication::ClientSecretPost,
            Self::Assertion { .. } => ClientAuthentication::PrivateKeyJwt,
        }
    }

    /// Reads the credentials of a request, which must use exactly one method.
    fn read<'a>(headers: &HeaderMap, parameters: &'a Parameters) -> Result<Credentials<'a>, OAuthError> {
        let id = parameters.get("client_id")?;
        let secret = parameters.get("client_secret")?;
        let assertion = parameters.get("client_assertion")?;
        let header = authorization(headers)?;
        let methods = [secret.is_some(), assertion.is_some(), header.is_some()];
        if methods.into_iter().filter(|is_used| *is_used).count() > 1 {
            return Err(OAuthError::invalid_request("the client uses more than one authentication method"));
        }
        let credentials = match (secret, assertion, header) {
            (None, None, Some((id, secret))) => Credentials::Basic { id, secret },
            (Some(secret), ..) => Credentials::Post { id: required(id)?, secret },
            (_, Some(assertion), _) => {
                if parameters.get("client_assertion_type")? != Some(ASSERTION_TYPE) {
                    return Err(OAuthError::invalid_client("the client assertion type is not supported"));
                }
                Credentials::Assertion { id: subject(assertion)?, assertion }
            }
            (None, None, None) => Credentials::None(required(id)?),
        };
        if id.is_some_and(|id| id != credentials.id()) {
            return Err(OAuthError::invalid_client("the client IDs of the request differ"));
        }
        Ok(credentials)
    }
}

fn required(id: Option<&str>) -> Result<&str, OAuthError> {
    id.ok_or_else(|| {
        OAuthError::invalid_client("the client is not authenticated; the parameter `client_id` is missing")
    })
}

/// Reads the ID and the secret of the `Authorization` header. Both halves are encoded as in a form (RFC 6749, section
/// 2.3.1).
fn authorization(headers: &HeaderMap) -> Result<Option<(String, Secret)>, OAuthError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(OAuthError::invalid_request("the request has several `Authorization` headers"));
    }
    let malformed =
        || OAuthError::invalid_client("the `Authorization` header does not contain valid `Basic` credentials");
    let (scheme, encoded) = value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(malformed());
    }
    let decoded = STANDARD.decode(encoded.trim()).map_err(|_| malformed())?;
    let decoded = zeroize::Zeroizing::new(String::from_utf8(decoded).map_err(|_| malformed())?);
    let (id, secret) = decoded.split_once(':').ok_or_else(malformed)?;
    Ok(Some((form_decoded(id), Secret::new(form_decoded(secret)))))
}

fn form_decoded(text: &str) -> String {
    // Without `&` and `=`, which the encoded text cannot contain, a form of one name is the decoded text.
    let escaped = text.replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(escaped.as_bytes()).map(|(name, _)| name.into_owned()).next().unwrap_or_default()
}

/// Returns the client that an assertion names, which is not verified yet.
fn subject(assertion: &str) -> Result<String, OAuthError> {
    let token = CompactToken::parse(assertion)
        .map_err(|problem| OAuthError::invalid_client(format!("invalid client assertion: {problem}")))?;
    let subject = token.claim_text("sub").map(str::to_owned);
    subject.ok_or_else(|| OAuthError::invalid_client("invalid client assertion: the claim `sub` is missing"))
}

impl Inner {
    /// Authenticates the client of a request, by the method with which it is registered.
    ///
    /// # Errors
    /// `invalid_client` if the client is unknown or the authentication fails.
    pub(super) async fn authenticate(
        &self,
        headers: &HeaderMap,
        parameters: &Parameters,
    ) -> Result<RegisteredClient, OAuthError> {
        let credentials = Credentials::read(headers, parameters)?;
        let failed = || OAuthError::invalid_client("the client is unknown, or its authentication failed");
        let client = self.client(credentials.id()).await?.ok_or_else(failed)?;
        if client.auth_method != credentials.method() {
            let registered = client.auth_method.as_str();
            return Err(OAuthError::invalid_client(format!("the client is registered with the method `{registered}`")));
        }
        match &credentials {
            Credentials::None(_) => {}
            Credentials::Basic { secret, .. } => check_secret(&client, secret.expose())?,
            Credentials::Post { secret, .. } => check_secret(&client, secret)?,
            Credentials::Assertion { assertion, .. } => self.check_assertion(&client, assertion).await?,
        }
        Ok(client)
    }

    async fn check_assertion(&self, client: &RegisteredClient, assertion: &str) -> Result<(), OAuthError> {
        let (keys, _slot) = match (&client.jwks, &client.jwks_uri) {
            (Some(keys), _) => (Arc::new(JwkSource::fixed(keys)), None),
            (None, Some(url)) => self.client_keys.source(url)?,
            (None, None) => return Err(OAuthError::invalid_client("the client has no keys")),
        };
        let audiences = [self.options.issuer.as_str(), self.token_endpoint.as_str()];
        let expected = Expected { issuer: Some(&client.client_id), audiences: &audiences, ..Expected::default() };
        let claims = verify(assertion, &keys, &expected).await.map_err(|error| match error {
            VerifyError::Invalid(problem) => OAuthError::invalid_client(format!("invalid client assertion: {problem}")),
            VerifyError::Unavailable(_) => OAuthError::invalid_client("the keys of the client cannot be fetched"),
        })?;
        // An assertion for several servers could be replayed by one of them (RFC 7523bis, section 3).
        if claims.get("aud").and_then(Value::as_array).is_some_and(|audiences| audiences.len() != 1) {
            return Err(OAuthError::invalid_client("invalid client assertion: `aud` must be the issuer only"));
        }
        if claims.get("sub").and_then(Value::as_str) != Some(&client.client_id) {
            return Err(OAuthError::invalid_client("invalid client assertion: `sub` is not the client"));
        }
        let is_self_described = client.is_self_described();
        let max_seconds = if is_self_described { MAX_SELF_DESCRIBED_SECONDS } else { MAX_ASSERTION_SECONDS };
        let used = AssertionUse::read(&claims, max_seconds)
            .map_err(|problem| OAuthError::invalid_client(format!("invalid client assertion: {problem}")))?;
        let store = self.used_assertions(client);
        if !store.is_first_use(&client.client_id, &used.id, used.recorded_until, now())? {
            return Err(OAuthError::invalid_client("invalid client assertion: it was used before"));
        }
        Ok(())
    }
}

/// The single use of an assertion.
pub(super) struct AssertionUse {
    /// The ID (`jti`).
    pub(super) id: String,
    /// Until when the use must be recorded, in seconds since the Unix epoch: the expiry and the clock skew.
    pub(super) recorded_until: u64,
}

impl AssertionUse {
    /// Reads the ID and the expiry of verified claims.
    ///
    /// # Errors
    /// The problem, if the ID is missing, or the assertion is valid for too long.
    pub(super) fn read(claims: &Map<String, Value>, max_seconds: u64) -> Result<Self, String> {
        let id = claims.get("jti").and_then(Value::as_str).filter(|id| !id.is_empty()).ok_or("`jti` is missing")?;
        Ok(Self { id: id.to_owned(), recorded_until: recorded_until(claims, max_seconds)? })
    }
}

/// Returns until when the use of verified claims must be recorded.
pub(super) fn recorded_until(claims: &Map<String, Value>, max_seconds: u64) -> Result<u64, String> {
    let leeway = Expected::default().leeway_seconds;
    let expires_at = claims.get("exp").and_then(numeric_date).ok_or("`exp` is missing")?;
    if expires_at > now().saturating_add(max_seconds + leeway) {
        return Err(format!("it is valid for more than {max_seconds} seconds"));
    }
    Ok(expires_at.saturating_add(leeway))
}

/// Checks a secret. A client without a secret cannot authenticate with one.
fn check_secret(client: &RegisteredClient, secret: &str) -> Result<(), OAuthError> {
    if !client.client_secret.as_ref().is_some_and(|digest| digest.is_of(secret)) {
        return Err(OAuthError::invalid_client("the client is unknown, or its authentication failed"));
    }
    if client.secret_expires_at.is_some_and(|expires_at| expires_at <= now()) {
        return Err(OAuthError::invalid_client("the client secret has expired; register the client again"));
    }
    Ok(())
}

/// Returns an error of the token or revocation endpoint. It has a challenge if the client used the `Authorization`
/// header.
pub(super) fn error_response(error: &OAuthError, headers: &HeaderMap) -> Response<Bytes> {
    let mut response = response::error(error);
    if response.status() == StatusCode::UNAUTHORIZED && headers.contains_key(AUTHORIZATION) {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
    }
    response
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::authorization_server::client_secret::ClientSecretDigest;

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (AUTHORIZATION, HeaderValue::from_str(value).unwrap())).collect()
    }

    fn basic(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    fn read(header: &[&str], form: &str) -> Result<(ClientAuthentication, String), String> {
        let parameters = Parameters::parse(form.as_bytes()).ok().unwrap();
        let credentials = Credentials::read(&headers(header), &parameters).map_err(|error| error.code().to_owned())?;
        Ok((credentials.method(), credentials.id().to_owned()))
    }

    #[test]
    fn credentials_use_exactly_one_method() {
        let header = basic("c:s");
        assert_eq!(read(&[&header], "").unwrap(), (ClientAuthentication::ClientSecretBasic, "c".to_owned()));
        assert_eq!(read(&[&header], "client_id=c").unwrap().0, ClientAuthentication::ClientSecretBasic);
        assert_eq!(read(&[], "client_id=c&client_secret=s").unwrap().0, ClientAuthentication::ClientSecretPost);
        assert_eq!(read(&[], "client_id=c&client_secret=").unwrap().0, ClientAuthentication::None);
        for (header, form, code) in [
            (vec![header.as_str()], "client_id=other", "invalid_client"),
            (vec![header.as_str()], "client_id=c&client_secret=s", "invalid_request"),
            (vec![header.as_str()], "client_assertion=x", "invalid_request"),
            (vec![], "client_id=c&client_secret=s&client_assertion=x", "invalid_request"),
            (vec![header.as_str(), header.as_str()], "", "invalid_request"),
            (vec![], "", "invalid_client"),
            (vec![], "client_secret=s", "invalid_client"),
            (vec![], "client_assertion=x&client_assertion_type=other", "invalid_client"),
            (vec!["Bearer x"], "client_id=c", "invalid_client"),
            (vec!["Basic"], "client_id=c", "invalid_client"),
            (vec!["Basic !"], "client_id=c", "invalid_client"),
            (vec!["Basic Yw=="], "client_id=c", "invalid_client"),
        ] {
            assert_eq!(read(&header, form).unwrap_err(), code, "{header:?} {form}");
        }
    }

    #[test]
    fn halves_of_basic_credentials_are_decoded() {
        let (id, secret) = authorization(&headers(&[&basic("a%3Ab+c%25:x%2By%20z:%26&=")])).unwrap().unwrap();
        assert_eq!(id, "a:b c%");
        assert_eq!(secret.expose(), "x+y z:&&=");
        let (id, secret) = authorization(&headers(&[&basic("c:")])).unwrap().unwrap();
        assert_eq!((id.as_str(), secret.expose()), ("c", ""));
    }

    #[test]
    fn trap_public_client_authenticated_by_an_absent_secret() {
        let mut client = RegisteredClient::new("c", ["https://example.com/cb"]);
        client.auth_method = ClientAuthentication::ClientSecretPost;
        for secret in ["", "x"] {
            assert_eq!(check_secret(&client, secret).unwrap_err().code(), "invalid_client");
        }
        client.client_secret = Some(ClientSecretDigest::of("s3cret"));
        check_secret(&client, "s3cret").unwrap();
        let error = check_secret(&client, "other").unwrap_err();
        assert!(!error.to_string().contains("s3cret"));
        client.secret_expires_at = Some(now());
        assert!(check_secret(&client, "s3cret").unwrap_err().description().contains("expired"));
    }

    #[test]
    fn challenge_matches_the_scheme_of_the_client() {
        //
        let error = OAuthError::invalid_client("x");
        let response = error_response(&error, &headers(&[&basic("c:s")]));
        assert!(response.headers()[WWW_AUTHENTICATE].to_str().unwrap().starts_with("Basic "));
        assert!(!error_response(&error, &HeaderMap::new()).headers().contains_key(WWW_AUTHENTICATE));
    }

    #[test]
    fn assertions_have_an_id_and_a_short_lifetime() {
        let read = |claims: Value| {
            AssertionUse::read(claims.as_object().unwrap(), MAX_ASSERTION_SECONDS).map(|it| it.recorded_until)
        };
        assert_eq!(read(json!({ "jti": "1", "exp": now() + 60 })), Ok(now() + 120));
        for claims in [
            json!({ "exp": now() + 60 }),
            json!({ "jti": "", "exp": now() + 60 }),
            json!({ "jti": 1, "exp": now() + 60 }),
            json!({ "jti": "1" }),
            json!({ "jti": "1", "exp": now() + 2 * MAX_ASSERTION_SECONDS }),
        ] {
            assert!(read(claims.clone()).is_err(), "{claims}");
        }
    }
}
