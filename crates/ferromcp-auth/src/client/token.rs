//! Requests to the token endpoint, and their responses.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ferromcp_core::text::excerpt;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::time::sleep;
use url::form_urlencoded::{Serializer, byte_serialize};
use zeroize::Zeroizing;

use super::assertion::SigningKey;
use super::dpop::DpopKey;
use super::registration::{ClientIdentity, IdentityOrigin};
use crate::Secret;
use crate::client_authentication::ClientAuthentication;
use crate::clock::now;
use crate::document::Document;
use crate::dpop_headers::PROOF_HEADER;
use crate::error::{AuthError, AuthErrorKind};
use crate::fetch::{Fetched, Fetcher, is_outage};
use crate::scopes::Scopes;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Parameters with secret values.
const SECRETS: [&str; 8] = [
    "refresh_token",
    "token",
    "code",
    "code_verifier",
    "device_code",
    "assertion",
    "subject_token",
    "client_assertion",
];

/// The longest time to wait for a server that is overloaded. Users do not expect a login to take longer.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// What a request is for, as errors name it.
const TOKEN_REQUEST: &str = "token request";
const REVOCATION_REQUEST: &str = "revocation request";

/// The tokens of a response.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    pub(crate) access: Secret,
    pub(crate) refresh: Option<Secret>,
    /// `None` if the server does not limit the lifetime.
    pub(crate) expires_at: Option<u64>,
    /// The granted scopes; `None` if the response omits them, so that they are those requested.
    pub(crate) scopes: Option<Scopes>,
    pub(crate) is_dpop: bool,
}

/// A rejection by the token endpoint, with its OAuth error code. `Debug` omits the code, which can contain a secret.
pub(crate) struct Rejected {
    /// Empty if the response has none.
    pub(crate) code: String,
    status: StatusCode,
    pub(crate) error: AuthError,
}

impl fmt::Debug for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected").field("status", &self.status).field("error", &self.error).finish_non_exhaustive()
    }
}

impl Rejected {
    /// Returns whether the server does not know the client, for example because it lost its database. Status 401 is that of
    /// failed client authentication; some servers send it with another code than `invalid_client`.
    pub(crate) fn is_unknown_client(&self) -> bool {
        self.code == "invalid_client" || self.status == StatusCode::UNAUTHORIZED
    }
}

/// A failed token request.
#[derive(Debug)]
pub(crate) enum TokenError {
    /// The server rejected the request.
    Rejected(Rejected),
    /// The request failed otherwise.
    Failed(AuthError),
}

impl From<AuthError> for TokenError {
    fn from(error: AuthError) -> Self {
        Self::Failed(error)
    }
}

impl From<TokenError> for AuthError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Rejected(Rejected { error, .. }) | TokenError::Failed(error) => error,
        }
    }
}

/// A token endpoint, and how the client authenticates there.
pub(crate) struct TokenEndpoint<'a> {
    pub(crate) fetcher: &'a Fetcher,
    pub(crate) url: &'a str,
    /// The issuer, which is the audience of assertions.
    pub(crate) issuer: &'a str,
    pub(crate) client: Option<&'a ClientIdentity>,
    pub(crate) key: Option<&'a SigningKey>,
    pub(crate) dpop: Option<&'a DpopKey>,
}

impl TokenEndpoint<'_> {
    /// Requests tokens.
    ///
    /// # Errors
    /// Fails if the server cannot be reached or rejects the request, or the response is invalid.
    pub(crate) async fn request(&self, parameters: &[(&str, &str)]) -> Result<Tokens, TokenError> {
        let fetched = self.fetch(parameters).await?;
        self.parse(&self.accepted(&fetched, parameters)?)
    }

    /// Requests a token that is not an access token, and returns the response.
    pub(crate) async fn exchange(&self, parameters: &[(&str, &str)]) -> Result<Document, TokenError> {
        let fetched = self.fetch(parameters).await?;
        self.accepted(&fetched, parameters)
    }

    /// Revokes a token, for example with the hint `refresh_token` (RFC 7009).
    ///
    /// # Errors
    /// Fails if the server cannot be reached or rejects the request. The token may be valid then.
    pub(crate) async fn revoke(&self, token: &Secret, hint: &str) -> Result<(), TokenError> {
        let parameters = [("token", token.expose()), ("token_type_hint", hint)];
        let fetched = self.fetch(&parameters).await?;
        // The body of a successful response is usually empty.
        self.error_of(&fetched, &parameters, REVOCATION_REQUEST).map_or(Ok(()), Err)
    }

    /// Sends a request, and sends it again if the server is overloaded for a short time.
    async fn fetch(&self, parameters: &[(&str, &str)]) -> Result<Fetched, TokenError> {
        let fetched = self.send(parameters).await?;
        let is_refused = matches!(fetched.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        let Some(time) = fetched.retry_after().filter(|time| is_refused && *time <= MAX_WAIT) else {
            return Ok(fetched);
        };
        tracing::info!(url = %excerpt(self.url), seconds = time.as_secs(), "waiting for an authorization server that is overloaded");
        sleep(time).await;
        self.send(parameters).await
    }

    async fn send(&self, parameters: &[(&str, &str)]) -> Result<Fetched, TokenError> {
        let (mut headers, form) = self.authenticated(parameters)?;
        self.add_proof(&mut headers)?;
        let mut fetched = self.fetcher.post_form(self.url, headers.clone(), form.to_string()).await?;
        if let Some(dpop) = self.dpop {
            let is_new = dpop.record_nonce(self.url, &fetched.headers);
            if is_new && error_code(&fetched).as_deref() == Some("use_dpop_nonce") {
                // Assertions are used once, so that the client authenticates again.
                let (mut headers, form) = self.authenticated(parameters)?;
                self.add_proof(&mut headers)?;
                fetched = self.fetcher.post_form(self.url, headers, form.to_string()).await?;
                dpop.record_nonce(self.url, &fetched.headers);
            }
        }
        Ok(fetched)
    }

    fn add_proof(&self, headers: &mut HeaderMap) -> Result<(), AuthError> {
        if let Some(dpop) = self.dpop {
            headers.insert(PROOF_HEADER, dpop.proof("POST", self.url, None)?);
        }
        Ok(())
    }

    /// Returns the headers and the form with the authentication of the client: one method only.
    fn authenticated(&self, parameters: &[(&str, &str)]) -> Result<(HeaderMap, Zeroizing<String>), AuthError> {
        let mut headers = HeaderMap::new();
        let mut form = Serializer::new(String::new());
        // A parameter without a value is omitted: RFC 6749, section 3.2.
        form.extend_pairs(parameters.iter().filter(|(_, value)| !value.is_empty()));
        if let Some(client) = self.client {
            let secret = client.secret.as_ref().map_or("", |secret| secret.expose());
            match client.authentication {
                ClientAuthentication::None => {
                    form.append_pair("client_id", &client.id);
                }
                ClientAuthentication::ClientSecretPost => {
                    form.append_pair("client_id", &client.id).append_pair("client_secret", secret);
                }
                ClientAuthentication::ClientSecretBasic => {
                    headers.insert(AUTHORIZATION, basic(&client.id, secret));
                }
                ClientAuthentication::PrivateKeyJwt => {
                    let key = self.key.ok_or_else(|| AuthError::configuration("private_key_jwt requires a key"))?;
                    form.append_pair("client_assertion_type", ASSERTION_TYPE);
                    form.append_pair("client_assertion", key.client_assertion(&client.id, self.issuer)?.expose());
                }
            }
        }
        Ok((headers, Zeroizing::new(form.finish())))
    }

    /// Returns the document of a response that is not an error.
    pub(super) fn accepted(&self, fetched: &Fetched, parameters: &[(&str, &str)]) -> Result<Document, TokenError> {
        if let Some(error) = self.error_of(fetched, parameters, TOKEN_REQUEST) {
            return Err(error);
        }
        Document::parse(&fetched.body).ok_or_else(|| self.invalid("it is not a JSON object").into())
    }

    /// Returns the error of a response; `None` if it is not one.
    fn error_of(&self, fetched: &Fetched, parameters: &[(&str, &str)], request: &str) -> Option<TokenError> {
        let status = fetched.status;
        let document = Document::parse(&fetched.body);
        if status.is_success() && document.as_ref().is_none_or(|it| it.text("access_token").is_some()) {
            return None;
        }
        // Some servers send errors with status 200.
        let code = document.as_ref().and_then(|document| document.non_empty("error"));
        let shown = excerpt(self.url);
        if let (Some(document), Some(code)) = (&document, code) {
            let (reason, code) = self.reason(document, code, parameters);
            let text = format!("{shown} rejected the {request}: {reason}");
            if is_outage(status) || matches!(&*code, "temporarily_unavailable" | "server_error") {
                return Some(TokenError::Failed(AuthError::outage(text, fetched.retry_after())));
            }
            let is_configured = self.client.is_some_and(|client| client.origin == IdentityOrigin::Configured);
            let remedy = match &*code {
                "invalid_client" if is_configured => "; check the client ID and its secret or key in `OAuthOptions`",
                _ => "",
            };
            let error = AuthError::new(AuthErrorKind::Token, format!("{text}{remedy}")).with_oauth_error(&*code);
            return Some(TokenError::Rejected(Rejected { code, status, error }));
        }
        let text = format!("{shown} responded with status {} to the {request}", status.as_u16());
        Some(match status {
            _ if status.is_success() => return None,
            _ if is_outage(status) => TokenError::Failed(AuthError::outage(text, fetched.retry_after())),
            // An error of OAuth, without its document.
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED => {
                let error = AuthError::new(AuthErrorKind::Token, text);
                TokenError::Rejected(Rejected { code: String::new(), status, error })
            }
            _ => TokenError::Failed(AuthError::new(AuthErrorKind::Token, text)),
        })
    }

    /// Returns the code and the description of an error for its text, and the code. A text with a value that was sent, which
    /// is a secret, is omitted.
    fn reason(&self, document: &Document, code: String, parameters: &[(&str, &str)]) -> (String, String) {
        let has_secret = |text: &str| self.contains_secret(text, parameters);
        let shown = excerpt(&code).to_string();
        if has_secret(&code) || has_secret(&shown) {
            return ("the error code contains a secret".to_owned(), String::new());
        }
        let Some(description) = document.non_empty("error_description") else { return (shown, code) };
        let full = format!("{shown} ({})", excerpt(&description));
        // A secret can begin after the end of the excerpt, and an escaped control character can complete one.
        if has_secret(&description) || has_secret(&full) {
            return (format!("{shown} (the description contains a secret)"), code);
        }
        (full, code)
    }

    /// Returns whether a text contains a secret that was sent.
    fn contains_secret(&self, text: &str, parameters: &[(&str, &str)]) -> bool {
        let secret = self.client.and_then(|client| client.secret.as_ref()).map(Secret::expose);
        let sent = parameters.iter().filter(|(name, _)| SECRETS.contains(name)).map(|(_, value)| *value);
        sent.chain(secret).any(|value| !value.is_empty() && text.contains(value))
    }

    pub(super) fn parse(&self, document: &Document) -> Result<Tokens, TokenError> {
        let kind = document.text("token_type").unwrap_or_else(|| "Bearer".to_owned());
        let is_dpop = kind.eq_ignore_ascii_case("dpop");
        if !is_dpop && !kind.eq_ignore_ascii_case("bearer") {
            return Err(self.invalid(&format!("unsupported token type `{}`", excerpt(&kind))).into());
        }
        if is_dpop && self.dpop.is_none() {
            return Err(self.invalid("the token requires DPoP; see `OAuthOptions::dpop`").into());
        }
        let access = document.non_empty("access_token").filter(|token| HeaderValue::from_str(token).is_ok());
        let access =
            access.ok_or_else(|| self.invalid("the access token is missing or contains invalid characters"))?;
        // An empty text or list is like an absent field: the scopes are those requested.
        let scopes: Option<Scopes> = document.list("scope").map(|scopes| scopes.iter().collect());
        Ok(Tokens {
            access: Secret::new(access),
            refresh: document.non_empty("refresh_token").map(Secret::new),
            // Without a positive lifetime, the token is used until the MCP server rejects it.
            expires_at: document.seconds("expires_in").map(|seconds| now().saturating_add(seconds)),
            scopes: scopes.filter(|scopes| !scopes.is_empty()),
            is_dpop,
        })
    }

    fn invalid(&self, problem: &str) -> AuthError {
        let text = format!("invalid token response of {}: {problem}", excerpt(self.url));
        AuthError::new(AuthErrorKind::Token, text)
    }
}

fn error_code(fetched: &Fetched) -> Option<String> {
    if fetched.status.is_success() { None } else { Document::parse(&fetched.body)?.text("error") }
}

/// Returns the `Authorization` header of a client: RFC 6749, section 2.3.1.
fn basic(id: &str, secret: &str) -> HeaderValue {
    let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Zeroizing::new(format!("{}:{}", encode(id), encode(secret)));
    let mut value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair.as_bytes())))
        .unwrap_or(HeaderValue::from_static("Basic"));
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::Network;

    #[test]
    fn basic_encodes_both_parts() {
        // A-228; RFC 6749, section 2.3.1
        let header = basic("a:b", "c d%");
        let encoded = header.to_str().unwrap().strip_prefix("Basic ").unwrap().to_owned();
        assert_eq!(STANDARD.decode(encoded).unwrap(), b"a%3Ab:c+d%25");
        assert!(!format!("{header:?}").contains("YSU"));
    }

    fn respond(status: u16, body: &str) -> Result<Tokens, TokenError> {
        respond_to(&[("refresh_token", "s3cret"), ("grant_type", "refresh_token")], status, body)
    }

    fn respond_to(parameters: &[(&str, &str)], status: u16, body: &str) -> Result<Tokens, TokenError> {
        let fetcher = Fetcher::new(Network::Global).unwrap();
        let (url, issuer) = ("https://as/token", "https://as");
        let endpoint = TokenEndpoint { fetcher: &fetcher, url, issuer, client: None, key: None, dpop: None };
        let status = StatusCode::from_u16(status).unwrap();
        let response = Fetched { status, headers: HeaderMap::new(), body: body.to_owned().into() };
        endpoint.parse(&endpoint.accepted(&response, parameters)?)
    }

    #[test]
    fn reads_imperfect_token_responses() {
        let parse = |fields: &str| respond(200, &format!(r#"{{"access_token":"t"{fields}}}"#)).unwrap();
        for fields in ["", r#","token_type":null"#, r#","token_type":"bEARER","x":{}"#, r#","refresh_token":null"#] {
            assert!(parse(fields).refresh.is_none(), "{fields}");
        }
        for seconds in ["0", "-5", "1e300", "null", "\"\"", "\"soon\"", "[]"] {
            assert_eq!(parse(&format!(r#","expires_in":{seconds}"#)).expires_at, None, "{seconds}");
        }
        assert_eq!(parse(&format!(r#","expires_in":{}"#, u64::MAX)).expires_at, Some(u64::MAX));
        for scope in ["\"\"", "null", "[]", "5"] {
            assert_eq!(parse(&format!(r#","scope":{scope}"#)).scopes, None, "{scope}");
        }
        assert_eq!(parse(r#","scope":["a","b"]"#).scopes.unwrap().to_string(), "a b");
        assert!(parse(r#","refresh_token":5"#).refresh.is_none());
    }

    #[test]
    fn errors_contain_no_part_of_the_response() {
        // A-109
        for body in [
            "\"s3cret\"",
            "[\"s3cret\"]",
            "s3cret",
            r#"{"access_token":{"s3cret":1}}"#,
            r#"{"access_token":"s3cret\n"}"#,
        ] {
            let Err(TokenError::Failed(error)) = respond(200, body) else { panic!("{body}") };
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
        }
        let long = format!(r#"{{"error":"invalid_grant","error_description":"{}s3cret"}}"#, "x".repeat(300));
        for body in [
            r#"{"error":"invalid_grant","error_description":"token s3cret has expired"}"#,
            r#"{"error":"invalid_grant","error_description":"\u001b[0ms3cret"}"#,
            r#"{"error":"s3cret","error_description":"expired"}"#,
            r#"{"error":"unknown token s3cret"}"#,
            &long,
        ] {
            let Err(TokenError::Rejected(rejected)) = respond(400, body) else { panic!("not rejected") };
            assert!(!format!("{rejected:?}").contains("s3cret"), "{rejected:?}");
        }
        // `\r` is shown as an escape, which completes the secret.
        let tokens = [("refresh_token", "refresh-s3cret")];
        let Err(TokenError::Rejected(rejected)) =
            respond_to(&tokens, 400, r#"{"error":"invalid_grant","error_description":"\refresh-s3cret"}"#)
        else {
            panic!("not rejected")
        };
        assert!(!format!("{rejected:?}").contains("refresh-s3cret"), "{rejected:?}");
    }

    #[test]
    fn outages_are_not_rejections() {
        for (status, body) in [
            (429, r#"{"error":"slow_down"}"#),
            (429, ""),
            (503, r#"{"error":"invalid_grant"}"#),
            (502, "<html>"),
            (408, "{}"),
            (400, r#"{"error":"server_error"}"#),
            (400, r#"{"error":"temporarily_unavailable"}"#),
        ] {
            let Err(TokenError::Failed(error)) = respond(status, body) else { panic!("{status} {body}") };
            assert_eq!(error.kind(), AuthErrorKind::Unavailable, "{status} {body}");
        }
    }

    #[test]
    fn rejections_are_recognized_without_a_proper_response() {
        for (status, body, code, unknown) in [
            (200, r#"{"error":"invalid_grant"}"#, "invalid_grant", false),
            (400, "bad request", "", false),
            (401, "", "", true),
            (401, r#"{"error":"unauthorized_client"}"#, "unauthorized_client", true),
            (400, r#"{"error":"invalid_client"}"#, "invalid_client", true),
        ] {
            let Err(TokenError::Rejected(rejected)) = respond(status, body) else { panic!("{status} {body}") };
            assert_eq!((&*rejected.code, rejected.is_unknown_client()), (code, unknown), "{status} {body}");
        }
    }
}
