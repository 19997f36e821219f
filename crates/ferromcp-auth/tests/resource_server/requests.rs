//! Requests with good, bad and missing credentials.

use std::io::Write;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use ferromcp_auth::resource_server::{
    AccessToken, JwtVerifier, ResourceServer, ResourceServerBuilder, StaticTokens, VerifyError, verifier_fn,
};
use ferromcp_server::Principal;
use ferromcp_server::http::{HttpAuthorization, ScopeChallenge};
use http::Request;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, RETRY_AFTER};
use serde_json::{Value, json};

use crate::idp::{METADATA_URL, RESOURCE, claims, send, with_token};
use crate::keys::{Key, now};

const ISSUER: &str = "https://as.example.com";

fn builder(key: &Key) -> ResourceServerBuilder {
    let verifier = JwtVerifier::new(ISSUER).jwks(json!({ "keys": [key.jwk()] }));
    ResourceServer::builder(RESOURCE, verifier)
}

fn token(key: &Key, fields: &Value) -> String {
    key.sign(&json!({}), &claims(ISSUER, fields))
}

#[tokio::test]
async fn requests_without_token_get_a_challenge_without_error() {
    // A-013, A-014, A-136, A-137, A-139, A-201
    let key = Key::new("a", "ES256");
    let server = builder(&key).required_scopes(["read", "list"]).build().unwrap();
    assert_eq!(server.metadata_url(), METADATA_URL);
    for method in ["POST", "GET", "DELETE", "PUT"] {
        let rejected = send(&server, method, "/mcp", &[]).await.unwrap_err();
        assert_eq!(rejected.status, 401);
        let challenge = format!(r#"Bearer resource_metadata="{METADATA_URL}", scope="read list""#);
        assert_eq!(rejected.challenges, [challenge]);
        assert_eq!(rejected.headers[CACHE_CONTROL], "no-store");
        assert_eq!(rejected.error(), "unauthorized");
        assert!(rejected.body["error_description"].as_str().unwrap().contains("Authorization header"));
    }
    let rejected = send(&server, "POST", "/mcp", &[("authorization", "Basic YTpi")]).await.unwrap_err();
    assert!(rejected.status == 401 && !rejected.challenges[0].contains("error"));
    // Without scopes, the parameter is left out.
    let rejected = send(&builder(&key).build().unwrap(), "POST", "/mcp", &[]).await.unwrap_err();
    assert_eq!(rejected.challenges, [format!(r#"Bearer resource_metadata="{METADATA_URL}""#)]);
}

#[tokio::test]
async fn valid_tokens_identify_the_principal() {
    // A-111, A-157
    let key = Key::new("a", "ES256");
    let server = builder(&key).required_scopes(["list"]).scope_implies("write", ["list", "read"]).build().unwrap();
    let text = token(&key, &json!({ "scope": "write other", "email": "ada@example.com" }));
    let authorization = format!("bearer {text}");
    let extensions = send(&server, "POST", "/mcp", &[("authorization", &authorization)]).await.unwrap();
    let principal = extensions.get::<Principal>().unwrap();
    assert_eq!(principal.issuer(), Some(ISSUER));
    assert_eq!(principal.subject(), Some("ada"));
    assert_eq!(principal.client_id(), Some("app"));
    assert_eq!(principal.scopes(), ["write", "other", "list", "read"]);
    assert_eq!(principal.claim::<String>("email").as_deref(), Some("ada@example.com"));
    let expires_at = principal.expires_at().unwrap().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!((now() + 290..now() + 400).contains(&expires_at));
    assert_eq!(principal.identity().as_str(), r#"["https://as.example.com","ada","app"]"#);
    assert!(extensions.get::<ScopeChallenge>().is_some());
}

#[tokio::test]
async fn invalid_tokens_get_401() {
    // A-111, A-112, A-137
    let key = Key::new("a", "ES256");
    let server = builder(&key).build().unwrap();
    let valid = token(&key, &json!({}));
    with_token(&server, &valid).await.unwrap();
    let tampered = {
        let (message, signature) = valid.rsplit_once('.').unwrap();
        let (header, _) = message.split_once('.').unwrap();
        let (_, claims) = crate::keys::message(&json!({}), &claims(ISSUER, &json!({ "sub": "eve" })))
            .split_once('.')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap();
        format!("{header}.{claims}.{signature}")
    };
    for text in [
        "opaque".to_owned(),
        tampered,
        token(&key, &json!({ "exp": now() - 120 })),
        token(&key, &json!({ "exp": null })),
        token(&key, &json!({ "nbf": now() + 120 })),
        token(&key, &json!({ "iss": "https://evil.example.com" })),
        token(&key, &json!({ "iss": null })),
        token(&Key::new("a", "ES256"), &json!({})),
        token(&Key::new("b", "ES256"), &json!({})),
    ] {
        let rejected = with_token(&server, &text).await.unwrap_err();
        assert_eq!((rejected.status, rejected.error()), (401, "invalid_token"), "{text}");
        assert!(rejected.challenges[0].starts_with(r#"Bearer error="invalid_token", error_description=""#));
        assert!(rejected.challenges[0].contains(METADATA_URL));
    }
    // A small clock difference is tolerated.
    with_token(&server, &token(&key, &json!({ "exp": now() - 5, "nbf": now() + 5 }))).await.unwrap();
}

#[tokio::test]
async fn trap_audience_of_another_server() {
    // A-113, A-114, A-116, A-117, A-200
    let key = Key::new("a", "ES256");
    let server = builder(&key).audience("api://notes").build().unwrap();
    for audience in [json!(RESOURCE), json!(["https://other", format!("{RESOURCE}/")]), json!("api://notes")] {
        with_token(&server, &token(&key, &json!({ "aud": audience }))).await.unwrap();
    }
    for audience in [
        json!(null),
        json!([]),
        json!("api"),
        json!("https://mcp.example.com"),
        json!("https://mcp.example.com/mcp/admin"),
        json!("https://other.example.com/mcp"),
        json!(["https://other.example.com/mcp", "account"]),
        json!({ "0": RESOURCE }),
    ] {
        let rejected = with_token(&server, &token(&key, &json!({ "aud": audience }))).await.unwrap_err();
        assert_eq!((rejected.status, rejected.error()), (401, "invalid_token"), "{audience}");
    }
    let unchecked = builder(&key).without_audience_check().build().unwrap();
    with_token(&unchecked, &token(&key, &json!({ "aud": null }))).await.unwrap();
}

#[tokio::test]
async fn missing_scopes_get_403_with_all_required_scopes() {
    // A-136, A-137, A-147, A-148, A-149
    let key = Key::new("a", "ES256");
    let server = builder(&key).required_scopes(["read", "list"]).build().unwrap();
    for (scope, challenged) in [("", "read list"), ("read", "read list"), ("x offline_access", "read list x")] {
        let rejected = with_token(&server, &token(&key, &json!({ "scope": scope }))).await.unwrap_err();
        assert_eq!((rejected.status, rejected.error()), (403, "insufficient_scope"));
        let challenge = &rejected.challenges[0];
        assert!(challenge.starts_with(r#"Bearer error="insufficient_scope""#), "{challenge}");
        assert!(challenge.ends_with(&format!(r#"scope="{challenged}""#)), "{challenge}");
        assert!(challenge.contains(METADATA_URL));
    }
    with_token(&server, &token(&key, &json!({ "scope": "list read" }))).await.unwrap();
}

#[tokio::test]
async fn malformed_credentials_get_400() {
    // A-136, A-137
    let key = Key::new("a", "ES256");
    let server = builder(&key).build().unwrap();
    let valid = format!("Bearer {}", token(&key, &json!({})));
    for headers in [
        vec![("authorization", valid.as_str()), ("authorization", &valid)],
        vec![("authorization", "Bearer")],
        vec![("authorization", "Bearer a b")],
        vec![("authorization", "Bearer a, Basic b")],
    ] {
        let rejected = send(&server, "POST", "/mcp", &headers).await.unwrap_err();
        assert_eq!((rejected.status, rejected.error()), (400, "invalid_request"));
        assert!(rejected.challenges[0].starts_with(r#"Bearer error="invalid_request""#));
    }
}

#[tokio::test]
async fn trap_token_in_query() {
    // A-201
    let key = Key::new("a", "ES256");
    let server = builder(&key).build().unwrap();
    let uri = format!("/mcp?access_token={}", token(&key, &json!({})));
    let rejected = send(&server, "POST", &uri, &[]).await.unwrap_err();
    assert!(rejected.status == 401 && !rejected.challenges[0].contains("error"));
}

#[tokio::test]
async fn trap_header_injection() {
    // Neither the request nor the text of a verifier can add parameters or headers to a response.
    let verifier =
        verifier_fn(|_| async { Err(VerifyError::Invalid("x\", scope=\"admin\"\r\nSet-Cookie: a=b".to_owned())) });
    let server = ResourceServer::builder(RESOURCE, verifier).authorization_server(ISSUER).build().unwrap();
    let headers =
        [("authorization", "Bearer a"), ("host", "evil.example.com"), ("x-forwarded-host", "evil.example.com")];
    let rejected = send(&server, "POST", "/mcp?x=%22%0d%0aSet-Cookie:a=b", &headers).await.unwrap_err();
    assert_eq!(rejected.status, 401);
    assert!(!rejected.headers.contains_key("set-cookie"));
    let challenge = &rejected.challenges[0];
    assert!(!challenge.contains("scope=\"") && !challenge.contains("evil"), "{challenge}");
}

#[tokio::test]
async fn trap_forwarded_host() {
    // A-009, A-010, A-011, A-015, A-026: URLs depend on the configuration only.
    let key = Key::new("a", "ES256");
    let server = builder(&key)
        .required_scopes(["read"])
        .name("Notes")
        .documentation("https://example.com/docs")
        .authorization_server("https://login.example.com/tenant/")
        .build()
        .unwrap();
    for path in ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"] {
        assert!(server.is_route(path));
        let request = Request::get(path)
            .header("host", "evil.example.com")
            .header("x-forwarded-host", "evil.example.com")
            .header("x-forwarded-proto", "http")
            .header("forwarded", "host=evil.example.com");
        let response = server.respond(request.body(Bytes::new()).unwrap()).await;
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(response.headers()[CACHE_CONTROL], "public, max-age=3600");
        assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        let document: Value = serde_json::from_slice(response.body()).unwrap();
        let expected = json!({
            "resource": RESOURCE,
            "authorization_servers": ["https://login.example.com/tenant/"],
            "scopes_supported": ["read"],
            "bearer_methods_supported": ["header"],
            "resource_name": "Notes",
            "resource_documentation": "https://example.com/docs",
        });
        assert_eq!(document, expected);
    }
    assert!(!server.is_route("/mcp") && !server.is_route("/"));
    let headers = [("host", "evil.example.com"), ("x-forwarded-host", "evil.example.com")];
    let rejected = send(&server, "POST", "https://evil.example.com/mcp", &headers).await.unwrap_err();
    assert!(rejected.challenges[0].contains(METADATA_URL) && !rejected.challenges[0].contains("evil"));
}

#[tokio::test]
async fn outages_of_the_verifier_get_503() {
    let verifier = verifier_fn(|_| async { Err(VerifyError::Unavailable("the database is down".to_owned())) });
    let server = ResourceServer::builder(RESOURCE, verifier).authorization_server(ISSUER).build().unwrap();
    let rejected = with_token(&server, "token").await.unwrap_err();
    assert_eq!((rejected.status, rejected.error()), (503, "temporarily_unavailable"));
    assert!(rejected.headers.contains_key(RETRY_AFTER) && rejected.challenges.is_empty());
}

#[tokio::test]
async fn expired_tokens_of_any_verifier_are_rejected() {
    // A-111, A-112
    for (expires_at, is_accepted) in
        [(None, true), (Some(now() + 5), true), (Some(now() - 120), false), (Some(0), false)]
    {
        let verifier = verifier_fn(move |_| {
            let mut token = AccessToken::new();
            token.audiences = vec![RESOURCE.to_owned()];
            token.expires_at = expires_at;
            async move { Ok(token) }
        });
        let server = ResourceServer::builder(RESOURCE, verifier).authorization_server(ISSUER).build().unwrap();
        let result = with_token(&server, "token").await;
        assert_eq!(result.map_err(|rejected| rejected.status).map(drop), if is_accepted { Ok(()) } else { Err(401) });
    }
}

#[tokio::test]
async fn resource_servers_that_share_a_verifier_have_their_own_scopes() {
    // A-157
    let tokens = Arc::new(StaticTokens::new(RESOURCE).token("token", "ada", ["write"]));
    let builder = || ResourceServer::builder(RESOURCE, Arc::clone(&tokens)).authorization_server(ISSUER);
    let (plain, implied) = (builder().build().unwrap(), builder().scope_implies("write", ["read"]).build().unwrap());
    for _ in 0..2 {
        assert_eq!(with_token(&plain, "token").await.unwrap().scopes(), ["write"]);
        assert_eq!(with_token(&implied, "token").await.unwrap().scopes(), ["write", "read"]);
    }
}

#[tokio::test]
async fn tokens_without_user_and_client_are_distinct_principals() {
    // A-204
    let tokens = ["a", "b"].into_iter().fold(StaticTokens::new(RESOURCE), |tokens, text| {
        let mut token = AccessToken::new();
        token.audiences = vec![RESOURCE.to_owned()];
        tokens.access_token(text, token)
    });
    let server = ResourceServer::builder(RESOURCE, tokens).authorization_server(ISSUER).build().unwrap();
    let [a, again, b] = ["a", "a", "b"].map(|text| with_token(&server, text));
    let (a, again, b) = (a.await.unwrap(), again.await.unwrap(), b.await.unwrap());
    assert_eq!(a.identity(), again.identity());
    assert_ne!(a.identity(), b.identity());
}

/// Collects the logs.
#[derive(Clone, Default)]
struct Logs(Arc<Mutex<Vec<u8>>>);

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn rejections_are_logged_without_tokens() {
    // A-119, A-120, A-159
    let key = Key::new("a", "ES256");
    let server = builder(&key).required_scopes(["admin"]).build().unwrap();
    let insufficient = token(&key, &json!({ "scope": "read" }));
    let foreign = token(&key, &json!({ "aud": "https://other" }));
    // Other threads register the same events without a subscriber, which would disable them if they did so later.
    for text in [&insufficient, &foreign] {
        with_token(&server, text).await.unwrap_err();
    }
    let logs = Logs::default();
    let writer = logs.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    for text in [&insufficient, &foreign] {
        with_token(&server, text).await.unwrap_err();
    }
    drop(guard);
    let logs = String::from_utf8(logs.0.lock().unwrap().clone()).unwrap();
    assert!(
        logs.contains("insufficient scope") && logs.contains("admin") && logs.contains("another audience"),
        "{logs}"
    );
    for text in [&insufficient, &foreign] {
        assert!(text.split('.').skip(1).all(|part| !logs.contains(part)), "{logs}");
    }
}
