//! Requests to the token endpoint, and their responses.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ferromcp_core::text::excerpt;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded::{Serializer, byte_serialize};
use zeroize::Zeroizing;

use super::assertion::SigningKey;
use super::clock::now;
use super::dpop::DpopKey;
use super::error::{AuthError, AuthErrorKind};
use super::fetch::{Fetched, Fetcher};
use super::registration::{ClientAuthentication, ClientIdentity};
use super::scopes::Scopes;
use crate::Secret;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

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

/// A rejection by the token endpoint, with its OAuth error code.
#[derive(Debug)]
pub(crate) struct Rejected {
    pub(crate) code: String,
    pub(crate) error: AuthError,
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
        self.parse(&fetched)
    }

    /// Requests a token that is not an access token, and returns the response.
    pub(crate) async fn exchange(&self, parameters: &[(&str, &str)]) -> Result<Value, TokenError> {
        let fetched = self.fetch(parameters).await?;
        self.check_status(&fetched)?;
        Ok(serde_json::from_slice(&fetched.body).map_err(|error| self.invalid(error.to_string()))?)
    }

    async fn fetch(&self, parameters: &[(&str, &str)]) -> Result<Fetched, TokenError> {
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
            headers.insert("dpop", dpop.proof("POST", self.url, None)?);
        }
        Ok(())
    }

    /// Returns the headers and the form with the authentication of the client: one method only.
    fn authenticated(&self, parameters: &[(&str, &str)]) -> Result<(HeaderMap, Zeroizing<String>), AuthError> {
        let mut headers = HeaderMap::new();
        let mut form = Serializer::new(String::new());
        form.extend_pairs(parameters);
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

    fn check_status(&self, fetched: &Fetched) -> Result<(), TokenError> {
        let status = fetched.status;
        if status.is_success() {
            return Ok(());
        }
        let shown = excerpt(self.url);
        let Some(code) = error_code(fetched) else {
            let text = format!("{shown} responded with status {} to the token request", status.as_u16());
            let is_outage = status.is_server_error() || status.as_u16() == 429;
            let kind = if is_outage { AuthErrorKind::Unavailable } else { AuthErrorKind::Token };
            return Err(TokenError::Failed(AuthError::new(kind, text)));
        };
        let description = text_field(fetched, "error_description").map(|text| format!(" ({})", excerpt(&text)));
        let text = format!("{shown} rejected the token request: {}{}", excerpt(&code), description.unwrap_or_default());
        if code == "temporarily_unavailable" || status.is_server_error() {
            return Err(TokenError::Failed(AuthError::unavailable(text)));
        }
        Err(TokenError::Rejected(Rejected { code, error: AuthError::new(AuthErrorKind::Token, text) }))
    }

    fn parse(&self, fetched: &Fetched) -> Result<Tokens, TokenError> {
        self.check_status(fetched)?;
        let response: TokenResponse =
            serde_json::from_slice(&fetched.body).map_err(|error| self.invalid(error.to_string()))?;
        let kind = response.token_type.as_deref().unwrap_or("Bearer");
        let is_dpop = kind.eq_ignore_ascii_case("dpop");
        if !is_dpop && !kind.eq_ignore_ascii_case("bearer") {
            return Err(self.invalid(format!("unsupported token type `{}`", excerpt(kind))).into());
        }
        if is_dpop && self.dpop.is_none() {
            return Err(self.invalid("the token requires DPoP; see `OAuthOptions::dpop`".to_owned()).into());
        }
        if response.access_token.is_empty() || HeaderValue::from_str(&response.access_token).is_err() {
            return Err(self.invalid("the access token is empty or contains invalid characters".to_owned()).into());
        }
        Ok(Tokens {
            access: Secret::new(response.access_token),
            refresh: response.refresh_token.filter(|token| !token.is_empty()).map(Secret::new),
            expires_at: response.expires_in.and_then(seconds).map(|seconds| now().saturating_add(seconds)),
            scopes: response.scope.map(|scopes| Scopes::parse(&scopes)),
            is_dpop,
        })
    }

    fn invalid(&self, problem: String) -> AuthError {
        let text = format!("invalid token response of {}", excerpt(self.url));
        AuthError::new(AuthErrorKind::Token, text).with_source(problem)
    }
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
    token_type: Option<String>,
    expires_in: Option<Value>,
    refresh_token: Option<String>,
    scope: Option<String>,
}

/// Returns a number of seconds, which some servers send as a text.
fn seconds(value: Value) -> Option<u64> {
    match value {
        Value::Number(number) => number
            .as_u64()
            .or_else(|| number.as_f64().map(|it| Duration::try_from_secs_f64(it).map_or(0, |it| it.as_secs()))),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn text_field(fetched: &Fetched, name: &str) -> Option<String> {
    let body: Value = serde_json::from_slice(&fetched.body).ok()?;
    Some(body.get(name)?.as_str()?.to_owned())
}

fn error_code(fetched: &Fetched) -> Option<String> {
    if fetched.status.is_success() { None } else { text_field(fetched, "error") }
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

    #[test]
    fn basic_encodes_both_parts() {
        // A-228; RFC 6749, section 2.3.1
        let header = basic("a:b", "c d%");
        let encoded = header.to_str().unwrap().strip_prefix("Basic ").unwrap().to_owned();
        assert_eq!(STANDARD.decode(encoded).unwrap(), b"a%3Ab:c+d%25");
        assert!(!format!("{header:?}").contains("YSU"));
    }

    #[test]
    fn seconds_are_read_from_numbers_and_texts() {
        for (json, expected) in
            [("3600", Some(3600)), ("\"3600\"", Some(3600)), ("1.5", Some(1)), ("-1", Some(0)), ("[]", None)]
        {
            assert_eq!(seconds(serde_json::from_str(json).unwrap()), expected, "{json}");
        }
    }
}
