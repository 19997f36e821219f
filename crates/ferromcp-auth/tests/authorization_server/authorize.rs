//! The authorization endpoint.

use bytes::Bytes;
use ferromcp_auth::authorization_server::{OAuthError, RegisteredClient};
use http::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use http::{Request, StatusCode};

use crate::harness::{CHALLENGE, Harness, ISSUER, REDIRECT_URI, RESOURCE, authorization, encode};

#[tokio::test]
async fn success_returns_code_state_and_issuer() {
    //
    let harness = Harness::new();
    let reply = harness.authorize(&[]).await;
    let (url, parameters) = reply.redirect();
    assert_eq!(url, "https://app.example.com/cb");
    let names: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["x", "code", "state", "iss"], "the query of the redirect URI is kept");
    assert_eq!(reply.parameter("state").unwrap(), "a state/+&");
    assert_eq!(reply.parameter("iss").unwrap(), ISSUER);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let state = harness.provider.state();
    let request = &state.requests[0];
    assert_eq!((request.client_id.as_str(), request.code_challenge.as_str()), ("public", CHALLENGE));
    assert_eq!((request.resource.as_str(), request.issuer.as_str()), (RESOURCE, ISSUER));
    assert_eq!(request.scopes, ["read", "write"]);
    assert!(request.is_redirect_uri_explicit);
}

#[tokio::test]
async fn request_may_be_a_form() {
    let harness = Harness::new();
    let reply = harness.form("/authorize", &[], &authorization(&[])).await;
    assert!(reply.parameter("code").is_some());
    let json = Request::post("/authorize").header(CONTENT_TYPE, "application/json").body(Bytes::from("{}")).unwrap();
    assert_eq!(harness.send(json).await.error(), (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn trap_open_redirect_through_errors() {
    //
    let harness = Harness::new();
    let mut two = RegisteredClient::new("two", ["https://app.example.com/a", "https://app.example.com/b"]);
    two.client_name = Some("Two".to_owned());
    harness.provider.add(two);
    for (changes, code) in [
        (vec![("client_id", "unknown")], "invalid_client"),
        (vec![("client_id", "")], "invalid_request"),
        (vec![("redirect_uri", "https://evil.example.com/")], "invalid_request"),
        (vec![("redirect_uri", "https://app.example.com/cb")], "invalid_request"),
        (vec![("redirect_uri", "https://app.example.com/cb?x=1&y=2")], "invalid_request"),
        (vec![("redirect_uri", "https://app.example.com/cb?x=1#f")], "invalid_request"),
        (vec![("redirect_uri", "https://app.example.com:8443/cb?x=1")], "invalid_request"),
        (vec![("redirect_uri", "https://app.example.com@evil.example.com/cb?x=1")], "invalid_request"),
        (vec![("redirect_uri", "javascript:alert(1)")], "invalid_request"),
        (vec![("client_id", "two"), ("redirect_uri", "")], "invalid_request"),
        (vec![("redirect_uri", "https://evil.example.com/"), ("response_type", "x")], "invalid_request"),
        (vec![("redirect_uri", "https://evil.example.com/"), ("code_challenge", "")], "invalid_request"),
    ] {
        let reply = harness.authorize(&changes).await;
        assert_eq!(reply.error(), (400, code.to_owned()), "{changes:?}");
        assert_eq!(reply.json()["state"], "a state/+&");
        assert!(!reply.headers.contains_key(LOCATION));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
    assert!(harness.provider.state().requests.is_empty());
}

#[tokio::test]
async fn trap_open_redirect_by_a_client_that_registers_itself() {
    //
    let harness = Harness::new();
    let uris = ["https://evil.example.com/phish", "http://127.0.0.1/cb", "https://localhost/cb", "com.example.app:/cb"];
    let document = serde_json::json!({ "redirect_uris": uris, "token_endpoint_auth_method": "none" });
    let client = harness.json("/register", &document).await.json();
    let id = client["client_id"].as_str().unwrap();
    for (field, code) in [
        (("response_type", "x"), "unsupported_response_type"),
        (("scope", "unknown"), "invalid_scope"),
        (("code_challenge", ""), "invalid_request"),
        // The provider refuses it before the user sees a page.
        (("state", "deny"), "access_denied"),
    ] {
        let (remote, local) = uris.split_first().unwrap();
        let reply = harness.authorize(&[("client_id", id), ("redirect_uri", remote), field]).await;
        assert!(!reply.headers.contains_key(LOCATION), "{field:?}");
        assert_eq!(reply.error(), (reply.status.as_u16(), code.to_owned()));
        assert!(reply.status.is_client_error());
        for uri in local {
            let reply = harness.authorize(&[("client_id", id), ("redirect_uri", uri), field]).await;
            assert_eq!(reply.parameter("error").as_deref(), Some(code), "{uri}");
        }
    }
    for uri in uris {
        let reply = harness.authorize(&[("client_id", id), ("redirect_uri", uri)]).await;
        assert!(reply.parameter("code").is_some(), "success is redirected: {uri}");
    }
}

#[tokio::test]
async fn trap_duplicated_parameters_of_an_authorization() {
    let harness = Harness::new();
    let query = encode(&authorization(&[]));
    // A repeated client ID or redirect URI is not a safe target of a redirect.
    for repeated in ["client_id=public", "redirect_uri=https://evil.example.com/"] {
        let reply = harness.get(&format!("/authorize?{query}&{repeated}")).await;
        assert_eq!(reply.error(), (400, "invalid_request".to_owned()), "{repeated}");
    }
    for (repeated, code) in [
        ("state=other", "invalid_request"),
        ("scope=admin", "invalid_request"),
        ("code_challenge=x", "invalid_request"),
        ("response_type=token", "invalid_request"),
        ("unknown=1&unknown=2", "invalid_request"),
        ("resource=https://other.example.com/", "invalid_target"),
    ] {
        let reply = harness.get(&format!("/authorize?{query}&{repeated}")).await;
        assert_eq!(reply.parameter("error").as_deref(), Some(code), "{repeated}");
        assert_eq!(reply.parameter("state").is_none(), repeated.starts_with("state"), "{repeated}");
    }
    assert!(harness.provider.state().requests.is_empty());
}

#[tokio::test]
async fn errors_are_sent_to_a_registered_redirect_uri() {
    //
    let harness = Harness::new();
    let mut limited = RegisteredClient::new("limited", [REDIRECT_URI]);
    limited.scopes = Some(vec!["read".to_owned()]);
    harness.provider.add(limited);
    let mut machine = RegisteredClient::new("no-code", [REDIRECT_URI]);
    machine.grant_types = vec!["client_credentials".to_owned()];
    harness.provider.add(machine);
    let long = "x".repeat(9000);
    for (changes, code) in [
        (vec![("response_type", "token")], "unsupported_response_type"),
        (vec![("response_type", "")], "invalid_request"),
        (vec![("response_mode", "fragment")], "invalid_request"),
        (vec![("request_uri", "https://evil.example.com/")], "invalid_request"),
        (vec![("request", "x.y.z")], "invalid_request"),
        (vec![("code_challenge", "")], "invalid_request"),
        (vec![("code_challenge", "x")], "invalid_request"),
        (vec![("code_challenge_method", "plain")], "invalid_request"),
        (vec![("code_challenge_method", "")], "invalid_request"),
        (vec![("scope", "unknown")], "invalid_scope"),
        (vec![("scope", "re\"ad")], "invalid_scope"),
        (vec![("client_id", "limited"), ("scope", "read write")], "invalid_scope"),
        (vec![("resource", "https://other.example.com/mcp")], "invalid_target"),
        (vec![("resource", "https://mcp.example.com/mcp#x")], "invalid_target"),
        (vec![("resource", "mcp")], "invalid_target"),
        (vec![("dpop_jkt", "x")], "invalid_request"),
        (vec![("client_id", "no-code")], "unauthorized_client"),
        (vec![("nonce", &long)], "invalid_request"),
        (vec![("state", "deny")], "access_denied"),
        (vec![("state", "fail")], "server_error"),
    ] {
        let reply = harness.authorize(&changes).await;
        let (url, _) = reply.redirect();
        assert_eq!(url, "https://app.example.com/cb", "{changes:?}");
        assert_eq!(reply.parameter("error").as_deref(), Some(code), "{changes:?}");
        assert_eq!(reply.parameter("iss").as_deref(), Some(ISSUER));
        assert_eq!(reply.parameter("code"), None);
        assert!(!reply.parameter("error_description").unwrap().contains("s3cret"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
    assert!(harness.provider.state().requests.is_empty());
}

#[tokio::test]
async fn omitted_parameters_have_defaults() {
    let harness = Harness::new();
    harness.code(&[("redirect_uri", ""), ("scope", ""), ("resource", ""), ("state", "")]).await;
    let state = harness.provider.state();
    let request = &state.requests[0];
    assert_eq!((request.redirect_uri.as_str(), request.resource.as_str()), (REDIRECT_URI, RESOURCE));
    assert_eq!((request.scopes.join(" ").as_str(), &request.state), ("read", &None));
    assert!(!request.is_redirect_uri_explicit);
}

#[tokio::test]
async fn failure_of_the_database_is_not_disclosed() {
    let harness = Harness::new();
    harness.provider.state().error = Some(OAuthError::server_error("postgres://user:s3cret@db"));
    let reply = harness.authorize(&[]).await;
    assert_eq!(reply.error(), (500, "server_error".to_owned()));
    assert!(!reply.body.contains("s3cret"));
}

#[tokio::test]
async fn errors_are_pages_for_browsers() {
    //
    let harness = Harness::new();
    let request = Request::get("/authorize?client_id=%3Cscript%3E").header(ACCEPT, "text/html,application/xhtml+xml");
    let reply = harness.send(request.body(Bytes::new()).unwrap()).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert_eq!(reply.header("x-frame-options"), Some("DENY"));
    assert!(reply.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
    assert!(reply.body.starts_with("<!doctype html>") && !reply.body.contains("<script>"));
}

#[tokio::test]
async fn trap_header_injection_through_parameters() {
    let harness = Harness::new();
    let state = "x\r\nSet-Cookie: a=b\r\n\r\n<script>";
    let reply = harness.authorize(&[("state", state)]).await;
    assert_eq!(reply.parameter("state").as_deref(), Some(state));
    assert!(!reply.headers.contains_key("set-cookie"));
    let reply = harness.authorize(&[("scope", "a\r\nSet-Cookie: a=b")]).await;
    assert_eq!(reply.parameter("error").as_deref(), Some("invalid_scope"));
    assert!(!reply.headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn port_of_loopback_redirect_uris_varies() {
    //
    let harness = Harness::new();
    harness.provider.add(RegisteredClient::new("native", ["http://127.0.0.1/cb", "http://localhost/cb"]));
    let uri = "http://127.0.0.1:51234/cb";
    let reply = harness.authorize(&[("client_id", "native"), ("redirect_uri", uri)]).await;
    assert_eq!(reply.redirect().0, uri);
    for uri in ["http://127.0.0.1:51234/other", "http://127.0.0.2:51234/cb", "http://[::1]/cb"] {
        let reply = harness.authorize(&[("client_id", "native"), ("redirect_uri", uri)]).await;
        assert_eq!(reply.error().0, 400, "{uri}");
    }
}
