//! Reads access tokens from claims: RFC 9068, RFC 7662, and what common authorization servers use instead.

use serde_json::{Map, Value};

use crate::access_token::AccessToken;
use crate::dpop_proof::Confirmation;
use crate::jwt::numeric_date;

/// Claims with scopes: of RFC 9068; of Entra ID and Okta. The claim `permissions` of Auth0 is not one of them: it contains
/// all permissions of the user, also those that the client did not request.
const SCOPE_CLAIMS: [&str; 2] = ["scope", "scp"];
/// Claims with the client: of RFC 9068; of Auth0, Keycloak and Entra ID; of Okta; of Entra ID (version 1).
const CLIENT_CLAIMS: [&str; 4] = ["client_id", "azp", "cid", "appid"];
/// Maximum number of scopes or audiences of a token. Further ones are ignored.
const MAX_ITEMS: usize = 500;

/// Creates an access token from verified claims.
///
/// # Errors
/// The problem, if the token is bound to something that cannot be checked, such as a certificate.
pub(super) fn access_token(claims: Map<String, Value>, scope_claim: Option<&str>) -> Result<AccessToken, &'static str> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let mut token = AccessToken::new();
    token.issuer = text("iss");
    token.subject = text("sub");
    token.client_id = CLIENT_CLAIMS.iter().find_map(|name| text(name));
    token.expires_at = claims.get("exp").and_then(numeric_date);
    token.audiences = items(claims.get("aud"), None);
    token.key_thumbprint = match Confirmation::read(&claims) {
        Confirmation::Absent => None,
        Confirmation::Key(thumbprint) => Some(thumbprint.to_owned()),
        Confirmation::Unsupported => return Err("the token is bound by a method that is not supported (`cnf`)"),
    };
    let names = scope_claim.as_ref().map_or(&SCOPE_CLAIMS[..], std::slice::from_ref);
    let scopes = names.iter().find_map(|name| claims.get(*name).filter(|claim| claim.is_string() || claim.is_array()));
    for scope in items(scopes, Some(' ')) {
        if token.scopes.len() < MAX_ITEMS && !token.scopes.contains(&scope) {
            token.scopes.push(scope);
        }
    }
    token.claims = claims;
    Ok(token)
}

/// Returns the texts of a claim: an array, or one text, which a separator may divide.
fn items(claim: Option<&Value>, separator: Option<char>) -> Vec<String> {
    match claim {
        Some(Value::String(text)) => match separator {
            Some(separator) => {
                text.split(separator).filter(|it| !it.is_empty()).take(MAX_ITEMS).map(str::to_owned).collect()
            }
            None => vec![text.clone()],
        },
        Some(Value::Array(values)) => {
            values.iter().filter_map(Value::as_str).take(MAX_ITEMS).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(claims: Value, scope_claim: Option<&str>) -> Result<AccessToken, &'static str> {
        let Value::Object(claims) = claims else { unreachable!() };
        access_token(claims, scope_claim)
    }

    #[test]
    fn scopes_are_read_from_the_claims_of_common_servers() {
        for (claims, expected) in [
            (json!({ "scope": "a  b" }), vec!["a", "b"]),
            (json!({ "scope": ["a", 1, "b"] }), vec!["a", "b"]),
            (json!({ "scp": ["a", "b"] }), vec!["a", "b"]),
            (json!({ "scp": "a b" }), vec!["a", "b"]),
            (json!({ "scope": null, "scp": ["a"] }), vec!["a"]),
            (json!({ "scope": null, "scp": 1 }), vec![]),
        ] {
            assert_eq!(read(claims.clone(), None).unwrap().scopes, expected, "{claims}");
        }
        let claims = json!({ "scope": "a", "roles": ["b"] });
        assert_eq!(read(claims, Some("roles")).unwrap().scopes, ["b"]);
    }

    #[test]
    fn trap_permissions_of_the_user_as_scopes_of_the_client() {
        let claims = json!({ "scope": "notes:read", "scp": "x", "permissions": ["notes:read", "notes:delete"] });
        assert_eq!(read(claims.clone(), None).unwrap().scopes, ["notes:read"]);
        assert_eq!(read(claims, Some("permissions")).unwrap().scopes, ["notes:read", "notes:delete"]);
    }

    #[test]
    fn clients_audiences_and_keys_are_read() {
        for claims in [json!({ "client_id": "c", "azp": "x" }), json!({ "azp": "c" }), json!({ "cid": "c" })] {
            assert_eq!(read(claims, None).unwrap().client_id.as_deref(), Some("c"));
        }
        assert_eq!(read(json!({ "aud": "a b" }), None).unwrap().audiences, ["a b"]);
        assert_eq!(read(json!({ "aud": ["a", "b"] }), None).unwrap().audiences, ["a", "b"]);
        assert!(read(json!({ "aud": { "a": 1 } }), None).unwrap().audiences.is_empty());
        assert_eq!(read(json!({ "cnf": { "jkt": "k" } }), None).unwrap().key_thumbprint.as_deref(), Some("k"));
        for confirmation in [json!({ "x5t#S256": "x" }), json!({ "jkt": "" }), json!("x"), json!({})] {
            assert!(read(json!({ "cnf": confirmation }), None).is_err(), "{confirmation}");
        }
    }
}
