//! The metadata of clients: fields that registrations and client ID metadata documents share.
//!
//! Spec: RFC 7591, section 2.

use serde_json::{Map, Value};

use super::client::RegisteredClient;
use super::error::OAuthError;
use super::redirect_uri;
use crate::jwt::has_private_member;

/// Maximum number of redirect URIs of a client.
const MAX_REDIRECT_URIS: usize = 50;
/// Maximum length of the name of a client, in characters.
const MAX_NAME_CHARS: usize = 200;
/// Maximum length of a URL, in bytes.
const MAX_URL_BYTES: usize = 2048;
/// Maximum number of keys of a client.
const MAX_KEYS: usize = 20;

/// Reads and checks the redirect URIs. Without the field, the list is empty.
///
/// # Errors
/// `invalid_redirect_uri`.
pub(super) fn redirect_uris(
    fields: &Map<String, Value>,
    application_type: Option<&str>,
    schemes: &[String],
) -> Result<Vec<String>, OAuthError> {
    let uris = list(fields, "redirect_uris")
        .map_err(|_| OAuthError::invalid_redirect_uri("`redirect_uris` is not a list of texts"))?
        .unwrap_or_default();
    if uris.len() > MAX_REDIRECT_URIS {
        return Err(OAuthError::invalid_redirect_uri(format!("more than {MAX_REDIRECT_URIS} redirect URIs")));
    }
    for uri in &uris {
        redirect_uri::check(uri, application_type, schemes)?;
    }
    Ok(uris.into_iter().map(str::to_owned).collect())
}

/// Checks the name of a client, which the user sees: it has no control characters and no characters that change the
/// direction of text, with which a name could forge other parts of the page.
pub(super) fn checked_name(name: String) -> Result<String, OAuthError> {
    let is_direction = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if name.chars().count() > MAX_NAME_CHARS || name.chars().any(|c| c.is_control() || is_direction(c)) {
        return Err(invalid(&format!("`client_name` exceeds {MAX_NAME_CHARS} characters, or has control characters")));
    }
    Ok(name)
}

/// Sets the keys of a client with `private_key_jwt`: either `jwks` or `jwks_uri`.
pub(super) fn set_keys(client: &mut RegisteredClient, fields: &Map<String, Value>) -> Result<(), OAuthError> {
    let keys = fields.get("jwks").filter(|keys| !keys.is_null());
    match (keys, text(fields, "jwks_uri")?) {
        (Some(keys), None) => {
            let list = keys.get("keys").and_then(Value::as_array).ok_or_else(|| invalid("`jwks` is not a key set"))?;
            if list.len() > MAX_KEYS {
                return Err(invalid(&format!("`jwks` has more than {MAX_KEYS} keys")));
            }
            if list.iter().any(has_private_member) {
                return Err(invalid("`jwks` contains a private or symmetric key; send public keys only"));
            }
            client.jwks = Some(keys.clone());
        }
        (None, Some(url)) => client.jwks_uri = Some(checked_url(url)?),
        _ => return Err(invalid("a client with `private_key_jwt` needs either `jwks` or `jwks_uri`")),
    }
    Ok(())
}

/// Checks a URL that is shown or fetched.
pub(super) fn checked_url(url: &str) -> Result<String, OAuthError> {
    let is_web = url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "https" | "http"));
    if !is_web || url.len() > MAX_URL_BYTES {
        return Err(invalid("a URL of the client is invalid"));
    }
    Ok(url.to_owned())
}

/// Returns a text. `null` and an empty text are treated as absent.
pub(super) fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, OAuthError> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(invalid(&format!("`{name}` is not a text"))),
    }
}

/// Returns a list of texts. `null` is treated as absent.
pub(super) fn list<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<Option<Vec<&'a str>>, OAuthError> {
    let items = match fields.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(items)) => items.iter().map(Value::as_str).collect(),
        Some(_) => None,
    };
    items.map(Some).ok_or_else(|| invalid(&format!("`{name}` is not a list of texts")))
}

pub(super) fn invalid(problem: &str) -> OAuthError {
    OAuthError::invalid_client_metadata(problem)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_cannot_forge_other_parts_of_a_page() {
        for name in ["a\nb", "a\u{202e}b", "a\u{2066}b", "\u{0}", &"x".repeat(MAX_NAME_CHARS + 1)] {
            assert_eq!(checked_name(name.to_owned()).unwrap_err().code(), "invalid_client_metadata", "{name:?}");
        }
        checked_name("Ünïcode <b>".to_owned()).unwrap();
    }

    #[test]
    fn keys_are_given_in_one_way() {
        let set = |fields: Value| {
            let mut client = RegisteredClient::new("c", [""; 0]);
            set_keys(&mut client, fields.as_object().unwrap()).map(|()| client)
        };
        assert!(set(json!({ "jwks": { "keys": [] } })).unwrap().jwks.is_some());
        assert!(set(json!({ "jwks_uri": "https://example.com/keys" })).unwrap().jwks_uri.is_some());
        for fields in [
            json!({}),
            json!({ "jwks": [] }),
            json!({ "jwks": { "keys": vec![json!({}); MAX_KEYS + 1] } }),
            json!({ "jwks_uri": "file:///x" }),
            json!({ "jwks": { "keys": [] }, "jwks_uri": "https://example.com/keys" }),
        ] {
            assert!(set(fields.clone()).is_err(), "{fields}");
        }
        for member in ["d", "k", "dp", "oth"] {
            let error = set(json!({ "jwks": { "keys": [{ member: "AAAA" }] } })).unwrap_err();
            assert!(error.to_string().contains("send public keys only"), "{member}");
        }
    }
}
