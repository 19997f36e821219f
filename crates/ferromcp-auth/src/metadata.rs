//! Metadata documents: of a protected resource (RFC 9728) and of an authorization server (RFC 8414, OpenID Connect
//! Discovery).
//!
//! Optional fields with `null` or a value of the wrong type are treated as absent, with a warning that names them.

use ferromcp_core::text::excerpt;
use http::HeaderMap;
use url::Url;

use crate::document::Document;
use crate::error::AuthError;
use crate::fetch::Fetcher;

/// Metadata of a protected resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResourceMetadata {
    /// The identifier of the resource, unchanged.
    pub(crate) resource: String,
    pub(crate) authorization_servers: Vec<String>,
    pub(crate) scopes_supported: Vec<String>,
}

/// Metadata of an authorization server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "the document has these fields")]
pub(crate) struct ServerMetadata {
    pub(crate) issuer: String,
    pub(crate) authorization_endpoint: Option<String>,
    pub(crate) token_endpoint: Option<String>,
    pub(crate) registration_endpoint: Option<String>,
    pub(crate) device_authorization_endpoint: Option<String>,
    pub(crate) revocation_endpoint: Option<String>,
    pub(crate) jwks_uri: Option<String>,
    pub(crate) scopes_supported: Vec<String>,
    /// The values of `prompt` in authorization requests; `None` if the document does not list them.
    pub(crate) prompt_values: Option<Vec<String>>,
    pub(crate) token_endpoint_auth_methods: Option<Vec<String>>,
    /// `None` if the document does not have the field, so that PKCE is not supported.
    pub(crate) code_challenge_methods: Option<Vec<String>>,
    pub(crate) supports_client_id_metadata: bool,
    pub(crate) supports_iss_parameter: bool,
}

impl ResourceMetadata {
    /// Parses a document; `None` if it is not one.
    pub(crate) fn parse(json: &[u8]) -> Option<Self> {
        let document = Document::parse(json)?;
        Some(Self {
            resource: document.text("resource")?,
            authorization_servers: document.list("authorization_servers").unwrap_or_default(),
            scopes_supported: document.list("scopes_supported").unwrap_or_default(),
        })
    }
}

impl ServerMetadata {
    /// Parses a document; `None` if it is not one.
    pub(crate) fn parse(json: &[u8]) -> Option<Self> {
        let document = Document::parse(json)?;
        Some(Self {
            issuer: document.text("issuer")?,
            authorization_endpoint: document.text("authorization_endpoint"),
            token_endpoint: document.text("token_endpoint"),
            registration_endpoint: document.text("registration_endpoint"),
            device_authorization_endpoint: document.text("device_authorization_endpoint"),
            revocation_endpoint: document.non_empty("revocation_endpoint"),
            jwks_uri: document.non_empty("jwks_uri"),
            scopes_supported: document.list("scopes_supported").unwrap_or_default(),
            prompt_values: document.list("prompt_values_supported"),
            token_endpoint_auth_methods: document.list("token_endpoint_auth_methods_supported"),
            code_challenge_methods: document.list("code_challenge_methods_supported"),
            supports_client_id_metadata: document.flag("client_id_metadata_document_supported"),
            supports_iss_parameter: document.flag("authorization_response_iss_parameter_supported"),
        })
    }

    /// Returns the endpoints that revision 2025-03-26 defines for servers without metadata.
    pub(crate) fn of_2025_03_26(origin: &str) -> Self {
        Self {
            issuer: origin.to_owned(),
            authorization_endpoint: Some(format!("{origin}/authorize")),
            token_endpoint: Some(format!("{origin}/token")),
            registration_endpoint: Some(format!("{origin}/register")),
            // The revision requires PKCE of every server.
            code_challenge_methods: Some(vec!["S256".to_owned()]),
            ..Self::default()
        }
    }

    pub(crate) fn supports_pkce(&self) -> bool {
        self.code_challenge_methods.as_ref().is_some_and(|methods| methods.iter().any(|method| method == "S256"))
    }
}

/// Fetches the metadata of an issuer. A document that is missing (4xx) or cannot be parsed is searched at the next
/// location.
///
/// # Errors
/// Fails if the issuer has no metadata, or the metadata names another issuer, or a server cannot be reached.
pub(crate) async fn fetch_server_metadata(fetcher: &Fetcher, issuer: &str) -> Result<ServerMetadata, AuthError> {
    let parsed = fetcher.network().check(issuer)?;
    for url in server_metadata_urls(&parsed) {
        let response = fetcher.get(&url, HeaderMap::new()).await?.ensure_available(&url)?;
        if !response.status.is_success() {
            continue;
        }
        let Some(metadata) = ServerMetadata::parse(&response.body) else { continue };
        if metadata.issuer == issuer {
            return Ok(metadata);
        }
        return Err(AuthError::discovery(format!(
            "the metadata at {url} has issuer `{}`, not `{}`; configure the issuer exactly as the metadata spells it",
            excerpt(&metadata.issuer),
            excerpt(issuer)
        )));
    }
    Err(AuthError::discovery(format!(
        "authorization server {} has no metadata (RFC 8414 or OpenID Connect Discovery); configure the URL of its keys",
        excerpt(issuer)
    )))
}

/// Returns the locations of the metadata of an issuer.
pub(crate) fn server_metadata_urls(issuer: &Url) -> Vec<String> {
    let origin = issuer.origin().ascii_serialization();
    let (oauth, openid) = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration");
    match issuer.path().trim_end_matches('/') {
        "" => vec![format!("{origin}{oauth}"), format!("{origin}{openid}")],
        path => {
            vec![format!("{origin}{oauth}{path}"), format!("{origin}{openid}{path}"), format!("{origin}{path}{openid}")]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn server_metadata_is_searched_in_the_order_of_the_specification() {
        // A-031, A-032, A-033, A-034
        assert_eq!(
            server_metadata_urls(&url("https://h/t/1")),
            [
                "https://h/.well-known/oauth-authorization-server/t/1",
                "https://h/.well-known/openid-configuration/t/1",
                "https://h/t/1/.well-known/openid-configuration",
            ]
        );
        assert_eq!(
            server_metadata_urls(&url("https://h")),
            ["https://h/.well-known/oauth-authorization-server", "https://h/.well-known/openid-configuration",]
        );
    }

    #[test]
    fn reads_documents_with_null_and_mistyped_fields() {
        let json = br#"{"issuer":"https://as","authorization_endpoint":null,"token_endpoint":"https://as/t","scopes_supported":"a b",
            "code_challenge_methods_supported":["S256",1],"client_id_metadata_document_supported":"yes"}"#;
        let metadata = ServerMetadata::parse(json).unwrap();
        assert_eq!(metadata.authorization_endpoint, None);
        assert_eq!(metadata.scopes_supported, ["a", "b"]);
        assert!(metadata.supports_pkce() && !metadata.supports_client_id_metadata);
    }

    #[test]
    fn parse_fails_without_identifiers() {
        let invalid = b"{\"issuer\":\"\xff\",\"resource\":\"\xff\"}";
        assert!(ServerMetadata::parse(invalid).is_none() && ResourceMetadata::parse(invalid).is_none());
        for json in ["", "[]", "{}", r#"{"issuer":1}"#, r#"{"resource":null}"#] {
            assert!(ServerMetadata::parse(json.as_bytes()).is_none(), "{json}");
            assert!(ResourceMetadata::parse(json.as_bytes()).is_none(), "{json}");
        }
    }

    #[test]
    fn pkce_is_unsupported_without_the_field() {
        // A-095
        for json in [r#"{"issuer":"x"}"#, r#"{"issuer":"x","code_challenge_methods_supported":["plain"]}"#] {
            assert!(!ServerMetadata::parse(json.as_bytes()).unwrap().supports_pkce());
        }
    }
}
