//! An OpenID Connect provider (`oidc-provider` of npm) with the OAuth client of Ferromcp: as the authorization server of a
//! protected Ferromcp server, and as the login of the embedded authorization server.
//!
//! The provider is described in `crates/ferromcp/tests/interop/README.md`.

use std::path::Path;
use std::time::Duration;

use ferromcp::auth::authorization_server::{StoredProvider, UpstreamLogin, UpstreamOptions};
use ferromcp::auth::client::{ClientRegistration, Grant, OAuth, OAuthOptions};
use ferromcp::auth::resource_server::{
    DpopPolicy, IntrospectionVerifier, JwtVerifier, ResourceServer, ResourceServerBuilder, TokenVerifier,
};
use ferromcp::client::Client;
use ferromcp_conformance::protected::{READ, WRITE};
use serde_json::{Value, json};

use crate::interop::set_up_folder;
use crate::oauth_server::ProtectedServer;
use crate::oauth_user::User;
use crate::server_process::ServerProcess;

const NODE: &str = "node/node_modules/.bin/node";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/ferromcp/tests/interop/oidc_provider.mjs");
/// The timeout of each operation; long, because the machine may be busy.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Tokens with this lifetime are not refreshed during a test.
const LONG: &str = "3600";
/// The client refreshes tokens with this lifetime before each request.
const SHORT: &str = "20";

/// Starts the provider, which issues access tokens of a format: `opaque`, or a signature algorithm.
fn start_provider(folder: &Path, format: &str, seconds: &str) -> ServerProcess {
    ServerProcess::start(folder.join(NODE).to_str().unwrap(), &[SCRIPT, format, seconds])
}

/// Starts a provider that issues refresh tokens only to clients that request consent.
fn start_provider_with_consent(folder: &Path, format: &str, seconds: &str) -> ServerProcess {
    ServerProcess::start(folder.join(NODE).to_str().unwrap(), &[SCRIPT, format, seconds, "consent"])
}

/// Starts a protected server.
async fn protect(
    verifier: impl TokenVerifier,
    configure: impl FnOnce(ResourceServerBuilder) -> ResourceServerBuilder,
) -> ProtectedServer {
    ProtectedServer::start(|_, url| {
        configure(ResourceServer::builder(url, verifier).required_scopes([READ])).build().unwrap()
    })
    .await
}

fn introspection(issuer: &str) -> IntrospectionVerifier {
    let url = format!("{issuer}/token/introspection");
    IntrospectionVerifier::new(url, "resource-server", "secret").issuer(issuer)
}

/// Returns the options of a client that registers dynamically.
fn options(server: &ProtectedServer) -> OAuthOptions {
    let prompt = User::new().prompt();
    OAuthOptions::new(server.url()).client_name("ferromcp").grant(Grant::authorization_code(prompt))
}

/// Returns the options of a client that is registered already. The provider limits other clients to the scopes that they
/// registered, so that they cannot obtain a further scope.
fn registered(server: &ProtectedServer) -> OAuthOptions {
    options(server).registration(ClientRegistration::new("registered"))
}

async fn connect(server: &ProtectedServer, options: OAuthOptions) -> Client {
    let oauth = OAuth::new(options).unwrap();
    let connect = Client::builder("ferromcp", "0").credentials(oauth).connect(server.url());
    tokio::time::timeout(TIMEOUT, connect).await.expect("no timeout").unwrap()
}

/// Calls the tools, one of which requires a further scope.
async fn call_tools(client: &Client) {
    let call = async |tool: &str, args: Value| client.call(tool, args).timeout(TIMEOUT).await.unwrap();
    assert_eq!(call("add", json!({ "a": 2, "b": 3 })).await.text_content(), "5");
    let caller = async || client.call_as::<Value>("whoami", ()).timeout(TIMEOUT).await.unwrap();
    let before = caller().await;
    assert_eq!((&before["subject"], &before["scopes"]), (&json!("ada"), &json!([READ])));
    assert_eq!(call("write_note", json!({ "text": "hello" })).await.text_content(), "written: hello");
    let after = caller().await;
    let mut scopes: Vec<_> = after["scopes"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    scopes.sort_unstable();
    assert_eq!((scopes, &after["client_id"]), (vec![READ, WRITE], &before["client_id"]));
}

/// Returns the lines that the provider has printed after its issuer: registrations, tokens and errors.
fn log(provider: ServerProcess) -> Vec<String> {
    provider.signal("KILL");
    let log = provider.wait().stderr;
    log.lines().filter(|line| !line.starts_with("http://")).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signed_tokens_are_verified() {
    //
    let Some(folder) = set_up_folder("signed_tokens_are_verified") else { return };
    for algorithm in ["RS256", "PS256", "ES256", "EdDSA"] {
        let provider = start_provider(&folder, algorithm, LONG);
        let server = protect(JwtVerifier::new(provider.url()), |it| it).await;
        let client = connect(&server, registered(&server)).await;
        call_tools(&client).await;
        client.close().await;
        let code = "token authorization_code Bearer";
        assert_eq!(log(provider), [code, code], "{algorithm}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opaque_tokens_are_introspected() {
    let Some(folder) = set_up_folder("opaque_tokens_are_introspected") else { return };
    let provider = start_provider(&folder, "opaque", LONG);
    let server = protect(introspection(&provider.url()), |it| it).await;
    let client = connect(&server, registered(&server)).await;
    call_tools(&client).await;
    client.close().await;
    let code = "token authorization_code Bearer";
    assert_eq!(log(provider), [code, code]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_refreshed() {
    let Some(folder) = set_up_folder("tokens_are_refreshed") else { return };
    for format in ["ES256", "opaque"] {
        let provider = start_provider(&folder, format, SHORT);
        let issuer = provider.url();
        let server = if format == "ES256" {
            protect(JwtVerifier::new(issuer), |it| it).await
        } else {
            protect(introspection(&issuer), |it| it).await
        };
        let client = connect(&server, options(&server)).await;
        for _ in 0..2 {
            let sum = client.call("add", json!({ "a": 2, "b": 3 })).timeout(TIMEOUT).await.unwrap();
            assert_eq!(sum.text_content(), "5");
        }
        client.close().await;
        let log = log(provider);
        let refreshes = log.iter().filter(|line| *line == "token refresh_token Bearer").count();
        assert_eq!(log[..2], ["registered native none", "token authorization_code Bearer"]);
        assert!(refreshes >= 2 && log.iter().all(|line| !line.contains("error")), "{log:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consent_is_requested_when_a_login_brought_no_refresh_token() {
    // A-131; OpenID Connect Core, section 11
    let Some(folder) = set_up_folder("consent_is_requested_when_a_login_brought_no_refresh_token") else { return };
    let code = "token authorization_code Bearer";
    // The second login, for a further scope, brings a refresh token.
    let provider = start_provider_with_consent(&folder, "opaque", SHORT);
    let server = protect(introspection(&provider.url()), |it| it).await;
    let client = connect(&server, registered(&server)).await;
    call_tools(&client).await;
    client.close().await;
    let lines = log(provider);
    assert_eq!(lines[..3], [code, code, "token refresh_token Bearer"], "{lines:?}");
    // With the parameter, the first one does.
    let provider = start_provider_with_consent(&folder, "opaque", SHORT);
    let server = protect(introspection(&provider.url()), |it| it).await;
    let options = registered(&server).authorization_parameter("prompt", "consent");
    connect(&server, options).await.close().await;
    let lines = log(provider);
    assert_eq!(lines[..2], [code, "token refresh_token Bearer"], "{lines:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_revoked_when_the_client_logs_out() {
    let Some(folder) = set_up_folder("tokens_are_revoked_when_the_client_logs_out") else { return };
    let provider = start_provider(&folder, "opaque", LONG);
    let server = protect(introspection(&provider.url()).cache_time(Duration::ZERO), |it| it).await;
    let oauth = OAuth::new(registered(&server)).unwrap();
    let client = Client::builder("ferromcp", "0").credentials(oauth.clone()).connect(server.url()).await.unwrap();
    let token = server.last_authorization().expect("a token");
    assert!(oauth.logout().await.unwrap());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.post(server.url()).header(reqwest::header::AUTHORIZATION, &token).body("{}");
    assert_eq!(request.send().await.unwrap().status(), 401, "the access token was revoked");
    client.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_bound_to_the_key_of_the_client() {
    let Some(folder) = set_up_folder("tokens_are_bound_to_the_key_of_the_client") else { return };
    for (format, policy) in [("ES256", DpopPolicy::required()), ("opaque", DpopPolicy::optional().with_nonces())] {
        let provider = start_provider(&folder, format, LONG);
        let issuer = provider.url();
        let server = if format == "ES256" {
            protect(JwtVerifier::new(issuer), |it| it.dpop(policy)).await
        } else {
            protect(introspection(&issuer), |it| it.dpop(policy)).await
        };
        let client = connect(&server, registered(&server).dpop()).await;
        call_tools(&client).await;
        client.close().await;
        let code = "token authorization_code DPoP";
        assert_eq!(log(provider), [code, code]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_for_another_server_are_rejected() {
    //
    let Some(folder) = set_up_folder("tokens_for_another_server_are_rejected") else { return };
    let provider = start_provider(&folder, "ES256", LONG);
    let issuer = provider.url();
    let server = protect(JwtVerifier::new(&*issuer), |it| it).await;
    let other = protect(JwtVerifier::new(&*issuer), |it| it).await;
    connect(&server, options(&server)).await.close().await;
    let token = server.last_authorization().expect("a token");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let status = async |server: &ProtectedServer| {
        let request = http.post(server.url()).header(reqwest::header::AUTHORIZATION, &token).body("{}");
        request.send().await.unwrap().status().as_u16()
    };
    assert_ne!(status(&server).await, 401, "the token is valid for its server");
    assert_eq!(status(&other).await, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_log_in_with_client_credentials() {
    let Some(folder) = set_up_folder("programs_log_in_with_client_credentials") else { return };
    let provider = start_provider(&folder, "ES256", LONG);
    let server = protect(JwtVerifier::new(provider.url()), |it| it).await;
    let registration = ClientRegistration::new("machine").secret("secret");
    let options = OAuthOptions::new(server.url()).registration(registration).grant(Grant::client_credentials());
    let client = connect(&server, options).await;
    let caller: Value = client.call_as("whoami", ()).timeout(TIMEOUT).await.unwrap();
    assert_eq!(caller, json!({ "subject": "machine", "client_id": "machine", "scopes": [READ] }));
    client.close().await;
    assert_eq!(log(provider), ["token client_credentials Bearer"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_of_embedded_server_log_in_at_provider() {
    let Some(folder) = set_up_folder("users_of_embedded_server_log_in_at_provider") else { return };
    let provider = start_provider(&folder, "opaque", LONG);
    let login = UpstreamLogin::new(UpstreamOptions::new(provider.url(), "upstream", "secret")).unwrap();
    let server = ProtectedServer::embedded(StoredProvider::new(login)).await;
    let client = connect(&server, options(&server)).await;
    call_tools(&client).await;
    client.close().await;
    // The user remains logged in at the embedded server, which issues tokens for the login and for the further scope.
    assert_eq!(log(provider), ["token authorization_code Bearer"]);
    assert_eq!(server.requests_to("/token").len(), 2);
}
