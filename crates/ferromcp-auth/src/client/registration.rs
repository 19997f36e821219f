//! The identity of the client at an authorization server: configured, a client ID metadata document, or registered
//! dynamically (RFC 7591).
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization/client-registration>.

use ferromcp_core::text::excerpt;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

use crate::Secret;
use crate::client_authentication::ClientAuthentication;
use crate::document::Document;
use crate::error::{AuthError, AuthErrorKind};
use crate::fetch::{Fetcher, is_loopback_host};
use crate::metadata::ServerMetadata;
use crate::scopes::Scopes;

impl ClientAuthentication {
    /// Chooses the method of a configured client: the first usable one of the metadata.
    ///
    /// Without metadata, a client with a secret uses the `Authorization` header.
    pub(crate) fn choose(server: &ServerMetadata, has_secret: bool) -> Self {
        let default = if has_secret { Self::ClientSecretBasic } else { Self::None };
        let supported = server.token_endpoint_auth_methods.iter().flatten().filter_map(|name| Self::parse(name));
        let usable = |method: &Self| match method {
            Self::None => !has_secret,
            Self::ClientSecretBasic | Self::ClientSecretPost => has_secret,
            Self::PrivateKeyJwt => false,
        };
        supported.filter(usable).min_by_key(|method| *method != default).unwrap_or(default)
    }
}

/// The credentials of a client, which the operator of the authorization server has issued.
#[derive(Debug, Clone)]
#[must_use = "it does nothing until it is passed to `OAuthOptions::registration`"]
pub struct ClientRegistration {
    pub(crate) id: String,
    pub(crate) secret: Option<Secret>,
    pub(crate) issuer: Option<String>,
    pub(crate) authentication: Option<ClientAuthentication>,
}

impl ClientRegistration {
    /// Creates the registration of a public client.
    pub fn new(client_id: impl Into<String>) -> Self {
        Self { id: client_id.into(), secret: None, issuer: None, authentication: None }
    }

    /// Sets the client secret.
    pub fn secret(mut self, secret: impl Into<Secret>) -> Self {
        self.secret = Some(secret.into());
        self
    }

    /// Sets the issuer of the authorization server that issued the credentials. They are sent to no other server.
    ///
    /// By default, they belong to the first authorization server that the MCP server names.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Sets how the client authenticates. By default, the metadata of the authorization server decides.
    pub fn authentication(mut self, authentication: ClientAuthentication) -> Self {
        self.authentication = Some(authentication);
        self
    }
}

/// The identity of the client at one authorization server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientIdentity {
    pub(crate) id: String,
    pub(crate) secret: Option<Secret>,
    pub(crate) authentication: ClientAuthentication,
    pub(crate) origin: IdentityOrigin,
    /// The redirect URI that was registered.
    pub(crate) redirect_uri: Option<String>,
    /// Seconds since the Unix epoch; the secret is not valid after this time.
    pub(crate) expires_at: Option<u64>,
}

impl ClientIdentity {
    /// Creates an identity without a registered redirect URI, which does not expire.
    pub(crate) fn new(
        id: String,
        secret: Option<Secret>,
        authentication: ClientAuthentication,
        origin: IdentityOrigin,
    ) -> Self {
        Self { id, secret, authentication, origin, redirect_uri: None, expires_at: None }
    }
}

/// How an identity was obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IdentityOrigin {
    Configured,
    MetadataDocument,
    Registered,
}

/// The metadata of a client, for dynamic registration.
#[derive(Debug, Clone)]
pub(crate) struct ClientMetadata {
    pub(crate) name: String,
    pub(crate) uri: Option<String>,
    /// The grant with which the client obtains its first token.
    pub(crate) grant_type: &'static str,
}

impl ClientMetadata {
    /// Registers the client.
    ///
    /// # Errors
    /// Fails if the server rejects the registration; the text contains its reason.
    pub(crate) async fn register(
        &self,
        fetcher: &Fetcher,
        endpoint: &str,
        server: &ServerMetadata,
        redirect_uri: &str,
        scopes: &Scopes,
    ) -> Result<ClientIdentity, AuthError> {
        let send = async |body: &Value| {
            fetcher.post_json(endpoint, HeaderMap::new(), body.to_string()).await?.ensure_available(endpoint)
        };
        let mut body = self.document(server, redirect_uri, scopes);
        let mut answer = send(&body).await?;
        // Some servers do not know the scopes of the resource.
        let has_scope = body.as_object_mut().is_some_and(|fields| fields.remove("scope").is_some());
        if answer.status == StatusCode::BAD_REQUEST && has_scope {
            answer = send(&body).await?;
        }
        if !answer.status.is_success() {
            return Err(rejected(endpoint, answer.status.as_u16(), &answer.body));
        }
        identity(endpoint, server, redirect_uri, &answer.body)
    }

    /// Returns the client ID metadata document for publication.
    pub(crate) fn published(&self, url: &str, redirect_uris: &[String], authentication: ClientAuthentication) -> Value {
        let mut document = Map::new();
        document.insert("client_id".to_owned(), json!(url));
        document.extend(self.fields(redirect_uris, authentication));
        Value::Object(document)
    }

    /// Returns the document of a registration request.
    fn document(&self, server: &ServerMetadata, redirect_uri: &str, scopes: &Scopes) -> Value {
        let supported = server.token_endpoint_auth_methods.as_deref().unwrap_or_default();
        let preferred = [
            ClientAuthentication::None,
            ClientAuthentication::ClientSecretPost,
            ClientAuthentication::ClientSecretBasic,
        ];
        let preferred = preferred.into_iter().find(|method| supported.iter().any(|it| it == method.as_str()));
        // A remote redirect URI is that of a web application.
        let is_native = Url::parse(redirect_uri).is_ok_and(|url| url.scheme() != "https" || is_loopback_host(&url));
        let mut document = self.fields(&[redirect_uri.to_owned()], preferred.unwrap_or(ClientAuthentication::None));
        document.insert("application_type".to_owned(), json!(if is_native { "native" } else { "web" }));
        if !scopes.is_empty() {
            document.insert("scope".to_owned(), json!(scopes.to_string()));
        }
        Value::Object(document)
    }

    /// Returns the fields of both documents.
    fn fields(&self, redirect_uris: &[String], authentication: ClientAuthentication) -> Map<String, Value> {
        let fields = [
            ("client_name", json!(self.name)),
            ("redirect_uris", json!(redirect_uris)),
            ("grant_types", json!([self.grant_type, "refresh_token"])),
            ("response_types", json!(["code"])),
            ("token_endpoint_auth_method", json!(authentication.as_str())),
        ];
        let uri = self.uri.as_ref().map(|uri| ("client_uri", json!(uri)));
        fields.into_iter().chain(uri).map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// Returns the identity of a registration response.
pub(super) fn identity(
    endpoint: &str,
    server: &ServerMetadata,
    redirect_uri: &str,
    body: &[u8],
) -> Result<ClientIdentity, AuthError> {
    let response = Document::parse(body);
    let id = response.as_ref().and_then(|response| response.non_empty("client_id"));
    let (Some(response), Some(id)) = (response, id) else {
        let text = format!("invalid registration response of {}: `client_id` is missing", excerpt(endpoint));
        return Err(AuthError::new(AuthErrorKind::Registration, text));
    };
    let secret = response.non_empty("client_secret").map(Secret::new);
    let method = response.text("token_endpoint_auth_method").as_deref().and_then(ClientAuthentication::parse);
    // A method that requires a secret or a key is not possible without it.
    let method = method.filter(|method| *method == ClientAuthentication::None || secret.is_some());
    let method = method.filter(|method| *method != ClientAuthentication::PrivateKeyJwt);
    Ok(ClientIdentity {
        id,
        authentication: method.unwrap_or_else(|| ClientAuthentication::choose(server, secret.is_some())),
        secret,
        origin: IdentityOrigin::Registered,
        redirect_uri: Some(redirect_uri.to_owned()),
        expires_at: response.seconds("client_secret_expires_at"),
    })
}

pub(super) fn rejected(endpoint: &str, status: u16, body: &[u8]) -> AuthError {
    let reason = Document::parse(body).and_then(|document| {
        let description = document.text("error_description").map(|text| format!(" ({})", excerpt(&text)));
        Some(format!("{}{}", excerpt(&document.text("error")?), description.unwrap_or_default()))
    });
    let reason = reason.unwrap_or_else(|| format!("status {status}"));
    AuthError::new(
        AuthErrorKind::Registration,
        format!(
            "{} rejected the registration of the client: {reason}; register the client with the operator of the server, and \
             set `OAuthOptions::registration`",
            excerpt(endpoint)
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::grant::{AUTHORIZATION_CODE, DEVICE_CODE};

    fn server(methods: &[&str]) -> ServerMetadata {
        let methods = methods.iter().map(|method| (*method).to_owned()).collect();
        ServerMetadata { token_endpoint_auth_methods: Some(methods), ..ServerMetadata::default() }
    }

    #[test]
    fn authentication_is_chosen_by_metadata_and_secret() {
        // A-126
        let choose = ClientAuthentication::choose;
        assert_eq!(choose(&ServerMetadata::default(), true), ClientAuthentication::ClientSecretBasic);
        assert_eq!(choose(&ServerMetadata::default(), false), ClientAuthentication::None);
        assert_eq!(choose(&server(&["client_secret_post", "x"]), true), ClientAuthentication::ClientSecretPost);
        let both = server(&["client_secret_post", "client_secret_basic"]);
        assert_eq!(choose(&both, true), ClientAuthentication::ClientSecretBasic);
        assert_eq!(choose(&server(&["private_key_jwt"]), false), ClientAuthentication::None);
    }

    #[test]
    fn registration_has_an_application_type() {
        // A-078, A-079, A-083, A-084, A-173
        let metadata = ClientMetadata { name: "x".to_owned(), uri: None, grant_type: AUTHORIZATION_CODE };
        let document = |uri| metadata.document(&server(&["client_secret_basic"]), uri, &Scopes::parse("a b"));
        assert_eq!(document("http://127.0.0.1:1/callback")["application_type"], "native");
        assert_eq!(document("https://app.example.com/callback")["application_type"], "web");
        let document = document("app://callback");
        assert_eq!(document["grant_types"], json!(["authorization_code", "refresh_token"]));
        assert_eq!(document["token_endpoint_auth_method"], "client_secret_basic");
        let device = ClientMetadata { grant_type: DEVICE_CODE, ..metadata.clone() };
        let device = device.document(&server(&[]), "http://127.0.0.1/callback", &Scopes::default());
        assert_eq!(device["grant_types"][0], DEVICE_CODE);
        assert_eq!(document["redirect_uris"], json!(["app://callback"]));
        assert_eq!(document["scope"], "a b");
    }

    #[test]
    fn reads_imperfect_responses() {
        let identity = |json: &str| identity("https://as/register", &server(&[]), "http://127.0.0.1/", json.as_bytes());
        let client = identity(
            r#"{"client_id":"c","client_secret":null,"client_secret_expires_at":null,"token_endpoint_auth_method":null,"x":[{}]}"#,
        );
        let client = client.unwrap();
        assert_eq!((client.authentication, client.secret, client.expires_at), (ClientAuthentication::None, None, None));
        for expires in ["0", "-1", "\"never\"", "1.5e300"] {
            let json = format!(r#"{{"client_id":"c","client_secret":"s","client_secret_expires_at":{expires}}}"#);
            let client = identity(&json).unwrap();
            assert_eq!(client.authentication, ClientAuthentication::ClientSecretBasic);
            assert_eq!(client.expires_at, None, "{expires}");
        }
        for method in ["client_secret_post", "client_secret_basic", "private_key_jwt", "unknown"] {
            let json = format!(r#"{{"client_id":"c","token_endpoint_auth_method":"{method}"}}"#);
            assert_eq!(identity(&json).unwrap().authentication, ClientAuthentication::None, "{method}");
        }
        for json in
            ["", "[]", "\"s3cret\"", r#"{"client_secret":"s3cret"}"#, r#"{"client_id":"","client_secret":"s3cret"}"#]
        {
            let error = identity(json).unwrap_err().to_string();
            assert!(error.contains("`client_id` is missing") && !error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn rejections_contain_the_reason_of_the_server() {
        // A-081
        let body = br#"{"error":"invalid_redirect_uri","error_description":"only \u001b[31mhttps"}"#;
        let text = rejected("https://as/register", 400, body).to_string();
        assert!(text.contains(r"invalid_redirect_uri (only \u{1b}[31mhttps)"), "{text}");
    }
}
