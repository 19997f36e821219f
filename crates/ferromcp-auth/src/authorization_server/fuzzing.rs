//! Entry points for fuzzing of the documents that an authorization server fetches. Not part of the public API.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::cimd;
use super::client::RegisteredClient;
use super::error::OAuthError;
use crate::fetch::Fetched;

pub use super::upstream::fuzzing::upstream_user;

/// Reads a client ID metadata document. Returns the client, and how long it may be cached, in seconds.
///
/// # Errors
/// Fails if the URL or the document is invalid.
pub fn client_document(url: &str, headers: HeaderMap, body: Bytes) -> Result<(RegisteredClient, u64), OAuthError> {
    cimd::check_url(url)?;
    let fetched = Fetched { status: StatusCode::OK, headers, body };
    let client = cimd::parse(url, &fetched, &[])?;
    Ok((client, cimd::lifetime(&fetched.headers)))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::CONTENT_TYPE;

    use super::*;

    #[test]
    fn entry_points_read_documents() {
        let url = "https://app.example.com/client.json";
        let body = r#"{"client_id":"https://app.example.com/client.json","client_name":"App",
            "redirect_uris":["https://app.example.com/cb"]}"#;
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        let (client, seconds) = client_document(url, headers.clone(), Bytes::from_static(body.as_bytes())).unwrap();
        assert_eq!((client.client_id.as_str(), seconds), (url, 300));
        assert!(client_document(url, headers, Bytes::from_static(b"{}")).is_err());
        let tokens = Bytes::from_static(br#"{"access_token":"t"}"#);
        assert_eq!(upstream_user(StatusCode::OK, tokens.clone(), br#"{"sub":"ada"}"#).unwrap().subject, "ada");
        assert!(upstream_user(StatusCode::OK, tokens, b"{}").is_err());
    }
}
