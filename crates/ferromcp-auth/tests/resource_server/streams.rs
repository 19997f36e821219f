//! Streams whose tokens are verified again while they are open.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use ferromcp_auth::resource_server::{AccessToken, DpopPolicy, ResourceServer, VerifyError, verifier_fn};
use ferromcp_server::Server;
use ferromcp_server::http::HttpServerOptions;
use http::Request;
use http_body_util::{BodyExt, Full};
use serde_json::json;
use tokio::time::{Instant, sleep};
use tower_service::Service;

use crate::idp::RESOURCE;
use crate::keys::Key;

/// The result of the verifier.
type Outcome = Arc<Mutex<Result<&'static [&'static str], VerifyError>>>;

/// Opens a subscription with a token that grants `read`, and changes the outcome of the verifier after 90 s. Returns how long
/// the stream is open, up to 600 s.
async fn open_for(changed: Result<&'static [&'static str], VerifyError>, client_key: Option<&Key>) -> u64 {
    let outcome: Outcome = Arc::new(Mutex::new(Ok(&["read", "other"])));
    let (current, thumbprint) = (Arc::clone(&outcome), client_key.map(Key::thumbprint));
    let verifier = verifier_fn(move |_: String| {
        let token = current.lock().unwrap().clone().map(|scopes| {
            let mut token = AccessToken::new();
            token.subject = Some("ada".to_owned());
            token.audiences = vec![RESOURCE.to_owned()];
            token.scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
            token.key_thumbprint.clone_from(&thumbprint);
            token
        });
        std::future::ready(token)
    });
    let builder = ResourceServer::builder(RESOURCE, verifier).authorization_server("https://as.example.com");
    let authorization = builder.required_scopes(["read"]).dpop(DpopPolicy::optional()).build().unwrap();
    let options = HttpServerOptions::new().authorization(authorization).keep_alive(Duration::from_secs(5));
    let mut service = Server::new("streams", "1").http_with(options).unwrap();
    let params = json!({
        "notifications": {},
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    });
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params });
    let request = Request::post("/mcp")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "subscriptions/listen");
    let request = match client_key {
        Some(key) => request
            .header("authorization", "DPoP secret")
            .header("dpop", key.proof("POST", RESOURCE, "secret", &json!({}))),
        None => request.header("authorization", "Bearer secret"),
    };
    let start = Instant::now();
    let response = service.call(request.body(Full::new(Bytes::from(message.to_string()))).unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
    let mut body = response.into_body();
    let read = async {
        while let Some(frame) = body.frame().await {
            drop(frame.unwrap());
            if start.elapsed() > Duration::from_secs(600) {
                break;
            }
        }
        start.elapsed().as_secs()
    };
    let change = async {
        sleep(Duration::from_secs(90)).await;
        *outcome.lock().unwrap() = changed;
    };
    tokio::join!(read, change).0
}

#[tokio::test(start_paused = true)]
async fn trap_stream_of_a_revoked_token() {
    let key = Key::new("client", "ES256");
    for client_key in [None, Some(&key)] {
        assert_eq!(open_for(Err(VerifyError::Invalid("revoked".to_owned())), client_key).await, 120);
        assert_eq!(open_for(Ok(&["read"]), client_key).await, 120, "the token has lost a scope");
    }
}

#[tokio::test(start_paused = true)]
async fn stream_continues_when_the_token_is_valid_or_cannot_be_verified() {
    let key = Key::new("client", "ES256");
    // A proof is used once, with the request, and not again with each check.
    for client_key in [None, Some(&key)] {
        assert!(open_for(Ok(&["other", "read", "write"]), client_key).await > 600);
        assert!(open_for(Err(VerifyError::Unavailable("down".to_owned())), client_key).await > 600);
    }
}
