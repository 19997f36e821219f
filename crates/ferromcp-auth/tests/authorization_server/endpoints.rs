//! Paths, methods, CORS, limits, revocation, and the protection of the MCP endpoint.

use std::time::Duration;

use bytes::Bytes;
use ferromcp_auth::authorization_server::{AuthorizationServer, AuthorizationServerOptions, RateLimits};
use ferromcp_server::Principal;
use ferromcp_server::http::{ClientAddr, HttpAuthorization as _};
use http::header::{AUTHORIZATION, HOST};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use tower_service::Service as _;

use crate::harness::{Harness, ISSUER, RESOURCE, SECRET, basic, exchange, options};
use crate::provider::TestProvider;

const METADATA: &str = "/.well-known/oauth-authorization-server";
const RESOURCE_METADATA: &str = "/.well-known/oauth-protected-resource/mcp";

async fn method(harness: &Harness, method: Method, path: &str) -> crate::harness::Reply {
    harness.send(Request::builder().method(method).uri(path).body(Bytes::new()).unwrap()).await
}

#[tokio::test]
async fn metadata_is_public_and_cached() {
    //
    let harness = Harness::new();
    let reply = harness.get(METADATA).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("cache-control"), Some("public, max-age=3600"));
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    let document = reply.json();
    assert_eq!(document["issuer"], ISSUER);
    for (name, path) in [
        ("authorization_endpoint", "/authorize"),
        ("token_endpoint", "/token"),
        ("registration_endpoint", "/register"),
        ("revocation_endpoint", "/revoke"),
    ] {
        assert_eq!(document[name], format!("{ISSUER}{path}"));
        assert!(harness.server.is_route(path), "{path}");
    }
    let head = method(&harness, Method::HEAD, METADATA).await;
    assert_eq!((head.status.as_u16(), head.body.as_str()), (200, ""));
}

#[tokio::test]
async fn metadata_of_the_mcp_server_names_this_issuer() {
    let document = Harness::new().get(RESOURCE_METADATA).await.json();
    assert_eq!(document["resource"], RESOURCE);
    assert_eq!(document["authorization_servers"], serde_json::json!([ISSUER]));
    assert_eq!(document["scopes_supported"], serde_json::json!(["read"]));
}

#[test]
fn trap_invalid_scopes_protect_nothing() {
    // Required scopes that are omitted would let each token in.
    let create = |options| AuthorizationServer::new(options, TestProvider::default());
    for (options, name) in [
        (options().required_scopes(["notes:read notes:write"]), "the required scope `notes:read notes:write`"),
        (options().required_scopes(["read", ""]), "the required scope ``"),
        (options().valid_scopes(["read", "a\\b"]), "the valid scope `a\\b`"),
        (options().default_scopes(["\u{e9}"]), "the default scope `\u{e9}`"),
        (options().allow_redirect_scheme("cursor://"), "the redirect scheme `cursor://`"),
        (options().allow_redirect_scheme("javascript"), "the redirect scheme `javascript`"),
        (options().allow_redirect_scheme("HTTP"), "the redirect scheme `HTTP`"),
        (options().allow_redirect_scheme(""), "the redirect scheme ``"),
    ] {
        let error = create(options).map(drop).unwrap_err().to_string();
        assert!(error.starts_with("cannot ") && error.contains(name), "{error}");
    }
    create(options().allow_redirect_scheme("cursor").default_scopes(["read"])).unwrap();
}

#[test]
fn resource_servers_are_found_by_their_canonical_url() {
    //
    let server = Harness::with(options().resource("https://mcp.example.com/other")).server;
    for url in [RESOURCE, "https://mcp.example.com/mcp/", "HTTPS://MCP.example.com:443/other"] {
        assert!(server.resource_server(url).is_some(), "{url}");
    }
    for url in ["https://mcp.example.com/", "https://mcp.example.com/mcp?x=1", "http://mcp.example.com/mcp", "mcp"] {
        assert!(server.resource_server(url).is_none(), "{url}");
    }
}

#[tokio::test]
async fn trap_foreign_host() {
    let harness = Harness::new();
    let expected = harness.get(METADATA).await.body;
    let request = Request::get(METADATA)
        .header(HOST, "evil.example.com")
        .header("x-forwarded-host", "evil.example.com")
        .header("x-forwarded-proto", "http")
        .header("forwarded", "host=evil.example.com");
    let reply = harness.send(request.body(Bytes::new()).unwrap()).await;
    assert_eq!(reply.body, expected);
}

#[tokio::test]
async fn issuer_with_a_path_has_its_endpoints_below_it() {
    //
    let options = AuthorizationServerOptions::new("https://example.com/tenant/").resource(RESOURCE);
    let harness = Harness::with(options);
    for path in ["/.well-known/oauth-authorization-server/tenant", "/tenant/.well-known/oauth-authorization-server"] {
        let document = harness.get(path).await.json();
        assert_eq!(document["issuer"], "https://example.com/tenant/");
        assert_eq!(document["token_endpoint"], "https://example.com/tenant/token");
    }
    assert!(harness.server.is_route("/tenant/token") && harness.server.is_route("/tenant/authorize"));
    for path in [METADATA, "/token", "/authorize", "/tenant", "/tenant/token/", "/tenant/register", "/tenantx/token"] {
        assert!(!harness.server.is_route(path), "{path}");
    }
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    let harness = Harness::new();
    for (path, methods, allowed) in [
        (METADATA, [Method::POST, Method::DELETE], "GET, HEAD, OPTIONS"),
        ("/authorize", [Method::PUT, Method::OPTIONS], "GET, POST"),
        ("/token", [Method::GET, Method::PUT], "POST, OPTIONS"),
        ("/register", [Method::GET, Method::HEAD], "POST, OPTIONS"),
        ("/revoke", [Method::GET, Method::DELETE], "POST, OPTIONS"),
    ] {
        for name in methods {
            let reply = method(&harness, name.clone(), path).await;
            assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, Some(allowed)), "{name} {path}");
        }
    }
}

#[tokio::test]
async fn browsers_may_send_credentials_of_clients_and_proofs() {
    let harness = Harness::new();
    for path in ["/token", "/register", "/revoke", METADATA] {
        let reply = method(&harness, Method::OPTIONS, path).await;
        assert_eq!((reply.status.as_u16(), reply.header("access-control-allow-origin")), (204, Some("*")), "{path}");
        let headers = reply.header("access-control-allow-headers").unwrap();
        for name in ["authorization", "content-type", "dpop", "mcp-protocol-version"] {
            assert!(headers.split(", ").any(|other| other == name), "{name}");
        }
        assert!(!reply.headers.contains_key("access-control-allow-credentials"));
    }
    let error = harness.token(&[]).await;
    assert_eq!((error.status.as_u16(), error.header("access-control-allow-origin")), (400, Some("*")));
    assert!(error.header("access-control-expose-headers").unwrap().contains("dpop-nonce"));
    // The authorization endpoint is visited, not fetched.
    assert!(!harness.authorize(&[]).await.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn tokens_are_revoked_for_their_client_only() {
    let harness = Harness::new();
    let tokens = harness.login().await;
    let access = tokens["access_token"].as_str().unwrap();
    for (fields, status) in [
        (vec![("client_id", "other"), ("token", access)], 200),
        (vec![("client_id", "public"), ("token", "unknown")], 200),
        (vec![("client_id", "public")], 400),
        (vec![("client_id", "unknown"), ("token", access)], 401),
        (vec![("token", access)], 401),
        (vec![("client_id", "basic"), ("client_secret", SECRET), ("token", access)], 401),
        (vec![("client_id", "public"), ("token", access), ("token", "x")], 400),
    ] {
        let reply = harness.form("/revoke", &[], &fields).await;
        assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (status, Some("no-store")), "{fields:?}");
        assert!(harness.accepts(access).await, "{fields:?}");
    }
    let fields = [("client_id", "public"), ("token", access), ("token_type_hint", "refresh_token")];
    let reply = harness.form("/revoke", &[], &fields).await;
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, ""));
    assert!(!harness.accepts(access).await);
    let header = basic("basic", SECRET);
    let reply = harness.form("/revoke", &[("authorization", &header)], &[("token", "x")]).await;
    assert_eq!(reply.status, 200, "the header authenticates without `client_id`");
}

#[tokio::test]
async fn revocation_can_be_disabled() {
    let harness = Harness::with(options().revocation(false));
    assert!(!harness.server.is_route("/revoke"));
}

#[tokio::test]
async fn requests_are_limited_per_address() {
    let limits = RateLimits::new()
        .authorize(1, Duration::from_secs(60))
        .token(2, Duration::from_secs(60))
        .register(1, Duration::from_secs(60))
        .revoke(1, Duration::from_secs(60));
    let harness = Harness::with(options().rate_limits(limits));
    for (path, method, allowed) in [
        ("/authorize", Method::GET, 1),
        ("/token", Method::POST, 2),
        ("/register", Method::POST, 1),
        ("/revoke", Method::POST, 1),
    ] {
        let send = |address: &'static str| {
            let mut request = Request::builder().method(&method).uri(path).body(Bytes::new()).unwrap();
            request.extensions_mut().insert(ClientAddr(address.parse().unwrap()));
            harness.send(request)
        };
        for _ in 0..allowed {
            assert_ne!(send("192.0.2.1:1").await.status, 429, "{path}");
        }
        let reply = send("192.0.2.1:2").await;
        assert_eq!(reply.error(), (429, "too_many_requests".to_owned()), "{path}");
        let seconds: u64 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&seconds), "{seconds}");
        assert_ne!(send("192.0.2.2:1").await.status, 429, "{path}");
    }
}

#[tokio::test]
async fn bodies_are_bounded() {
    let harness = Harness::new();
    let body = Bytes::from("x".repeat(64 * 1024 + 1));
    for path in ["/token", "/register", "/revoke", "/authorize"] {
        let reply = harness.send(Request::post(path).body(body.clone()).unwrap()).await;
        assert_eq!(reply.status, 413, "{path}");
    }
    let request = Request::post("/token").body(Full::new(body)).unwrap();
    assert_eq!(harness.server.routes().call(request).await.unwrap().status(), 413);
}

#[tokio::test]
async fn routes_are_a_service() {
    let mut routes = Harness::new().server.routes();
    let request = Request::get(METADATA).body(Full::new(Bytes::new())).unwrap();
    let response = routes.call(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(body.starts_with(b"{\"issuer\":"));
    let other = Request::get("/other").body(Full::new(Bytes::new())).unwrap();
    assert_eq!(routes.call(other).await.unwrap().status(), 404);
}

#[tokio::test]
async fn mcp_endpoint_requires_a_token_of_this_server() {
    //
    let harness = Harness::new();
    let (mut parts, ()) = Request::post("/mcp").body(()).unwrap().into_parts();
    let challenge = harness.server.authorize(&mut parts).await.unwrap_err();
    assert_eq!(challenge.status(), 401);
    let header = challenge.headers()["www-authenticate"].to_str().unwrap();
    assert!(header.contains("resource_metadata=\"https://mcp.example.com/.well-known/oauth-protected-resource/mcp\""));
    let tokens = harness.login().await;
    let token = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let (mut parts, ()) = Request::post("/mcp").header(AUTHORIZATION, token).body(()).unwrap().into_parts();
    harness.server.authorize(&mut parts).await.unwrap();
    let principal: &Principal = parts.extensions.get().unwrap();
    assert_eq!((principal.issuer(), principal.subject()), (Some(ISSUER), Some("ada")));
    assert_eq!(principal.scopes(), ["read", "write"]);
}

#[tokio::test]
async fn tokens_of_one_resource_are_not_accepted_by_another() {
    //
    let other = "https://mcp.example.com/other";
    let harness = Harness::with(options().resource(other));
    let code = harness.code(&[("resource", other)]).await;
    let tokens = harness.token(&exchange("public", &code)).await.json();
    let access = tokens["access_token"].as_str().unwrap();
    assert!(!harness.accepts(access).await);
    let server = harness.server.resource_server(other).unwrap();
    let request = Request::post("/other").header(AUTHORIZATION, format!("Bearer {access}"));
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    assert!(server.authorize(&mut parts).await.is_ok());
    assert!(harness.server.resource_server("https://mcp.example.com/third").is_none());
}

#[tokio::test]
async fn invalid_options_are_refused_with_a_remedy() {
    //
    let create = |options: AuthorizationServerOptions| AuthorizationServer::new(options, TestProvider::default());
    for (options, text) in [
        (AuthorizationServerOptions::new("http://as.example.com").resource(RESOURCE), "cannot use the issuer"),
        (AuthorizationServerOptions::new("https://as.example.com?x").resource(RESOURCE), "cannot use the issuer"),
        (AuthorizationServerOptions::new(ISSUER), "AuthorizationServerOptions::resource"),
        (AuthorizationServerOptions::new(ISSUER).resource("http://mcp.example.com/mcp"), "mcp.example.com"),
    ] {
        let error = create(options).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    }
    assert!(
        create(AuthorizationServerOptions::new("http://localhost:3000").resource("http://localhost:3000/mcp")).is_ok()
    );
}
