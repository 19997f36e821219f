//! Authorization servers that violate the specification or fail.

use ferromcp_auth::client::{AuthErrorKind, OAuth, Tolerance};
use serde_json::{Value, json};

use crate::server::{Protected, State};

const METADATA: &str = "/.well-known/oauth-protected-resource/mcp";
const ROOT_METADATA: &str = "/.well-known/oauth-protected-resource";
const SERVER: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

async fn login(server: &Protected) -> Result<bool, ferromcp_auth::client::AuthError> {
    OAuth::new(server.options()).unwrap().login().await
}

fn metadata(server: &Protected) -> String {
    let origin = server.origin();
    json!({
        "issuer": origin,
        "authorization_endpoint": format!("{origin}/authorize"),
        "token_endpoint": format!("{origin}/token"),
        "registration_endpoint": format!("{origin}/register"),
        "code_challenge_methods_supported": ["S256"],
    })
    .to_string()
}

#[tokio::test]
async fn tokens_are_used_when_the_response_is_imperfect() {
    for fields in [
        json!({ "expires_in": 0 }),
        json!({ "expires_in": -1 }),
        json!({ "expires_in": 1e300 }),
        json!({ "expires_in": u64::MAX }),
        json!({ "expires_in": "3600" }),
        json!({ "token_type": "absent" }),
        json!({ "scope": ["read"] }),
        json!({ "scope": "" }),
        json!({ "refresh_token": null }),
        json!({ "refresh_token": null, "expires_in": 1 }),
    ] {
        let server = Protected::start(State { token_fields: fields.clone(), ..State::default() }).await;
        let oauth = OAuth::new(server.options()).unwrap();
        let client = server.connect(&oauth).await.unwrap_or_else(|error| panic!("{fields}: {error}"));
        for _ in 0..3 {
            client.tools().await.unwrap_or_else(|error| panic!("{fields}: {error}"));
        }
        assert_eq!(server.counts(|state| (state.logins, state.refreshes)), (1, 0), "{fields}");
        assert_eq!(oauth.stored().await.unwrap().unwrap().scope(), "read", "{fields}");
    }
}

#[tokio::test]
async fn the_refresh_token_is_kept_when_the_server_does_not_rotate_it() {
    // A-131
    let server = Protected::start(State { expires_in: Some(20), ..State::default() }).await;
    let oauth = OAuth::new(server.options()).unwrap();
    assert!(oauth.login().await.unwrap());
    server.state().token_fields = json!({ "refresh_token": "absent" });
    for _ in 0..3 {
        assert!(oauth.login().await.unwrap());
    }
    assert_eq!(server.counts(|state| (state.logins, state.refreshes)), (1, 3));
}

#[tokio::test]
async fn registration_responses_are_read_when_they_are_imperfect() {
    let fields = [
        json!({ "client_secret": null, "client_secret_expires_at": null, "x": [1] }),
        json!({ "client_secret": "s", "client_secret_expires_at": 1, "token_endpoint_auth_method": "client_secret_post" }),
        json!({ "client_secret_expires_at": "never", "token_endpoint_auth_method": "client_secret_basic" }),
    ];
    for (i, mut fields) in fields.into_iter().enumerate() {
        let server = Protected::start(State::default()).await;
        fields["client_id"] = json!("c");
        let status = if i == 0 { 200 } else { 201 };
        server.state().fixed.insert("/register", (status, "application/json", fields.to_string()));
        assert!(login(&server).await.unwrap(), "{fields}");
        assert_eq!(server.state().token_requests[0].get("client_id").map_or("c", String::as_str), "c");
    }
    let server = Protected::start(State::default()).await;
    server.state().fixed.insert("/register", (201, "application/json", r#"{"client_secret":"s3cret"}"#.to_owned()));
    let error = login(&server).await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Registration);
    assert!(error.to_string().contains("`client_id` is missing"), "{error}");
}

#[tokio::test]
async fn registration_is_renewed_when_its_secret_has_expired() {
    let server = Protected::start(State::default()).await;
    let body = r#"{"client_id":"c","client_secret":"s","client_secret_expires_at":1}"#;
    server.state().fixed.insert("/register", (201, "application/json", body.to_owned()));
    let oauth = OAuth::new(server.options()).unwrap();
    assert!(oauth.login().await.unwrap());
    server.state().access.clear();
    server.state().forget_refresh_tokens();
    server.connect(&oauth).await.unwrap();
    assert_eq!(server.counts(|state| state.paths.iter().filter(|path| *path == "/register").count()), 2);
}

#[tokio::test]
async fn registration_is_repeated_once_when_the_server_forgot_the_client() {
    // A-064
    let server = Protected::start(State { clients: Some(Vec::new()), ..State::default() }).await;
    let oauth = OAuth::new(server.options()).unwrap();
    let client = server.connect(&oauth).await.unwrap();
    assert_eq!(server.state().registrations, 1);
    {
        let mut state = server.state();
        state.clients = Some(Vec::new());
        state.access.clear();
    }
    assert_eq!(client.tools().await.unwrap().len(), 1);
    assert_eq!(server.counts(|state| (state.registrations, state.logins, state.refreshes)), (2, 2, 0));
    // The number of registrations is limited if the server always forgets the client.
    server.state().token_status = Some(401);
    server.state().access.clear();
    client.tools().await.unwrap_err();
    assert!(server.state().registrations <= 4, "{} registrations", server.state().registrations);
}

#[tokio::test]
async fn login_fails_when_the_metadata_names_no_authorization_server() {
    // A-023
    for servers in [json!([]), json!(null), json!({}), json!([1])] {
        let server = Protected::start(State::default()).await;
        let document = json!({ "resource": server.url(), "authorization_servers": servers }).to_string();
        server.state().fixed.insert(METADATA, (200, "application/json", document));
        let error = login(&server).await.unwrap_err().to_string();
        assert!(error.contains("names no authorization server"), "{error}");
        // The rules of revision 2025-03-26 do not apply.
        assert!(!server.state().paths.iter().any(|path| path == SERVER));
    }
}

#[tokio::test]
async fn the_next_location_is_used_when_a_document_is_invalid() {
    // A-018, A-030
    let html = "<!doctype html><title>Not found</title>".to_owned();
    let invalid =
        [(200, "text/html", html), (404, "text/html", String::new()), (200, "application/json", "[]".to_owned())];
    for invalid in invalid {
        let server = Protected::start(State { challenge: Some("Bearer".to_owned()), ..State::default() }).await;
        {
            let mut state = server.state();
            state.fixed.insert(METADATA, invalid.clone());
            let document = json!({ "resource": "{origin}/mcp", "authorization_servers": ["{origin}"] }).to_string();
            state.fixed.insert(ROOT_METADATA, (200, "text/plain", document));
            state.fixed.insert(SERVER, invalid);
            let metadata = metadata(&server);
            state.fixed.insert(OPENID, (200, "application/json", metadata));
        }
        assert!(login(&server).await.unwrap());
    }
}

#[tokio::test]
async fn well_known_locations_are_used_when_the_challenge_names_a_wrong_one() {
    let server = Protected::start(State::default()).await;
    server.state().challenge = Some("Bearer resource_metadata=\"{origin}/missing\"".to_owned());
    assert!(login(&server).await.unwrap());
    // The rules of revision 2025-03-26 do not apply to a server that names metadata.
    server.state().fixed.insert(METADATA, (404, "text/html", String::new()));
    server.state().paths.clear();
    let error = login(&server).await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Discovery, "{error}");
    assert!(!server.state().paths.iter().any(|path| path == SERVER));
}

#[tokio::test]
async fn metadata_at_a_custom_path_is_used_again_by_the_next_process() {
    // A-019, A-020
    let folder = tempfile::tempdir().unwrap();
    let server = Protected::start(State { expires_in: Some(20), ..State::default() }).await;
    {
        let mut state = server.state();
        state.challenge = Some("Bearer resource_metadata=\"{origin}/custom/metadata\"".to_owned());
        let document = json!({ "resource": "{origin}/mcp", "authorization_servers": ["{origin}"] }).to_string();
        state.fixed.insert("/custom/metadata", (200, "application/json", document));
        state.fixed.insert(METADATA, (404, "text/html", String::new()));
    }
    for _ in 0..2 {
        let options = server.options().store(ferromcp_auth::client::FileStore::new(folder.path()));
        assert!(OAuth::new(options).unwrap().login().await.unwrap());
    }
    assert_eq!(server.counts(|state| (state.logins, state.refreshes)), (1, 1));
    assert!(!server.state().paths.iter().any(|path| path.contains("oauth-protected-resource")));
}

#[tokio::test]
async fn login_fails_when_a_document_is_too_large() {
    for path in [METADATA, SERVER, "/register", "/token"] {
        let server = Protected::start(State::default()).await;
        server.state().fixed.insert(path, (200, "application/json", " ".repeat(10_000_000)));
        let error = login(&server).await.unwrap_err().to_string();
        assert!(error.contains("exceeds 262144 bytes"), "{error}");
    }
}

#[tokio::test]
async fn outages_are_errors_and_never_change_the_rules() {
    for status in [408, 429, 500, 503] {
        for path in [METADATA, ROOT_METADATA, SERVER, OPENID, "/register", "/token"] {
            let server = Protected::start(State { challenge: Some("Bearer".to_owned()), ..State::default() }).await;
            {
                let mut state = server.state();
                if path == ROOT_METADATA {
                    state.fixed.insert(METADATA, (404, "text/html", String::new()));
                }
                if path == OPENID {
                    state.fixed.insert(SERVER, (404, "text/html", String::new()));
                }
                state.fixed.insert(path, (status, "application/json", r#"{"error":"slow_down"}"#.to_owned()));
            }
            let error = login(&server).await.unwrap_err();
            assert_eq!(error.kind(), AuthErrorKind::Unavailable, "{path} {status}: {error}");
            let paths = server.counts(|state| state.paths.clone());
            assert_eq!(paths.last().unwrap(), path, "{paths:?}");
        }
        // The server itself: not a server without authorization.
        let server = Protected::start(State { refuses_with: Some(status), ..State::default() }).await;
        assert_eq!(login(&server).await.unwrap_err().kind(), AuthErrorKind::Unavailable);
    }
}

#[tokio::test]
async fn issuer_slash_is_rejected_unless_tolerated() {
    let server = Protected::start(State::default()).await;
    server.state().metadata_fields = json!({ "issuer": format!("{}/", server.origin()) });
    let error = login(&server).await.unwrap_err().to_string();
    assert!(error.contains("Tolerance::IssuerSlash"), "{error}");
    let options = server.options().tolerate(server.origin(), Tolerance::IssuerSlash);
    assert!(OAuth::new(options).unwrap().login().await.unwrap());
}

#[tokio::test]
async fn logs_in_when_the_challenge_is_missing_or_has_other_schemes() {
    for challenge in [
        "",
        "Basic realm=\"x\"",
        "Bearer realm=\"gateway\", Bearer resource_metadata=\"{origin}/.well-known/oauth-protected-resource/mcp\"",
        "Negotiate, NTLM, Basic realm=\"a, b\", Bearer scope=\"read\", Digest nonce=x",
        "Bearer resource_metadata=\"{origin}/.well-known/oauth-protected-resource/mcp",
    ] {
        let server = Protected::start(State { challenge: Some(challenge.to_owned()), ..State::default() }).await;
        assert!(login(&server).await.unwrap(), "{challenge}");
    }
}

#[tokio::test]
async fn token_is_refreshed_when_it_is_rejected_with_status_403() {
    let server = Protected::start(State::default()).await;
    let oauth = OAuth::new(server.options()).unwrap();
    let client = server.connect(&oauth).await.unwrap();
    server.state().refuses_with = Some(403);
    // The response does not come from the MCP server, so that the login does not help.
    for _ in 0..3 {
        client.tools().await.unwrap_err();
    }
    assert_eq!(server.counts(|state| (state.logins, state.refreshes)), (2, 1));
    server.state().refuses_with = None;
    assert_eq!(client.tools().await.unwrap().len(), 1);
}

#[tokio::test]
async fn scopes_of_the_metadata_are_requested_when_the_challenge_names_none() {
    // A-151
    let challenge = Some("Bearer error=\"insufficient_scope\"".to_owned());
    let server =
        Protected::start(State { challenge: Some("Bearer scope=\"read\"".to_owned()), ..State::default() }).await;
    let document = json!({
        "resource": "{origin}/mcp", "authorization_servers": ["{origin}"], "scopes_supported": ["read", "write"],
    });
    server.state().fixed.insert(METADATA, (200, "application/json", document.to_string()));
    let oauth = OAuth::new(server.options()).unwrap();
    let client = server.connect(&oauth).await.unwrap();
    assert_eq!(oauth.stored().await.unwrap().unwrap().scope(), "read");
    {
        let mut state = server.state();
        state.challenge = challenge;
        state.required_scope = Some("write");
    }
    assert_eq!(client.call_as::<i64>("add", json!({ "a": 1, "b": 2 })).await.unwrap(), 3);
    assert_eq!(oauth.stored().await.unwrap().unwrap().scope(), "read write");
    // Without further scopes, the client logs in once at most.
    server.state().required_scope = Some("admin");
    for _ in 0..3 {
        client.tools().await.unwrap_err();
    }
    assert_eq!(server.state().logins, 3);
}

#[tokio::test]
async fn the_token_endpoint_may_have_another_origin() {
    let (server, tokens) = (Protected::start(State::default()).await, Protected::start(State::default()).await);
    server.state().metadata_fields = json!({ "token_endpoint": format!("{}/token", tokens.origin()) });
    let body: Value = json!({ "access_token": "t", "token_type": "Bearer" });
    tokens.state().fixed.insert("/token", (200, "application/json", body.to_string()));
    server.state().access.insert("t".to_owned(), "read".to_owned());
    let oauth = OAuth::new(server.options()).unwrap();
    assert_eq!(server.connect(&oauth).await.unwrap().tools().await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_rules_of_2025_03_26_apply_without_metadata() {
    // A-040, A-041, A-044, A-046
    let server = Protected::start(State { challenge: Some("Bearer".to_owned()), ..State::default() }).await;
    for path in [METADATA, ROOT_METADATA, SERVER] {
        server.state().fixed.insert(path, (404, "text/html", String::new()));
    }
    assert!(login(&server).await.unwrap());
    let paths = server.counts(|state| state.paths.clone());
    assert_eq!(paths, [METADATA, ROOT_METADATA, SERVER, "/register", "/token"]);
}
