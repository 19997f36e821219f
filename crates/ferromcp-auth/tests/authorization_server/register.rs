//! The registration endpoint.

use std::time::Duration;

use bytes::Bytes;
use ferromcp_auth::authorization_server::{AuthorizationServerOptions, ClientRegistrationOptions, OAuthError};
use ferromcp_server::http::HttpAuthorization as _;
use http::Request;
use serde_json::{Value, json};

use crate::harness::{Harness, ISSUER, RESOURCE, basic, exchange, options};
use crate::provider::now;

fn metadata(changes: &Value) -> Value {
    let mut metadata = json!({
        "client_name": "App",
        "redirect_uris": ["http://127.0.0.1/cb"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "application_type": "native",
    });
    for (name, value) in changes.as_object().unwrap() {
        metadata[name] = value.clone();
    }
    metadata
}

#[tokio::test]
async fn public_client_registers_and_logs_in() {
    //
    let harness = Harness::new();
    let reply = harness.json("/register", &metadata(&json!({ "unknown": 1 }))).await;
    assert_eq!(reply.status, 201);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let client = reply.json();
    for (name, expected) in [
        ("client_name", json!("App")),
        ("redirect_uris", json!(["http://127.0.0.1/cb"])),
        ("grant_types", json!(["authorization_code", "refresh_token"])),
        ("response_types", json!(["code"])),
        ("token_endpoint_auth_method", json!("none")),
        ("application_type", json!("native")),
    ] {
        assert_eq!(client[name], expected, "{name}");
    }
    assert_eq!((client.get("client_secret"), client.get("client_secret_expires_at")), (None, None));
    let id = client["client_id"].as_str().unwrap();
    let uri = "http://127.0.0.1:5000/cb";
    let code = harness.code(&[("client_id", id), ("redirect_uri", uri)]).await;
    let mut fields = exchange(id, &code);
    fields.retain(|(name, _)| *name != "redirect_uri");
    fields.push(("redirect_uri", uri));
    assert_eq!(harness.token(&fields).await.status, 200);
}

#[tokio::test]
async fn confidential_client_gets_a_secret() {
    //
    let harness = Harness::new();
    for method in [json!(null), json!("client_secret_basic"), json!("client_secret_post")] {
        let changes =
            json!({ "token_endpoint_auth_method": method, "redirect_uris": ["https://app.example.com/cb?x=1"] });
        let client = harness.json("/register", &metadata(&changes)).await.json();
        assert_eq!(client["client_secret_expires_at"], 0);
        let (id, secret) = (client["client_id"].as_str().unwrap(), client["client_secret"].as_str().unwrap());
        assert!(secret.len() >= 43);
        let code = harness.code(&[("client_id", id)]).await;
        let mut fields = exchange(id, &code);
        let header = basic(id, secret);
        let mut headers = vec![];
        if method == "client_secret_post" {
            fields.push(("client_secret", secret));
        } else {
            headers.push(("authorization", header.as_str()));
        }
        assert_eq!(harness.form("/token", &headers, &fields).await.status, 200, "{method}");
    }
    let registration = ClientRegistrationOptions::new().client_secret_expiry(Duration::from_secs(60));
    let harness = Harness::with(options().client_registration(registration));
    let changes = json!({ "token_endpoint_auth_method": "client_secret_post" });
    let expires_at = harness.json("/register", &metadata(&changes)).await.json()["client_secret_expires_at"].clone();
    assert!((now()..=now() + 60).contains(&expires_at.as_u64().unwrap()));
}

#[tokio::test]
async fn invalid_registrations_are_rejected() {
    //
    let harness = Harness::new();
    let many = vec!["https://app.example.com/cb"; 51];
    let with_key = |key| json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [key] } });
    for (changes, code) in [
        (json!({ "redirect_uris": null }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": [] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": "https://app.example.com/cb" }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": [1] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": many }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["http://app.example.com/cb"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["javascript:alert(1)"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["data:text/html,x"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["https://app.example.com/cb", "vbscript:x"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["file:///x"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["https://app.example.com/cb#x"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["https://a@app.example.com/cb"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["https://*.example.com/cb"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["http://127.0.0.1/cb"], "application_type": "web" }), "invalid_redirect_uri"),
        (json!({ "application_type": "other" }), "invalid_client_metadata"),
        (json!({ "token_endpoint_auth_method": "tls_client_auth" }), "invalid_client_metadata"),
        (json!({ "token_endpoint_auth_method": "private_key_jwt" }), "invalid_client_metadata"),
        (json!({ "token_endpoint_auth_method": 1 }), "invalid_client_metadata"),
        (with_key(json!({ "kty": "EC", "crv": "P-256", "x": "x", "y": "y", "d": "d" })), "invalid_client_metadata"),
        (with_key(json!({ "kty": "oct", "k": "k" })), "invalid_client_metadata"),
        (json!({ "grant_types": ["client_credentials"] }), "invalid_client_metadata"),
        (json!({ "grant_types": ["implicit"] }), "invalid_client_metadata"),
        (json!({ "grant_types": [] }), "invalid_client_metadata"),
        (json!({ "response_types": ["token"] }), "invalid_client_metadata"),
        (json!({ "client_name": "a\nb" }), "invalid_client_metadata"),
        (json!({ "client_uri": "javascript:alert(1)" }), "invalid_client_metadata"),
        (json!({ "scope": "read unknown" }), "invalid_client_metadata"),
        (json!({ "scope": ["read"] }), "invalid_client_metadata"),
        (json!({ "dpop_bound_access_tokens": "yes" }), "invalid_client_metadata"),
    ] {
        let reply = harness.json("/register", &metadata(&changes)).await;
        assert_eq!(reply.error(), (400, code.to_owned()), "{changes}");
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
    for (content_type, body) in
        [("application/json", "{"), ("application/json", "[]"), ("application/json", ""), ("text/plain", "{}")]
    {
        let request = Request::post("/register").header("content-type", content_type).body(Bytes::from(body)).unwrap();
        assert_eq!(harness.send(request).await.error(), (400, "invalid_client_metadata".to_owned()), "{body}");
    }
    assert_eq!(harness.provider.state().clients.len(), 5, "no client was registered");
}

#[tokio::test]
async fn grants_that_are_not_available_are_omitted() {
    let harness = Harness::new();
    let changes = json!({ "grant_types": ["authorization_code", "client_credentials", "implicit"] });
    let client = harness.json("/register", &metadata(&changes)).await.json();
    assert_eq!(client["grant_types"], json!(["authorization_code"]));
}

#[tokio::test]
async fn registered_client_may_request_all_valid_scopes() {
    let harness = Harness::with(options().default_scopes(["read"]));
    for changes in [json!({ "scope": "read write" }), json!({})] {
        let client = harness.json("/register", &metadata(&changes)).await.json();
        assert_eq!(client["scope"], "read write admin");
    }
    let lenient = AuthorizationServerOptions::new(ISSUER)
        .resource(RESOURCE)
        .client_registration(ClientRegistrationOptions::new());
    let harness = Harness::with(lenient);
    let client = harness.json("/register", &metadata(&json!({ "scope": "claudeai" }))).await.json();
    assert_eq!(client.get("scope"), None);
}

#[tokio::test]
async fn errors_of_the_provider_are_sent() {
    let harness = Harness::new();
    harness.provider.state().error = Some(OAuthError::temporarily_unavailable("too many clients"));
    let reply = harness.json("/register", &metadata(&json!({}))).await;
    assert_eq!(reply.error(), (503, "temporarily_unavailable".to_owned()));
}

#[tokio::test]
async fn operator_registers_clients_when_registration_is_disabled() {
    //
    let harness =
        Harness::with(AuthorizationServerOptions::new(ISSUER).resource(RESOURCE).valid_scopes(["read", "write"]));
    assert!(!harness.server.is_route("/register"));
    assert_eq!(harness.login().await["token_type"], "Bearer");
}
