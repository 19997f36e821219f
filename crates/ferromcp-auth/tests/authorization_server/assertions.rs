//! The JWT bearer grant: identity assertions and tokens of workloads.

use ferromcp_auth::authorization_server::{
    AssertionGrant, AuthorizationServer, AuthorizationServerOptions, ClientSecretDigest, RegisteredClient,
    TrustedIssuer,
};
use serde_json::{Value, json};

use crate::harness::{Fields, Harness, ISSUER, RESOURCE, SECRET, TOKEN_ENDPOINT, changed, options};
use crate::provider::{TestProvider, now};
use crate::signing::SigningKey;

pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const PROVIDER: &str = "https://idp.example.com";
const PLATFORM: &str = "https://platform.example.com";
pub(crate) const ID_JAG: &str = "oauth-id-jag+jwt";

pub(crate) struct Setup {
    pub(crate) harness: Harness,
    pub(crate) provider: SigningKey,
    pub(crate) platform: SigningKey,
}

/// Returns a server that trusts an identity provider and a platform, with the client `agent`.
pub(crate) fn setup() -> Setup {
    let (provider, platform) = (SigningKey::generate(), SigningKey::generate());
    let workloads = TrustedIssuer::workloads(PLATFORM, |claims| match claims.get("sub")?.as_str()? {
        "deploy" => Some(AssertionGrant::new("workload:deploy").scopes(["read", "write"])),
        "elsewhere" => Some(AssertionGrant::new("workload:elsewhere").resource("https://other.example.com/mcp")),
        _ => None,
    });
    let options = options()
        .trusted_issuer(TrustedIssuer::identity_provider(PROVIDER).jwks(provider.jwks()))
        .trusted_issuer(workloads.jwks(platform.jwks()));
    let harness = Harness::with(options);
    let mut client = RegisteredClient::new("agent", [""; 0]);
    client.grant_types = vec![JWT_BEARER.to_owned()];
    client.client_secret = Some(ClientSecretDigest::of(SECRET));
    client.auth_method = ferromcp_auth::authorization_server::ClientAuthentication::ClientSecretPost;
    harness.provider.add(client);
    Setup { harness, provider, platform }
}

fn patched(mut claims: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

pub(crate) fn identity(id: &str, changes: &Value) -> Value {
    let claims = json!({
        "iss": PROVIDER, "sub": "ada", "aud": ISSUER, "resource": RESOURCE, "client_id": "agent", "jti": id,
        "exp": now() + 300, "iat": now(), "scope": "read write",
    });
    patched(claims, changes)
}

pub(crate) fn workload(id: &str, changes: &Value) -> Value {
    let claims =
        json!({ "iss": PLATFORM, "sub": "deploy", "aud": ISSUER, "jti": id, "exp": now() + 300, "iat": now() });
    patched(claims, changes)
}

impl Setup {
    async fn exchange(&self, assertion: &str, changes: Fields<'_>) -> (u16, Value) {
        let fields = vec![
            ("grant_type", JWT_BEARER),
            ("assertion", assertion),
            ("client_id", "agent"),
            ("client_secret", SECRET),
        ];
        let reply = self.harness.token(&changed(fields, changes)).await;
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        (reply.status.as_u16(), reply.json())
    }

    async fn error(&self, assertion: &str, changes: Fields<'_>) -> (u16, String) {
        let (status, document) = self.exchange(assertion, changes).await;
        (status, document["error"].as_str().unwrap_or_default().to_owned())
    }

    async fn exchange_workload(&self, assertion: &str, changes: Fields<'_>) -> (u16, Value) {
        let changes: Vec<_> = [("client_id", ""), ("client_secret", "")].iter().chain(changes).copied().collect();
        self.exchange(assertion, &changes).await
    }
}

#[tokio::test]
async fn identity_assertion_is_exchanged() {
    //
    let setup = setup();
    let assertion = setup.provider.token(ID_JAG, &identity("1", &json!({})));
    let (status, tokens) = setup.exchange(&assertion, &[("scope", "write admin")]).await;
    assert_eq!((status, &tokens["token_type"]), (200, &json!("Bearer")));
    assert_eq!(tokens["scope"], "write", "requested and asserted scopes");
    assert_eq!(tokens.get("refresh_token"), None);
    let issued = setup.harness.provider.state().issued.remove(0);
    assert_eq!((issued.0.as_str(), issued.1.as_str()), ("agent", "https://idp.example.com#ada"));
    assert_eq!(issued.3.resource, RESOURCE);
    let assertion = setup.provider.token(ID_JAG, &identity("2", &json!({ "scope": "read unknown" })));
    assert_eq!(setup.exchange(&assertion, &[]).await.1["scope"], "read");
}

#[tokio::test]
async fn invalid_identity_assertions_are_rejected() {
    //
    let setup = setup();
    for (i, changes) in [
        json!({ "iss": "https://other.example.com" }),
        json!({ "iss": PLATFORM }),
        json!({ "iss": null }),
        json!({ "sub": null }),
        json!({ "sub": "" }),
        json!({ "aud": TOKEN_ENDPOINT }),
        json!({ "aud": "https://other.example.com" }),
        json!({ "aud": null }),
        json!({ "resource": "https://other.example.com/mcp" }),
        json!({ "resource": [RESOURCE] }),
        json!({ "resource": null }),
        json!({ "client_id": "public" }),
        json!({ "client_id": null }),
        json!({ "jti": null }),
        json!({ "exp": now() - 120 }),
        json!({ "exp": now() + 100_000 }),
        json!({ "exp": null }),
        json!({ "iat": now() + 600 }),
        json!({ "iat": null }),
        json!({ "nbf": now() + 600 }),
        json!({ "scope": ["read"] }),
        json!({ "scope": "re\"ad" }),
        json!({ "cnf": { "jkt": "x" } }),
        json!({ "cnf": { "jkt": "" } }),
        json!({ "cnf": { "x5t#S256": "x" } }),
        json!({ "cnf": "x" }),
    ]
    .into_iter()
    .enumerate()
    {
        let assertion = setup.provider.token(ID_JAG, &identity(&format!("invalid-{i}"), &changes));
        assert_eq!(setup.error(&assertion, &[]).await, (400, "invalid_grant".to_owned()), "{changes}");
    }
    let foreign = SigningKey::generate().token(ID_JAG, &identity("1", &json!({})));
    assert_eq!(setup.error(&foreign, &[]).await, (400, "invalid_grant".to_owned()));
    // An ID token is not an identity assertion.
    for kind in ["JWT", "at+jwt", "dpop+jwt"] {
        let other = setup.provider.token(kind, &identity("2", &json!({})));
        assert_eq!(setup.error(&other, &[]).await, (400, "invalid_grant".to_owned()), "{kind}");
    }
    assert_eq!(setup.error("x", &[]).await, (400, "invalid_grant".to_owned()));
    assert_eq!(setup.error("", &[]).await, (400, "invalid_request".to_owned()));
    assert!(setup.harness.provider.state().issued.is_empty());
}

#[tokio::test]
async fn trap_unsigned_assertion() {
    //
    use base64::Engine as _;
    let setup = setup();
    let encode = |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    for alg in ["none", "HS256"] {
        let header = encode(&json!({ "typ": ID_JAG, "alg": alg, "kid": "1" }));
        let forged = format!("{header}.{}.", encode(&identity("1", &json!({}))));
        assert_eq!(setup.error(&forged, &[]).await, (400, "invalid_grant".to_owned()));
    }
}

#[tokio::test]
async fn identity_assertion_needs_an_authenticated_client() {
    //
    let setup = setup();
    let assertion = setup.provider.token(ID_JAG, &identity("1", &json!({})));
    for changes in [vec![("client_secret", "wrong")], vec![("client_secret", "")], vec![("client_id", "")]] {
        assert_eq!(setup.error(&assertion, &changes).await, (401, "invalid_client".to_owned()), "{changes:?}");
    }
    let other = [("client_id", "post")];
    assert_eq!(setup.error(&assertion, &other).await, (400, "unauthorized_client".to_owned()));
    assert_eq!(setup.error(&assertion, &[("scope", "admin")]).await, (400, "invalid_scope".to_owned()));
    let resource = [("resource", "https://other.example.com/mcp")];
    assert_eq!(setup.error(&assertion, &resource).await, (400, "invalid_target".to_owned()));
    // None of them used the assertion.
    assert_eq!(setup.exchange(&assertion, &[("resource", RESOURCE)]).await.0, 200);
}

#[tokio::test]
async fn trap_identity_assertion_of_a_public_client() {
    //
    let setup = setup();
    let mut client = setup.harness.provider.state().clients["agent"].clone();
    client.client_id = "public-agent".to_owned();
    client.auth_method = ferromcp_auth::authorization_server::ClientAuthentication::None;
    client.client_secret = None;
    setup.harness.provider.add(client);
    let public = [("client_id", "public-agent"), ("client_secret", "")];
    let stolen = setup.provider.token(ID_JAG, &identity("1", &json!({ "client_id": "public-agent" })));
    assert_eq!(setup.error(&stolen, &public).await, (401, "invalid_client".to_owned()));
    // Bound to the key of the client, it is of no use to others.
    let key = SigningKey::generate();
    let claims = identity("2", &json!({ "client_id": "public-agent", "cnf": { "jkt": key.thumbprint() } }));
    let assertion = setup.provider.token(ID_JAG, &claims);
    assert_eq!(setup.error(&assertion, &public).await, (400, "invalid_grant".to_owned()));
    let fields = [("grant_type", JWT_BEARER), ("assertion", assertion.as_str()), ("client_id", "public-agent")];
    let reply = setup.harness.form("/token", &[("dpop", &key.proof("1", TOKEN_ENDPOINT))], &fields).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[tokio::test]
async fn trap_identity_assertion_replay() {
    //
    let setup = setup();
    let assertion = setup.provider.token(ID_JAG, &identity("1", &json!({})));
    assert_eq!(setup.exchange(&assertion, &[]).await.0, 200);
    assert_eq!(setup.error(&assertion, &[]).await, (400, "invalid_grant".to_owned()));
    let again = setup.provider.token(ID_JAG, &identity("1", &json!({ "scope": "read" })));
    assert_eq!(setup.error(&again, &[]).await, (400, "invalid_grant".to_owned()), "another token with the same ID");
}

#[tokio::test]
async fn assertions_and_tokens_can_be_bound_to_a_key() {
    let setup = setup();
    let key = SigningKey::generate();
    let claims = identity("1", &json!({ "cnf": { "jkt": key.thumbprint() } }));
    let assertion = setup.provider.token(ID_JAG, &claims);
    let fields = [
        ("grant_type", JWT_BEARER),
        ("assertion", assertion.as_str()),
        ("client_id", "agent"),
        ("client_secret", SECRET),
    ];
    let other = SigningKey::generate().proof("1", TOKEN_ENDPOINT);
    let reply = setup.harness.form("/token", &[("dpop", &other)], &fields).await;
    assert_eq!(reply.error(), (400, "invalid_grant".to_owned()));
    let proof = key.proof("2", TOKEN_ENDPOINT);
    let reply = setup.harness.form("/token", &[("dpop", &proof)], &fields).await;
    assert_eq!(reply.json()["token_type"], "DPoP");
}

#[tokio::test]
async fn workload_token_is_exchanged_without_a_client() {
    //
    let setup = setup();
    let assertion = setup.platform.token("JWT", &workload("1", &json!({})));
    let (status, tokens) = setup.exchange_workload(&assertion, &[("resource", RESOURCE), ("scope", "read")]).await;
    assert_eq!((status, &tokens["scope"]), (200, &json!("read")));
    let issued = setup.harness.provider.state().issued.remove(0);
    assert_eq!((issued.0.as_str(), issued.1.as_str()), ("workload:deploy", "workload:deploy"));
    let assertion = setup.platform.token("JWT", &workload("2", &json!({ "aud": TOKEN_ENDPOINT })));
    assert_eq!(setup.exchange_workload(&assertion, &[]).await.1["scope"], "read write");
}

#[tokio::test]
async fn unauthorized_workloads_are_rejected() {
    //
    let setup = setup();
    for (i, changes) in [
        json!({ "sub": "unknown" }),
        json!({ "sub": "elsewhere" }),
        json!({ "aud": "https://other.example.com" }),
        json!({ "iss": PROVIDER }),
        json!({ "iss": "https://other.example.com" }),
        json!({ "exp": now() - 120 }),
        json!({ "exp": now() + 100_000 }),
    ]
    .into_iter()
    .enumerate()
    {
        let assertion = setup.platform.token("JWT", &workload(&format!("invalid-{i}"), &changes));
        let (status, document) = setup.exchange_workload(&assertion, &[]).await;
        assert_eq!((status, &document["error"]), (400, &json!("invalid_grant")), "{changes}");
    }
    let assertion = setup.platform.token("JWT", &workload("1", &json!({})));
    for (changes, code) in
        [(("scope", "admin"), "invalid_scope"), (("resource", "https://other.example.com/mcp"), "invalid_target")]
    {
        assert_eq!(setup.exchange_workload(&assertion, &[changes]).await.1["error"], code);
    }
    // The two kinds of trust are separate: a platform cannot vouch for users.
    let forged = setup.platform.token(ID_JAG, &identity("2", &json!({ "iss": PLATFORM })));
    assert_eq!(setup.error(&forged, &[]).await, (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn trap_workload_token_replay() {
    let setup = setup();
    for claims in [workload("1", &json!({})), workload("", &json!({ "jti": null }))] {
        let assertion = setup.platform.token("JWT", &claims);
        assert_eq!(setup.exchange_workload(&assertion, &[]).await.0, 200);
        assert_eq!(setup.exchange_workload(&assertion, &[]).await.1["error"], "invalid_grant");
    }
    let platform = SigningKey::generate();
    let trusted = TrustedIssuer::workloads(PLATFORM, |_| Some(AssertionGrant::new("w")));
    let trusted = trusted.jwks(platform.jwks()).allow_reuse().audience("api://mcp");
    let harness = Harness::with(options().trusted_issuer(trusted));
    let reusable = Setup { harness, provider: SigningKey::generate(), platform };
    let assertion = reusable.platform.token("JWT", &workload("1", &json!({ "aud": ["api://mcp"] })));
    assert_eq!(reusable.exchange_workload(&assertion, &[]).await.0, 200);
    assert_eq!(reusable.exchange_workload(&assertion, &[]).await.0, 200);
}

/// Returns the other valid signature of the text, `(r, n - s)`, which is computed without the key.
fn with_other_signature(token: &str) -> String {
    use base64::Engine as _;
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad,
        0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut signature = engine.decode(signature).unwrap();
    let mut borrow = 0;
    for (s, n) in signature[32..].iter_mut().zip(ORDER).rev() {
        let difference = i16::from(n) - i16::from(*s) - borrow;
        borrow = i16::from(difference < 0);
        *s = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    format!("{signed}.{}", engine.encode(signature))
}

#[tokio::test]
async fn trap_workload_token_replay_with_another_signature() {
    let setup = setup();
    let assertion = setup.platform.token("JWT", &workload("", &json!({ "jti": null })));
    let other = with_other_signature(&assertion);
    assert_ne!(other, assertion);
    assert_eq!(setup.exchange_workload(&other, &[]).await.0, 200, "the signature is valid");
    assert_eq!(setup.exchange_workload(&assertion, &[]).await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn trap_scopes_of_the_client_widened_by_an_assertion() {
    //
    let setup = setup();
    let mut client = setup.harness.provider.state().clients["agent"].clone();
    client.scopes = Some(vec!["read".to_owned()]);
    setup.harness.provider.add(client);
    let claims = json!({ "scope": "read write admin" });
    let assertion = setup.provider.token(ID_JAG, &identity("1", &claims));
    assert_eq!(setup.exchange(&assertion, &[]).await.1["scope"], "read");
    let assertion = setup.provider.token(ID_JAG, &identity("2", &claims));
    assert_eq!(setup.error(&assertion, &[("scope", "admin")]).await, (400, "invalid_scope".to_owned()));
}

#[tokio::test]
async fn trap_proofs_of_requests_without_a_valid_assertion_are_remembered() {
    let (setup, key) = (setup(), SigningKey::generate());
    let proof = key.proof("1", TOKEN_ENDPOINT);
    let send = async |token: &str| {
        let fields = [("grant_type", JWT_BEARER), ("assertion", token)];
        setup.harness.form("/token", &[("dpop", &proof)], &fields).await.error()
    };
    let foreign = SigningKey::generate().token("JWT", &workload("1", &json!({})));
    assert_eq!(send(&foreign).await, (400, "invalid_grant".to_owned()));
    assert_eq!(send(&setup.platform.token("JWT", &workload("1", &json!({})))).await.0, 200);
    let next = setup.platform.token("JWT", &workload("2", &json!({})));
    assert_eq!(send(&next).await, (400, "invalid_dpop_proof".to_owned()));
    // The replayed proof did not use up the assertion.
    assert_eq!(setup.exchange_workload(&next, &[]).await.0, 200);
}

#[tokio::test]
async fn unsafe_trusted_issuers_are_refused() {
    //
    let create = |options: AuthorizationServerOptions| AuthorizationServer::new(options, TestProvider::default());
    let provider = TrustedIssuer::identity_provider(PROVIDER);
    for (options, text) in [
        (options().trusted_issuer(TrustedIssuer::identity_provider("http://idp.example.com")), "plain HTTP"),
        (options().trusted_issuer(provider.clone().jwks_url("http://idp.example.com/keys")), "plain HTTP"),
        (options().trusted_issuer(provider.clone().jwks_url("https://10.0.0.1/keys")), "globally routable"),
        (options().trusted_issuer(provider.clone()).trusted_issuer(provider), "twice"),
    ] {
        let error = create(options).unwrap_err().to_string();
        assert!(error.contains("cannot trust the issuer") && error.contains(text), "{error}");
    }
}
