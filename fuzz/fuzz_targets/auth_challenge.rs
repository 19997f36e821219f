//! Parses what a client and a server receive from other servers, from users and from files: errors are printable and do
//! not contain secrets, and only safe URLs are opened.
//!
//! Covers `WWW-Authenticate` challenges, metadata of resources and authorization servers, responses of the token,
//! registration, device authorization and introspection endpoints, of upstream servers, authorization responses (pasted,
//! and as requests of a browser), client ID metadata documents, DPoP nonces, credential files and private keys.
//! `cargo +nightly fuzz run auth_challenge`. The first byte selects the parser; the second is a status or an option. NUL
//! separates documents and header lines. Spec:
//! <https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization>.
#![no_main]

use std::error::Error;

use bytes::Bytes;
use ferromcp_auth::client::{SigningAlgorithm, SigningKey};
use ferromcp_auth::fuzzing::{self as auth, REDIRECT_URI, SECRET};
use ferromcp_fuzz::assert_printable;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use url::Url;

/// The parameters that a client sets in the URL of the authorization page.
const OWN_PARAMETERS: [&str; 7] =
    ["response_type", "client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method", "resource"];

/// The maximum length of a header with challenges, in bytes.
const MAX_HEADER: usize = 16 * 1024;

fuzz_target!(|input: &[u8]| {
    let [parser, option, input @ ..] = input else { return };
    let (first, second) = split(input);
    let status = StatusCode::from_u16(200 + u16::from(*option) * 3 % 400).expect("a status");
    match parser % 12 {
        0 => challenges(input),
        1 => discovery(first, second),
        2 => authorization_response(input, option & 1 != 0),
        3 => token_response(status, input, option & 1 != 0),
        4 => drop(auth::registration_response(status, input).map_err(|error| check_error(&error))),
        5 => device_response(input),
        6 => introspection_response(input),
        7 => client_document(first, second, *option),
        8 => drop(auth::upstream_user(status, Bytes::copy_from_slice(first), second)),
        9 => nonce(first, second),
        10 => credential_file(input, option & 1 != 0),
        _ => private_key(input, *option),
    }
});

/// Splits an input at the first NUL.
fn split(input: &[u8]) -> (&[u8], &[u8]) {
    let end = input.iter().position(|byte| *byte == 0);
    end.map_or((input, &b""[..]), |end| (&input[..end], &input[end + 1..]))
}

/// Asserts that the text of an error and of its causes is printable.
fn check_error(error: &(dyn Error + 'static)) {
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        assert_printable(&text);
        assert!(text.len() <= 20_000, "an error of {} bytes", text.len());
        next = error.source();
    }
}

fn challenges(input: &[u8]) {
    let headers: Vec<HeaderValue> =
        input.split(|byte| *byte == 0).filter_map(|line| HeaderValue::from_bytes(line).ok()).collect();
    let parsed = auth::challenges(&headers);
    assert!(parsed.len() <= 16);
    for (scheme, parameters) in &parsed {
        assert!(!scheme.is_empty() && !scheme.bytes().any(|byte| byte.is_ascii_uppercase()), "{scheme}");
        assert!(parameters.len() <= 32);
        assert!(parameters.iter().all(|(name, _)| !name.is_empty() && *name == name.to_ascii_lowercase()));
    }
    // Challenges that are written in the canonical form are parsed without loss.
    let written: Vec<HeaderValue> = parsed.iter().map(write_challenge).collect();
    if written.iter().all(|header| header.len() <= MAX_HEADER) {
        assert_eq!(auth::challenges(&written), parsed);
    }
}

fn write_challenge((scheme, parameters): &auth::ParsedChallenge) -> HeaderValue {
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"");
    let parameters: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    HeaderValue::from_str(&format!("{scheme} {}", parameters.join(", "))).expect("parsed values are ASCII")
}

fn discovery(resource: &[u8], server: &[u8]) {
    let found = match auth::discover(resource, server) {
        Ok(found) => found,
        Err(error) => return check_error(&error),
    };
    for url in found.metadata_urls.iter().chain([&found.authorization_url]) {
        let url = Url::parse(url).expect("a URL");
        assert!(url.scheme() == "https" && url.username().is_empty() && url.password().is_none(), "{url}");
    }
    let url = Url::parse(&found.authorization_url).expect("a URL");
    for name in OWN_PARAMETERS {
        assert_eq!(url.query_pairs().filter(|(other, _)| other == name).count(), 1, "{name} in {url}");
    }
    assert!(url.fragment().is_none() && found.authentication.starts_with("client_secret_"), "{found:?}");
}

fn authorization_response(input: &[u8], requires_iss: bool) {
    let text = String::from_utf8_lossy(input);
    let received = ferromcp_fuzz::run(auth::receive(&text, requires_iss)).expect("a login");
    match &received.code {
        Ok(code) => assert!(received.matches && !code.expose().is_empty()),
        Err(error) => check_error(error),
    }
    for url in received.pasted.iter().chain(&received.called_back) {
        assert!(url.contains("state") || url.contains('%'), "{url}");
    }
    if let Some(url) = &received.called_back {
        let expected = Url::parse(REDIRECT_URI).expect("a URL");
        assert_eq!(Url::parse(url).expect("a URL").path(), expected.path());
    }
    assert!(text.contains("$state") || (!received.matches && received.called_back.is_none()));
    assert!(received.page.is_empty() || received.page.starts_with(b"HTTP/1.1 "), "{received:?}");
    assert!(!received.page.windows(received.state.len()).any(|window| window == received.state.as_bytes()));
}

fn token_response(status: StatusCode, body: &[u8], has_dpop: bool) {
    match auth::token_response(status, &Bytes::copy_from_slice(body), has_dpop) {
        Ok(tokens) => {
            assert!(HeaderValue::from_str(tokens.access.expose()).is_ok_and(|value| !value.is_empty()));
            assert!(tokens.refresh.is_none_or(|token| !token.expose().is_empty()));
            assert!(tokens.scopes.is_none_or(|scopes| !scopes.is_empty() && scopes.is_ascii()));
        }
        Err(error) => {
            check_error(&error);
            assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
        }
    }
}

fn device_response(body: &[u8]) {
    match auth::device_response(body) {
        Ok(code) => {
            for url in [Some(&code.verification_uri), code.verification_uri_complete.as_ref()].into_iter().flatten() {
                assert!(url.starts_with("https://"), "{url}");
            }
            assert_printable(&code.user_code);
        }
        Err(error) => check_error(&error),
    }
}

fn introspection_response(body: &[u8]) {
    let Some(token) = auth::introspected(body) else { return };
    let claims: Value = serde_json::from_slice(body).expect("a valid response is JSON");
    assert_eq!(claims["active"], Value::Bool(true));
    assert_eq!(token.issuer.as_deref(), Some(auth::INTROSPECTED_ISSUER));
    assert!(
        claims
            .get("iss")
            .is_none_or(|issuer| !issuer.is_string() || issuer == auth::INTROSPECTED_ISSUER || issuer == "")
    );
    assert!(token.scopes.len() <= 500 && token.audiences.len() <= 500);
}

/// `option`: 1 for a media type with a suffix, 2 for `Cache-Control` in the body.
fn client_document(url: &[u8], body: &[u8], option: u8) {
    let Ok(url) = std::str::from_utf8(url) else { return };
    let (cache_control, body) = if option & 2 != 0 { split(body) } else { (&b""[..], body) };
    let media_type = if option & 1 != 0 { "application/client+json; x" } else { "application/json" };
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(media_type))]);
    headers.extend(HeaderValue::from_bytes(cache_control).map(|value| (CACHE_CONTROL, value)));
    match auth::client_document(url, headers, Bytes::copy_from_slice(body)) {
        Ok((client, seconds)) => {
            assert!(client.client_id == url && client.is_metadata_document && client.client_secret.is_none());
            assert!(!client.redirect_uris.is_empty() && seconds <= 3600);
            let parsed = Url::parse(url).expect("a client ID is a URL");
            assert!(matches!(parsed.scheme(), "https" | "http") && parsed.username().is_empty(), "{url}");
            client.redirect_uris.iter().for_each(|uri| assert_safe_redirect(uri));
        }
        Err(error) => assert!(matches!(error.code(), "invalid_client"), "{error}"),
    }
}

fn assert_safe_redirect(uri: &str) {
    let url = Url::parse(uri).expect("a redirect URI is a URL");
    assert!(url.fragment().is_none() && url.username().is_empty() && url.password().is_none(), "{uri}");
    let is_loopback = matches!(url.host_str(), Some(host) if host.starts_with("127.") || host == "[::1]"
        || host == "localhost" || host.ends_with(".localhost") || host.starts_with("[::ffff:7f"));
    assert!(url.scheme() == "https" || (url.scheme() == "http" && is_loopback) || url.scheme().contains('.'), "{uri}");
}

fn nonce(nonce: &[u8], token: &[u8]) {
    let Ok(nonce) = HeaderValue::from_bytes(nonce) else { return };
    let proof = auth::proof_with_nonce(nonce, &String::from_utf8_lossy(token)).expect("a proof");
    assert_eq!(proof.as_bytes().iter().filter(|byte| **byte == b'.').count(), 2);
}

fn credential_file(text: &[u8], has_key: bool) {
    match auth::credential_file(text, has_key) {
        Ok(Some(credentials)) => {
            assert!(!format!("{credentials:?}").contains(SECRET) || credentials.issuer().contains(SECRET));
            let json = serde_json::to_string(&credentials).expect("credentials are JSON");
            assert_eq!(serde_json::from_str::<ferromcp_auth::client::StoredCredentials>(&json).ok(), Some(credentials));
        }
        Ok(None) => {}
        Err(error) => check_error(&error),
    }
}

fn private_key(pem: &[u8], option: u8) {
    let name = ["ES256", "ES384", "EdDSA", "RS256"][usize::from(option % 4)];
    let algorithm = SigningAlgorithm::parse(name).expect("an algorithm");
    if let Err(error) = SigningKey::from_pem(algorithm, &String::from_utf8_lossy(pem)) {
        check_error(&error);
    }
}
