//! The metadata of the authorization server.
//!
//! Spec: RFC 8414, section 2; RFC 9207, section 3; RFC 9449, section 5.1.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::options::AuthorizationServerOptions;
use super::scope::{self, ScopePolicy};
use super::trusted_issuer::AssertionKind;
use crate::jwt::ALGORITHM_NAMES;

/// The profile of identity assertions (enterprise-managed authorization).
const ID_JAG_PROFILE: &str = "urn:ietf:params:oauth:grant-profile:id-jag";
/// The names of the client authentication methods.
const AUTH_METHODS: [&str; 4] = ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"];

/// Returns the document. Optional fields that do not apply are absent.
pub(super) fn document(options: &AuthorizationServerOptions, scopes: &ScopePolicy) -> Bytes {
    let base = options.base_url();
    let mut document = Map::new();
    let mut set = |name: &str, value: Value| document.insert(name.to_owned(), value);
    set("issuer", json!(options.issuer));
    set("authorization_endpoint", json!(format!("{base}/authorize")));
    set("token_endpoint", json!(format!("{base}/token")));
    if options.registration.is_some() {
        set("registration_endpoint", json!(format!("{base}/register")));
    }
    let scopes = scope::list(&scopes.supported());
    if !scopes.is_empty() {
        set("scopes_supported", json!(scopes));
    }
    set("response_types_supported", json!(["code"]));
    set("response_modes_supported", json!(["query"]));
    set("grant_types_supported", json!(options.grant_types()));
    set("token_endpoint_auth_methods_supported", json!(AUTH_METHODS));
    set("token_endpoint_auth_signing_alg_values_supported", json!(ALGORITHM_NAMES));
    if let Some(url) = &options.service_documentation {
        set("service_documentation", json!(url));
    }
    if options.revocation {
        set("revocation_endpoint", json!(format!("{base}/revoke")));
        set("revocation_endpoint_auth_methods_supported", json!(AUTH_METHODS));
        set("revocation_endpoint_auth_signing_alg_values_supported", json!(ALGORITHM_NAMES));
    }
    set("code_challenge_methods_supported", json!(["S256"]));
    set("authorization_response_iss_parameter_supported", json!(true));
    if options.metadata_documents {
        set("client_id_metadata_document_supported", json!(true));
    }
    set("dpop_signing_alg_values_supported", json!(ALGORITHM_NAMES));
    if options.trusted_issuers.iter().any(|issuer| issuer.kind == AssertionKind::Identity) {
        set("authorization_grant_profiles_supported", json!([ID_JAG_PROFILE]));
    }
    set("protected_resources", json!(options.resources));
    Bytes::from(Value::Object(document).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorization_server::grant_type::JWT_BEARER;
    use crate::authorization_server::{ClientRegistrationOptions, TrustedIssuer};

    fn parse(options: &AuthorizationServerOptions) -> Value {
        serde_json::from_slice(&document(options, &options.scopes.policy().unwrap())).unwrap()
    }

    #[test]
    fn metadata_has_the_required_fields() {
        //
        let options = AuthorizationServerOptions::new("https://as.example.com/").resource("https://as.example.com/mcp");
        let document = parse(&options);
        assert_eq!(document["issuer"], "https://as.example.com/", "the issuer is unchanged");
        assert_eq!(document["authorization_endpoint"], "https://as.example.com/authorize");
        assert_eq!(document["token_endpoint"], "https://as.example.com/token");
        assert_eq!(document["response_types_supported"], json!(["code"]));
        assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
        assert_eq!(document["authorization_response_iss_parameter_supported"], true);
        assert_eq!(document["client_id_metadata_document_supported"], true);
        assert_eq!(document["token_endpoint_auth_methods_supported"], json!(AUTH_METHODS));
        for name in ["dpop_signing_alg_values_supported", "token_endpoint_auth_signing_alg_values_supported"] {
            let algorithms = document[name].as_array().unwrap();
            assert!(!algorithms.is_empty());
            assert!(algorithms.iter().all(|name| name != "none" && !name.as_str().unwrap().starts_with("HS")));
        }
        for name in ["registration_endpoint", "scopes_supported", "authorization_grant_profiles_supported"] {
            assert_eq!(document.get(name), None, "{name}");
        }
    }

    #[test]
    fn metadata_names_optional_features() {
        //
        let issuer = TrustedIssuer::identity_provider("https://idp.example.com");
        let options = AuthorizationServerOptions::new("https://as.example.com")
            .client_registration(ClientRegistrationOptions::new())
            .client_id_metadata_documents(false)
            .revocation(false)
            .valid_scopes(["a", "b"])
            .trusted_issuer(issuer);
        let document = parse(&options);
        assert_eq!(document["registration_endpoint"], "https://as.example.com/register");
        assert_eq!(document["scopes_supported"], json!(["a", "b"]));
        assert_eq!(document["authorization_grant_profiles_supported"], json!([ID_JAG_PROFILE]));
        assert!(document["grant_types_supported"].as_array().unwrap().contains(&json!(JWT_BEARER)));
        for name in ["revocation_endpoint", "client_id_metadata_document_supported"] {
            assert_eq!(document.get(name), None, "{name}");
        }
    }
}
