//! The metadata document of a protected resource: RFC 9728.

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE,
    ALLOW, CACHE_CONTROL, CONTENT_TYPE,
};
use http::{HeaderValue, Method, Response, StatusCode};
use serde_json::{Map, Value, json};
use url::Url;

use crate::jwt::ALGORITHM_NAMES;

/// The well-known path, which precedes the path of the resource.
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");
const MAX_AGE: HeaderValue = HeaderValue::from_static("public, max-age=3600");
const ANY: HeaderValue = HeaderValue::from_static("*");

/// The contents of a metadata document.
#[derive(Debug, Default)]
pub(super) struct MetadataFields<'a> {
    pub(super) resource: &'a str,
    pub(super) authorization_servers: &'a [String],
    pub(super) scopes_supported: &'a [String],
    pub(super) name: Option<&'a str>,
    pub(super) documentation: Option<&'a str>,
    pub(super) supports_dpop: bool,
    pub(super) requires_dpop: bool,
}

/// A metadata document, and its locations.
#[derive(Debug)]
pub(super) struct Metadata {
    json: Bytes,
    /// The path for the path of the resource.
    path: String,
}

impl Metadata {
    /// Creates the document of a resource. The URL was validated.
    pub(super) fn new(resource: &Url, fields: &MetadataFields<'_>) -> Self {
        let path = format!("{WELL_KNOWN}{}", resource.path().trim_end_matches('/'));
        Self { json: fields.document().to_string().into(), path }
    }

    /// Returns the URL of the document. It depends on the configuration only, never on a request.
    pub(super) fn url(&self, resource: &Url) -> String {
        format!("{}{}", resource.origin().ascii_serialization(), self.path)
    }

    /// Returns whether the document is served at a path: that of the resource, or that of the origin.
    pub(super) fn is_at(&self, path: &str) -> bool {
        let path = path.strip_suffix('/').unwrap_or(path);
        path == self.path || path == WELL_KNOWN
    }

    /// Responds to a request for the document.
    pub(super) fn respond(&self, method: &Method) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        let is_found = matches!(*method, Method::GET | Method::HEAD);
        let status = match *method {
            _ if is_found => StatusCode::OK,
            Method::OPTIONS => StatusCode::NO_CONTENT,
            _ => StatusCode::METHOD_NOT_ALLOWED,
        };
        *response.status_mut() = status;
        if *method == Method::GET {
            *response.body_mut() = self.json.clone();
        }
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
        if is_found {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(CACHE_CONTROL, MAX_AGE);
        } else {
            headers.insert(ALLOW, METHODS);
        }
        if *method == Method::OPTIONS {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("MCP-Protocol-Version, *"));
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("7200"));
        }
        response
    }
}

impl MetadataFields<'_> {
    fn document(&self) -> Value {
        let mut document = Map::new();
        let mut add = |name: &str, value: Value| document.insert(name.to_owned(), value);
        add("resource", json!(self.resource));
        add("authorization_servers", json!(self.authorization_servers));
        if !self.scopes_supported.is_empty() {
            add("scopes_supported", json!(self.scopes_supported));
        }
        add("bearer_methods_supported", json!(["header"]));
        if let Some(name) = self.name {
            add("resource_name", json!(name));
        }
        if let Some(documentation) = self.documentation {
            add("resource_documentation", json!(documentation));
        }
        if self.supports_dpop {
            add("dpop_signing_alg_values_supported", json!(ALGORITHM_NAMES));
        }
        if self.requires_dpop {
            add("dpop_bound_access_tokens_required", json!(true));
        }
        Value::Object(document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(resource: &str, fields: &MetadataFields<'_>) -> Metadata {
        Metadata::new(&Url::parse(resource).unwrap(), fields)
    }

    #[test]
    fn empty_members_are_left_out() {
        //
        let servers = ["https://as".to_owned()];
        let fields =
            MetadataFields { resource: "https://h/mcp", authorization_servers: &servers, ..Default::default() };
        let document: Value = serde_json::from_slice(&metadata("https://h/mcp", &fields).json).unwrap();
        let expected = json!({
            "resource": "https://h/mcp", "authorization_servers": ["https://as"], "bearer_methods_supported": ["header"],
        });
        assert_eq!(document, expected);
    }

    #[test]
    fn document_is_served_at_the_path_and_the_root() {
        //
        let at_path = metadata("https://h:1/a/mcp/", &MetadataFields::default());
        let path = "/.well-known/oauth-protected-resource/a/mcp";
        assert_eq!(at_path.url(&Url::parse("https://h:1/a/mcp/").unwrap()), format!("https://h:1{path}"));
        for served in [path, "/.well-known/oauth-protected-resource/a/mcp/", WELL_KNOWN] {
            assert!(at_path.is_at(served), "{served}");
        }
        for other in
            ["/", "/a/mcp", "/.well-known/oauth-protected-resource/a", "/x/.well-known/oauth-protected-resource"]
        {
            assert!(!at_path.is_at(other), "{other}");
        }
        assert_eq!(metadata("https://h", &MetadataFields::default()).path, WELL_KNOWN);
    }

    #[test]
    fn methods_and_headers_are_those_of_a_public_document() {
        let metadata = metadata("https://h/mcp", &MetadataFields::default());
        for (method, status, is_empty) in [
            (Method::GET, 200, false),
            (Method::HEAD, 200, true),
            (Method::OPTIONS, 204, true),
            (Method::POST, 405, true),
            (Method::DELETE, 405, true),
        ] {
            let response = metadata.respond(&method);
            assert_eq!((response.status().as_u16(), response.body().is_empty()), (status, is_empty), "{method}");
            assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
            assert_eq!(response.headers().get(CACHE_CONTROL).is_some(), status == 200);
        }
    }
}
