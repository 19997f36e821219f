//! Grants without a user, client ID metadata documents, scopes and the choice of an authorization server.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ferromcp_auth::Secret;
use ferromcp_auth::client::{
    AuthErrorKind, EnterpriseIdentityProvider, FileStore, Grant, OAuth, OAuthOptions, SigningAlgorithm, SigningKey,
};
use ferromcp_client::http::Credentials as _;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};

use crate::server::{Protected, State, registration};

const METADATA: &str = "/.well-known/oauth-protected-resource/mcp";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Logs in, and returns the only token request.
async fn token_request(server: &Protected, options: OAuthOptions) -> HashMap<String, String> {
    let oauth = OAuth::new(options).unwrap();
    assert!(oauth.login().await.unwrap());
    assert_eq!(server.connect(&oauth).await.unwrap().tools().await.unwrap().len(), 1);
    let state = server.state();
    assert_eq!((state.registrations, state.logins, state.token_requests.len()), (0, 0, 1));
    state.token_requests[0].clone()
}

#[tokio::test]
async fn client_credentials_with_a_secret() {
    // A-220, A-221, A-222, A-226, A-228
    for (methods, is_basic) in [(json!(["client_secret_post"]), false), (json!("absent"), true)] {
        let server = Protected::start(State::default()).await;
        server.state().metadata_fields = json!({ "token_endpoint_auth_methods_supported": methods });
        let options = server.options().grant(Grant::client_credentials()).registration(registration());
        let request = token_request(&server, options).await;
        assert_eq!(request["grant_type"], "client_credentials");
        assert_eq!([&request["resource"], &request["scope"]], [&server.url(), "read"]);
        assert_eq!(request.contains_key("client_secret"), !is_basic);
        assert_eq!(request.contains_key("authorization"), is_basic);
    }
    // Dynamic registration has no part in this grant.
    let server = Protected::start(State::default()).await;
    let error = OAuth::new(server.options().grant(Grant::client_credentials())).unwrap().login().await.unwrap_err();
    assert!(error.to_string().contains("OAuthOptions::registration"), "{error}");
    assert_eq!(server.state().registrations, 0);
}

#[tokio::test]
async fn client_credentials_with_an_assertion() {
    // A-222, A-225, A-227
    let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()));
    let key = SigningKey::from_pem(SigningAlgorithm::Es256, &pem).unwrap();
    let server = Protected::start(State::default()).await;
    let registration = ferromcp_auth::client::ClientRegistration::new("configured");
    let options = server.options().grant(Grant::client_credentials()).registration(registration).signing_key(key);
    let request = token_request(&server, options).await;
    assert_eq!(request["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    assert_eq!(request["resource"], server.url());
    assert!(!request.contains_key("client_id") && !request.contains_key("client_secret"));
    let claims = request["client_assertion"].split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!([&claims["iss"], &claims["sub"], &claims["aud"]], ["configured", "configured", &*server.origin()]);
}

#[tokio::test]
async fn workload_identity() {
    // A-268, A-269, A-276
    let server = Protected::start(State::default()).await;
    let origin = server.origin();
    let grant = Grant::workload_identity(move |request| {
        // The application chooses the audience: the issuer or the token endpoint.
        assert_eq!([&request.issuer, &request.token_endpoint], [&origin, &format!("{origin}/token")]);
        async { Ok(Secret::new("workload-jwt")) }
    });
    let request = token_request(&server, server.options().grant(grant.clone())).await;
    assert_eq!([&*request["grant_type"], &request["assertion"]], [JWT_BEARER, "workload-jwt"]);
    assert_eq!(request["resource"], server.url());
    assert!(!request.contains_key("client_id"));
    // A rejected assertion is not sent again, and the error contains no part of it.
    let body = r#"{"error":"invalid_grant","error_description":"bad aud in workload-jwt"}"#.to_owned();
    server.state().fixed.insert("/token", (400, "application/json", body));
    let error = OAuth::new(server.options().grant(grant)).unwrap().login().await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Token);
    assert!(error.to_string().contains("invalid_grant") && !error.to_string().contains("workload-jwt"), "{error}");
    assert_eq!(server.counts(|state| (state.token_requests.len(), state.logins)), (2, 0));
}

#[tokio::test]
async fn enterprise_managed_authorization() {
    // A-233, A-234, A-235, A-237, A-242, A-249, A-254
    let (server, idp) = (Protected::start(State::default()).await, Protected::start(State::default()).await);
    server.state().metadata_fields = json!({ "token_endpoint_auth_methods_supported": ["client_secret_basic"] });
    let grant = json!({
        "access_token": "the-id-jag", "token_type": "N_A", "expires_in": 300,
        "issued_token_type": "urn:ietf:params:oauth:token-type:id-jag",
    });
    idp.state().fixed.insert("/token", (200, "application/json", grant.to_string()));
    let provider = EnterpriseIdentityProvider::new(format!("{}/token", idp.origin()), "at-idp").client_secret("s");
    let grant = Grant::enterprise_managed(provider, |_| async { Ok(Secret::new("id-token")) });
    let request = token_request(&server, server.options().grant(grant.clone()).registration(registration())).await;
    assert_eq!([&*request["grant_type"], &request["assertion"]], [JWT_BEARER, "the-id-jag"]);
    assert!(request["authorization"].starts_with("Basic "));
    let exchange = idp.state().token_requests[0].clone();
    for (name, value) in [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:id-jag"),
        ("subject_token", "id-token"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
        ("audience", &server.origin()),
        ("resource", &server.url()),
        ("client_id", "at-idp"),
        ("client_secret", "s"),
    ] {
        assert_eq!(exchange[name], value);
    }
    // Another token than an identity assertion grant is not redeemed.
    let other = r#"{"access_token":"s3cret","issued_token_type":"urn:ietf:params:oauth:token-type:access_token"}"#;
    idp.state().fixed.insert("/token", (200, "application/json", other.to_owned()));
    let oauth = OAuth::new(server.options().grant(grant).registration(registration())).unwrap();
    let error = oauth.login().await.unwrap_err().to_string();
    assert!(error.contains("ID-JAG") && !error.contains("s3cret"), "{error}");
    assert_eq!(server.state().token_requests.len(), 1);
}

#[tokio::test]
async fn device_code_is_polled_until_the_user_enters_it() {
    let server = Protected::start(State::default()).await;
    server.state().metadata_fields = json!({ "device_authorization_endpoint": format!("{}/device", server.origin()) });
    let body = json!({
        "device_code": "the-code", "user_code": "ABCD", "verification_uri": "{origin}/enter", "expires_in": 60, "interval": 1,
    });
    server.state().fixed.insert("/device", (200, "application/json", body.to_string()));
    let shown = server.clone();
    let grant = Grant::device_code(move |code| {
        assert_eq!((&*code.user_code, &*code.verification_uri), ("ABCD", &*format!("{}/enter", shown.origin())));
        let pending = r#"{"error":"authorization_pending"}"#.to_owned();
        shown.state().fixed.insert("/token", (400, "application/json", pending));
        let entering = shown.clone();
        tokio::spawn(async move {
            tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
            entering.state().fixed.remove("/token");
        });
    });
    let oauth = OAuth::new(server.options().grant(grant.clone())).unwrap();
    assert!(oauth.login().await.unwrap());
    assert_eq!(server.connect(&oauth).await.unwrap().tools().await.unwrap().len(), 1);
    assert_eq!(server.counts(|state| (state.registrations, state.logins, state.token_requests.len())), (1, 0, 2));
    assert_eq!(server.state().token_requests[1]["device_code"], "the-code");
    assert_eq!(server.state().token_requests[1]["resource"], server.url());
    server.state().fixed.insert("/device", (503, "text/html", String::new()));
    let error = OAuth::new(server.options().grant(grant)).unwrap().login().await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Unavailable);
}

#[tokio::test]
async fn extensions_of_grants_are_declared() {
    // A-217, A-218
    let declared = |options: OAuthOptions| {
        let extensions = OAuth::new(options).unwrap().extensions();
        extensions.iter().map(|(id, _)| id.rsplit('/').next().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    let options = || OAuthOptions::new("https://example.com/mcp");
    assert_eq!(declared(options()), "");
    assert_eq!(declared(options().grant(Grant::client_credentials()).dpop()), "oauth-client-credentials dpop");
    assert_eq!(declared(options().grant(Grant::workload_identity(|_| async { Ok(Secret::new("x")) }))), "wif");
}

#[tokio::test]
async fn trap_workload_token_for_another_authorization_server() {
    // A-088
    let server = Protected::start(State::default()).await;
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let grant = Grant::workload_identity(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        async { Ok(Secret::new("workload-jwt")) }
    });
    let folder = tempfile::tempdir().unwrap();
    let options = || server.options().grant(grant.clone()).store(FileStore::new(folder.path()));
    let pinned = options().authorization_server("https://as.example.com");
    let error = OAuth::new(pinned).unwrap().login().await.unwrap_err();
    assert!(error.to_string().contains("only https://as.example.com is allowed"), "{error}");
    assert!(OAuth::new(options().authorization_server(server.origin())).unwrap().login().await.unwrap());
    assert_eq!(sent.load(Ordering::Relaxed), 1);
    // The MCP server names another one.
    server.state().access.clear();
    server.state().tenant = "/elsewhere".to_owned();
    let oauth = OAuth::new(options()).unwrap();
    let error = server.connect(&oauth).await.unwrap_err().to_string();
    assert!(error.contains("before, and now names"), "{error}");
    assert_eq!(sent.load(Ordering::Relaxed), 1, "the token was not sent");
}

#[test]
fn client_id_metadata_document_can_be_published() {
    // A-056, A-057
    let url = "https://app.example.com/client.json";
    let options =
        || OAuthOptions::new("https://example.com/mcp").client_name("App").client_uri("https://app.example.com");
    let document = options().client_metadata_url(url).client_metadata_document(["http://127.0.0.1/callback"]).unwrap();
    let expected = json!({
        "client_id": url, "client_name": "App", "redirect_uris": ["http://127.0.0.1/callback"],
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "token_endpoint_auth_method": "none", "client_uri": "https://app.example.com",
    });
    assert_eq!(document, expected);
    for (options, redirect_uris) in
        [(options(), vec!["http://127.0.0.1/callback"]), (options().client_metadata_url(url), vec![])]
    {
        let error = options.client_metadata_document(redirect_uris).unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::Configuration);
    }
}

#[tokio::test]
async fn client_id_metadata_document_is_used_when_supported() {
    // A-055, A-059, A-061
    let url = "https://app.example.com/client.json";
    for supported in [true, false] {
        let server = Protected::start(State::default()).await;
        server.state().metadata_fields = json!({ "client_id_metadata_document_supported": supported });
        let oauth = OAuth::new(server.options().client_metadata_url(url)).unwrap();
        assert!(oauth.login().await.unwrap());
        let state = server.state();
        assert_eq!(state.registrations, usize::from(!supported));
        assert_eq!(state.token_requests[0]["client_id"] == url, supported);
        assert_eq!(state.token_requests[0].contains_key("client_secret"), !supported);
    }
    for url in ["http://app.example.com/x", "https://app.example.com", "https://app.example.com/", "https://u@h/x", "x"]
    {
        let error = OAuth::new(OAuthOptions::new("https://example.com/mcp").client_metadata_url(url)).unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::Configuration, "{url}");
    }
}

#[tokio::test]
async fn scopes_are_those_of_the_challenge_then_of_the_resource() {
    // A-140, A-144
    for (challenge, supported, expected) in [
        ("Bearer scope=\"other more\"", json!(["read"]), "other more"),
        ("Bearer", json!(["a", "b"]), "a b"),
        ("Bearer", json!(null), ""),
    ] {
        let server = Protected::start(State { challenge: Some(challenge.to_owned()), ..State::default() }).await;
        let document = json!({
            "resource": "{origin}/mcp", "authorization_servers": ["{origin}"], "scopes_supported": supported,
        });
        server.state().fixed.insert(METADATA, (200, "application/json", document.to_string()));
        let oauth = OAuth::new(server.options()).unwrap();
        assert!(oauth.login().await.unwrap());
        assert_eq!(oauth.stored().await.unwrap().unwrap().scope(), expected);
    }
}

#[tokio::test]
async fn the_issuer_of_the_registration_chooses_between_servers() {
    // A-024, A-088
    let server = Protected::start(State::default()).await;
    let document =
        json!({ "resource": "{origin}", "authorization_servers": ["https://first.example.com", "{origin}"] });
    server.state().fixed.insert(METADATA, (200, "application/json", document.to_string()));
    let registration = registration().issuer(server.origin());
    let prompt = server.options_for_resource(&server.origin());
    let oauth = OAuth::new(prompt.registration(registration)).unwrap();
    assert!(oauth.login().await.unwrap());
    assert_eq!(oauth.stored().await.unwrap().unwrap().issuer(), server.origin());
}

#[tokio::test]
async fn rejected_registration_is_an_error_with_the_reason() {
    // A-080, A-081
    let server = Protected::start(State::default()).await;
    let body = r#"{"error":"invalid_redirect_uri","error_description":"https only"}"#.to_owned();
    server.state().fixed.insert("/register", (400, "application/json", body));
    let error = OAuth::new(server.options()).unwrap().login().await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Registration);
    assert!(error.to_string().contains("invalid_redirect_uri (https only)"), "{error}");
    assert_eq!(server.state().logins, 0);
}

#[tokio::test]
async fn another_token_is_another_cache_partition() {
    // A-209
    let server = Protected::start(State::default()).await;
    let oauth = OAuth::new(server.options()).unwrap();
    let none = oauth.cache_partition();
    let client = server.connect(&oauth).await.unwrap();
    let first = oauth.cache_partition();
    server.state().access.clear();
    client.tools().await.unwrap();
    let second = oauth.cache_partition();
    assert!(none != first && first != second);
    assert!(!format!("{first}{second}").contains("s3cret"));
}
