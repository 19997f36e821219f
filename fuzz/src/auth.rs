//! Shared code of the authorization targets: a key that signs tokens, and checks of responses.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

/// The key of all signatures. It is fixed, so that an input reaches the same code in each run.
static KEY: LazyLock<Ed25519KeyPair> =
    LazyLock::new(|| Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed of 32 bytes"));

/// Returns the coordinate `x` of the public key.
pub fn public_key() -> String {
    URL_SAFE_NO_PAD.encode(KEY.public_key())
}

/// Returns the public key. Its members are in the order of its thumbprint.
pub fn jwk() -> Value {
    json!({ "crv": "Ed25519", "kty": "OKP", "x": public_key() })
}

/// Returns a key set with the public key.
pub fn jwks() -> Value {
    json!({ "keys": [jwk()] })
}

/// Returns the thumbprint of the public key: RFC 7638.
pub fn thumbprint() -> String {
    sha256(jwk().to_string().as_bytes())
}

/// Signs a token. The header and the claims need not be JSON.
pub fn sign(header: &[u8], claims: &[u8]) -> String {
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
    let message = format!("{header}.{claims}");
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(KEY.sign(message.as_bytes())))
}

/// Returns the SHA-256 digest in base64, for URLs.
pub fn sha256(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, bytes))
}

/// Returns the seconds since the Unix epoch.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// Replaces variables in a template: `$now` by the time, `$new` by a number that is never repeated, `$jwk` by the public
/// key, `$jkt` by its thumbprint, and further ones.
pub fn expand(template: &[u8], further: &[(&str, &str)]) -> Vec<u8> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let mut out = Vec::with_capacity(template.len());
    let mut rest = template;
    while let Some(start) = rest.iter().position(|byte| *byte == b'$') {
        out.extend_from_slice(&rest[..start]);
        rest = &rest[start..];
        let fixed = |name: &str| match name {
            "$now" => Some(now().to_string()),
            "$new" => Some(COUNTER.fetch_add(1, Ordering::Relaxed).to_string()),
            "$jwk" => Some(jwk().to_string()),
            "$jkt" => Some(thumbprint()),
            _ => None,
        };
        let names = ["$now", "$new", "$jwk", "$jkt"].into_iter().chain(further.iter().map(|(name, _)| *name));
        match names.into_iter().find(|name| rest.starts_with(name.as_bytes())) {
            Some(name) => {
                let given = further.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
                out.extend_from_slice(given.or_else(|| fixed(name)).unwrap_or_default().as_bytes());
                rest = &rest[name.len()..];
            }
            None => {
                out.push(b'$');
                rest = &rest[1..];
            }
        }
    }
    out.extend_from_slice(rest);
    out
}

/// Asserts that a rejection is JSON with an error, in the characters of RFC 6749, and is not cached. Returns the code.
#[track_caller]
pub fn assert_json_error(response: &Response<Bytes>) -> String {
    assert_eq!(header(response.headers(), CONTENT_TYPE.as_str()), "application/json", "{response:?}");
    assert_eq!(header(response.headers(), CACHE_CONTROL.as_str()), "no-store", "{response:?}");
    let body: Value = serde_json::from_slice(response.body()).expect("an error is JSON");
    let code = body["error"].as_str().expect("an error has a code");
    assert!(!code.is_empty() && code.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase()), "{code}");
    let description = body["error_description"].as_str().expect("an error has a description");
    let is_allowed = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    assert!(description.len() <= 300 && description.bytes().all(is_allowed), "{description:?}");
    code.to_owned()
}

/// The tags of the pages, without the values of their attributes.
const TAGS: [&str; 54] = [
    "!doctype html",
    "html lang=\"\"",
    "/html",
    "head",
    "/head",
    "meta charset=\"\"",
    "meta name=\"\" content=\"\"",
    "title",
    "/title",
    "style nonce=\"\"",
    "/style",
    "body",
    "/body",
    "main",
    "/main",
    "p",
    "p class=\"\"",
    "p class=\"\" role=\"\"",
    "/p",
    "h1",
    "/h1",
    "dl",
    "/dl",
    "dt",
    "/dt",
    "dd",
    "/dd",
    "ul",
    "/ul",
    "li",
    "/li",
    "strong",
    "/strong",
    "small",
    "/small",
    "code",
    "/code",
    "form method=\"\" action=\"\"",
    "/form",
    "button type=\"\"",
    "button name=\"\" value=\"\"",
    "button name=\"\" value=\"\" class=\"\"",
    "/button",
    "input type=\"\" name=\"\" value=\"\"",
    "input type=\"\" name=\"\" value=\"\" checked",
    "input type=\"\" checked disabled",
    "label for=\"\"",
    "label class=\"\"",
    "fieldset",
    "/fieldset",
    "legend",
    "/legend",
    "span",
    "/span",
];
const FIELDS: [&str; 3] = [
    "input id=\"\" name=\"\" type=\"\" autocomplete=\"\" autocapitalize=\"\" required autofocus",
    "input id=\"\" name=\"\" type=\"\" autocomplete=\"\" required",
    "/label",
];

/// Asserts that a page has only tags and attributes of the server, is not cached, and has a content security policy.
#[track_caller]
pub fn assert_safe_page(response: &Response<Bytes>) {
    let headers = response.headers();
    assert_eq!(header(headers, CONTENT_TYPE.as_str()), "text/html; charset=utf-8", "{response:?}");
    assert_eq!(header(headers, "x-frame-options"), "DENY", "{response:?}");
    assert!(header(headers, "content-security-policy").contains("default-src 'none'"), "{response:?}");
    let html = std::str::from_utf8(response.body()).expect("a page is UTF-8");
    for part in html.split('<').skip(1) {
        let (tag, _) = part.split_once('>').expect("a tag ends");
        let shape: Vec<&str> = tag.split('"').step_by(2).collect();
        let shape = shape.join("\"\"");
        assert!(TAGS.contains(&&*shape) || FIELDS.contains(&&*shape), "{tag} in {html}");
    }
}

/// Returns a header as text; empty if it is missing.
pub fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("", |value: &HeaderValue| value.to_str().expect("headers of responses are ASCII"))
}

/// Returns whether a response is a success.
pub fn is_success(response: &Response<Bytes>) -> bool {
    response.status() == StatusCode::OK || response.status() == StatusCode::CREATED
}
