//! Secrets do not reach logs, `Debug` or errors.

use std::fmt::Write as _;

use ferromcp_auth::client::{FileStore, OAuth};
use serde_json::json;

use crate::log::Log;
use crate::server::{Protected, State, registration};

#[tokio::test]
async fn secrets_do_not_reach_logs_debug_or_errors() {
    //
    let (log, _guard) = Log::start();
    let folder = tempfile::tempdir().unwrap();
    let server = Protected::start(State { rotates: true, ..State::default() }).await;
    let mut shown = String::new();
    for configured in [false, true] {
        let options = server.options().store(FileStore::new(folder.path().join(configured.to_string())));
        let options = if configured { options.registration(registration()) } else { options };
        write!(shown, "{options:?}").unwrap();
        let oauth = OAuth::new(options).unwrap();
        let client = server.connect(&oauth).await.unwrap();
        server.state().access.clear();
        let sum: i64 = client.call_as("add", json!({ "a": 1, "b": 2 })).await.unwrap();
        assert_eq!(sum, 3);
        server.state().access.clear();
        server.state().forget_refresh_tokens();
        server.state().token_status = Some(400);
        let error = client.tools().await.unwrap_err();
        write!(shown, "{error} {error:?} {oauth:?} {client:?} {:?}", oauth.stored().await.unwrap()).unwrap();
        server.state().token_status = None;
    }
    shown.push_str(&log.text());
    assert!(shown.contains("refresh token was rejected") || shown.len() > 1000, "the log is empty");
    let state = server.state();
    assert!(state.secrets.len() > 10);
    for secret in state.secrets.iter().map(String::as_str).chain(["configured-s3cret"]) {
        assert!(!shown.contains(secret), "{secret} is shown");
    }
}

#[tokio::test]
async fn debug_omits_secrets() {
    //
    use ferromcp_auth::client::{
        ClientRegistration, CredentialStore as _, EnterpriseIdentityProvider, Grant, LoopbackPrompt, MemoryStore,
        OAuthOptions, PastePrompt, StoredCredentials,
    };

    let provider = EnterpriseIdentityProvider::new("https://idp.example.com/token", "id").client_secret("s3cret");
    let assertion = || async { Ok(ferromcp_auth::Secret::new("s3cret")) };
    let registration = ClientRegistration::new("id").secret("s3cret");
    let options = OAuthOptions::new("https://example.com/mcp?key=s3cret").registration(registration.clone());
    let oauth = OAuth::new(OAuthOptions::new("https://example.com/mcp?key=s3cret").dpop()).unwrap();
    let store = MemoryStore::new();
    let credentials: StoredCredentials = serde_json::from_value(json!({
        "issuer": "https://as.example.com", "resource": "https://example.com", "tokens": { "access": "s3cret" },
    }))
    .unwrap();
    store.save("https://example.com/mcp?key=s3cret", &credentials).await.unwrap();
    let options = options.authorization_parameter("login_hint", "s3cret");
    let shown = format!(
        "{provider:?} {registration:?} {options:?} {oauth:?} {store:?} {credentials:?} {:?} {:?} {:?} {:?} {:?}",
        Grant::enterprise_managed(provider.clone(), move |_| assertion()),
        Grant::workload_identity(move |_| assertion()),
        LoopbackPrompt::new(),
        PastePrompt::new(),
        FileStore::new("/credentials"),
    );
    assert!(!shown.contains("s3cret"), "{shown}");
}
