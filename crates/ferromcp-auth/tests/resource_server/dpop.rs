//! Access tokens that are bound to a key: RFC 9449.

use ferromcp_auth::resource_server::{DpopPolicy, JwtVerifier, ResourceServer, ResourceServerBuilder};
use ferromcp_server::Principal;
use ferromcp_server::http::HttpAuthorization;
use http::{Extensions, Request};
use serde_json::{Value, json};

use crate::idp::{RESOURCE, Rejected, claims, send, with_token};
use crate::keys::Key;

const ISSUER: &str = "https://as.example.com";

struct Setup {
    issuer_key: Key,
    client_key: Key,
    server: ResourceServer,
}

impl Setup {
    fn new(policy: Option<DpopPolicy>) -> Self {
        Self::with(|builder| match policy {
            Some(policy) => builder.dpop(policy),
            None => builder,
        })
    }

    fn with(options: impl FnOnce(ResourceServerBuilder) -> ResourceServerBuilder) -> Self {
        let issuer_key = Key::new("a", "ES256");
        let verifier = JwtVerifier::new(ISSUER).jwks(json!({ "keys": [issuer_key.jwk()] }));
        let server = options(ResourceServer::builder(RESOURCE, verifier)).build().unwrap();
        Self { issuer_key, client_key: Key::new("client", "ES256"), server }
    }

    /// Returns a token that is bound to the key of the client.
    fn token(&self, fields: &Value) -> String {
        let mut all = claims(ISSUER, fields);
        if all.get("cnf").is_none() {
            all["cnf"] = json!({ "jkt": self.client_key.thumbprint() });
        }
        self.issuer_key.sign(&json!({}), &all)
    }

    fn unbound_token(&self) -> String {
        self.issuer_key.sign(&json!({}), &claims(ISSUER, &json!({})))
    }

    async fn send(&self, token: &str, proof: &str) -> Result<Extensions, Rejected> {
        let authorization = format!("DPoP {token}");
        send(&self.server, "POST", "/mcp", &[("authorization", &authorization), ("dpop", proof)]).await
    }

    async fn send_with_proof(&self, token: &str, claims: &Value) -> Result<Extensions, Rejected> {
        self.send(token, &self.client_key.proof("POST", RESOURCE, token, claims)).await
    }
}

#[track_caller]
fn assert_rejected(result: Result<Extensions, Rejected>, error: &str) -> Rejected {
    let rejected = result.unwrap_err();
    assert_eq!((rejected.status, rejected.error()), (401, error));
    let start = format!(r#"DPoP error="{error}""#);
    assert!(rejected.challenges.len() == 1 && rejected.challenges[0].starts_with(&start), "{:?}", rejected.challenges);
    assert!(rejected.challenges[0].contains(r#"algs="ES256 "#));
    rejected
}

#[tokio::test]
async fn bound_tokens_are_accepted_with_a_proof() {
    // A-255, A-259
    let setup = Setup::new(Some(DpopPolicy::optional()));
    let extensions = setup.send_with_proof(&setup.token(&json!({})), &json!({})).await.unwrap();
    assert_eq!(extensions.get::<Principal>().unwrap().subject(), Some("ada"));
    // An unbound token is still a bearer token.
    with_token(&setup.server, &setup.unbound_token()).await.unwrap();
    for algorithm in ["EdDSA", "PS256"] {
        let setup = Setup { client_key: Key::new("client", algorithm), ..Setup::new(Some(DpopPolicy::required())) };
        setup.send_with_proof(&setup.token(&json!({})), &json!({})).await.unwrap();
    }
}

#[tokio::test]
async fn trap_bound_token_as_bearer() {
    // A-259
    for policy in [None, Some(DpopPolicy::optional()), Some(DpopPolicy::required())] {
        let setup = Setup::new(policy);
        let rejected = with_token(&setup.server, &setup.token(&json!({}))).await.unwrap_err();
        assert_eq!((rejected.status, rejected.error()), (401, "invalid_token"));
    }
    // Without the option, the scheme is unknown.
    let setup = Setup::new(None);
    let rejected = setup.send_with_proof(&setup.token(&json!({})), &json!({})).await.unwrap_err();
    assert!(rejected.status == 401 && rejected.challenges[0].starts_with("Bearer resource_metadata"));
}

#[tokio::test]
async fn unbound_tokens_are_rejected_with_a_proof_or_when_binding_is_required() {
    // A-259
    let setup = Setup::new(Some(DpopPolicy::required()));
    let token = setup.unbound_token();
    assert_rejected(setup.send_with_proof(&token, &json!({})).await, "invalid_token");
    let rejected = with_token(&setup.server, &token).await.unwrap_err();
    assert!(rejected.challenges[0].starts_with(r#"DPoP error="invalid_token""#) && rejected.challenges.len() == 1);
    let rejected = send(&setup.server, "POST", "/mcp", &[]).await.unwrap_err();
    assert!(rejected.challenges[0].starts_with("DPoP algs=") && rejected.challenges.len() == 1);
}

#[tokio::test]
async fn trap_dpop_htu_and_ath_mismatch() {
    // A-259, A-260
    let setup = Setup::new(Some(DpopPolicy::optional()));
    let token = setup.token(&json!({}));
    for fields in [
        json!({ "htm": "GET" }),
        json!({ "htu": "https://mcp.example.com/other" }),
        json!({ "htu": "https://evil.example.com/mcp" }),
        json!({ "ath": crate::keys::sha256(b"other") }),
        json!({ "ath": null }),
        json!({ "iat": 1 }),
    ] {
        assert_rejected(setup.send_with_proof(&token, &fields).await, "invalid_dpop_proof");
    }
    // The proof of another key.
    let foreign = Key::new("x", "ES256").proof("POST", RESOURCE, &token, &json!({}));
    assert_rejected(setup.send(&token, &foreign).await, "invalid_dpop_proof");
    // A missing proof, several proofs, and an access token as proof.
    let authorization = format!("DPoP {token}");
    let missing = send(&setup.server, "POST", "/mcp", &[("authorization", &authorization)]).await;
    assert_rejected(missing, "invalid_dpop_proof");
    let proofs: Vec<String> = (0..2).map(|_| setup.client_key.proof("POST", RESOURCE, &token, &json!({}))).collect();
    let headers = [("authorization", authorization.as_str()), ("dpop", &proofs[0]), ("dpop", &proofs[1])];
    assert_rejected(send(&setup.server, "POST", "/mcp", &headers).await, "invalid_dpop_proof");
    assert_rejected(setup.send(&token, &token).await, "invalid_dpop_proof");
}

#[tokio::test]
async fn trap_dpop_replay() {
    // A-262
    let setup = Setup::new(Some(DpopPolicy::optional()));
    let token = setup.token(&json!({}));
    let proof = setup.client_key.proof("POST", RESOURCE, &token, &json!({}));
    setup.send(&token, &proof).await.unwrap();
    assert_rejected(setup.send(&token, &proof).await, "invalid_dpop_proof");
}

#[tokio::test]
async fn audience_of_bound_tokens_is_checked() {
    // A-261
    let setup = Setup::new(Some(DpopPolicy::optional()));
    let token = setup.token(&json!({ "aud": "https://other.example.com/mcp" }));
    assert_rejected(setup.send_with_proof(&token, &json!({})).await, "invalid_token");
}

#[tokio::test]
async fn nonces_are_requested_and_accepted() {
    // A-262
    let setup = Setup::new(Some(DpopPolicy::optional().with_nonces()));
    let token = setup.token(&json!({}));
    let rejected = assert_rejected(setup.send_with_proof(&token, &json!({})).await, "use_dpop_nonce");
    let nonce = rejected.headers["dpop-nonce"].to_str().unwrap();
    setup.send_with_proof(&token, &json!({ "nonce": nonce })).await.unwrap();
    let rejected = setup.send_with_proof(&token, &json!({ "nonce": format!("{nonce}A") })).await;
    assert_rejected(rejected, "use_dpop_nonce");
}

#[tokio::test]
async fn missing_scopes_of_bound_tokens_are_challenged_with_dpop() {
    // A-147
    let setup = Setup::with(|builder| builder.dpop(DpopPolicy::optional()).required_scopes(["admin"]));
    let rejected = setup.send_with_proof(&setup.token(&json!({})), &json!({})).await.unwrap_err();
    assert_eq!((rejected.status, rejected.error()), (403, "insufficient_scope"));
    assert!(rejected.challenges[0].starts_with(r#"DPoP error="insufficient_scope""#), "{:?}", rejected.challenges);
}

#[tokio::test]
async fn metadata_describes_the_policy() {
    // A-009, A-255
    for (policy, is_required) in [(DpopPolicy::optional(), None), (DpopPolicy::required(), Some(true))] {
        let setup = Setup::new(Some(policy));
        let request = Request::get("/.well-known/oauth-protected-resource/mcp").body(bytes::Bytes::new()).unwrap();
        let document: Value = serde_json::from_slice(setup.server.respond(request).await.body()).unwrap();
        let algorithms = document["dpop_signing_alg_values_supported"].as_array().unwrap();
        assert!(algorithms.contains(&json!("ES256")) && !algorithms.contains(&json!("HS256")));
        assert_eq!(document.get("dpop_bound_access_tokens_required").and_then(Value::as_bool), is_required);
    }
}
