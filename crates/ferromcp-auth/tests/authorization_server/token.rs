//! The token endpoint: codes, refresh tokens and client credentials.

use ferromcp_auth::authorization_server::{AuthorizationServer, OAuthError, RegisteredClient};
use http::StatusCode;
use http::header::CONTENT_TYPE;

use crate::harness::{Harness, ISSUER, REDIRECT_URI, RESOURCE, SECRET, VERIFIER, basic, changed, exchange, options};

#[tokio::test]
async fn code_is_exchanged_for_tokens() {
    //
    let harness = Harness::new();
    let code = harness.code(&[]).await;
    let reply = harness.token(&exchange("public", &code)).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let tokens = reply.json();
    assert_eq!((&tokens["token_type"], &tokens["scope"]), (&"Bearer".into(), &"read write".into()));
    assert_eq!(tokens["expires_in"], 300);
    assert!(tokens["refresh_token"].is_string());
    // The token is accepted by the MCP endpoint of its resource.
    assert!(harness.accepts(tokens["access_token"].as_str().unwrap()).await);
    assert!(!harness.accepts("other").await);
    assert!(!harness.accepts(tokens["refresh_token"].as_str().unwrap()).await);
}

#[tokio::test]
async fn invalid_code_requests_are_rejected() {
    //
    let harness = Harness::new();
    let code = harness.code(&[]).await;
    let long = "x".repeat(129);
    for (changes, code_of_error) in [
        (vec![("code_verifier", "")], "invalid_grant"),
        (vec![("code_verifier", "short")], "invalid_grant"),
        (vec![("code_verifier", &long)], "invalid_grant"),
        (vec![("code_verifier", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")], "invalid_grant"),
        (vec![("redirect_uri", "")], "invalid_grant"),
        (vec![("redirect_uri", "https://app.example.com/other")], "invalid_grant"),
        (vec![("code", "unknown")], "invalid_grant"),
        (vec![("code", "")], "invalid_request"),
        (vec![("resource", "https://other.example.com/mcp")], "invalid_target"),
        (vec![("grant_type", "")], "invalid_request"),
        (vec![("grant_type", "password")], "unsupported_grant_type"),
        (vec![("grant_type", "implicit")], "unsupported_grant_type"),
        (vec![("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")], "unsupported_grant_type"),
        (vec![("grant_type", "client_credentials")], "unauthorized_client"),
    ] {
        let reply = harness.token(&changed(exchange("public", &code), &changes)).await;
        assert_eq!(reply.error(), (400, code_of_error.to_owned()), "{changes:?}");
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert!(!reply.body.contains("s3cret"));
    }
    // None of them consumed the code.
    let with_resource = changed(exchange("public", &code), &[("resource", "https://mcp.example.com/mcp/")]);
    assert_eq!(harness.token(&with_resource).await.status, StatusCode::OK);
}

#[tokio::test]
async fn trap_code_replay() {
    //
    let harness = Harness::new();
    let code = harness.code(&[]).await;
    let tokens = harness.token(&exchange("public", &code)).await.json();
    let access = tokens["access_token"].as_str().unwrap();
    assert!(harness.accepts(access).await);
    let reply = harness.token(&exchange("public", &code)).await;
    assert_eq!(reply.error(), (400, "invalid_grant".to_owned()));
    assert!(!harness.accepts(access).await, "the replay revokes the tokens");
}

#[tokio::test]
async fn trap_code_of_another_client() {
    //
    let harness = Harness::new();
    let code = harness.code(&[]).await;
    let reply = harness.token(&exchange("other", &code)).await;
    assert_eq!(reply.error(), (400, "invalid_grant".to_owned()));
    assert_eq!(harness.token(&exchange("public", &code)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn expired_codes_are_rejected() {
    //
    let harness = Harness::new();
    harness.provider.state().lifetime = 0;
    let code = harness.code(&[]).await;
    assert_eq!(harness.token(&exchange("public", &code)).await.error().1, "invalid_grant");
}

#[tokio::test]
async fn redirect_uri_is_needed_only_if_the_authorization_contained_it() {
    let harness = Harness::new();
    for (redirect_uri, is_valid) in [("", true), (REDIRECT_URI, true), ("https://app.example.com/", false)] {
        let code = harness.code(&[("redirect_uri", "")]).await;
        let reply = harness.token(&changed(exchange("public", &code), &[("redirect_uri", redirect_uri)])).await;
        assert_eq!(reply.status.is_success(), is_valid, "{redirect_uri}");
    }
}

#[tokio::test]
async fn trap_duplicated_parameters_of_a_token_request() {
    let harness = Harness::new();
    let code = harness.code(&[]).await;
    for name in ["grant_type", "client_id", "code", "code_verifier", "redirect_uri", "x"] {
        let mut fields = exchange("public", &code);
        fields.extend([(name, "1"), (name, "2")]);
        assert_eq!(harness.token(&fields).await.error(), (400, "invalid_request".to_owned()), "{name}");
    }
    let mut fields = exchange("public", &code);
    fields.extend([("resource", RESOURCE), ("resource", "https://other.example.com/")]);
    assert_eq!(harness.token(&fields).await.error(), (400, "invalid_target".to_owned()));
}

#[tokio::test]
async fn body_must_be_a_form() {
    let harness = Harness::new();
    let reply = harness.json("/token", &serde_json::json!({ "grant_type": "authorization_code" })).await;
    assert_eq!(reply.error(), (400, "invalid_request".to_owned()));
    assert!(reply.body.contains("x-www-form-urlencoded"));
    let reply = harness.form("/token", &[(CONTENT_TYPE.as_str(), "text/plain")], &[]).await;
    assert_eq!(reply.error().0, 400);
}

#[tokio::test]
async fn refresh_tokens_are_exchanged_and_rotated() {
    //
    let harness = Harness::new();
    let tokens = harness.login().await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let request = [("grant_type", "refresh_token"), ("client_id", "public"), ("refresh_token", refresh)];
    let renewed = harness.token(&request).await.json();
    assert_eq!(renewed["scope"], "read write");
    assert_ne!(renewed["refresh_token"], tokens["refresh_token"]);
    assert!(harness.accepts(renewed["access_token"].as_str().unwrap()).await);
    assert_eq!(harness.token(&request).await.error(), (400, "invalid_grant".to_owned()), "the token was rotated");
}

#[tokio::test]
async fn trap_scopes_that_the_operator_removed() {
    let harness = Harness::new();
    let mut client = harness.provider.state().clients["public"].clone();
    client.is_dynamically_registered = true;
    client.scopes = Some(vec!["read".to_owned(), "write".to_owned(), "admin".to_owned()]);
    harness.provider.add(client);
    let tokens = harness.login().await;
    assert_eq!(tokens["scope"], "read write");
    // The server starts again, with fewer scopes and the same database.
    let server = AuthorizationServer::new(options().valid_scopes(["read"]), harness.provider.clone()).unwrap();
    let harness = Harness { server, provider: harness.provider.clone() };
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let request = [("grant_type", "refresh_token"), ("client_id", "public"), ("refresh_token", refresh)];
    assert_eq!(harness.token(&request).await.json()["scope"], "read");
    assert_eq!(harness.authorize(&[("scope", "read admin")]).await.error(), (400, "invalid_scope".to_owned()));
}

#[tokio::test]
async fn trap_refresh_token_of_another_client_or_with_more_rights() {
    //
    let harness = Harness::new();
    let tokens = harness.login().await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let request = vec![("grant_type", "refresh_token"), ("client_id", "public"), ("refresh_token", refresh)];
    for (changes, code) in [
        (vec![("client_id", "other")], "invalid_grant"),
        (vec![("refresh_token", "unknown")], "invalid_grant"),
        (vec![("refresh_token", "")], "invalid_request"),
        (vec![("scope", "read admin")], "invalid_scope"),
        (vec![("scope", "\u{e9}")], "invalid_scope"),
        (vec![("resource", "https://other.example.com/mcp")], "invalid_target"),
    ] {
        let reply = harness.token(&changed(request.clone(), &changes)).await;
        assert_eq!(reply.error(), (400, code.to_owned()), "{changes:?}");
    }
    let narrowed = changed(request, &[("scope", "read"), ("resource", RESOURCE)]);
    assert_eq!(harness.token(&narrowed).await.json()["scope"], "read");
}

#[tokio::test]
async fn expired_refresh_tokens_are_rejected() {
    let harness = Harness::new();
    let tokens = harness.login().await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    harness.provider.state().refresh.get_mut(refresh).unwrap().expires_at = Some(1);
    let request = [("grant_type", "refresh_token"), ("client_id", "public"), ("refresh_token", refresh)];
    assert_eq!(harness.token(&request).await.error(), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn refresh_tokens_are_sent_only_to_clients_with_the_grant() {
    let harness = Harness::new();
    let mut client = RegisteredClient::new("short", [REDIRECT_URI]);
    client.grant_types = vec!["authorization_code".to_owned()];
    harness.provider.add(client);
    let code = harness.code(&[("client_id", "short")]).await;
    let tokens = harness.token(&exchange("short", &code)).await.json();
    assert_eq!(tokens.get("refresh_token"), None);
    let request = [("grant_type", "refresh_token"), ("client_id", "short"), ("refresh_token", "x")];
    assert_eq!(harness.token(&request).await.error(), (400, "unauthorized_client".to_owned()));
}

#[tokio::test]
async fn machines_use_client_credentials() {
    //
    let harness = Harness::new();
    let credentials = basic("machine", SECRET);
    let headers = [("authorization", credentials.as_str())];
    let fields = vec![("grant_type", "client_credentials"), ("scope", "write"), ("resource", RESOURCE)];
    let reply = harness.form("/token", &headers, &fields).await;
    let tokens = reply.json();
    assert_eq!((&tokens["scope"], tokens.get("refresh_token")), (&"write".into(), None));
    let issued = harness.provider.state().issued.remove(0);
    assert_eq!((issued.0.as_str(), issued.1.as_str()), ("machine", "machine"));
    assert_eq!((issued.3.issuer.as_str(), issued.3.resource.as_str()), (ISSUER, RESOURCE));
    for (changes, code) in [
        (vec![("scope", "unknown")], "invalid_scope"),
        (vec![("resource", "https://other.example.com/")], "invalid_target"),
        (vec![("grant_type", "authorization_code")], "unauthorized_client"),
    ] {
        let reply = harness.form("/token", &headers, &changed(fields.clone(), &changes)).await;
        assert_eq!(reply.error(), (400, code.to_owned()), "{changes:?}");
    }
    // A public client cannot use them, even if it is registered with the grant.
    let mut client = RegisteredClient::new("public-machine", [""; 0]);
    client.grant_types = vec!["client_credentials".to_owned()];
    harness.provider.add(client);
    let reply = harness.token(&[("grant_type", "client_credentials"), ("client_id", "public-machine")]).await;
    assert_eq!(reply.error(), (400, "unauthorized_client".to_owned()));
}

#[tokio::test]
async fn errors_of_the_provider_are_sent_with_their_codes() {
    let harness = Harness::new();
    let code = harness.code(&[]).await;
    for (error, status) in [
        (OAuthError::invalid_grant("no"), 400),
        (OAuthError::temporarily_unavailable("later"), 503),
        (OAuthError::server_error("postgres://user:s3cret@db"), 500),
    ] {
        harness.provider.state().error = Some(error.clone());
        let reply = harness.token(&exchange("public", &code)).await;
        assert_eq!(reply.error(), (status, error.code().to_owned()));
        assert!(!reply.body.contains("s3cret"));
    }
}

#[tokio::test]
async fn trap_plain_challenge_is_not_redeemable() {
    //
    let harness = Harness::new();
    let code = harness.code(&[]).await;
    harness.provider.state().codes.get_mut(&code).unwrap().request.code_challenge = VERIFIER.to_owned();
    assert_eq!(harness.token(&exchange("public", &code)).await.error().1, "invalid_grant");
    harness.provider.state().codes.get_mut(&code).unwrap().request.code_challenge = String::new();
    assert_eq!(harness.token(&exchange("public", &code)).await.error().1, "invalid_grant");
}
